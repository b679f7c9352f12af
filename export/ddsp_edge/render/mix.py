"""A MIDI file of several parts, each on an instrument of its own, mixed into one stereo sound."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr

from ddsp_edge.atomic import renaming_in
from ddsp_edge.errors import DdspError
from ddsp_edge.files.audio_writer import AudioWriter, check_output
from ddsp_edge.files.midi_parts import Part
from ddsp_edge.frames import FrameSpec
from ddsp_edge.live.offline import OfflineInstrument
from ddsp_edge.live.settings import KeySettings
from ddsp_edge.model.file import read_instrument_file
from ddsp_edge.render.midi import MidiScore, play
from ddsp_edge.render.render import Progress, RenderReport
from ddsp_edge.synthesis.limiter import Limiter
from ddsp_edge.synthesis.reverb import Reverb
from ddsp_edge.synthesis.stems import stem_paths
from ddsp_edge.synthesis.synthesizer import Synthesizer
from ddsp_edge.units import Array

_HOP, _HOPS = 256, 16  # samples; of a block
OWN, DRY = "own", "dry"
"""Rooms: each instrument in its own, or none at all. Else the one room is that of a model file."""


@dataclass(frozen=True)
class Player:
    """Who plays a part.

    Args:
        part: The part.
        instrument: A `.tflite` made by `ddsp-tf export`.
        pan: From -1 (left) to 1 (right), of constant power.
        level_db: dB.
    """

    part: Part
    instrument: Path
    pan: float = 0.0
    level_db: float = 0.0


def render_mix(
    source: str | Path,
    out: str | Path,
    players: Sequence[Player],
    *,
    room: str | Path = OWN,
    voices: int = 4,
    expression: float = 1.0,
    stems: bool = False,
    seed: int | None = None,
    progress: Progress | None = None,
) -> RenderReport:
    """Play a MIDI file with several instruments, in memory that does not grow with it.

    Args:
        source: The MIDI file.
        out: Where to, `.wav` or `.flac`, stereo, at the highest sample rate of the instruments.
        players: Who plays; parts of the file that nobody plays are silent.
        room: `"own"`, `"dry"`, or the instrument whose room all play in. That one must have the rate of the
            mix.
        voices: Integer from 1 to 32, notes at a time of each instrument.
        expression: 0 to 1, how far notes are played as instruments know them to be, where their files do.
        stems: Whether to write each part as well, beside `out` by its number: as it is heard, without the one
            room, before the limiter.
        seed: Integer from 0, seed of the noise; None for another noise every time.
        progress: Called with the seconds done and the seconds in all.

    Raises:
        DdspError: If nobody plays, a file cannot be read, played or written, or would be overwritten.
    """
    if not players:
        raise DdspError("nobody plays: name an instrument for one part at least")
    out = Path(out)
    cards = [read_instrument_file(player.instrument).card for player in players]
    spec = FrameSpec(max(card.sample_rate for card in cards), _HOP)
    labels = [str(number) for number in range(1, len(players) + 1)]
    paths = stem_paths(out, labels) if stems else {}
    inputs: dict[str, str | Path] = {"MIDI file": source}
    inputs |= {f"instrument of part {n}": player.instrument for n, player in enumerate(players, 1)}
    for path in (out, *paths.values()):
        check_output(path, inputs)
    began = time.perf_counter()
    settings = KeySettings(expression=expression, reverb=1.0 if room == OWN else 0.0)
    lines = [
        _Line(source, player, spec.sample_rate, voices, settings, None if seed is None else seed + 1000 * n)
        for n, player in enumerate(players)
    ]
    hall = None if room in (OWN, DRY) else _Hall(Path(room), spec)
    limiter, peak, samples = _Limiter(spec), 0.0, 0
    total = max(line.seconds for line in lines)
    with renaming_in(out.parent), ExitStack() as files:
        mix = files.enter_context(AudioWriter(out, spec.sample_rate, 2))
        parts = [files.enter_context(AudioWriter(path, spec.sample_rate, 2)) for path in paths.values()]
        for block in _blocks(lines, hall, parts):
            peak = max(peak, float(np.abs(block).max(initial=0.0)))
            mix.write(limiter.process(block))
            samples += len(block)
            if progress is not None:
                done = samples / spec.sample_rate
                progress(done, max(total, done))
    warnings = [warning for line in lines for warning in line.warnings]
    if peak > 1.0:
        warnings.append(
            f"the mix went {20 * np.log10(peak):.1f} dB over full scale, where the limiter held it"
        )
    seconds = samples / spec.sample_rate
    return RenderReport(seconds, time.perf_counter() - began, peak, list(dict.fromkeys(warnings)))


def _blocks(lines: Sequence["_Line"], hall: "_Hall | None", stems: Sequence[AudioWriter]) -> Iterator[Array]:
    """Yield stereo blocks `[n, 2]` until all has rung out."""
    size = _HOP * _HOPS
    while not all(line.ended for line in lines):
        block = np.zeros((size, 2), np.float32)
        for number, line in enumerate(lines):
            part = line.take(size)
            block += part
            if stems:
                stems[number].write(part)
        yield block if hall is None else hall.process(block)
    if hall is not None:
        for _ in range(-(-hall.tail_samples // size)):
            yield hall.process(np.zeros((size, 2), np.float32))


class _Line:
    """A part as it is played, at the rate of the mix and in its place."""

    def __init__(
        self,
        source: str | Path,
        player: Player,
        rate: int,
        voices: int,
        settings: KeySettings,
        seed: int | None,
    ) -> None:
        instrument = OfflineInstrument(player.instrument, voices, settings, seed)
        score = MidiScore(source, instrument.spec.sample_rate, player.part.place)
        self.warnings = score.warnings
        self.seconds = score.n_samples / instrument.spec.sample_rate
        self.ended = False
        """Whether all of it was taken."""
        self._sound = self._at(rate, instrument, score)
        angle = (min(max(player.pan, -1.0), 1.0) + 1.0) * np.pi / 4.0
        level = 10.0 ** (player.level_db / 20.0)
        self._gains = np.array([np.cos(angle), np.sin(angle)], np.float32) * np.float32(level)
        self._waiting = np.zeros(0, np.float32)

    def take(self, n: int) -> Array:
        """The next `n` samples, `[n, 2]`; silence after the end."""
        parts, have = [self._waiting], len(self._waiting)
        while have < n and (block := next(self._sound, None)) is not None:
            parts.append(block)
            have += len(block)
        joined = np.concatenate(parts)
        self.ended = have < n
        self._waiting = joined[n:]
        return np.pad(joined[:n], (0, max(0, n - have)))[:, None] * self._gains

    def _at(self, rate: int, instrument: OfflineInstrument, score: MidiScore) -> Iterator[Array]:
        own = instrument.spec.sample_rate
        stream = None if own == rate else soxr.ResampleStream(own, rate, 1, "float32")
        try:
            for audio, _ in play(score, instrument):
                yield audio if stream is None else stream.resample_chunk(audio)
        except DdspError as error:  # a part that is silent throughout is no fault of the others
            self.warnings = [*self.warnings, str(error)]
        if stream is not None:
            yield stream.resample_chunk(np.zeros(0, np.float32), last=True)


class _Hall:
    """The room of an instrument, for all."""

    def __init__(self, path: Path, spec: FrameSpec) -> None:
        file = read_instrument_file(path)
        if file.card.sample_rate != spec.sample_rate:
            raise DdspError(
                f"the room of {path} is of {file.card.sample_rate} Hz, and the mix of {spec.sample_rate} Hz"
            )
        Synthesizer(file.card, file.arrays)  # checks the whole group
        responses = [
            file.arrays[node["config"]["impulse_response"]]
            for node in file.card.synthesizer["nodes"]
            if node["type"] == "Reverb"
        ]
        if not responses:
            raise DdspError(f"{path} has no room")
        self._sides = [[Reverb(spec, response) for response in responses] for _ in range(2)]
        self.tail_samples = sum(reverb.tail_samples for reverb in self._sides[0])

    def process(self, block: Array) -> Array:
        """Reverberate `[n, 2]`."""
        sides = []
        for side, reverbs in enumerate(self._sides):
            audio = np.ascontiguousarray(block[:, side])
            for reverb in reverbs:
                audio = reverb.process(audio=audio)
            sides.append(audio)
        return np.stack(sides, axis=1)


class _Limiter:
    """The limiter of all that plays, with one gain for both sides, so that nothing moves."""

    def __init__(self, spec: FrameSpec) -> None:
        self._limiter = Limiter(spec)

    def process(self, block: Array) -> Array:
        """Limit `[n, 2]`."""
        loudest = np.abs(block).max(axis=1)
        held = self._limiter.process(loudest)
        if held is loudest:
            return block
        gain = np.divide(held, loudest, out=np.ones_like(held), where=loudest > 0.0)
        return np.asarray(block * gain[:, None])
