"""Whole files through an instrument, block by block: memory does not grow with their length.

They sound as they do live: a recording as through `ddsp_edge.live.LiveEffect`, at its surest, a MIDI file as
on the keys of `ddsp_edge.live.LiveInstrument`, both less the latency.
"""

import dataclasses
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ddsp_edge.errors import DdspError
from ddsp_edge.features.loudness import LoudnessMeter
from ddsp_edge.features.pitch import VOICED, PitchTracker
from ddsp_edge.files.audio_file import AudioReader, AudioWriter, check_output
from ddsp_edge.instrument import Instrument
from ddsp_edge.instrument_card import InstrumentCard
from ddsp_edge.live.offline import OfflineInstrument
from ddsp_edge.live.settings import KeySettings
from ddsp_edge.model.runtimes import has_litert
from ddsp_edge.render.midi import MidiScore, play
from ddsp_edge.synthesis.limiter import Limiter
from ddsp_edge.synthesis.stems import Stems, stem_paths
from ddsp_edge.transfer.transposition import PlayedPitches, check_shifts
from ddsp_edge.units import LOUDNESS_FLOOR_DB, Array

Progress = Callable[[float, float], None]
"""Called with the seconds done and the seconds in all (an estimate for some formats)."""

MIDI_ENDINGS = (".mid", ".midi")

_BLOCK = 16_384  # samples read at once
_SILENT_DB = LOUDNESS_FLOOR_DB + 5.0


@dataclass
class RenderReport:
    """What a rendering was like.

    Args:
        seconds: Length of the sound written.
        wall_seconds: Time it took, features included.
        peak: Largest magnitude of the sound before the limiter, full scale 1.
        warnings: One line each.
    """

    seconds: float
    wall_seconds: float
    peak: float
    warnings: list[str] = field(default_factory=list)

    @property
    def realtime_factor(self) -> float:
        """Seconds of sound for each second of work."""
        return self.seconds / max(self.wall_seconds, 1e-9)


def instrument_for_files(path: str | Path, seed: int | None = None) -> Instrument:
    """Open an instrument as whole files are played on it, by `step` and numpy.

    On many frames at once these are faster than `play`, which goes hop by hop, and they tell stems.

    Args:
        path: A `.tflite` made by `ddsp-tf export`.
        seed: Seed of the noise; None for another noise every time.

    Raises:
        DdspError: If the file cannot be played.
    """
    return Instrument(path, seed, "step" if has_litert() else "numpy")


def render_audio(
    instrument: Instrument,
    source: str | Path,
    out: str | Path,
    octaves: int = 0,
    loudness_shift_db: float = 0.0,
    progress: Progress | None = None,
    stems: bool = False,
) -> RenderReport:
    """Play the pitch and loudness of a recording on an instrument.

    Args:
        instrument: The instrument; it is reset. Its backend `step` has least to load: all frames of a block
            are synthesized at once, by numpy, which tells the parts of the sound as well.
        source: A monophonic recording: any format, rate and number of channels.
        out: Where to, `.wav` or `.flac`. It has the whole hops of the recording at the instrument's rate
            and what rings on after them.
        octaves: Integer, octaves to transpose by.
        loudness_shift_db: dB added to the loudness.
        progress: Called after each block.
        stems: Whether to write the parts of the sound as well, beside `out`; see `ddsp_edge.synthesis.stems`.

    Raises:
        DdspError: If the input cannot be read, is shorter than one frame or silent throughout, or the
            output cannot be written, or would overwrite what it is made from.
    """
    check_shifts(octaves, loudness_shift_db)
    inputs = {"recording that is to be played": source, "instrument": instrument.path}
    writing = _Writing(instrument.card, out, stems, inputs)
    limiter = Limiter(instrument.spec)

    def write(signals: Mapping[str, Array]) -> None:
        writing.write(limiter.process(signals[instrument.synthesizer.output]), signals)

    instrument.reset()
    rate = instrument.spec.sample_rate
    began = time.perf_counter()
    pitches = PlayedPitches()
    with AudioReader(source, rate) as reader, writing:
        loudest = -np.inf
        for f0_hz, loudness_db, done in _features(instrument, reader):
            loudest = max(loudest, float(loudness_db.max(initial=-np.inf)))
            pitches.add(f0_hz)
            write(instrument.stems(f0_hz * 2.0**octaves, loudness_db + loudness_shift_db))
            if progress is not None:
                progress(done / rate, max(reader.n_samples, done) / rate)
        if not writing.samples:
            raise DdspError(
                f"{source} is too short: less than one frame, {instrument.spec.hop} samples at {rate} Hz"
            )
        if loudest < _SILENT_DB:
            raise DdspError(reader.silence())
        write(instrument.flush_stems())
    warnings = [text] if (text := reader.broken_off()) else []
    warnings += pitches.advice(instrument.card.f0_hz_range, octaves)
    return writing.report(began, warnings)


