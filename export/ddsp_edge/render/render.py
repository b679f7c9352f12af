"""Whole files through an instrument, block by block: memory does not grow with their length.

They sound as they do live: a recording as through `ddsp_edge.live.LiveEffect`, at its surest, a MIDI file as
on the keys of `ddsp_edge.live.LiveInstrument`, both less the latency. Matching alone differs: it learns while
it is played live, and knows a recording as a whole.
"""

import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ddsp_edge.errors import DdspError
from ddsp_edge.files.audio_file import AudioReader
from ddsp_edge.files.midi_container import MIDI_ENDINGS
from ddsp_edge.files.sound_with_stems import SoundWriter
from ddsp_edge.instrument import Instrument
from ddsp_edge.live.offline import OfflineInstrument
from ddsp_edge.live.settings import KeySettings
from ddsp_edge.model.runtimes import has_litert
from ddsp_edge.ranges import MAX_VOICES
from ddsp_edge.render.midi import MidiScore, play
from ddsp_edge.render.tracking import RecordingTracker
from ddsp_edge.render.watch import Watch
from ddsp_edge.synthesis.limiter import Limiter
from ddsp_edge.synthesis.stems import Stems
from ddsp_edge.transfer.consonants import Consonants
from ddsp_edge.transfer.recording import RecordingTransfer, Tracked, check_brightness
from ddsp_edge.transfer.settings import TransferSettings
from ddsp_edge.transfer.transposition import PlayedPitches, check_shifts
from ddsp_edge.units import LOUDNESS_FLOOR_DB, Array

Progress = Callable[[float, float], None]
"""Called with the seconds done and the seconds in all (an estimate for some formats)."""

__all__ = ["MIDI_ENDINGS", "Progress", "RenderReport", "instrument_for_files", "render_audio", "render_midi"]

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
    *,
    progress: Progress | None = None,
    stems: bool = False,
    watches: Sequence[Watch] = (),
    **changes: Any,
) -> RenderReport:
    """Play the pitch and loudness of a recording on an instrument.

    Args:
        instrument: The instrument; it is reset. Its backend `step` has least to load: all frames of a block
            are synthesized at once, by numpy, which tells the parts of the sound as well.
        source: A monophonic recording: any format, rate and number of channels.
        out: Where to, `.wav` or `.flac`. It has the whole hops of the recording at the instrument's rate
            and what rings on after them.
        progress: Called after each block. Where something is to be matched, the recording is tracked to its
            end before it is played, and each counts half.
        stems: Whether to write the parts of the sound as well, beside `out`; see `ddsp_edge.synthesis.stems`.
        watches: Who looks on at what is heard and told.
        **changes: Fields of `ddsp_edge.transfer.settings.TransferSettings`: `octaves`, `loudness_shift_db`,
            `match_octave` and so on.

    Raises:
        DdspError: If the input cannot be read, is shorter than one frame or silent throughout, a change is
            out of range, or the output cannot be written, or would overwrite what it is made from.
    """
    card, spec = instrument.card, instrument.spec
    ranges = card.f0_hz_range, card.loudness_db_range
    transfer = RecordingTransfer(spec, TransferSettings(**changes), *ranges, card.further)
    inputs = {"recording that is to be played": source, "instrument": instrument.path}
    nodes, output = card.synthesizer["nodes"], card.synthesizer["output"]
    writing = SoundWriter(out, card.sample_rate, inputs, Stems(nodes) if stems else None)
    limiter = Limiter(spec)
    consonants = Consonants(instrument.synthesizer, transfer.settings.consonants)

    def write(signals: Mapping[str, Array]) -> None:
        sound = signals[output]
        writing.write(limiter.process(sound), sound, signals)

    instrument.reset()
    rate, twice = spec.sample_rate, transfer.learns
    began = time.perf_counter()
    with AudioReader(source, rate) as reader, writing:
        loudest, done = -np.inf, 0

        def tell(played: bool, samples: int) -> None:
            total = max(reader.n_samples, samples)
            passed = samples if not twice else (total * played + samples) / 2
            if progress is not None:
                progress(passed / rate, total / rate)

        def tracked() -> Iterator[Tracked]:
            nonlocal loudest, done
            for found, done in RecordingTracker(card).blocks(reader):
                loudest = max(loudest, float(found.loudness_db.max(initial=-np.inf)))
                for watch in watches:
                    watch.heard(found.f0_hz, found.loudness_db)
                if twice:
                    tell(False, done)
                yield found

        for f0_hz, loudness_db, pitched, further in transfer.process(tracked()):
            controls = instrument.controls(f0_hz, loudness_db, **further)
            controls = consonants.process(controls, pitched)
            for watch in watches:
                watch.told(f0_hz, loudness_db, controls)
            write(instrument.render_stems(controls))
            tell(True, writing.samples if twice else done)
        if not writing.samples:
            raise DdspError(f"{source} is too short: less than one frame, {spec.hop} samples at {rate} Hz")
        if loudest < _SILENT_DB:
            raise DdspError(reader.silence())
        write(instrument.flush_stems())
    return _report(writing, began, [*reader.remarks(), *transfer.advice()])


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
    check_brightness(settings.brightness, player.card.further)
    inputs = {"MIDI file": source, "instrument": path}
    nodes, output = player.card.synthesizer["nodes"], player.card.synthesizer["output"]
    writing = SoundWriter(out, player.card.sample_rate, inputs, Stems(nodes) if stems else None)
    began = time.perf_counter()
    rate = player.spec.sample_rate
    score = MidiScore(source, rate)
    with writing:
        for audio, signals in play(score, player):
            writing.write(audio, signals[output], signals)
            if progress is not None:
                progress(writing.samples / rate, max(score.n_samples, writing.samples) / rate)
    pitches = PlayedPitches()
    pitches.add(score.f0_hz * 2.0 ** (settings.semitones() / 12.0))
    warnings = [*score.warnings, *_stolen(player.stolen, voices)]
    return _report(writing, began, [*warnings, *pitches.advice(player.card.f0_hz_range, octaves)])


def _stolen(count: int, voices: int) -> list[str]:
    """One line, if notes were cut short for want of voices."""
    if not count:
        return []
    return [
        f"notes cut short by others: {count}, as no more than {voices} sound at a time; --voices sets how "
        f"many do, up to {MAX_VOICES}"
    ]


def _report(writing: SoundWriter, began: float, warnings: list[str]) -> RenderReport:
    warnings = [*warnings, *writing.warnings("where the limiter held it")]
    return RenderReport(writing.seconds, time.perf_counter() - began, writing.peak, warnings)
