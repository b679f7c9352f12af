"""Notes of one voice at a time, by the pitch tracker, with pitch bends: singing, humming, a solo."""

from collections import deque
from dataclasses import dataclass, field
from statistics import median

import numpy as np
import numpy.typing as npt

from ddsp_edge.features.pitch import VOICED, PitchTracker
from ddsp_edge.frames import FrameSpec
from ddsp_edge.transcription.note import Note
from ddsp_edge.units import Array, hz_to_midi

_HOP_S = 0.01
_UNVOICED_FRAMES = 4  # that end a note
_AWAY = 0.8  # semitones from a note, beyond vibrato of most, that begin another
_AWAY_FRAMES = 4
_RISE_DB = 18.0  # of level from a dip shortly before: the same pitch struck, or sung, again
_DIP_FRAMES = 10
_SHORTEST_FRAMES = 7
_SOFTEST_DB = -55.0
_MEDIAN_OF = 40  # frames that a note's pitch is the median of while it sounds


@dataclass
class _Sounding:
    begin: int
    midi: list[float] = field(default_factory=list)
    levels: list[float] = field(default_factory=list)


class MelodyNotes:
    """Cuts the pitch of a stream into notes.

    A note ends where there is no pitch for 40 ms, and where another begins: where the pitch stays more than
    0.8 semitones away for 40 ms, or the level rises by 18 dB from a dip.

    Args:
        spec: A frame grid of the stream, of which the sample rate is taken.
        f0_min_hz: Lowest pitch, Hz.
        f0_max_hz: Highest pitch, Hz.
    """

    def __init__(self, spec: FrameSpec, f0_min_hz: float = 65.0, f0_max_hz: float = 1600.0) -> None:
        self.spec = FrameSpec(spec.sample_rate, round(_HOP_S * spec.sample_rate))
        self._tracker = PitchTracker(self.spec, f0_min_hz, f0_max_hz)
        self.latency_samples = self._tracker.latency_samples
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next sample pushed is sample 0."""
        self._tracker.reset()
        self._left: Array = np.zeros(0, np.float32)
        self._levels = deque[float]()
        self._recent = deque[float](maxlen=_DIP_FRAMES)
        self._frame = 0
        self._note: _Sounding | None = None
        self._silent = 0
        self._away: list[float] = []

    def push(self, audio: npt.ArrayLike) -> list[Note]:
        """Add samples `[n]`; return the notes that have ended."""
        block = np.asarray(audio, np.float32)
        self._add_levels(block)
        return self._take(*self._tracker.push(block))

    def flush(self) -> list[Note]:
        """End the stream; return its last notes."""
        notes = self._take(*self._tracker.flush())
        self._end(self._frame, notes)
        return notes

    def _add_levels(self, block: Array) -> None:
        joined = np.concatenate([self._left, block])
        hop = self.spec.hop
        whole = len(joined) // hop * hop
        power = np.square(joined[:whole].reshape(-1, hop), dtype=np.float64).mean(axis=1)
        self._levels.extend(10.0 * np.log10(power + 1e-10))
        self._left = joined[whole:]

    def _take(self, f0_hz: Array, voicing: Array) -> list[Note]:
        notes: list[Note] = []
        for hz, voiced in zip(f0_hz, voicing, strict=True):
            level = self._levels.popleft() if self._levels else -100.0
            pitched = voiced >= VOICED and hz > 0.0 and level > _SOFTEST_DB
            self._follow(float(hz_to_midi(hz)) if pitched else None, level, notes)
            self._recent.append(level)
            self._frame += 1
        return notes

    def _follow(self, midi: float | None, level: float, notes: list[Note]) -> None:
        note = self._note
        if midi is None:
            self._silent += 1
            if note is not None and self._silent >= _UNVOICED_FRAMES:
                self._end(self._frame + 1 - self._silent, notes)
            return
        self._silent = 0
        if note is None:
            self._begin(self._frame, [midi], [level])
            return
        struck = len(note.midi) > _DIP_FRAMES and level - min(self._recent) > _RISE_DB
        if struck:
            self._end(self._frame, notes)
            self._begin(self._frame, [midi], [level])
            return
        if abs(midi - median(note.midi[-_MEDIAN_OF:])) <= _AWAY:
            note.midi += [*self._away, midi]
            note.levels.append(level)
            self._away = []
            return
        self._away.append(midi)
        if len(self._away) >= _AWAY_FRAMES and max(self._away) - min(self._away) < 2.0 * _AWAY:
            away, begin = self._away, self._frame + 1 - len(self._away)
            self._end(begin, notes)
            self._begin(begin, away, [level])

    def _begin(self, frame: int, midi: list[float], levels: list[float]) -> None:
        self._note, self._away = _Sounding(frame, midi, levels), []

    def _end(self, frame: int, notes: list[Note]) -> None:
        note, self._note, self._away = self._note, None, []
        if note is None or frame - note.begin < _SHORTEST_FRAMES:
            return
        begin_s, end_s = (i * self.spec.hop / self.spec.sample_rate for i in (note.begin, frame))
        pitch = median(note.midi)
        bends = tuple(
            (begin_s + i * self.spec.hop / self.spec.sample_rate, midi - round(pitch))
            for i, midi in enumerate(note.midi)
        )
        loudest = max(note.levels)
        velocity = min(127, max(1, round(127.0 + 2.0 * loudest)))
        notes.append(Note(begin_s, end_s, pitch, velocity, bends=bends))
