"""Estimators that cost nothing, for tests in which the pitch itself does not matter."""

import sys
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.features.f0 import F0Track
from ddsp_tf.frames import FrameSpec


@dataclass
class ConstantEstimator:
    """Hears 220 Hz wherever there is sound."""

    name: str = "constant"
    settings: dict[str, Any] = field(default_factory=lambda: {"f0_hz": 220.0})
    context_seconds: float = 0.0
    parallel: bool = False

    def memory_mib(self, seconds: float) -> float:
        return 40.0

    def estimate(self, audio: Array, spec: FrameSpec) -> F0Track:
        n_frames = spec.n_frames(len(audio))
        hops = np.reshape(audio[: n_frames * spec.hop], (n_frames, spec.hop))
        voiced = np.abs(hops).max(axis=1) > 1e-3
        return F0Track(np.where(voiced, 220.0, 0.0).astype(np.float32), voiced.astype(np.float32))


@dataclass
class NeighbourhoodEstimator:
    """Answers with the mean level of the sound around each frame, up to `context_seconds` away."""

    name: str = "neighbourhood"
    settings: dict[str, Any] = field(default_factory=dict)
    context_seconds: float = 0.3
    parallel: bool = False

    def memory_mib(self, seconds: float) -> float:
        return 40.0

    def estimate(self, audio: Array, spec: FrameSpec) -> F0Track:
        reach = round(self.context_seconds * spec.sample_rate)
        n_frames = spec.n_frames(len(audio))
        at = (np.arange(n_frames) + 1) * spec.hop
        sums = np.concatenate([[0.0], np.cumsum(np.abs(audio), dtype=np.float64)])
        low, high = np.clip(at - reach, 0, len(audio)), np.clip(at + reach, 0, len(audio))
        f0_hz = 100.0 + 1000.0 * (sums[high] - sums[low]) / (2 * reach)
        return F0Track(f0_hz.astype(np.float32), np.ones(n_frames, np.float32))


@dataclass
class DeafEstimator:
    """Hears no pitch anywhere."""

    name: str = "deaf"
    settings: dict[str, Any] = field(default_factory=dict)
    context_seconds: float = 0.0
    parallel: bool = False

    def memory_mib(self, seconds: float) -> float:
        return 40.0

    def estimate(self, audio: Array, spec: FrameSpec) -> F0Track:
        silence = np.zeros(spec.n_frames(len(audio)), np.float32)
        return F0Track(silence, silence)


@dataclass
class SpyEstimator(ConstantEstimator):
    """Fails in a process that has loaded TensorFlow."""

    def estimate(self, audio: Array, spec: FrameSpec) -> F0Track:
        if "tensorflow" in sys.modules:
            raise RuntimeError("a worker has loaded TensorFlow")
        return super().estimate(audio, spec)


@dataclass
class SlowEstimator(ConstantEstimator):
    """Takes a tenth of a second for each passage."""

    def estimate(self, audio: Array, spec: FrameSpec) -> F0Track:
        time.sleep(0.1)
        return super().estimate(audio, spec)
