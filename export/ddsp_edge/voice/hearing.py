"""What a network of the task hears of a stream: bands, and pitch, voicing and loudness some frames later."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ddsp_edge.features.log_mel import LogMel
from ddsp_edge.features.loudness import LoudnessMeter
from ddsp_edge.features.pitch import VOICED
from ddsp_edge.frames import FrameSpec
from ddsp_edge.units import LOUDNESS_FLOOR_DB, Array
from ddsp_edge.voice.tracking import Tracker


@dataclass(frozen=True)
class Heard:
    """Frames of a stream, float32.

    Args:
        log_mel: `[frames, 40]`.
        f0_hz: `[frames]`, of the frame `ahead` before; 0 where nothing has a pitch.
        loudness_db: `[frames]`, of that frame too.
    """

    log_mel: Array
    f0_hz: Array
    loudness_db: Array


class Hearing:
    """Follow a stream.

    Content speaks of the frame `ahead` before the last that was heard. Pitch and loudness are kept back as
    long, so that all that enters the network belongs to one frame; before the first there is silence.

    Args:
        spec: The frame grid.
        ahead: Integer, frames by which content is late.
        tracker: What follows pitch; it is reset.

    Attributes:
        latency_samples: Samples after the one that a frame stands for until all of it is known.
    """

    def __init__(self, spec: FrameSpec, ahead: int, tracker: Tracker) -> None:
        self.spec, self.ahead = spec, ahead
        self._mel = LogMel(spec)
        self._tracker = tracker
        self._meter = LoudnessMeter(spec)
        self.latency_samples = max(
            self._mel.latency_samples + ahead * spec.hop,
            self._tracker.latency_samples,
            self._meter.latency_samples,
        )
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next sample is sample 0."""
        for feature in (self._mel, self._tracker, self._meter):
            feature.reset()
        self._samples = 0
        self._bands: Array = np.zeros((0, 0), np.float32)
        self._pitches: Array = np.zeros(self.ahead, np.float32)
        self._levels: Array = np.full(self.ahead, LOUDNESS_FLOOR_DB, np.float32)

    def push(self, audio: npt.ArrayLike) -> Heard:
        """Add samples `[n]`; return the frames that are complete now."""
        block = np.asarray(audio, np.float32)
        self._samples += len(block)
        self._add(self._mel.push(block), *self._tracker.push(block), self._meter.push(block))
        return self._take()

    def flush(self) -> Heard:
        """End the stream, after whole hops; return what belongs to its last frames, and one frame more."""
        silence = np.zeros((self.ahead + 1) * self.spec.hop, np.float32)
        bands = [self._mel.push(silence), self._mel.flush()]
        self._add(np.concatenate(bands), *self._tracker.flush(), self._meter.flush())
        self._pitches, self._levels = (
            np.append(values, values[-1:]) for values in (self._pitches, self._levels)
        )
        return self._take()

    def _add(self, bands: Array, f0_hz: Array, voicing: Array, loudness_db: Array) -> None:
        self._bands = np.concatenate([self._bands, bands]) if self._bands.size else bands
        pitches = np.where(voicing >= VOICED, f0_hz, np.float32(0.0))
        self._pitches = np.concatenate([self._pitches, pitches])
        self._levels = np.concatenate([self._levels, loudness_db])

    def _take(self) -> Heard:
        n = min(len(self._bands), len(self._pitches), len(self._levels))
        heard = Heard(self._bands[:n], self._pitches[:n], self._levels[:n])
        self._bands, self._pitches, self._levels = self._bands[n:], self._pitches[n:], self._levels[n:]
        return heard
