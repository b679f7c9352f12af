"""Notes as they are decoded, each fitted with those that sound with it; what explains nothing is dropped."""

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ddsp_edge.frames import FrameSpec
from ddsp_edge.transcription.decode import NoteDecoder, Thresholds
from ddsp_edge.transcription.harmonics import BEFORE_FRAMES, WINDOW_FRAMES, Fit, Span, fit_note
from ddsp_edge.transcription.note import Note
from ddsp_edge.units import Array

_KEPT_FRAMES = 64  # of spectra: a note is fitted as soon as `WINDOW_FRAMES` of it are there
_REMEMBERED_FRAMES = 32  # that a note which has ended is fitted with others for
_VELOCITY_AT_0_DB = 100.0
_VELOCITY_PER_DB = 2.0


@dataclass
class Judged:
    """What became of some frames.

    Args:
        begun: Pitch, onset in seconds and velocity of notes that begin to sound.
        notes: Notes that have ended, complete.
        fits: Of each of them; None where nothing of its sound was there.
    """

    begun: list[tuple[int, float, int]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    fits: list[Fit | None] = field(default_factory=list)

    def __add__(self, other: "Judged") -> "Judged":
        return Judged(self.begun + other.begun, self.notes + other.notes, self.fits + other.fits)


class NoteJudge:
    """Decodes rolls, and fits every note, frame by frame: cuts of the stream do not matter.

    Args:
        spec: The frame grid.
        lowest: Integer, MIDI note of the first pitch of a roll.
        lookahead: Integer, frames that a roll speaks late.
        thresholds: From where on a note is taken for one.
    """

    def __init__(self, spec: FrameSpec, lowest: int, lookahead: int, thresholds: Thresholds) -> None:
        self.spec, self.lookahead = spec, lookahead
        self.decoder = NoteDecoder(spec, lowest, lookahead, thresholds)
        self._least = thresholds.explains
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next frame is the first."""
        self.decoder.reset()
        self._spectra = deque[Array](maxlen=_KEPT_FRAMES)
        self._next = 0  # number of the next frame of spectra
        self._fits: dict[tuple[int, int], Fit | None] = {}
        self._ended = deque[Span]()

    def push(self, spectra: Array, rolls: Array) -> Judged:
        """Take spectra `[frames, 288, 2]` and what a network says of them, `[frames, pitches, 4]`."""
        judged = Judged()
        for frame, roll in zip(spectra, rolls, strict=True):
            self._spectra.append(frame)
            self._next += 1
            decoded = self.decoder.push(roll[np.newaxis])
            judged.begun += decoded.begun
            self._settle(decoded.notes, judged)
            self._fit_those_that_sound()
        return judged

    def flush(self) -> Judged:
        """End the stream; return its last notes."""
        judged = Judged()
        decoded = self.decoder.flush()
        judged.begun += decoded.begun
        self._settle(decoded.notes, judged)
        return judged

    def _settle(self, notes: Sequence[Note], judged: Judged) -> None:
        spans = [self._span(note) for note in notes]
        for note, span in zip(notes, spans, strict=True):
            key = (span.pitch, span.begin)
            fit = self._fits.pop(key) if key in self._fits else self._fit(span, spans)
            self._ended.append(span)
            if fit is not None:
                if fit.explains < self._least:
                    continue
                note = replace(note, velocity=_velocity(fit))
            judged.notes.append(note)
            judged.fits.append(fit)
        while self._ended and self._ended[0].end < self._next - _KEPT_FRAMES - _REMEMBERED_FRAMES:
            self._ended.popleft()

    def _fit_those_that_sound(self) -> None:
        spans = self.decoder.open_spans
        for span in spans:
            if span.begin + WINDOW_FRAMES <= self._next - self.lookahead:
                key = (span.pitch, span.begin)
                if key not in self._fits:
                    self._fits[key] = self._fit(span, ())
        keys = {(span.pitch, span.begin) for span in spans}
        self._fits = {key: fit for key, fit in self._fits.items() if key in keys}

    def _fit(self, span: Span, ending: Iterable[Span]) -> Fit | None:
        others = [s for s in (*self.decoder.open_spans, *self._ended, *ending) if s != span]
        first = self._next - len(self._spectra)
        begin = max(0, span.begin - BEFORE_FRAMES - first)
        end = max(begin + 1, span.begin + WINDOW_FRAMES - first)
        part = list(self._spectra)[begin:end]
        return fit_note(np.stack(part), first + begin, span, others) if part else None

    def _span(self, note: Note) -> Span:
        rate = self.spec.sample_rate / self.spec.hop
        return Span(round(note.pitch), round(note.onset_s * rate) - 1, round(note.offset_s * rate) - 1)


def _velocity(fit: Fit) -> int:
    """MIDI velocity of the amplitude that was fitted: two for each dB, as mixtures are trained with."""
    level_db = 20.0 * math.log10(max(fit.amplitude, 1e-6))
    return min(127, max(1, round(_VELOCITY_AT_0_DB + _VELOCITY_PER_DB * level_db)))
