"""A live effect: what a microphone hears, played by an instrument."""

from pathlib import Path
from typing import TypedDict

import numpy as np

from ddsp_edge.live.block_player import BlockPlayer
from ddsp_edge.live.following import Follower
from ddsp_edge.live.sample_queue import CHUNK
from ddsp_edge.live.settings import EffectSettings
from ddsp_edge.live.voices import VoiceBank
from ddsp_edge.transfer.further import FurtherMapping
from ddsp_edge.transfer.mapping import live_mapping
from ddsp_edge.transfer.settings import TransferSettings
from ddsp_edge.units import Array


class _Following(TypedDict):
    f0_min_hz: float | None
    lookahead_frames: int | None
    loudness_ms: float | None


LATENCIES: dict[str, _Following] = {
    "full": {"f0_min_hz": None, "lookahead_frames": None, "loudness_ms": None},
    "middle": {"f0_min_hz": None, "lookahead_frames": 0, "loudness_ms": None},
    "low": {"f0_min_hz": 110.0, "lookahead_frames": 0, "loudness_ms": 24.0},
}
"""How long `LiveEffect` waits for pitch and loudness, by name.

`full` sounds as a rendering of the whole file does. `middle` gives up the look-ahead, so that the pitch at
onsets and leaps may come a few frames late. `low` also gives up notes below 110 Hz (A2), and measures
loudness over 24 ms, still more than two periods.
"""


class LiveEffect(BlockPlayer):
    """Play the pitch and loudness of a stream of sound on an instrument.

    With settings as they are at the start, the output is that of `ddsp_edge.render.render_audio`, held to
    full scale, `latency_samples` later.

    A frame is known once its windows are full: half of 32 ms for the loudness (of 64 ms where the level of
    the card is power); for the pitch a period of `f0_min_hz` and the look-ahead. A hop can be played once the
    frame at its end is known, so

        latency_samples = longer of both + hop - 1

    `LATENCIES` has settings for three ways between soon and sure. The last, `LATENCIES["low"]`, at 16 kHz
    with hops of 128 samples is 319 samples, 19.9 ms.

    Args:
        path: A `.tflite` made by `ddsp-tf export`.
        settings: What the player sets; may be changed at any time, from any thread.
        f0_min_hz: Lowest pitch that is looked for, Hz; None for the card's.
        lookahead_frames: Frames after a frame that its pitch waits for; None for 30 ms.
        loudness_ms: Window of the loudness, or of the power, 8 to 32 ms; None for that of the training data,
            32 ms, of power 64 ms.
        seed: Seed of the noise; None for another noise every time.
        backend: What plays the voice; see `live.voices.BACKENDS`.
        consonants: What is played where the player has no pitch, one of `ddsp_edge.ranges.CONSONANTS`; all
            but `hold` take more computing, see `live.voices.VoiceBank`.

    Raises:
        DdspError: If the file cannot be played, or has not the backend.

    Example:
        >>> effect = LiveEffect("violin.tflite")       # doctest: +SKIP
        >>> out = effect.process(microphone.read(480))  # doctest: +SKIP
    """

    def __init__(
        self,
        path: str | Path,
        settings: EffectSettings | None = None,
        f0_min_hz: float | None = None,
        lookahead_frames: int | None = None,
        loudness_ms: float | None = None,
        seed: int | None = None,
        backend: str = "auto",
        consonants: str = "hold",
    ) -> None:
        self.settings = EffectSettings() if settings is None else settings
        bank = VoiceBank(path, 1, seed, backend, consonants)
        self._holds = consonants == "hold"
        self._follower = Follower(bank.card, CHUNK, f0_min_hz, lookahead_frames, loudness_ms)
        latency = self._follower.latency_samples + bank.spec.hop - 1
        super().__init__(bank, self.settings, latency)
        self._seen, self._wanted = dict[str, object](), TransferSettings()
        self._mapping, self._loudness = live_mapping(
            self.spec, self.card.f0_hz_range, self.card.loudness_db_range, self._follower.doubt_frames
        )
        self._further = FurtherMapping(self.spec, self.card.further)

    def reset(self) -> None:
        """Forget everything, what was learned of the player too: the next sample is sample 0."""
        super().reset()
        self._follower.reset()
        self._mapping.reset()
        self._further.reset()

    def played_db(self) -> tuple[float, float] | None:
        """Range of loudness that was learned of the player, dB; None where none was, or of less than 4 s."""
        learns = self.settings.match_loudness and not self.settings.played_range()
        return self._loudness.played_range() if learns else None

    def _advance(self, part: Array) -> None:
        frames = self._follower.push(part)
        if not frames:
            return
        f0_hz, loudness_db = self._mapped([frame[:2] for frame in frames])
        further = self._further_mapped(frames) if self._further.names else None
        pitched = None if self._holds else np.array([frame[0] > 0.0 for frame in frames])
        self._emit(self._bank.play(f0_hz, loudness_db, self.settings, further, pitched))

    def _further_mapped(self, frames: list[tuple[float, ...]]) -> dict[str, Array]:
        """Further features that the instrument is to be told, `[frames]` by name."""
        f0_hz, loudness_db, *values = np.array(frames, np.float64).T
        sounds = (f0_hz > 0.0) & (loudness_db >= self._wanted.gate_db)
        return self._further.map(sounds, dict(zip(self._further.names, values, strict=True)))

    def _mapped(self, frames: list[tuple[float, ...]]) -> tuple[Array, Array]:
        """What the player does -> what the instrument is to do: f0 and loudness, float32 `[frames]` each."""
        values = vars(self.settings)
        if values != self._seen:  # seldom: they are read anew when somebody has changed one
            self._seen, self._wanted = dict(values), _transfer(self.settings)
        pitches, levels = self._mapping.map(frames, self._wanted)
        if shift_db := self._wanted.loudness_shift_db:
            levels = [level + shift_db for level in levels]
        return np.array(pitches, np.float32), np.array(levels, np.float32)


def _transfer(settings: EffectSettings) -> TransferSettings:
    """Settings as they are now, in range."""
    softest_db, loudest_db = settings.played_range() or (None, None)
    return TransferSettings(
        transposition=settings.semitones(),
        loudness_shift_db=settings.number("loudness_shift_db"),
        match_octave=settings.match_octave,
        match_loudness=settings.match_loudness,
        softest_db=softest_db,
        loudest_db=loudest_db,
        gate=settings.gate,
        gate_db=settings.number("gate_db"),
    )
