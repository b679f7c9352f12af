"""Rooms at another sample rate than that of their instrument."""

import numpy as np
import numpy.typing as npt

from ddsp_edge.errors import DdspError
from ddsp_edge.units import Array


def resample_impulse_response(response: npt.ArrayLike, sample_rate: int, new_rate: int) -> Array:
    """Bring an impulse response to another sample rate, for a host that renders at that rate.

    The direct path stays one tap, at any rate. The rest is resampled as sound is (soxr, very high quality)
    and multiplied by the ratio of the rates, since a convolution sums as many more taps. What of it rings at
    tap 0 is added there, what rings before is cut off; above the lower of the two Nyquist frequencies there
    is no echo.

    Args:
        response: `[taps]`; tap 0 is the direct path.
        sample_rate: Integer > 0, Hz, its rate.
        new_rate: Integer > 0, Hz, the rate wanted.

    Returns:
        float32 `[new taps]`, as long in seconds.

    Raises:
        DdspError: If the response is no taps or not finite, or a rate is no positive integer.

    Example:
        >>> room = resample_impulse_response([1.0, 0.0, 0.5, 0.25], 16_000, 48_000)
        >>> len(room), round(float(room[0]), 1)
        (12, 1.0)
    """
    import soxr

    taps = np.asarray(response, np.float32)
    if taps.ndim != 1 or not len(taps):
        raise DdspError(
            f"impulse_response must hold at least one tap, in one dimension. Received shape: {taps.shape}"
        )
    if not np.isfinite(taps).all():
        raise DdspError("impulse_response holds values that are not finite")
    for name, rate in (("sample_rate", sample_rate), ("new_rate", new_rate)):
        if type(rate) is not int or rate <= 0:
            raise DdspError(f"{name} must be a positive integer. Received: {name}={rate!r}")
    if new_rate == sample_rate:
        return taps.copy()
    length = max(1, round(len(taps) * new_rate / sample_rate))
    echoes = taps.copy()
    echoes[0] = 0.0
    resampled = np.zeros(length, np.float32)
    sound = soxr.resample(echoes.astype(np.float64), sample_rate, new_rate, quality="VHQ")[:length]
    resampled[: len(sound)] = sound * (sample_rate / new_rate)
    resampled[0] += taps[0]
    return resampled
