"""Pitch and loudness of a player, frame by frame side by side, as soon as both are known."""

import numpy as np

from ddsp_edge.card import Card
from ddsp_edge.errors import DdspError
from ddsp_edge.live.sample_queue import SampleQueue
from ddsp_edge.loudness import LoudnessMeter
from ddsp_edge.pitch import VOICED, PitchTracker
from ddsp_edge.units import Array

_NOTHING: Array = np.zeros(0, np.float32)
_EVIDENCE_S = 0.01  # of a pitch, beyond the window of the tracker, until it is believed
_LOUDNESS_MS = (8.0, 32.0)


def _window(sample_rate: int, loudness_ms: float | None) -> int | None:
    """Window of the loudness in samples, a multiple of 64; None for that of the training data."""
    if loudness_ms is None:
        return None
    low, high = _LOUDNESS_MS
    if not low <= loudness_ms <= high:
        raise DdspError(f"loudness_ms must be from {low:g} to {high:g}. Received: {loudness_ms}")
    return max(64, 64 * int(loudness_ms * 1e-3 * sample_rate / 64))


class Follower:
    """Track pitch and loudness of a stream in blocks of any size.

    Args:
        card: The card; its estimator's range of pitches is searched.
        max_block: Integer, the most samples that are added at once.
        f0_min_hz: Lowest pitch, Hz; None for the card's. The tracker waits for one period of it.
        lookahead_frames: Frames after a frame that its pitch waits for; None for 30 ms.
        loudness_ms: Window of the loudness, ms; None for that of the training data, 32 ms.

    Raises:
        DdspError: If the range cannot be tracked at this rate.
    """

    def __init__(
        self,
        card: Card,
        max_block: int,
        f0_min_hz: float | None = None,
        lookahead_frames: int | None = None,
        loudness_ms: float | None = None,
    ) -> None:
        wanted = PitchTracker.for_card(card)
        low = wanted.f0_min_hz if f0_min_hz is None else f0_min_hz
        self._tracker = PitchTracker(card.spec, low, wanted.f0_max_hz, lookahead_frames)
        self._meter = LoudnessMeter(card.spec, _window(card.sample_rate, loudness_ms))
        self.latency_samples = max(self._tracker.latency_samples, self._meter.latency_samples)
        """Samples after the one a frame stands for until the frame is known."""
        ahead = self._tracker.lookahead_frames
        window_s = 2.0 * (self._tracker.latency_samples - ahead * card.hop) / card.sample_rate
        self.doubt_frames = max(0, card.spec.frames_for(window_s + _EVIDENCE_S) - ahead)
        """Frames after an onset in which a pitch may be there and not be found yet."""
        self._hop = card.spec.hop
        self._new = SampleQueue(4 * (self.latency_samples + self._hop + max_block))
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next sample is sample 0."""
        self._tracker.reset()
        self._meter.reset()
        self._new.clear()
        self._pushed = 0
        self._next = self.latency_samples + self._hop  # sample with which the next frame is known
        self._f0_hz, self._loudness_db = _NOTHING, _NOTHING

    def push(self, audio: Array) -> tuple[Array, Array]:
        """Add samples `[n]`, n at most `max_block`.

        Returns:
            `f0_hz` (0 where nothing has a pitch) and `loudness_db`, float32 `[frames]`, of what is known now.
        """
        self._new.write(audio)
        if self._pushed + len(self._new) < self._next:
            return _NOTHING, _NOTHING
        # Small blocks are looked at together, once they make a frame.
        audio = np.empty(len(self._new), np.float32)
        self._new.read_into(audio)
        self._pushed += len(audio)
        hops = (self._pushed - self.latency_samples) // self._hop
        self._next = self.latency_samples + (hops + 1) * self._hop
        f0, voicing = self._tracker.push(audio)
        loudness = self._meter.push(audio)
        if len(f0):
            found = np.where(voicing >= VOICED, f0, np.float32(0.0))
            self._f0_hz = np.concatenate([self._f0_hz, found])
        if len(loudness):
            self._loudness_db = np.concatenate([self._loudness_db, loudness])
        ready = min(len(self._f0_hz), len(self._loudness_db))
        out = self._f0_hz[:ready], self._loudness_db[:ready]
        self._f0_hz, self._loudness_db = self._f0_hz[ready:], self._loudness_db[ready:]
        return out
