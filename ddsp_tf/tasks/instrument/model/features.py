"""Features of a sound as a model takes them: by name, of any numbers, in two shapes."""

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from ddsp_tf.errors import DdspError
from ddsp_tf.layers.inputs import as_input
from ddsp_tf.ops.arguments import Arguments, Axis, Hops

Tensors = dict[str, tf.Tensor]
AXES = ("batch", "frames")


def named_features(owner: str, features: Any, names: Sequence[str]) -> dict[str, Any]:
    """Return features as float32 tensors by name; symbolic ones as they are.

    Args:
        owner: Name of the model, for errors.
        features: A mapping by name.
        names: Those that the model takes.

    Raises:
        DdspError: If it is no mapping, or holds no numbers.
    """
    if not isinstance(features, Mapping):
        raise DdspError(
            f"{owner} takes features by name, a mapping with {', '.join(names)}. "
            f"Received: {type(features).__name__}"
        )
    return {str(name): as_input(owner, str(name), value) for name, value in features.items()}


def checked_features(
    owner: str, features: Tensors, names: Sequence[str], instruments: Sequence[str], hop: int
) -> Tensors:
    """Return features that fit each other, `f0_hz` and `loudness_db` with an axis of one channel.

    Args:
        owner: Name of the model, for errors.
        features: Tensors by name.
        names: Those that the model takes; others are passed on.
        instruments: Names of the instruments that it plays.
        hop: Integer, samples a frame.

    Raises:
        DdspError: If one is missing, or has another shape.
    """
    take = Arguments(owner)
    checked = dict(features)
    for name in names:
        if name not in features:
            several = f" (it plays {', '.join(instruments)})" if name == "instrument" else ""
            raise DdspError(f"the model lacks the feature {name!r}{several}; it has {', '.join(features)}")
        value = features[name]
        if name == "audio":
            take.check_shape(f"audio, {hop} samples for each frame,", value.shape, ["batch", Hops(hop)])
        elif name == "instrument":
            one_for_all = [size == 1 for size in value.shape[:2]] if value.shape.rank == 3 else [False] * 2
            axes: list[Axis] = [1 if one else axis for one, axis in zip(one_for_all, AXES, strict=True)]
            axes.append(len(instruments))
            take.check_shape(f"instrument, weights of {', '.join(instruments)},", value.shape, axes)
        else:
            if value.shape.rank == 2:
                value = checked[name] = value[:, :, tf.newaxis]
            elif value.shape.rank is None:  # a graph that was traced for both
                size = tf.shape(value)
                value = checked[name] = tf.reshape(value, [size[0], size[1], 1])
            take.check_shape(name, value.shape, ["batch", "frames", 1])
    return checked


def feature_specs(names: Sequence[str], instruments: int) -> dict[str, tf.TensorSpec]:
    """What a model takes, of any batch and length, by name."""
    shapes: dict[str, list[int | None]] = {"audio": [None, None], "instrument": [None, None, instruments]}
    return {name: tf.TensorSpec(shapes.get(name, [None, None, 1]), tf.float32, name) for name in names}
