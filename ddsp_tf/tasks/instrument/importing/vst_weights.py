"""The weights of an instrument of DDSP-VST, found in the graph of its file.

Names of tensors say nothing that holds from one converter to the next: weights are found by their shapes, by
which inputs they have to do with, and by the order in which what they take is joined. The network is our
`GruDecoder` of 512/256/1, whose dense layers take what they take in another order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ddsp_edge.model.vst import BANDS, HARMONICS, INPUTS, STATE
from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError
from ddsp_tf.tasks.instrument.importing.flat_graph import FlatGraph, FlatStep, Key

UNITS = 256
CONTROLS = 1 + HARMONICS + BANDS
_F0, _POWER, _STATE = (INPUTS[name][0] for name in ("f0_scaled", "loudness_scaled", "state"))
_PRODUCTS = ("FULLY_CONNECTED", "BATCH_MATMUL")
_MOST_PARTS = 3
_PASSING = frozenset(
    {
        "RESHAPE",
        "SQUEEZE",
        "EXPAND_DIMS",
        "STRIDED_SLICE",
        "SLICE",
        "GATHER",
        "TRANSPOSE",
        "CAST",
        "PACK",
        "UNPACK",
    }
)
"""What changes no value where as many come out as went in."""


@dataclass(frozen=True)
class Dense:
    """A dense layer: `kernel` `[inputs, units]` and `bias` `[units]`."""

    kernel: Array
    bias: Array


@dataclass(frozen=True)
class Stack:
    """A dense layer and the layer normalisation after it: `gamma` and `beta`, `[units]`."""

    dense: Dense
    gamma: Array
    beta: Array


@dataclass(frozen=True)
class VstWeights:
    """All weights, in the order that our decoder has them in.

    Args:
        f0: Of the scaled pitch.
        level: Of the scaled power.
        inputs: The gated recurrent unit, of what both give: pitch, then level. Update, reset, candidate.
        recurrent: The same of its state.
        output: Of the state, then pitch, then level.
        head: To amplitude, harmonic distribution and magnitudes of the noise.
    """

    f0: Stack
    level: Stack
    inputs: Dense
    recurrent: Dense
    output: Stack
    head: Dense


@dataclass(frozen=True)
class _Product:
    """A product with a constant matrix."""

    taken: Key
    given: Key
    kernel: Array
    bias: Array | None


def find_weights(graph: FlatGraph) -> VstWeights:
    """Find the weights in the graph of a file of DDSP-VST.

    Raises:
        DdspError: If one is not there, or there twice: the network is another one then.
    """
    products = [found for step in graph.steps if (found := _product(graph, step)) is not None]
    narrow = _of_shape(products, 1, UNITS)
    gates = _of_shape(products, STATE, 3 * STATE)
    f0 = _one("the pitch", [p for p in narrow if graph.sources(p.taken) == {_F0}])
    level = _one("the power", [p for p in narrow if _POWER in graph.sources(p.taken)])
    recurrent = _one("the state", [p for p in gates if graph.sources(p.taken) == {_STATE}])
    inputs = _one(
        "what goes into the memory",
        [p for p in gates if p is not recurrent and _STATE not in graph.sources(p.taken)],
    )
    output = _one("the memory", _of_shape(products, STATE + 2 * UNITS, UNITS))
    head = _one("the controls", _of_shape(products, UNITS, CONTROLS))
    return VstWeights(
        f0=_stack(graph, f0),
        level=_stack(graph, level),
        inputs=_dense(graph, inputs, _order(graph, inputs.taken, ("f0", "level"))),
        recurrent=_dense(graph, recurrent),
        output=_stack(graph, output, _order(graph, output.taken, ("state", "f0", "level"))),
        head=_dense(graph, head),
    )


def _product(graph: FlatGraph, step: FlatStep) -> _Product | None:
    if step.kind == "MUL":
        return _scaled_input(graph, step)
    if step.kind not in _PRODUCTS or step.inputs[0] is None:
        return None
    kernel = graph.constant(step.inputs[1])
    if kernel is None or kernel.ndim != 2 or kernel.dtype != np.float32:
        return None
    if step.kind == "FULLY_CONNECTED" or step.options.adjY:
        kernel = kernel.T
    bias = graph.constant(step.inputs[2]) if len(step.inputs) > 2 else None
    return _Product(step.inputs[0], step.outputs[0], kernel, bias)


def _scaled_input(graph: FlatGraph, step: FlatStep) -> _Product | None:
    """What a converter makes of a dense layer of one number without a bias: that, times its weights."""
    for taken, other in (step.inputs, step.inputs[::-1]):
        values = graph.constant(other)
        if taken is not None and values is not None and values.size == UNITS and _is_input(graph, taken):
            return _Product(taken, step.outputs[0], values.reshape(1, UNITS), None)
    return None


def _is_input(graph: FlatGraph, key: Key) -> bool:
    """Whether a tensor is an input of one number, in whatever shape."""
    while key not in graph.inputs.values():
        step = graph.made_by(key)
        if step is None or step.kind not in _PASSING or step.inputs[0] is None:
            return False
        key = step.inputs[0]
    return graph.size(key) == 1


def _of_shape(products: Sequence[_Product], inputs: int, units: int) -> list[_Product]:
    return [product for product in products if product.kernel.shape == (inputs, units)]


def _one(what: str, found: Sequence[_Product]) -> _Product:
    if len(found) != 1:
        raise DdspError(
            f"its network is not the one that the trainer of DDSP-VST makes: {len(found)} dense layers of "
            f"{what}, not 1, of the shape that it has there"
        )
    return found[0]


def _dense(graph: FlatGraph, product: _Product, rows: Array | None = None) -> Dense:
    kernel = product.kernel if rows is None else product.kernel[rows]
    return Dense(np.ascontiguousarray(kernel, np.float32), _bias(graph, product)[0])


def _bias(graph: FlatGraph, product: _Product) -> tuple[Array, Key]:
    """The bias of a product, and where the sum is; a bias that was folded away is 0."""
    units = product.kernel.shape[1]
    if product.bias is not None:
        return product.bias.reshape(units).astype(np.float32), product.given
    for step in graph.consumers(product.given):
        values = [graph.constant(key) for key in step.inputs if key != product.given]
        if step.kind == "ADD" and len(values) == 1 and values[0] is not None and values[0].size == units:
            return values[0].reshape(units).astype(np.float32), step.outputs[0]
    return np.zeros(units, np.float32), product.given


def _stack(graph: FlatGraph, product: _Product, rows: Array | None = None) -> Stack:
    """The layer, and the normalisation: constants of as many values, on the way to what takes the stack."""
    dense, (_, begin) = _dense(graph, product, rows), _bias(graph, product)
    factors, offsets = list[Array](), list[Array]()
    seen, waiting = {begin}, [begin]
    while waiting:
        for step in graph.consumers(waiting.pop()):
            if step.kind in (*_PRODUCTS, "CONCATENATION"):
                continue
            for place, key in enumerate(step.inputs):
                values = graph.constant(key)
                if values is not None and values.size == UNITS and values.dtype == np.float32:
                    if step.kind == "MUL":
                        factors.append(values.reshape(UNITS))
                    elif step.kind in ("ADD", "SUB"):
                        turned = step.kind == "SUB" and place == 1
                        offsets.append(-values.reshape(UNITS) if turned else values.reshape(UNITS))
            fresh = [out for out in step.outputs if out not in seen]
            seen.update(fresh)
            waiting.extend(fresh)
    factors, offsets = _different(factors), _different(offsets)
    if max(len(factors), len(offsets)) > 1:
        raise DdspError(
            "its network is not the one of DDSP-VST: a dense layer has more than one normalisation"
        )
    # What is 1 everywhere, or 0, a converter leaves out.
    gamma = factors[0] if factors else np.ones(UNITS, np.float32)
    return Stack(dense, gamma, offsets[0] if offsets else np.zeros(UNITS, np.float32))


def _different(values: list[Array]) -> list[Array]:
    """The same without repetitions: a step is reached on several ways."""
    return [v for i, v in enumerate(values) if not any(np.array_equal(v, other) for other in values[:i])]


def _order(graph: FlatGraph, key: Key, wanted: Sequence[str]) -> Array:
    """Rows of a kernel in the order in which our layers are joined."""
    starts, at = dict[str, int](), 0
    widths = {"f0": UNITS, "level": UNITS, "state": STATE}
    for part in _parts(graph, key):
        starts[part] = at
        at += widths[part]
    if set(starts) != set(wanted) or at != sum(widths[name] for name in wanted):
        raise DdspError(
            f"its network is not the one of DDSP-VST: a dense layer takes {', '.join(starts) or 'nothing'}, "
            f"where it takes {', '.join(wanted)} there"
        )
    return np.concatenate([starts[name] + np.arange(widths[name]) for name in wanted])


def _parts(graph: FlatGraph, key: Key) -> list[str]:
    """What is joined in a tensor, in order."""
    sources, size, step = graph.sources(key), graph.size(key), graph.made_by(key)
    if _STATE in sources and size == STATE:
        return ["state"]
    if _STATE not in sources and size == UNITS:
        return ["level" if _POWER in sources else "f0"]
    if step is not None and step.kind == "CONCATENATION" and step.inputs:
        parts = list[str]()
        for taken in step.inputs:
            parts += [] if taken is None else _parts(graph, taken)
            if not 0 < len(parts) <= _MOST_PARTS:
                break
        else:
            return parts
    first = step.inputs[0] if step is not None else None
    if step is not None and step.kind in _PASSING and first is not None and graph.size(first) == size:
        return _parts(graph, first)
    raise DdspError(
        f"its network is not the one of DDSP-VST: what a dense layer takes comes of "
        f"{'nothing' if step is None else step.kind}"
    )
