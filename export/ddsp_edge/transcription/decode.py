"""From what a network says of every pitch in every frame to notes: the one place where that is decided."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ddsp_edge.errors import DdspError
from ddsp_edge.frames import FrameSpec
from ddsp_edge.ranges import check_whole
from ddsp_edge.transcription.harmonics import Span
from ddsp_edge.transcription.note import Note
from ddsp_edge.units import Array

ONSET, SOUNDING, OFFSET, VELOCITY = range(4)
"""Channels of a frame, each 0 to 1."""


@dataclass(frozen=True)
class Thresholds:
    """From where on a note is taken for one; learned on held-back passages.

    Args:
        onset: Of the onset's probability at its peak.
        sounding: A note goes on while its probability is at least this.
        offset: A note also ends where the probability of its end peaks above this.
        late: A note without an onset begins where it has been sounding with at least this probability for
            `late_frames`; above 1 there is none.
        late_frames: Integer, see above.
        gap_frames: Integer, frames below `sounding` that do not end a note.
        shortest_frames: Integer, shorter notes are left out.
        explains: A note is left out of which a smaller share of its energy is its own, see
            `ddsp_edge.transcription.harmonics`; 0 leaves none out.
    """

    onset: float = 0.35
    sounding: float = 0.3
    offset: float = 1.1
    late: float = 0.7
    late_frames: int = 5
    gap_frames: int = 2
    shortest_frames: int = 3
    explains: float = 0.0

    def __post_init__(self) -> None:
        for name in ("onset", "sounding", "offset", "late"):
            value = getattr(self, name)
            if not (isinstance(value, int | float) and 0.0 < value < 10.0):
                raise DdspError(f"the threshold {name} must be above 0. Received: {value!r}")
        if not (isinstance(self.explains, int | float) and 0.0 <= self.explains <= 1.0):
            raise DdspError(f"the threshold explains must lie within 0 to 1. Received: {self.explains!r}")
        for name in ("late_frames", "gap_frames", "shortest_frames"):
            check_whole(name, getattr(self, name))

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> "Thresholds":
        """Read them from plain data; what is missing is as by default.

        Raises:
            DdspError: If one is unknown or no number.
        """
        known = {f.name for f in dataclasses.fields(cls)}
        if unknown := sorted(set(values) - known):
            raise DdspError(
                f"there is no threshold {', '.join(unknown)}; there are {', '.join(sorted(known))}"
            )
        return cls(**values)


@dataclass(slots=True)
class _Open:
    """A note that sounds."""

    begin: float  # frames
    velocity: float
    confidence: float
    heard: int = 0  # frame that it was last heard in


@dataclass
class Decoded:
    """What became of some frames.

    Args:
        begun: Pitch, onset in seconds and velocity of notes that begin to sound.
        notes: Notes that have ended, complete.
    """

    begun: list[tuple[int, float, int]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


class NoteDecoder:
    """Finds notes in a stream of frames, the same whatever its cuts.

    A note begins where its onset peaks, one frame after which that is known; in between two frames by the
    parabola through the three. It ends with its last frame that sounds.

    Args:
        spec: The frame grid.
        lowest: Integer, MIDI note of the first pitch of a frame.
        lookahead: Integer, frames that a frame of the network speaks of the past.
        thresholds: From where on a note is taken for one.
    """

    def __init__(self, spec: FrameSpec, lowest: int, lookahead: int, thresholds: Thresholds) -> None:
        self._spec, self._lowest, self.lookahead = spec, lowest, lookahead
        self.thresholds = thresholds
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next frame is the first."""
        self._frame = 0
        self._before: list[Array] = []  # up to two frames
        self._open: dict[int, _Open] = {}
        self._late: Array | None = None

    @property
    def open_pitches(self) -> tuple[int, ...]:
        """MIDI notes that sound now."""
        return tuple(pitch + self._lowest for pitch in sorted(self._open))

    @property
    def open_spans(self) -> list[Span]:
        """The notes that sound now, in frames of the sound; they end with the last that is known."""
        rate, end = self._spec.sample_rate / self._spec.hop, self._frame - self.lookahead
        found = []
        for pitch in sorted(self._open):
            begin = round(self._time(self._open[pitch].begin) * rate) - 1
            found.append(Span(pitch + self._lowest, begin, max(begin + 1, end)))
        return found

    def push(self, frames: Array) -> Decoded:
        """Take frames `[frames, pitches, 4]`: onset, sounding, offset and velocity, each 0 to 1."""
        decoded = Decoded()
        for frame in frames:
            self._take(frame, decoded)
        return decoded

    def flush(self) -> Decoded:
        """End the stream: what still sounds ends with its last frame."""
        decoded = Decoded()
        if self._before:  # an onset in the very last frame has no frame after it
            self._take(np.zeros_like(self._before[-1]), decoded)
        for pitch in sorted(self._open):
            self._end(pitch, self._open[pitch].heard + 1, decoded)
        self._open.clear()
        return decoded

    def _take(self, frame: Array, decoded: Decoded) -> None:
        now, limits = self._frame, self.thresholds
        sounding = frame[:, SOUNDING] >= limits.sounding
        if len(self._before) == 2:
            for pitch in self._peaks(frame, ONSET, limits.onset):
                self._onset(pitch, now - 1, frame, decoded)
            if limits.offset <= 1.0:
                for pitch in self._peaks(frame, OFFSET, limits.offset):
                    note = self._open.get(pitch)
                    if note is not None and now - 1 - note.begin >= limits.shortest_frames:
                        self._end(pitch, now - 1, decoded)
        for pitch, note in list(self._open.items()):
            if sounding[pitch]:
                note.heard = now
            elif now - note.heard > limits.gap_frames:
                self._end(pitch, note.heard + 1, decoded)
        if limits.late <= 1.0:
            self._begin_late(frame, now, decoded)
        self._before = [*self._before[-1:], frame]
        self._frame += 1

    def _peaks(self, frame: Array, channel: int, threshold: float) -> Sequence[int]:
        """Pitches whose value peaked one frame ago."""
        old, middle = (before[:, channel] for before in self._before)
        peaks = (middle >= threshold) & (middle >= old) & (middle > frame[:, channel])
        return [int(pitch) for pitch in np.flatnonzero(peaks)]

    def _onset(self, pitch: int, at: int, after: Array, decoded: Decoded) -> None:
        old, middle, new = (float(f[pitch, ONSET]) for f in (*self._before, after))
        bend = old - 2.0 * middle + new
        begin = at + (min(0.5, max(-0.5, 0.5 * (old - new) / bend)) if bend < 0.0 else 0.0)
        note = self._open.get(pitch)
        if note is not None:
            if begin - note.begin < self.thresholds.shortest_frames:
                if middle > note.confidence:  # the same onset, better heard
                    note.confidence = middle
                return
            self._end(pitch, at, decoded)
        heard = at + 1 if after[pitch, SOUNDING] >= self.thresholds.sounding else at
        self._begin(pitch, begin, heard, float(self._before[1][pitch, VELOCITY]), middle, decoded)

    def _begin_late(self, frame: Array, now: int, decoded: Decoded) -> None:
        """Begin notes that sound without an onset that was heard."""
        loud = frame[:, SOUNDING] >= self.thresholds.late
        count = np.zeros(len(frame), np.int64) if self._late is None else self._late
        self._late = count = np.where(loud, count + 1, 0)
        for pitch in np.flatnonzero(count >= self.thresholds.late_frames):
            if int(pitch) not in self._open:
                begin = now + 1 - int(count[pitch])
                velocity, sure = float(frame[pitch, VELOCITY]), 0.5 * float(frame[pitch, SOUNDING])
                self._begin(int(pitch), begin, now, velocity, sure, decoded)

    def _begin(
        self, pitch: int, begin: float, heard: int, velocity: float, confidence: float, decoded: Decoded
    ) -> None:
        self._open[pitch] = _Open(begin, velocity, confidence, heard)
        decoded.begun.append((pitch + self._lowest, self._time(begin), _midi_velocity(velocity)))

    def _end(self, pitch: int, end: float, decoded: Decoded) -> None:
        note = self._open.pop(pitch)
        if self._late is not None:
            self._late[pitch] = 0
        if end - note.begin < self.thresholds.shortest_frames - 0.5:
            return
        begin_s = self._time(note.begin)
        decoded.notes.append(
            Note(
                begin_s,
                max(self._time(end), begin_s + 1e-3),
                pitch + self._lowest,
                _midi_velocity(note.velocity),
                confidence=min(1.0, note.confidence),
            )
        )

    def _time(self, frame: float) -> float:
        """Seconds of the frame of the sound that a frame of the network speaks of."""
        return max(0.0, (frame - self.lookahead + 1) * self._spec.hop / self._spec.sample_rate)


def _midi_velocity(value: float) -> int:
    return min(127, max(1, round(127.0 * value)))
