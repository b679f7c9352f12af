"""Its clips: what a network hears of speech that was changed at random, and the pitch of every frame."""

from pathlib import Path

import numpy as np

from ddsp_edge.features.log_mel import N_MELS, log_mel
from ddsp_edge.features.repetition import pitches_hz, repetition
from ddsp_edge.units import Array
from ddsp_tf.data.batches import Shapes
from ddsp_tf.data.records.shards import OnDamage
from ddsp_tf.frames import FrameSpec
from ddsp_tf.speech.examples import Clip, SpeechExamples
from ddsp_tf.tasks.pitch.config import PitchConfig, PitchDataConfig
from ddsp_tf.tasks.pitch.preparation import PITCH

UNKNOWN = -1.0
"""In place of a pitch that nobody knows, Hz."""
_CURVES = 4  # cosines over log frequency that a colour is made of
_LOWEST_HZ = 60.0  # where they begin


class PitchExamples(SpeechExamples):
    """See `ddsp_tf.speech.examples.SpeechExamples`.

    Args:
        data: Folder of the dataset.
        split: `"train"` or `"validation"`.
        config: The configuration.
        on_damage: As in `read_records`.
    """

    label = PITCH

    def __init__(
        self, data: Path, split: str, config: PitchConfig, on_damage: OnDamage | None = None
    ) -> None:
        self.config = config
        super().__init__(data, split, config, config.changes, config.network.lookahead_frames, on_damage)

    @property
    def shapes(self) -> Shapes:
        """Repetitions and log-mel bands, and the pitch of each frame."""
        pitches = len(pitches_hz(self.config.data.f0_min_hz, self.config.data.f0_max_hz))
        return {"repetition": (self.frames, 2 * pitches), "log_mel": (self.frames, N_MELS)}, (self.frames,)

    def example(self, clip: Clip) -> tuple[dict[str, Array], Array]:
        """Features of coloured sound, and pitch as it is at its speed."""
        speech = self.changed(clip)
        _, f0_hz = self.passage(clip.passage)
        audio = speech.audio if speech.rng is None else self._coloured(speech.audio, speech.rng)
        index = np.rint(speech.places).astype(int)
        known = (index >= 0) & (index < len(f0_hz))
        wanted = f0_hz[np.clip(index, 0, len(f0_hz) - 1)] * speech.speed
        data = self.config.data
        beyond = (wanted > 0.0) & ((wanted < data.f0_min_hz) | (wanted > data.f0_max_hz))
        return features_of(audio, self.spec, data), np.where(known & ~beyond, wanted, UNKNOWN).astype(
            np.float32
        )

    def _coloured(self, audio: Array, rng: np.random.Generator) -> Array:
        """Give a sound `[samples]` a smooth colour over log frequency, and -20 to 10 dB more level."""
        spectrum = np.fft.rfft(audio)
        hz = np.fft.rfftfreq(len(audio), 1.0 / self.spec.sample_rate)
        place = np.log(np.maximum(hz, _LOWEST_HZ) / _LOWEST_HZ) / np.log(hz[-1] / _LOWEST_HZ)
        k = np.arange(1, _CURVES + 1)
        weights = rng.uniform(-1.0, 1.0, _CURVES) / np.sqrt(k)
        gain_db = 0.5 * self.config.changes.equaliser_db * weights @ np.cos(np.pi * np.outer(k, place))
        level_db = rng.uniform(-20.0, 10.0)
        coloured = np.fft.irfft(spectrum * 10.0 ** ((gain_db + level_db) / 20.0), len(audio))
        return np.asarray(coloured, np.float32)


def features_of(audio: Array, spec: FrameSpec, data: PitchDataConfig) -> dict[str, Array]:
    """What the network hears of a whole sound `[samples]`, `[frames, size]` by name."""
    return {
        "repetition": repetition(audio, spec, data.f0_min_hz, data.f0_max_hz),
        "log_mel": log_mel(audio, spec),
    }
