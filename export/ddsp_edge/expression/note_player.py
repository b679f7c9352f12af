"""A note as it is played, frame by frame: what the network says of it, and a vibrato that goes on."""

import math

from ddsp_edge.expression.network import ExpressionNetwork, course_of, note_inputs, time_inputs
from ddsp_edge.expression.notes import NoteContext


class NotePlayer:
    """Plays one note after the other.

    Args:
        network: What knows how notes are played.
        frame_s: Seconds of a frame.
    """

    def __init__(self, network: ExpressionNetwork, frame_s: float) -> None:
        self._network, self._frame_s = network, frame_s
        self._cycles = 0.0
        self._released: int | None = None
        self.press(NoteContext(69.0, 64.0))

    def press(self, note: NoteContext) -> None:
        """A note begins; under a slur its vibrato goes on."""
        self._note, self._inputs = note, note_inputs(note)
        self._late_s = self._network.late_s(note.pitch)
        self._frames, self._released = 0, None
        if note.gap_s > 0.0:
            self._cycles = 0.0

    def release(self) -> None:
        """It is let go."""
        if self._released is None:
            self._released = self._frames

    def frame(self) -> tuple[float, float]:
        """Move on by one frame.

        Returns:
            Cents off the note, and dB off its level. What happened since the frame before is taken to have
            happened in the middle of it.
        """
        since_onset = (self._frames + 0.5) * self._frame_s
        released = self._frames + 1 if self._released is None else self._released
        since_release = since_onset - released * self._frame_s
        inputs = self._inputs + time_inputs(self._note, since_onset, since_release, self._late_s)
        course = course_of(self._network(inputs).tolist(), since_release)
        self._frames += 1
        self._cycles = (self._cycles + course.vibrato_hz * self._frame_s) % 1.0
        swing = course.vibrato_cents * math.sin(2.0 * math.pi * self._cycles)
        return course.cents + swing, course.loudness_db
