"""Frame arithmetic: the only place where samples become frames and frames become samples.

Frame `i` stands for sample `(i + 1) * hop`, the boundary at the end of hop `i`. The audio of hop `i`,
samples `i * hop` to `(i + 1) * hop - 1`, therefore moves from frame `i - 1` to frame `i`, and `n`
frames make exactly `n * hop` samples. A stream needs no look-ahead: as soon as frame `i` is known,
hop `i` can be rendered. The first hop of a signal has no frame before it and holds frame 0.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ddsp_edge.errors import DdspError
from ddsp_edge.numeric import real_number, whole_number

MAX_SAMPLE_RATE = 768_000  # Hz, the fastest rate that common converters have


@dataclass(frozen=True)
class FrameSpec:
    """A frame grid: one frame of controls every `hop` samples of audio.

    Args:
        sample_rate: Integer > 0, samples a second (Hz).
        hop: Integer > 0, samples between two frames.

    Raises:
        DdspError: If either is not a positive integer, or the hop is longer than a second.

    Example:
        >>> spec = FrameSpec(sample_rate=16000, hop=64)
        >>> spec.n_samples(250), spec.n_frames(16001), spec.frame_sample(0)
        (16000, 250, 64)
    """

    sample_rate: int
    hop: int

    def __post_init__(self) -> None:
        for name, value in (("sample_rate", self.sample_rate), ("hop", self.hop)):
            object.__setattr__(self, name, _positive(name, value))
        if self.sample_rate > MAX_SAMPLE_RATE:
            raise DdspError(
                f"sample_rate must be at most {MAX_SAMPLE_RATE} Hz. Received: sample_rate={self.sample_rate}"
            )
        if self.hop > self.sample_rate:
            raise DdspError(
                f"hop must be at most one second ({self.sample_rate} samples). Received: hop={self.hop}"
            )

    @classmethod
    def from_frame_rate(cls, sample_rate: int, frame_rate: int) -> "FrameSpec":
        """Build the grid with `frame_rate` frames a second.

        Raises:
            DdspError: If `sample_rate` is no multiple of `frame_rate`; the message names the nearest
                frame rates that divide it.
        """
        sample_rate, frame_rate = _positive("sample_rate", sample_rate), _positive("frame_rate", frame_rate)
        if sample_rate % frame_rate:
            divisors = [r for r in range(1, min(sample_rate, 4000) + 1) if sample_rate % r == 0]
            near = sorted(sorted(divisors, key=lambda r: abs(r - frame_rate))[:3])
            raise DdspError(
                f"sample_rate {sample_rate} is no multiple of frame_rate {frame_rate}. "
                f"Frame rates that divide it: {', '.join(map(str, near))}"
            )
        return cls(sample_rate, sample_rate // frame_rate)

    @property
    def frame_rate(self) -> Fraction:
        """Frames a second, exactly."""
        return Fraction(self.sample_rate, self.hop)

    def n_frames(self, n_samples: int) -> int:
        """Number of whole hops in `n_samples` samples."""
        return n_samples // self.hop

    def n_samples(self, n_frames: int) -> int:
        """Number of samples that `n_frames` frames make."""
        return n_frames * self.hop

    def frame_sample(self, frame: int) -> int:
        """Sample that frame number `frame` stands for: the end of its hop."""
        return (frame + 1) * self.hop

    def frames_for(self, seconds: float | Fraction) -> int:
        """Number of frames nearest to `seconds`, at least one.

        Raises:
            DdspError: If `seconds` is no finite number.
        """
        exact = seconds if isinstance(seconds, Fraction) else real_number(seconds)
        if exact is None or not math.isfinite(exact):
            raise DdspError(f"seconds must be a finite number. Received: seconds={seconds!r}")
        return max(1, round(Fraction(exact) * self.sample_rate / self.hop))

    def seconds(self, n_frames: int) -> float:
        """Length of `n_frames` frames in seconds."""
        return n_frames * self.hop / self.sample_rate


def _positive(name: str, value: Any) -> int:
    number = whole_number(value)
    if number is None or number <= 0:
        raise DdspError(f"{name} must be a positive integer. Received: {name}={value!r}")
    return number
