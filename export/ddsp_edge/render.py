"""Whole files through an instrument, block by block: memory does not grow with their length."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ddsp_edge.audio_file import AudioReader, AudioWriter, check_output
from ddsp_edge.errors import DdspError
from ddsp_edge.instrument import Instrument
from ddsp_edge.loudness import LoudnessMeter
from ddsp_edge.midi import MidiScore
from ddsp_edge.pitch import VOICED, PitchTracker
from ddsp_edge.stems import Stems, stem_paths
from ddsp_edge.transposition import PlayedPitches, check_shifts
from ddsp_edge.units import LOUDNESS_FLOOR_DB, Array

Progress = Callable[[int, int], None]
"""Called with the samples done and the samples in all (an estimate for some formats)."""

MIDI_ENDINGS = (".mid", ".midi")

_BLOCK = 16_384  # samples read at once
_SILENT_DB = LOUDNESS_FLOOR_DB + 5.0


@dataclass
class RenderReport:
    """What a rendering was like.

    Args:
        seconds: Length of the sound written.
        wall_seconds: Time it took, features included.
        peak: Largest magnitude of the sound, full scale 1; what is beyond was clipped.
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


def render(
    instrument: Instrument,
    source: str | Path,
    out: str | Path,
    octaves: int = 0,
    loudness_shift_db: float = 0.0,
    progress: Progress | None = None,
    stems: bool = False,
) -> RenderReport:
    """Render a MIDI file (by its ending) as `render_midi`, any other as `render_audio`."""
    is_midi = Path(source).suffix.lower() in MIDI_ENDINGS
    chosen = render_midi if is_midi else render_audio
    return chosen(instrument, source, out, octaves, loudness_shift_db, progress, stems)


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
        instrument: The instrument; it is reset.
        source: A monophonic recording: any format, rate and number of channels.
        out: Where to, `.wav` or `.flac`. It has the whole hops of the recording at the instrument's rate
            and what rings on after them.
        octaves: Integer, octaves to transpose by.
        loudness_shift_db: dB added to the loudness.
        progress: Called after each block.
        stems: Whether to write the parts of the sound as well, beside `out`; see `ddsp_edge.stems`.

    Raises:
        DdspError: If the input cannot be read, is shorter than one frame or silent throughout, or the
            output cannot be written, or would overwrite what it is made from.
    """
    check_shifts(octaves, loudness_shift_db)
    writing = _Writing(instrument, out, stems, {"recording that is to be played": source})
    began = time.perf_counter()
    pitches = PlayedPitches()
    with AudioReader(source, instrument.spec.sample_rate) as reader, writing:
        loudest = -np.inf
        for f0_hz, loudness_db, done in _features(instrument, reader):
            loudest = max(loudest, float(loudness_db.max(initial=-np.inf)))
            pitches.add(f0_hz)
            writing.play(f0_hz * 2.0**octaves, loudness_db + loudness_shift_db)
            if progress is not None:
                progress(done, max(reader.n_samples, done))
        if not writing.samples:
            raise DdspError(
                f"{source} is too short: less than one frame, {instrument.spec.hop} samples at "
                f"{instrument.spec.sample_rate} Hz"
            )
        if loudest < _SILENT_DB:
            raise DdspError(reader.silence())
        writing.ring_out()
    warnings = [text] if (text := reader.broken_off()) else []
    warnings += pitches.advice(instrument.card.f0_hz_range, octaves)
    return writing.report(began, warnings)


def render_midi(
    instrument: Instrument,
    source: str | Path,
    out: str | Path,
    octaves: int = 0,
    loudness_shift_db: float = 0.0,
    progress: Progress | None = None,
    stems: bool = False,
) -> RenderReport:
    """Play a Standard MIDI File on an instrument.

    Args:
        instrument: The instrument; it is reset.
        source: The MIDI file; see `ddsp_edge.midi`.
        out: Where to, `.wav` or `.flac`.
        octaves: Integer, octaves to transpose by.
        loudness_shift_db: dB added to the loudness of what sounds.
        progress: Called after each block.
        stems: As for `render_audio`.

    Raises:
        DdspError: If the file cannot be read or holds no notes that sound, or the output cannot be written,
            or would overwrite what it is made from.
    """
    check_shifts(octaves, loudness_shift_db)
    writing = _Writing(instrument, out, stems, {"MIDI file": source})
    began = time.perf_counter()
    score = MidiScore(source, instrument.spec)
    pitches = PlayedPitches()
    with writing:
        for f0_hz, loudness_db in score.blocks(instrument.card):
            sounding = loudness_db > LOUDNESS_FLOOR_DB
            pitches.add(f0_hz[sounding])
            # The shift leaves rests alone: what nobody plays stays silent.
            shifted = np.where(sounding, loudness_db + loudness_shift_db, loudness_db)
            writing.play(f0_hz * 2.0**octaves, shifted)
            if progress is not None:
                progress(writing.samples, instrument.spec.n_samples(score.n_frames))
        if pitches.percentiles_hz() is None:
            raise DdspError(
                f"{source} holds no notes that sound: each ends where it begins (a tempo of 0?), or its "
                "volume is 0"
            )
        writing.ring_out()
    warnings = pitches.advice(instrument.card.f0_hz_range, octaves)
    return writing.report(began, warnings)


class _Writing:
    """An instrument that plays into a file, which gets its name when all went well; with stems, several."""

    def __init__(self, instrument: Instrument, out: str | Path, stems: bool, inputs: dict[str, Any]) -> None:
        self._instrument = instrument
        self._stems = Stems(instrument.card) if stems else None
        self._out = Path(out)
        self._stem_paths = stem_paths(self._out, self._stems.names) if self._stems else {}
        for path in (self._out, *self._stem_paths.values()):
            check_output(path, {**inputs, "instrument": instrument.path})
        self._files = ExitStack()
        self.samples = 0
        self._peak = 0.0

    def __enter__(self) -> "_Writing":
        self._instrument.reset()
        rate = self._instrument.spec.sample_rate
        with ExitStack() as files:
            self._writer = files.enter_context(AudioWriter(self._out, rate))
            self._stem_writers = {
                name: files.enter_context(AudioWriter(path, rate)) for name, path in self._stem_paths.items()
            }
            self._files = files.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._files.__exit__(*exception)  # type: ignore[arg-type]

    def play(self, f0_hz: Array, loudness_db: Array) -> None:
        if self._stems is None:
            self._write(self._instrument.process(f0_hz, loudness_db))
        else:
            self._write_stems(self._stems, self._instrument.stems(f0_hz, loudness_db))

    def ring_out(self) -> None:
        if self._stems is None:
            self._write(self._instrument.flush())
        else:
            self._write_stems(self._stems, self._instrument.flush_stems())

    def _write_stems(self, stems: Stems, signals: dict[str, Array]) -> None:
        self._write(signals[self._instrument.synthesizer.output])
        for name, audio in stems.split(signals).items():
            self._stem_writers[name].write(audio)

    def report(self, began: float, warnings: list[str]) -> RenderReport:
        seconds = self.samples / self._instrument.spec.sample_rate
        if self._peak > 1.0:
            over = 20.0 * np.log10(self._peak)
            warnings.append(
                f"the sound is {over:.1f} dB over full scale and was clipped; try --loudness-shift-db -6"
            )
        return RenderReport(seconds, time.perf_counter() - began, self._peak, warnings)

    def _write(self, audio: Array) -> None:
        self.samples += len(audio)
        self._peak = max(self._peak, float(np.abs(audio).max(initial=0.0)))
        self._writer.write(audio)


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
