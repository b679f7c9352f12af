"""Whether inputs fit each other: one batch, one number of frames, signals of so many hops.

Only what is known of the shapes is compared, so a graph with open lengths is let pass.
"""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from ddsp_tf.errors import DdspError


def check_shape(what: str, shape: tf.TensorShape, size: int | tuple[int, ...] | None) -> None:
    """Refuse an input or a control of the wrong rank, or with other channels.

    Args:
        what: The layer and the input, for the error.
        shape: Its shape; what is not known of it is passed over.
        size: Channels of a control in frames, None for a signal, or the shape of what is the same in all
            frames, for which an axis of examples may come before.

    Raises:
        DdspError: Naming the input, its shape, and what would be valid.
    """
    wanted = [None, None] if size is None else list(size) if isinstance(size, tuple) else [None, None, size]
    if isinstance(size, tuple) and shape.rank == len(size) + 1:
        wanted = [None, *wanted]
    if not shape.is_compatible_with(wanted):
        names = ["batch", "samples" if size is None else "frames", str(size)][: len(wanted)]
        whole = ", ".join(map(str, size)) if isinstance(size, tuple) else ""
        text = f"[{whole}] or [batch, {whole}]" if whole else f"[{', '.join(names)}]"
        raise DdspError(f"{what} must be {text}. Received: {tuple(shape)}")


def check_lengths(
    owner: str,
    inputs: Mapping[str, Any],
    sizes: Mapping[str, Any],
    hop: int | None,
    kind: str = "input",
) -> None:
    """Refuse inputs that differ in batch or in time; broadcasting would hide it.

    Signals that come with no control may have any length, but one.

    Args:
        owner: Name of the layer.
        inputs: Tensors by name; those that `sizes` does not hold, or of another rank, are passed over.
        sizes: Channels of each input by name; None for a signal. What has a tuple is no matter of time, but
            of examples where it has an axis more.
        hop: Integer, samples a frame; None where signals have lengths of their own.
        kind: What they are called in errors.

    Raises:
        DdspError: Naming the input, its shape, and what would fit beside which other.
    """
    known = {name: tf.TensorShape(value.shape) for name, value in inputs.items() if name in sizes}
    shapes = {name: () if shape.rank is None else tuple(shape) for name, shape in known.items()}
    controls = {name: s for name, s in shapes.items() if isinstance(sizes[name], int) and len(s) == 3}
    signals = {name: s for name, s in shapes.items() if sizes[name] is None and len(s) == 2}
    lasting = {
        name: s
        for name, s in shapes.items()
        if isinstance(sizes[name], tuple) and len(s) == len(sizes[name]) + 1
    }
    batch = _first_known({**controls, **signals, **lasting}, 0)
    frames = _first_known(controls, 1)
    samples = _first_known(signals, 1)
    if hop is None:
        samples = None
    elif frames is not None:
        samples = (frames[0], frames[1] * hop)
    for name, shape in {**controls, **signals, **lasting}.items():
        is_signal = name in signals
        length = None if name in lasting else samples if is_signal else frames
        for axis, first in enumerate((batch, length)):
            if first is None or shape[axis] is None or shape[axis] == first[1]:
                continue
            wanted = [*shape]
            wanted[axis] = first[1]
            at = f" at a hop of {hop} samples" if is_signal and axis == 1 and first[0] in controls else ""
            raise DdspError(
                f"{owner}: {kind} {name!r} must be {wanted} beside {first[0]!r} of shape "
                f"{shapes[first[0]]}{at}. Received: {shape}"
            )
        if is_signal and controls and hop is not None and shape[1] is not None and shape[1] % hop:
            raise DdspError(
                f"{owner}: {kind} {name!r} must be whole hops of {hop} samples. Received: {shape}"
            )


def _first_known(shapes: Mapping[str, tuple[int | None, ...]], axis: int) -> tuple[str, int] | None:
    """The first input of which the size of an axis is known, and that size."""
    for name, shape in shapes.items():
        size = shape[axis]
        if size is not None:
            return name, size
    return None
