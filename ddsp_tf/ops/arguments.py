"""What operations take: one place that makes tensors of arguments, and refuses what does not fit.

Everything is decided from what is known of dtypes and shapes while a call, or a graph, is set up; a graph
holds no more operators for it. What a graph does not know of a shape is not compared.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from ddsp_tf.backend import BACKEND
from ddsp_tf.errors import DdspError
from ddsp_tf.frames import FrameSpec

if keras.config.backend() != BACKEND:
    raise DdspError(
        f"ddsp_tf needs Keras with TensorFlow: set KERAS_BACKEND={BACKEND}, or import ddsp_tf before keras. "
        f"Received: backend {keras.config.backend()!r}"
    )


class Hops(NamedTuple):
    """An axis of whole hops: `hop` samples for each of the frames.

    Attributes:
        hop: Integer, samples a frame.
        frames: Name of the axis of frames.
    """

    hop: int
    frames: str = "frames"


Axis = int | str | Hops
"""An axis of exactly so many, one that has a name, or one of whole hops. Axes of one name have one size."""

LEADING = "..."
"""As the first axis: any number of axes before the others, the same for all arguments that have it."""


def as_floats(owner: str, name: str, value: Any, dtype: tf.DType | None = None) -> tf.Tensor:
    """Return numbers as a tensor of floats.

    Args:
        owner: Name of the operation, for errors.
        name: Name of the argument, for errors.
        value: A tensor, variable, array, number, or nested lists of numbers.
        dtype: Of the result; None keeps that of floats. Integers, and lists of Python's numbers, become
            float32.

    Raises:
        DdspError: If it does not hold real numbers.
    """
    tensor = _as_tensor(owner, name, value)
    if not (tensor.dtype.is_floating or tensor.dtype.is_integer):
        raise DdspError(f"{owner}: {name} must hold real numbers. Received: {_described(tensor)}")
    if dtype is None:
        dtype = tensor.dtype if tensor.dtype.is_floating else tf.float32
    return tf.cast(tensor, dtype)


def as_complex(owner: str, name: str, value: Any) -> tf.Tensor:
    """Return complex numbers as a tensor of complex64.

    Raises:
        DdspError: If it does not hold complex numbers.
    """
    tensor = _as_tensor(owner, name, value)
    if not tensor.dtype.is_complex:
        raise DdspError(f"{owner}: {name} must hold complex numbers. Received: {_described(tensor)}")
    return tf.cast(tensor, tf.complex64)


def _described(tensor: tf.Tensor) -> str:
    return f"{tensor.dtype.name} of shape {tensor.shape}"


def _as_tensor(owner: str, name: str, value: Any) -> tf.Tensor:
    if isinstance(value, tf.Tensor):
        return value
    if isinstance(value, keras.KerasTensor):
        raise DdspError(
            f"{owner}: {name} must hold numbers; a symbolic tensor of Keras has none until a model runs: "
            f"call this inside of a layer's `call`, or in a `keras.layers.Lambda`. Received: {value!r}"
        )
    try:
        plain = isinstance(value, list | tuple) and _holds_numbers_of_python(value)
        return tf.convert_to_tensor(value, tf.float32 if plain else None)
    except (TypeError, ValueError, OverflowError, tf.errors.OpError):
        raise DdspError(
            f"{owner}: {name} must be a tensor, an array, or lists of numbers of one length. "
            f"Received: {_shortened(value)}"
        ) from None


def _holds_numbers_of_python(value: Any) -> bool:
    """Whether nested lists end in a number of Python; TensorFlow would take integers above 2^31 as int64."""
    while isinstance(value, list | tuple) and value:
        value = value[0]
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shortened(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"{text[:80]} ..."


class Arguments:
    """The tensors of one call, whose axes must fit each other.

    Args:
        owner: Name of the operation, for errors.
        dtype: Of all tensors; None: that of the first one.
        empty: Names of axes that may have size 0; all others hold at least one.

    Example:
        >>> take = Arguments("harmonic_oscillator", tf.float32)
        >>> f0_hz = take("f0_hz", [[[220], [220]]], "batch", "frames", 1)
        >>> amplitudes = take("amplitudes", tf.ones([1, 2, 8]), "batch", "frames", "harmonics")
        >>> take.sizes
        {'batch': 1, 'frames': 2, 'harmonics': 8}
    """

    def __init__(
        self, owner: str, dtype: tf.DType | None = None, empty: Sequence[str] = ("batch", "samples")
    ) -> None:
        self.owner, self.dtype, self.empty = owner, dtype, tuple(empty)
        self.sizes: dict[str, int] = {}
        self._known_from: dict[str, str] = {}
        self._leading = tf.TensorShape(None)

    def __call__(self, name: str, value: Any, *axes: Axis, dtype: tf.DType | None = None) -> tf.Tensor:
        """Return an argument as a tensor of floats.

        Args:
            name: Name of the argument, for errors.
            value: A tensor, variable, array, number, or nested lists of numbers.
            *axes: What its axes are; none for any shape.
            dtype: Of this tensor; None: that of the others.

        Raises:
            DdspError: If it does not hold numbers, or its shape does not fit.
        """
        tensor = as_floats(self.owner, name, value, dtype or self.dtype)
        if dtype is None and self.dtype is None:
            self.dtype = tensor.dtype
        self.check_shape(name, tensor.shape, axes)
        return tensor

    def own(self, name: str, value: Any, *axes: Axis) -> tf.Tensor:
        """As a call, but the tensor keeps the dtype of floats, whatever that of the others is."""
        tensor = as_floats(self.owner, name, value)
        self.check_shape(name, tensor.shape, axes)
        return tensor

    def check_shape(self, name: str, shape: tf.TensorShape, axes: Sequence[Axis]) -> None:
        """Refuse a shape that does not fit the axes, or what is known of them by now.

        Raises:
            DdspError: Naming the argument, its shape, and what would be valid.
        """
        if shape.rank is None or not axes:
            return
        leading = axes[0] == LEADING
        last = axes[1:] if leading else axes
        before = shape.rank - len(last)
        if before < 0 or (before and not leading):
            self._refuse(name, shape, axes, "")
        if leading:
            if not shape[:before].is_compatible_with(self._leading):
                wanted = ", ".join(map(str, self._leading))
                self._refuse(name, shape, axes, f", ... being [{wanted}] as in {self._known_from[LEADING]}")
            if self._leading.rank is None:
                self._known_from[LEADING] = name
            self._leading = self._leading.merge_with(shape[:before])
        for size, axis in zip(shape[before:], last, strict=True):
            if size is not None:
                why = self._fit(name, size, axis)
                if why is not None:
                    self._refuse(name, shape, axes, why)

    def _fit(self, name: str, size: int, axis: Axis) -> str | None:
        """Note the size of an axis; return what is wrong with it, None where nothing is."""
        if isinstance(axis, int):
            return None if size == axis else ""
        if isinstance(axis, Hops):
            if size % axis.hop:
                return f", whole hops of {axis.hop} samples"
            size, axis = size // axis.hop, axis.frames
        if size == 0 and axis not in self.empty:
            return f", {axis} being 1 or more"
        known = self.sizes.setdefault(axis, size)
        source = self._known_from.setdefault(axis, name)
        return None if known == size else f", {axis} being {known} as in {source}"

    def _refuse(self, name: str, shape: tf.TensorShape, axes: Sequence[Axis], why: str) -> None:
        wanted = ", ".join(f"{a.frames} * {a.hop}" if isinstance(a, Hops) else str(a) for a in axes)
        raise DdspError(f"{self.owner}: {name} must be [{wanted}]{why}. Received: shape {tuple(shape)}")

    def known(self, name: str, axis: str) -> int:
        """The size of an axis that has to be known.

        Raises:
            DdspError: If it is not.
        """
        if axis not in self.sizes:
            raise DdspError(
                f"{self.owner}: how many {axis} {name} has must be known when a graph is traced. "
                "Received: an unknown size"
            )
        return self.sizes[axis]

    def state(self, value: Any, kind: type, *fields: tuple[Sequence[Axis], tf.DType | None]) -> Any:
        """Return a state that an operation gave; None stays None.

        Args:
            value: The state, or a tuple of its parts.
            kind: Its class, a NamedTuple.
            *fields: Axes and dtype of each part.

        Raises:
            DdspError: If it is no such state, or that of another batch or another number of channels.
        """
        if value is None:
            return None
        if not isinstance(value, tuple | list) or len(value) != len(fields):
            names = ", ".join(kind._fields)  # type: ignore[attr-defined]
            raise DdspError(
                f"{self.owner}: state must be None or a {kind.__name__} ({names}), as the call before "
                f"returned it. Received: {type(value).__name__}"
            )
        names = kind._fields  # type: ignore[attr-defined]
        return kind(
            *(
                self(f"state.{name}", part, *axes, dtype=dtype)
                for name, part, (axes, dtype) in zip(names, value, fields, strict=True)
            )
        )


def check_spec(owner: str, spec: Any) -> FrameSpec:
    """Return a frame grid.

    Raises:
        DdspError: If it is none.
    """
    if not isinstance(spec, FrameSpec):
        raise DdspError(f"{owner}: spec must be a FrameSpec(sample_rate, hop). Received: spec={spec!r}")
    return spec
