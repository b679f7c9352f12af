"""The pitch and loudness of one voice, frame by frame."""

import math

from ddsp_edge.frames import FrameSpec
from ddsp_edge.live.settings import KeySettings
from ddsp_edge.units import LOUDNESS_FLOOR_DB

TONGUE_DB = 12.0  # dip before a note that a sounding voice takes without a slur


class Voice:
    """A note's attack, decay, sustain and release in dB, and the glide from note to note.

    Args:
        spec: The frame grid.
    """

    def __init__(self, spec: FrameSpec) -> None:
        self._spec = spec
        self._frame_s = spec.hop / spec.sample_rate
        self.note = -1  # that it plays or played
        self.channel = 0  # of that note
        self.silence()

    @property
    def silent(self) -> bool:
        """Whether it is let go and has faded."""
        return not self.keyed and self.loudness_db <= LOUDNESS_FLOOR_DB

    def silence(self) -> None:
        """Stop at once."""
        self.keyed = False
        self.loudness_db = LOUDNESS_FLOOR_DB
        self._target = self._pitch = float(max(self.note, 0))
        self._step = 0.0
        self._level_db = self._decay_db = 0.0

    def press(
        self, note: int, level_db: float, settings: KeySettings, slurred: bool = False, channel: int = 0
    ) -> None:
        """Begin a note, or go on to it under a slur.

        Args:
            note: MIDI note.
            level_db: Loudness, dB, before volume and expression.
            settings: Its glide counts.
            slurred: Whether the pitch glides and the loudness goes on.
            channel: Integer, whose wheels and pedals it follows.
        """
        if not slurred:
            self.loudness_db = max(LOUDNESS_FLOOR_DB, self.loudness_db - TONGUE_DB)
            self._decay_db = 0.0
        self.note, self.channel = note, channel
        self.keyed, self._level_db = True, level_db
        self._target = float(note)
        frames = self._spec.frames_for(settings.seconds("glide_s")) if slurred else 1
        self._step = abs(self._target - self._pitch) / frames

    def release(self) -> None:
        """Let go."""
        self.keyed = False

    def frame(self, change_db: float, settings: KeySettings) -> tuple[float, float]:
        """Move on by one frame.

        Args:
            change_db: Volume and expression, dB.
            settings: Its envelope counts.

        Returns:
            Pitch in MIDI notes and loudness in dB.
        """
        left = self._target - self._pitch
        self._pitch += left if abs(left) <= self._step else math.copysign(self._step, left)
        rise = -LOUDNESS_FLOOR_DB * self._frame_s / settings.seconds("attack_s")
        fall = -LOUDNESS_FLOOR_DB * self._frame_s / settings.seconds("release_s")
        target = LOUDNESS_FLOOR_DB
        if self.keyed:
            target = max(LOUDNESS_FLOOR_DB, self._level_db + self._decay_db + change_db)
        self.loudness_db += min(max(target - self.loudness_db, -fall), rise)
        if self.keyed and self.loudness_db >= target:
            sustain = min(settings.number("sustain_db"), 0.0)
            step = -sustain * self._frame_s / settings.seconds("decay_s")
            self._decay_db = max(self._decay_db - step, sustain)
        return self._pitch, self.loudness_db
