"""From the instants at which an estimator looked to the frames that are asked for."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError
from ddsp_tf.features.f0 import F0Track
from ddsp_tf.frames import FrameSpec

PIECE_SECONDS = 30.0
"""Longer sounds are tracked in pieces of this length, so that memory is bounded."""

_STEP_OCTAVES = 1.5 / 12  # two neighbours further apart than this are a step, not a glide
_SILENCE_RMS = 1e-5  # below the last bit of a 16-bit recording


@dataclass(frozen=True)
class Instants:
    """What an estimator found at the instants at which it looked.

    Args:
        at: `[instants]`, samples of the sound, rising, may be fractions.
        guess_hz: `[instants]`, Hz, the likeliest pitch, voiced or not; 0 where there is none.
        voiced: `[instants]`, booleans.
        voicing: `[instants]`, 0 to 1; see `F0Track`.
        confidence: `[instants]`, 0 to 1; see `F0Track`.
    """

    at: Array
    guess_hz: Array
    voiced: Array
    voicing: Array
    confidence: Array


class EstimatorInPieces(ABC):
    """What estimators have in common that look at one piece of a sound after the other; see `F0Estimator`.

    Attributes:
        context_seconds: How much sound before and after a piece `_analyse` is shown.
    """

    context_seconds: float

    def estimate(self, audio: Array, spec: FrameSpec) -> F0Track:
        """Track a sound `[n]`; see `F0Estimator`."""
        return track_in_pieces(
            audio, spec, lambda x: self._analyse(x, spec.sample_rate), self.context_seconds
        )

    @abstractmethod
    def _analyse(self, audio: Array, sample_rate: int) -> Instants:
        """Look at a piece `[m]`, float32, at a rate in Hz; return at least one instant."""


def track_in_pieces(
    audio: Array,
    spec: FrameSpec,
    analyse: Callable[[Array], Instants],
    context_seconds: float,
) -> F0Track:
    """Run `analyse` over a sound, piece by piece, and put its result on the frame grid.

    Args:
        audio: Samples `[n]`.
        spec: The frame grid.
        analyse: Maps samples `[m]` at `spec.sample_rate` to at least one instant.
        context_seconds: How much sound `analyse` is shown before and after each piece.

    Raises:
        DdspError: If `audio` is not one channel of finite samples.
    """
    audio = np.asarray(audio, np.float32)
    if audio.ndim != 1:
        raise DdspError(f"audio for pitch tracking must be one channel [samples]. Received: {audio.shape}")
    n_frames = spec.n_frames(len(audio))
    piece = max(1, round(PIECE_SECONDS * spec.sample_rate) // spec.hop)
    context = round(context_seconds * spec.sample_rate)
    parts: list[F0Track] = []
    for first in range(0, n_frames, piece):
        wanted = np.arange(first, min(first + piece, n_frames), dtype=np.float64)
        positions = (wanted + 1) * spec.hop
        start = max(0, int(positions[0]) - context)
        sound = audio[start : int(positions[-1]) + context]
        if not np.all(np.isfinite(sound)):
            raise DdspError(f"audio for pitch tracking has samples that are not finite, from {start} on")
        parts.append(_on_grid(analyse(sound), positions - start))
    if not parts:
        return F0Track(np.zeros(0, np.float32), np.zeros(0, np.float32))
    columns = [(p.f0_hz, p.voicing, p.confidence, p.guess_hz) for p in parts]
    return F0Track(*(np.concatenate(column) for column in zip(*columns, strict=True)))


def _on_grid(found: Instants, wanted: Array) -> F0Track:
    """Bring instants to the positions `[frames]` that are wanted."""
    voiced_hz = np.where(found.voiced, found.guess_hz, 0.0)
    f0_hz, voicing = interpolate_f0(found.at, voiced_hz, found.voicing, wanted)
    guess_hz, confidence = interpolate_f0(found.at, found.guess_hz, found.confidence, wanted)
    return F0Track(f0_hz, voicing, confidence, np.where(f0_hz > 0, f0_hz, guess_hz))


def voicing_from(activation: Array, voiced_from: float) -> Array:
    """Turn activations in 0 to 1 into probabilities of which 0.5 stands where voicing is decided.

    The odds are scaled, so that 0 and 1 stay and the order does.
    """
    for_, against = activation * (1.0 - voiced_from), (1.0 - activation) * voiced_from
    return np.asarray(for_ / (for_ + against))


def interpolate_f0(at: Array, f0_hz: Array, voicing: Array, wanted: Array) -> tuple[Array, Array]:
    """Interpolate a track in log frequency, never across an unvoiced gap or a step.

    Between two voiced instants less than 150 cents apart f0 is interpolated; otherwise the nearer
    instant decides, so that a step stays a step and voicing begins and ends where it was seen.

    Args:
        at: Rising positions `[instants]`.
        f0_hz: `[instants]`, Hz, 0 where unvoiced.
        voicing: `[instants]`.
        wanted: Positions `[frames]`; outside of `at` the first and last instants hold.

    Returns:
        f0 in Hz and voicing, float32 `[frames]`.
    """
    right = np.clip(np.searchsorted(at, wanted), 1, max(1, len(at) - 1))
    left = right - 1
    right = np.minimum(right, len(at) - 1)
    share = np.clip((wanted - at[left]) / np.maximum(at[right] - at[left], 1e-9), 0.0, 1.0)
    log_f0 = np.log2(np.where(f0_hz > 0, f0_hz, 1.0))
    glide = log_f0[left] + share * (log_f0[right] - log_f0[left])
    smooth = (f0_hz[left] > 0) & (f0_hz[right] > 0)
    smooth &= np.abs(log_f0[right] - log_f0[left]) < _STEP_OCTAVES
    nearer = np.where(share < 0.5, f0_hz[left], f0_hz[right])
    mixed = voicing[left] + share * (voicing[right] - voicing[left])
    return (
        np.where(smooth, np.exp2(glide), nearer).astype(np.float32),
        np.clip(mixed, 0.0, 1.0).astype(np.float32),
    )


def silent(audio: Array, centres: Array, size: int) -> Array:
    """Return which instants lie in silence: an RMS below -100 dB re full scale, mean removed.

    Estimators normalise what they see, and would find pitch in a fade's last bits.

    Args:
        audio: Samples `[n]`.
        centres: Integers `[instants]`, the middles of the windows.
        size: Integer, length of a window in samples; beyond the sound it is cut short.
    """
    sums = np.concatenate([[0.0], np.cumsum(audio, dtype=np.float64)])
    squares = np.concatenate([[0.0], np.cumsum(np.square(audio, dtype=np.float64))])
    low = np.clip(centres - size // 2, 0, len(audio))
    high = np.clip(centres + size - size // 2, 0, len(audio))
    count = np.maximum(high - low, 1)
    mean = (sums[high] - sums[low]) / count
    return np.asarray((squares[high] - squares[low]) / count - mean**2 < _SILENCE_RMS**2)
