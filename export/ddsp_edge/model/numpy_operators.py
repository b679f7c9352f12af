"""The operators of our models in numpy, each built once for the shapes it has."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ddsp_edge.errors import DdspError
from ddsp_edge.model.tflite import INT8, Operator, Tensor
from ddsp_edge.units import Array

Function = Callable[..., Array]
Step = tuple[Function, tuple[int, ...]]
"""A function that gives an output, and which inputs of the operator it takes, by their place."""

_ONE, _ZERO = np.float32(1.0), np.float32(0.0)


@dataclass(frozen=True)
class Call:
    """An operator with what it is used on.

    Args:
        operator: The operator.
        inputs: Its tensors; None for one that is left out.
        outputs: Its tensors.
        constants: Values of its constant inputs, by their place, as they are stored.
    """

    operator: Operator
    inputs: list[Tensor | None]
    outputs: list[Tensor]
    constants: Mapping[int, Array]

    def shape(self, place: int) -> tuple[int, ...]:
        """Shape of an input that must be there."""
        tensor = self.inputs[place]
        if tensor is None:
            raise DdspError(f"an operator {self.operator.name} lacks an input")
        return tensor.shape

    def whole_numbers(self, place: int) -> list[int]:
        """Values of an input that must be constant, int32."""
        values = self.constants.get(place)
        if values is None or values.dtype != np.int32:
            raise DdspError(f"an operator {self.operator.name} has sizes that are not constant")
        return [int(value) for value in values.reshape(-1)]

    def axis(self, axis: int, place: int) -> int:
        """An axis of an input, counted from its first."""
        rank = len(self.shape(place))
        if not -rank <= axis < rank:
            raise DdspError(f"an operator {self.operator.name} has the axis {axis} of {rank}")
        return axis % rank

    def option(self, field: int, kind: str = "i") -> int:
        """An option that is a whole number; 0 where it is not told."""
        options = self.operator.options
        return 0 if options is None else options.whole(field, kind)

    def require(self, place: int, shape: tuple[int, ...]) -> None:
        """Refuse an output of another shape than that which comes out."""
        if self.outputs[place].shape != tuple(shape):
            raise DdspError(
                f"an operator {self.operator.name} gives {list(shape)} where the model says "
                f"{list(self.outputs[place].shape)}"
            )


def build(call: Call) -> list[Step]:
    """Check an operator on the shapes it is used on.

    Returns:
        What computes each of its outputs.

    Raises:
        DdspError: If it is not one of those of our models, or does not fit its inputs and outputs.
    """
    builder = _BUILDERS.get(call.operator.name)
    if builder is None:
        raise DdspError(
            f"it uses the operator {call.operator.name}, which numpy does not run here: install "
            "ai-edge-litert, which does"
        )
    try:
        steps = builder(call)
    except (IndexError, TypeError, ValueError, OverflowError) as error:
        if isinstance(error, DdspError):
            raise
        raise DdspError(f"an operator {call.operator.name} does not fit its inputs: {error}") from error
    if len(steps) != len(call.outputs):
        raise DdspError(f"an operator {call.operator.name} has {len(call.outputs)} outputs")
    return steps


def _unary(function: Function) -> Callable[[Call], list[Step]]:
    def builder(call: Call) -> list[Step]:
        call.require(0, call.shape(0))
        return [(function, (0,))]

    return builder


def _binary(function: Function, fused: bool = True) -> Callable[[Call], list[Step]]:
    def builder(call: Call) -> list[Step]:
        call.require(0, np.broadcast_shapes(call.shape(0), call.shape(1)))
        return [(_activated(call, function, 0) if fused else function, (0, 1))]

    return builder


def _reduce(mean: bool) -> Callable[[Call], list[Step]]:
    def builder(call: Call) -> list[Step]:
        shape, keep = call.shape(0), bool(call.option(0, "B"))
        axes = tuple({call.axis(axis, 0) for axis in call.whole_numbers(1)})
        rest = [1 if axis in axes else size for axis, size in enumerate(shape) if keep or axis not in axes]
        call.require(0, tuple(rest))
        share = np.float32(1.0 / math.prod(shape[axis] for axis in axes)) if mean else _ONE

        def reduce(x: Array) -> Array:  # `np.mean` takes three times as long
            return np.asarray(np.add.reduce(x, axes, keepdims=keep) * share)  # type: ignore[call-overload]

        return [(reduce, (0,))]

    return builder


def _leaky_relu(call: Call) -> list[Step]:
    call.require(0, call.shape(0))
    alpha = np.float32(0.0 if call.operator.options is None else call.operator.options.real(0))
    if not 0.0 <= alpha <= 1.0:
        raise DdspError(f"an operator LEAKY_RELU has the slope {alpha}; 0 to 1 are known here")
    return [(lambda x: np.maximum(x, alpha * x), (0,))]


def _reshape(call: Call) -> list[Step]:
    shape = call.outputs[0].shape
    if math.prod(shape) != math.prod(call.shape(0)):
        call.require(0, call.shape(0))
    return [(lambda x: x.reshape(shape), (0,))]


def _concatenate(call: Call) -> list[Step]:
    axis, places = call.axis(call.option(0), 0), tuple(range(len(call.inputs)))
    shape = list(call.shape(0))
    for place in places[1:]:
        other = call.shape(place)
        if [*other[:axis], *other[axis + 1 :]] != [*shape[:axis], *shape[axis + 1 :]]:
            raise DdspError("an operator CONCATENATION has inputs that do not fit each other")
        shape[axis] += other[axis]
    call.require(0, tuple(shape))
    return [(_activated(call, lambda *x: np.concatenate(x, axis), 1), places)]


def _split(call: Call) -> list[Step]:
    [axis] = call.whole_numbers(0)
    size, parts = call.shape(1)[call.axis(axis, 1)], len(call.outputs)
    if not parts or size % parts:
        raise DdspError(f"an operator SPLIT has {parts} outputs of {size}")
    return _parts(call, 1, call.axis(axis, 1), [size // parts] * parts)


def _split_v(call: Call) -> list[Step]:
    [axis], sizes = call.whole_numbers(2), call.whole_numbers(1)
    axis = call.axis(axis, 0)
    if sum(sizes) != call.shape(0)[axis] or min(sizes) < 1:
        raise DdspError("an operator SPLIT_V has parts that are not the whole")
    return _parts(call, 0, axis, sizes)


def _parts(call: Call, place: int, axis: int, sizes: list[int]) -> list[Step]:
    """Outputs that follow each other along an axis."""
    steps: list[Step] = []
    begin = 0
    for size in sizes[: len(call.outputs)]:
        key = (slice(None),) * axis + (slice(begin, begin + size),)
        call.require(len(steps), _stand_in(call.shape(place))[key].shape)
        steps.append((_Item(key), (place,)))
        begin += size
    return steps


def _strided_slice(call: Call) -> list[Step]:
    if call.option(2) or call.option(3) or call.option(5, "B"):
        raise DdspError("an operator STRIDED_SLICE has an ellipsis, a new axis or an offset: not known here")
    key: list[slice | int] = []
    corners = [call.whole_numbers(place) for place in (1, 2, 3)]
    for axis, (begin, end, step) in enumerate(zip(*corners, strict=True)):
        bit = 1 << axis
        if call.option(4) & bit:
            key.append(begin)
            continue
        key.append(
            slice(None if call.option(0) & bit else begin, None if call.option(1) & bit else end, step)
        )
    call.require(0, _stand_in(call.shape(0))[tuple(key)].shape)
    return [(_Item(tuple(key)), (0,))]


class _Item:
    """A part of an array, always the same."""

    def __init__(self, key: tuple[slice | int, ...]) -> None:
        self._key = key

    def __call__(self, x: Array) -> Array:
        return np.asarray(x[self._key])


def _fully_connected(call: Call) -> list[Step]:
    """Product with constant weights `[outputs, inputs]`."""
    weights, scales = call.constants.get(1), np.zeros(0, np.float32)
    if weights is None or weights.ndim != 2 or call.option(1, "b"):
        raise DdspError("an operator FULLY_CONNECTED has weights that are no constant matrix")
    n_outputs, n_inputs = weights.shape
    rows, rest = divmod(math.prod(call.shape(0)), n_inputs)
    out = call.outputs[0].shape
    if rest or call.shape(0)[-1] != n_inputs or math.prod(out) != rows * n_outputs or out[-1] != n_outputs:
        raise DdspError(
            f"an operator FULLY_CONNECTED has weights {list(weights.shape)} for {list(call.shape(0))} in and "
            f"{list(out)} out"
        )
    bias: Array = np.zeros(n_outputs, np.float32)
    if len(call.inputs) > 2 and call.inputs[2] is not None:
        bias = _floats(call, 2).reshape(-1)
        if len(bias) != n_outputs:
            raise DdspError(
                f"an operator FULLY_CONNECTED has {n_outputs} outputs and {len(bias)} of its bias"
            )
    if call.inputs[1] is not None and call.inputs[1].type == INT8 and weights.dtype == np.int8:
        scales = call.inputs[1].scales
        if len(scales) not in (1, n_outputs) or not call.option(3, "B"):
            raise DdspError(
                "an operator FULLY_CONNECTED has weights quantized in a way that is not known here"
            )
        return [(_activated(call, _hybrid(weights, scales, bias, out), 0), (0,))]
    matrix = _floats(call, 1).T

    def product(x: Array) -> Array:
        return np.asarray((x.reshape(rows, n_inputs) @ matrix + bias).reshape(out))

    return [(_activated(call, product, 0), (0,))]


def _hybrid(weights: Array, scales: Array, bias: Array, shape: tuple[int, ...]) -> Function:
    """Product of 8-bit weights with activations that are quantized row by row, as XNNPACK does it.

    The range of a row, which 0 belongs to, becomes -128 to 127, and 0 a whole number of it. Float32 sums up
    products of such numbers exactly where there are no more than 518 of them (255 * 127 * 518 < 2^24).
    """
    matrix = weights.astype(np.float32).T
    low, high = np.float32(-128.0), np.float32(127.0)

    def product(x: Array) -> Array:
        rows = x.reshape(-1, len(matrix))
        least = np.minimum(np.minimum.reduce(rows, 1, keepdims=True), _ZERO)
        most = np.maximum(np.maximum.reduce(rows, 1, keepdims=True), _ZERO)
        width = most - least
        steps = np.where(width > _ZERO, (high - low) / width, _ONE)
        # From the end of the range where rounding errs less.
        from_least, from_most = low + least * steps, high + most * steps
        zero = np.where(from_least + from_most > _ZERO, low - least * steps, high - most * steps)
        zero = np.rint(np.minimum(np.maximum(zero, low), high))
        whole = np.minimum(np.maximum(np.rint(rows * steps), low - zero), high - zero)
        return np.asarray(((whole @ matrix) * (_ONE / steps) * scales + bias).reshape(shape))

    return product


def dequantized(inputs: list[Tensor | None], outputs: list[Tensor]) -> Array:
    """Values of a constant that is stored in fewer bits, float32: what an operator DEQUANTIZE gives.

    Raises:
        DdspError: If it is not stored in a way that is known here.
    """
    kinds = (np.dtype(np.float16), np.dtype(np.int8))
    stored = inputs[0] if len(inputs) == len(outputs) == 1 else None
    if stored is None or stored.data is None or stored.data.dtype not in kinds:
        raise DdspError("an operator DEQUANTIZE is used on something else than weights")
    if stored.shape != outputs[0].shape:
        raise DdspError(f"an operator DEQUANTIZE makes {outputs[0].shape} of {stored.shape}")
    values = stored.data.astype(np.float32)
    if stored.type != INT8:
        return values
    if not stored.shape or len(stored.scales) not in (1, stored.shape[0]):
        raise DdspError(f"weights {list(stored.shape)} have {len(stored.scales)} scales")
    values *= stored.scales.reshape(-1, *([1] * (values.ndim - 1)))
    return values


def _floats(call: Call, place: int) -> Array:
    values = call.constants.get(place)
    if values is None or values.dtype != np.float32:
        raise DdspError(f"an operator {call.operator.name} has weights that are not constant, or no float32")
    return values


def _activated(call: Call, function: Function, field: int) -> Function:
    """A function, and the activation that goes with it by an option of the operator."""
    kind = call.option(field, "b")
    if kind not in _ACTIVATIONS:
        raise DdspError(
            f"an operator {call.operator.name} has the activation {kind}, which is not known here"
        )
    activation = _ACTIVATIONS[kind]
    return function if activation is None else lambda *x: activation(function(*x))


def _stand_in(shape: tuple[int, ...]) -> Array:
    """An array of a shape that takes no memory."""
    return np.broadcast_to(_ZERO, shape)


def _relu(x: Array) -> Array:
    return np.asarray(np.maximum(x, _ZERO))


def _logistic(x: Array) -> Array:
    return np.asarray(_ONE / (_ONE + np.exp(-x)))


def _squared_difference(x: Array, y: Array) -> Array:
    return np.asarray(np.square(x - y))


_ACTIVATIONS: dict[int, Callable[[Array], Array] | None] = {0: None, 1: _relu}  # by the schema's number

_BUILDERS: dict[str, Callable[[Call], list[Step]]] = {
    "ABS": _unary(np.abs),
    "ADD": _binary(np.add),
    "CONCATENATION": _concatenate,
    "DIV": _binary(np.divide),
    "EXP": _unary(np.exp),
    "FULLY_CONNECTED": _fully_connected,
    "LEAKY_RELU": _leaky_relu,
    "LOG": _unary(np.log),
    "LOGISTIC": _unary(_logistic),
    "MAXIMUM": _binary(np.maximum, fused=False),
    "MEAN": _reduce(mean=True),
    "MINIMUM": _binary(np.minimum, fused=False),
    "MUL": _binary(np.multiply),
    "NEG": _unary(np.negative),
    "RELU": _unary(_relu),
    "RESHAPE": _reshape,
    "RSQRT": _unary(lambda x: np.asarray(_ONE / np.sqrt(x))),
    "SPLIT": _split,
    "SPLIT_V": _split_v,
    "SQUARED_DIFFERENCE": _binary(_squared_difference, fused=False),
    "STRIDED_SLICE": _strided_slice,
    "SUB": _binary(np.subtract),
    "SUM": _reduce(mean=False),
    "TANH": _unary(np.tanh),
}
