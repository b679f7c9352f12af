"""Pitch, loudness and further features of a player, frame by frame as soon as all are known."""

import numpy as np

from ddsp_edge.errors import DdspError
from ddsp_edge.features.level import level_meter
from ddsp_edge.features.pitch import VOICED, PitchTracker
from ddsp_edge.features.spectral import SpectrumMeter, is_spectral, spectral_features
from ddsp_edge.further import VOICING
from ddsp_edge.instrument_card import InstrumentCard
from ddsp_edge.live.sample_queue import SampleQueue
from ddsp_edge.units import Array

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
    """Track pitch, loudness and the further features of an instrument in a stream, in blocks of any size.

    Args:
        card: The card; its estimator's range of pitches is searched.
        max_block: Integer, the most samples that are added at once.
        f0_min_hz: Lowest pitch, Hz; None for the card's. The tracker waits for one period of it.
        lookahead_frames: Frames after a frame that its pitch waits for; None for 30 ms.
        loudness_ms: Window of the loudness, or of the power, ms; None for that of the training data: 32 ms,
            of power 64 ms.

    Raises:
        DdspError: If the range cannot be tracked at this rate.
    """

    def __init__(
        self,
        card: InstrumentCard,
        max_block: int,
        f0_min_hz: float | None = None,
        lookahead_frames: int | None = None,
        loudness_ms: float | None = None,
    ) -> None:
        wanted = PitchTracker.for_card(card)
        low = wanted.f0_min_hz if f0_min_hz is None else f0_min_hz
        self._tracker = PitchTracker(card.spec, low, wanted.f0_max_hz, lookahead_frames)
        self._meter = level_meter(card.level, card.spec, _window(card.sample_rate, loudness_ms))
        self._further, self._rate = tuple(card.further), card.sample_rate
        spectral = any(map(is_spectral, self._further))
        self._spectra = SpectrumMeter(card.spec, self._meter.window_samples) if spectral else None
        self._start_hz = card.f0_hz_range.median
        self.latency_samples = max(self._tracker.latency_samples, self._meter.latency_samples)
        """Samples after the one a frame stands for until the frame is known."""
        ahead = self._tracker.lookahead_frames
        window_s = 2.0 * (self._tracker.latency_samples - ahead * card.hop) / card.sample_rate
        self.doubt_frames = max(0, card.spec.frames_for(window_s + _EVIDENCE_S) - ahead)
        """Frames after an onset in which a pitch may be there and not be found yet."""
        self._hop = hop = card.spec.hop
        # Both windows lie in one queue. Its oldest sample is the first that either looks at, and the loudness
        # is that of the frame whose pitch is decided, `ahead` frames before.
        pitch, level = self._tracker.window_samples, self._meter.window_samples
        back = max(pitch // 2, ahead * hop + level // 2, hop)
        self._zeros = back - hop  # before the start
        self._pitch_at = back - pitch // 2, back - pitch // 2 + pitch
        start = back - ahead * hop - level // 2
        self._level_at = start, start + level
        self._needed = max(self._pitch_at[1], self._level_at[1])
        self._queue = SampleQueue(4 * (self._needed + hop + max_block))
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next sample is sample 0."""
        self._tracker.reset()
        self._meter.reset()
        self._queue.clear(zeros=self._zeros)
        self._f0_hz = self._start_hz

    def push(self, audio: Array) -> list[tuple[float, ...]]:
        """Add samples `[n]`, n at most `max_block`.

        Returns:
            Of each frame known now its f0 in Hz, 0 where nothing has a pitch, its level (see the card) in dB,
            and the further features of the card in their order.
        """
        queue, frames = self._queue, list[tuple[float, ...]]()
        queue.write(audio)
        for _ in range((len(queue) - self._needed) // self._hop + 1):
            pitch = self._tracker.follow(queue.peek(*self._pitch_at))
            if pitch is not None:
                f0_hz = pitch[0] if pitch[1] >= VOICED else 0.0
                window = queue.peek(*self._level_at)
                frame = f0_hz, self._meter.follow(window)
                frames.append((*frame, *self._told(window, f0_hz, pitch[1])) if self._further else frame)
            queue.skip(self._hop)
        return frames

    def _told(self, window: Array, f0_hz: float, voicing: float) -> list[float]:
        """Further features of a frame, whose pitch holds on where there is none."""
        if f0_hz > 0.0:
            self._f0_hz = f0_hz
        found: dict[str, float] = {VOICING: voicing}
        if self._spectra is not None:
            powers = self._spectra.follow(window)[np.newaxis]
            told = spectral_features(self._further, powers, [self._f0_hz], self._rate)
            found.update((name, float(values[0])) for name, values in told.items())
        return [found[name] for name in self._further]
