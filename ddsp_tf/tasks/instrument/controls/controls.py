"""What a synthesizer is told, frame by frame, as plain arrays."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError, did_you_mean
from ddsp_tf.frames import FrameSpec

F0 = "f0_hz"
"""Name of the control that is a pitch: between two of them lies their geometric mean."""


@dataclass(frozen=True)
class Controls:
    """Controls of a sound and the processors that they are for.

    Change the arrays as you like; `render_controls` refuses only what is no number.

    Args:
        spec: The frame grid.
        processors: The processor group, plain data: `inputs`, `nodes` and `output` of
            `ddsp_tf.layers.ProcessorGroup`.
        frames: float32 `[frames, channels]` by `NODE.CONTROL`: `harmonic.f0_hz` in Hz, `harmonic.amplitude`
            and `noise.magnitudes` linear, `harmonic.distribution` as shares of 1.
        loudness_db: float32 `[frames]`, what the network was told, dB; nothing is rendered of it.
        lasting: By the same names what does not change: the impulse response of a room.
    """

    spec: FrameSpec
    processors: Mapping[str, Any]
    frames: dict[str, Array]
    loudness_db: Array
    lasting: dict[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lengths = {name: len(values) for name, values in self.frames.items()}
        lengths["loudness_db"] = len(self.loudness_db)
        if len(set(lengths.values())) != 1:
            raise DdspError(f"controls must have as many frames as each other. Received: {lengths}")
        for name, values in self.frames.items():
            if values.ndim != 2:
                raise DdspError(f"{name} must be [frames, channels]. Received: shape {list(values.shape)}")

    @property
    def n_frames(self) -> int:
        """How many frames there are."""
        return len(self.loudness_db)

    @property
    def seconds(self) -> float:
        """How long the sound is without what rings on."""
        return self.spec.seconds(self.n_frames)

    def part(self, first: int, end: int) -> "Controls":
        """The frames from `first` up to `end`."""
        return Controls(
            self.spec,
            self.processors,
            {name: values[first:end] for name, values in self.frames.items()},
            self.loudness_db[first:end],
            self.lasting,
        )

    def of_node(self, name: str, control: str) -> Array:
        """A control `[frames, channels]`, or what lasts.

        Raises:
            DdspError: If there is none of the name.
        """
        key, known = f"{name}.{control}", {**self.frames, **self.lasting}
        if key not in known:
            raise DdspError(f"there is no control {key!r}.{did_you_mean(key, list(known))}")
        return known[key]


def between(first: Controls, second: Controls, share: float) -> Controls:
    """Controls between two others: of the pitch the geometric mean, of all else the arithmetic.

    Args:
        first: What there is at a share of 0.
        second: What there is at a share of 1; of the same processors. The longer one is cut.
        share: Float, 0 to 1.

    Raises:
        DdspError: If the share is another, or the two are not controls of the same processors.
    """
    if not 0.0 <= share <= 1.0:
        raise DdspError(f"the share of the second must be from 0 to 1. Received: {share}")
    a, b = _shapes(first), _shapes(second)
    if first.spec != second.spec or a != b:
        differing = sorted(name for name in a.keys() | b.keys() if a.get(name) != b.get(name))
        raise DdspError(
            "nothing lies between controls of different processors; they differ in "
            f"{', '.join(differing) or 'their frame grids'}"
        )
    n = min(first.n_frames, second.n_frames)
    one, other = first.part(0, n), second.part(0, n)

    def mean(name: str, x: Array, y: Array) -> Array:
        if name.endswith(f".{F0}") and (x > 0.0).all() and (y > 0.0).all():
            return np.asarray(x ** (1.0 - share) * y**share, np.float32)
        return np.asarray((1.0 - share) * x + share * y, np.float32)

    return Controls(
        first.spec,
        first.processors,
        {name: mean(name, values, other.frames[name]) for name, values in one.frames.items()},
        mean("loudness_db", one.loudness_db, other.loudness_db),
        {name: mean(name, values, other.lasting[name]) for name, values in one.lasting.items()},
    )


def _shapes(controls: Controls) -> dict[str, Any]:
    """Channels of each control, and shapes of what lasts."""
    channels = {name: values.shape[1] for name, values in controls.frames.items()}
    return {**channels, **{name: values.shape for name, values in controls.lasting.items()}}
