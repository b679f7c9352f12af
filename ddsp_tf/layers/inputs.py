"""What Keras users hand to a layer: mappings, lists and single tensors, of any numbers."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from inspect import Parameter, signature
from typing import Any

import keras
import tensorflow as tf

from ddsp_tf.errors import DdspError
from ddsp_tf.ops.arguments import as_floats


def as_input(owner: str, name: str, value: Any) -> Any:
    """Return an input as a float32 tensor; a symbolic tensor of Keras is left as it is.

    Raises:
        DdspError: If it does not hold numbers.
    """
    return (
        value
        if isinstance(value, keras.KerasTensor)
        else as_floats(owner, f"input {name!r}", value, tf.float32)
    )


def named_inputs(owner: str, inputs: Any, names: Sequence[str], required: Sequence[str]) -> dict[str, Any]:
    """Return inputs by name, as float32 tensors or symbolic ones.

    Args:
        owner: Name of the layer, for errors.
        inputs: A mapping by name; tensors in the order of `names`, in a list; or, where one input is
            required, that input alone. What is None is left out.
        names: All inputs, in order.
        required: Those that must be there.

    Raises:
        DdspError: If they cannot be told apart, or hold no numbers.
    """
    if isinstance(inputs, Mapping):
        named = dict(inputs)
    elif isinstance(inputs, list | tuple) and (len(required) != 1 or all(map(_is_tensor, inputs))):
        if not len(required) <= len(inputs) <= len(names):
            raise DdspError(
                f"{owner} takes {_counted(required, names)}, in this order or by name: {', '.join(names)}. "
                f"Received: a list of {len(inputs)}"
            )
        named = dict(zip(names, inputs, strict=False))
    elif len(required) == 1:
        named = {required[0]: inputs}
    else:
        raise DdspError(f"{owner} takes a mapping with {', '.join(names)}. Received: {type(inputs).__name__}")
    return {str(k): as_input(owner, str(k), v) for k, v in named.items() if v is not None}


def _is_tensor(value: Any) -> bool:
    return hasattr(value, "shape") and len(value.shape) > 0


def _counted(required: Sequence[str], names: Sequence[str]) -> str:
    return (
        f"{len(names)} inputs" if len(required) == len(names) else f"{len(required)} to {len(names)} inputs"
    )


def named_shapes(input_shape: Any, names: Sequence[str], required: Sequence[str]) -> dict[str, Any]:
    """Shapes of inputs by name, however they were given; none where nothing is known."""
    if input_shape is None:
        return {}
    if isinstance(input_shape, Mapping):
        return dict(input_shape)
    if len(input_shape) and isinstance(input_shape[0], list | tuple):
        return dict(zip(names, input_shape, strict=False))
    return {required[0]: tuple(input_shape)} if len(required) == 1 else {}


WIRED = object()
"""Stands for a signal that comes later: what a group hands to `get_controls`, which sees None."""

Scaling = Callable[..., dict[str, tf.Tensor]]


def scaling_of_checked_inputs(get_controls: Scaling) -> Scaling:
    """Have `get_controls` of a processor take any numbers, and refuse in words what does not fit.

    It checks where it is called from outside, not where a sub-class calls the method that it overrides.
    """
    parameters = list(signature(get_controls).parameters.values())[1:]
    positional = [p.name for p in parameters if p.kind is Parameter.POSITIONAL_OR_KEYWORD]

    @wraps(get_controls)
    def scale(self: Any, *args: Any, **inputs: Any) -> dict[str, tf.Tensor]:
        if getattr(type(self).get_controls, "__wrapped__", None) is not get_controls:
            return get_controls(self, *args, **inputs)
        names = positional if len(positional) == len(parameters) else list(self.input_sizes)
        if len(args) > len(names):
            raise DdspError(f"{self.name} takes {', '.join(names)}. Received: {len(args)} inputs")
        given = {**dict(zip(names, args, strict=False)), **inputs}
        wired = {k: None for k, v in given.items() if v is WIRED}
        tensors = {k: as_input(self.name, k, v) for k, v in given.items() if k not in wired and v is not None}
        self.check_inputs(tensors, known=tuple(wired))
        return get_controls(self, **tensors, **wired)

    return scale
