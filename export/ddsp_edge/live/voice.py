"""The pitch and loudness of one voice, frame by frame."""

import math

from ddsp_edge.expression.network import ExpressionNetwork
from ddsp_edge.expression.note_player import NotePlayer
from ddsp_edge.expression.notes import NoteContext
from ddsp_edge.frames import FrameSpec
from ddsp_edge.live.settings import KeySettings
from ddsp_edge.units import LOUDNESS_FLOOR_DB

TONGUE_DB = 12.0  # dip before a note that a sounding voice takes without a slur


class Voice:
    """A note's attack, decay, sustain and release in dB, and the glide from note to note.

    Where the instrument knows how notes are played, pitch and loudness go there from these as far as the
    setting `expression` has it, no faster than its attack and its release.

    Args:
        spec: The frame grid.
        network: What knows it; None where the instrument does not.
    """

    def __init__(self, spec: FrameSpec, network: ExpressionNetwork | None = None) -> None:
        self._spec = spec
        self._played = None if network is None else NotePlayer(network, spec.hop / spec.sample_rate)
        self._frame_s = spec.hop / spec.sample_rate
        self.note = -1  # that it plays or played
        self.channel = 0  # of that note
        self.silence()

    @property
    def heard_db(self) -> float:
        """Loudness of the last frame, dB; `loudness_db` is what the settings alone make of it."""
        return self.loudness_db if self._played is None else self._heard_db

    @property
    def silent(self) -> bool:
        """Whether it is let go and has faded."""
        return not self.keyed and self.heard_db <= LOUDNESS_FLOOR_DB

    def silence(self) -> None:
        """Stop at once."""
        self.keyed = False
        self.loudness_db = self._played_db = self._heard_db = LOUDNESS_FLOOR_DB
        self._target = self._pitch = float(max(self.note, 0))
        self._step = 0.0
        self._level_db = self._decay_db = 0.0
        self._fading = False

    def press(
        self,
        note: int,
        level_db: float,
        settings: KeySettings,
        slurred: bool = False,
        channel: int = 0,
        context: NoteContext | None = None,
    ) -> None:
        """Begin a note, or go on to it under a slur.

        Args:
            note: MIDI note.
            level_db: Loudness, dB, before volume and expression.
            settings: Its glide counts.
            slurred: Whether the pitch glides and the loudness goes on.
            channel: Integer, whose wheels and pedals it follows.
            context: The note among others, for an instrument that knows how notes are played.
        """
        if not slurred:
            self.loudness_db = max(LOUDNESS_FLOOR_DB, self.loudness_db - TONGUE_DB)
            self._decay_db = 0.0
        if self._played is not None and context is not None:
            self._played.press(context)
        self.note, self.channel = note, channel
        self.keyed, self._level_db = True, level_db
        self._fading = False
        self._target = float(note)
        frames = self._spec.frames_for(settings.seconds("glide_s")) if slurred else 1
        self._step = abs(self._target - self._pitch) / frames

    def release(self) -> None:
        """Let go."""
        self.keyed = False
        if self._played is not None:
            self._played.release()

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
        level = self._level_db + self._decay_db + change_db
        target = max(LOUDNESS_FLOOR_DB, level) if self.keyed else LOUDNESS_FLOOR_DB
        self.loudness_db += min(max(target - self.loudness_db, -fall), rise)
        if self.keyed and self.loudness_db >= target:
            sustain = min(settings.number("sustain_db"), 0.0)
            step = -sustain * self._frame_s / settings.seconds("decay_s")
            self._decay_db = max(self._decay_db - step, sustain)
        if self._played is None:
            return self._pitch, self.loudness_db
        cents, played = 0.0, LOUDNESS_FLOOR_DB
        if self.keyed or self._played_db > LOUDNESS_FLOOR_DB:  # what has ended stays silent
            cents, off_db = self._played.frame()
            played = max(LOUDNESS_FLOOR_DB, level + off_db)
            self._fading |= not self.keyed and played < self._played_db
            if self._fading:  # a note that was let go does not come back
                played = min(played, self._played_db)
        self._played_db += min(max(played - self._played_db, -fall), rise)
        share = settings.number("expression", 1.0)
        self._heard_db = self.loudness_db
        if share > 0.0:
            self._heard_db += share * (self._played_db - self.loudness_db)
        return self._pitch + share * cents / 100.0, self._heard_db
