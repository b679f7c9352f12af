"""Several instruments in one model: a vector for each."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ddsp_edge.units import Array
from ddsp_tf.arguments import check_integer
from ddsp_tf.errors import DdspError, did_you_mean
from ddsp_tf.layers.inputs import as_input


@keras.saving.register_keras_serializable(package="ddsp_tf")
class InstrumentEmbedding(keras.layers.Layer):
    """A learned vector for each instrument; what is between two instruments lies on the line between theirs.

    Args:
        names: Names of the instruments.
        size: Integer > 0, length of the vectors.

    Input: weights of the instruments `[..., instruments]`; 1 and zeros for one of them, weights of sum 1
    for a mix. Output: `[..., size]`, the weighted sum of the vectors.

    Raises:
        DdspError: If there are no names, or the size is no positive integer; in a call, if there is not one
            weight for each.

    Example:
        >>> embedding = InstrumentEmbedding(["flute", "violin"], size=4)
        >>> embedding(embedding.weights_of({"flute": 0.5, "violin": 0.5})).shape
        TensorShape([4])
    """

    def __init__(self, names: Sequence[str], size: int = 16, **kwargs: Any) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        owner = type(self).__name__
        if not names or isinstance(names, str) or not all(isinstance(name, str) for name in names):
            raise DdspError(f"{owner}: names must be one or more names. Received: names={names!r}")
        self.names, self.size = tuple(names), check_integer(owner, "size", size, 1)

    def build(self, input_shape: Any) -> None:
        """Create the vectors."""
        self.vectors = self.add_weight(
            shape=(len(self.names), self.size), initializer="random_normal", name="vectors"
        )
        self.built = True

    def __call__(self, weights: Any, *args: Any, **kwargs: Any) -> Any:
        """Mix the vectors; weights may be an array or a list of any numbers."""
        return super().__call__(as_input(self.name, "weights", weights), *args, **kwargs)

    def call(self, weights: tf.Tensor) -> tf.Tensor:
        """Mix the vectors."""
        if not weights.shape.rank or weights.shape[-1] != len(self.names):
            raise DdspError(
                f"weights of instruments must be [..., {len(self.names)}], one for each of "
                f"{', '.join(self.names)}. Received: {list(weights.shape)}"
            )
        return tf.tensordot(weights, tf.convert_to_tensor(self.vectors), 1)

    def weights_of(self, mix: Mapping[str, float]) -> Array:
        """The weights of a mix by name, float32 `[instruments]`; instruments that it does not name have 0.

        Raises:
            DdspError: If there is no instrument of a name.
        """
        for name in mix:
            if name not in self.names:
                hint = did_you_mean(name, self.names) or f" It has {', '.join(self.names)}."
                raise DdspError(f"the model has no instrument {name!r}.{hint}")
        return np.array([mix.get(name, 0.0) for name in self.names], np.float32)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Shape of the output."""
        return (None, self.size) if input_shape is None else (*input_shape[:-1], self.size)

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {**super().get_config(), "names": list(self.names), "size": self.size}