def render_midi(
    path: str | Path,
    source: str | Path,
    out: str | Path,
    voices: int = 1,
    settings: KeySettings | None = None,
    octaves: int = 0,
    seed: int | None = None,
    progress: Progress | None = None,
    stems: bool = False,
) -> RenderReport:
    """Play a Standard MIDI File on an instrument, as live keys would.

    Args:
        path: The instrument, a `.tflite` made by `ddsp-tf export`.
        source: The MIDI file; see `ddsp_edge.render.midi`.
        out: Where to, `.wav` or `.flac`.
        voices: Integer from 1 (legato) to 32, as in `LiveInstrument`.
        settings: As in `LiveInstrument`.
        octaves: Integer, octaves to transpose by, besides the transposition of the settings.
        seed: Seed of the noise; None for another noise every time.
        progress: As for `render_audio`.
        stems: As for `render_audio`.

    Raises:
        DdspError: If the instrument or the file cannot be read, the file holds no notes that sound, or the
            output cannot be written, or would overwrite what it is made from.
    """
    settings = KeySettings() if settings is None else settings
    check_shifts(octaves, settings.loudness_shift_db)
    moved = dataclasses.replace(settings, transposition=settings.transposition + 12.0 * octaves)
    player = OfflineInstrument(path, voices, moved, seed)
    writing = _Writing(player.card, out, stems, {"MIDI file": source, "instrument": path})
    began = time.perf_counter()
    rate = player.spec.sample_rate
    score = MidiScore(source, rate)
    with writing:
        for audio, signals in play(score, player):
            writing.write(audio, signals)
            if progress is not None:
                progress(writing.samples / rate, max(score.n_samples, writing.samples) / rate)
    pitches = PlayedPitches()
    pitches.add(score.f0_hz * 2.0 ** (settings.semitones() / 12.0))
    return writing.report(began, pitches.advice(player.card.f0_hz_range, octaves))


class _Writing:
    """Files that are written block by block and get their names when all went well: a sound and its stems."""

    def __init__(
        self, card: InstrumentCard, out: str | Path, stems: bool, inputs: Mapping[str, str | Path]
    ) -> None:
        self._rate, self._output = card.spec.sample_rate, card.synthesizer["output"]
        self._stems = Stems(card) if stems else None
        self._out = Path(out)
        self._stem_paths = stem_paths(self._out, self._stems.names) if self._stems else {}
        for path in (self._out, *self._stem_paths.values()):
            check_output(path, inputs)
        self._files = ExitStack()
        self.samples = 0
        self._peak = 0.0

    def __enter__(self) -> "_Writing":
        with ExitStack() as files:
            self._writer = files.enter_context(AudioWriter(self._out, self._rate))
            self._stem_writers = {
                name: files.enter_context(AudioWriter(path, self._rate))
                for name, path in self._stem_paths.items()
            }
            self._files = files.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._files.__exit__(*exception)  # type: ignore[arg-type]

    def write(self, audio: Array, signals: Mapping[str, Array]) -> None:
        """Write the sound `[n]` and, where stems are wanted, the parts of the signals `[n]` of all nodes."""
        self.samples += len(audio)
        self._peak = max(self._peak, float(np.abs(signals[self._output]).max(initial=0.0)))
        self._writer.write(audio)
        if self._stems is not None:
            for name, part in self._stems.split(signals).items():
                self._stem_writers[name].write(part)

    def report(self, began: float, warnings: list[str]) -> RenderReport:
        seconds = self.samples / self._rate
        if self._peak > 1.0:
            over = 20.0 * np.log10(self._peak)
            warnings.append(
                f"the sound is {over:.1f} dB over full scale, where the limiter held it; "
                f"try --loudness-shift-db -{max(1, math.ceil(over))}"
            )
        return RenderReport(seconds, time.perf_counter() - began, self._peak, warnings)


def _features(instrument: Instrument, reader: AudioReader) -> Iterator[tuple[Array, Array, int]]:
    """F0 (0 where unvoiced) and loudness of a recording, frame by frame side by side, and samples read."""
    meter, tracker = LoudnessMeter(instrument.spec), PitchTracker.for_card(instrument.card)
    f0_hz, loudness_db = np.zeros(0, np.float32), np.zeros(0, np.float32)
    done = 0

    def pitch(found: tuple[Array, Array]) -> Array:
        return np.where(found[1] >= VOICED, found[0], np.float32(0.0))

    for block in reader.blocks(_BLOCK):
        done += len(block)
        f0_hz = np.concatenate([f0_hz, pitch(tracker.push(block))])
        loudness_db = np.concatenate([loudness_db, meter.push(block)])
        # The two look ahead by different lengths: the slower one sets the pace.
        ready = min(len(f0_hz), len(loudness_db))
        yield f0_hz[:ready], loudness_db[:ready], done
        f0_hz, loudness_db = f0_hz[ready:], loudness_db[ready:]
    f0_hz = np.concatenate([f0_hz, pitch(tracker.flush())])
    yield f0_hz, np.concatenate([loudness_db, meter.flush()]), done
