"""Any layer of Keras that takes signals and gives one, as a processor."""

from typing import Any

import keras
import tensorflow as tf

from ddsp_tf.errors import DdspError
from ddsp_tf.layers.checks import check_integer
from ddsp_tf.layers.processor import AUDIO, Processor, Tensors, processor_type

ELEMENT_WISE = (
    keras.layers.Activation,
    keras.layers.Add,
    keras.layers.Average,
    keras.layers.ELU,
    keras.layers.GaussianNoise,
    keras.layers.Identity,
    keras.layers.LeakyReLU,
    keras.layers.Maximum,
    keras.layers.Minimum,
    keras.layers.Multiply,
    keras.layers.ReLU,
    keras.layers.Subtract,
)
"""Layers that look at one sample at a time, so that blocks joined are what one piece gives."""


@processor_type
class SignalLayer(Processor):
    """Has a Keras layer process whole signals: an activation, a model of yours, a layer with weights.

    The layer gets one signal, or a list of them, and gives one of the same number of samples. It may look at
    all of a signal at once, so that blocks would not give what one piece gives. Streams are therefore refused
    but for layers that work sample by sample: activations, sums, products and the like of Keras, and those
    that say so themselves by an attribute `streams = True`.

    Args:
        layer: A Keras layer, or model; its weights must not depend on the number of samples.
        sample_rate: Integer, Hz.
        hop: Integer, samples a frame.
        n_inputs: Integer in 1 to 64, signals that the layer takes; several come as a list.

    Example:
        >>> import numpy as np
        >>> clip = SignalLayer(keras.layers.Activation("tanh"), sample_rate=16000, hop=64)
        >>> clip(np.ones([1, 128], "float32")).shape
        TensorShape([1, 128])

    Input: `audio` `[batch, samples]`, or `audio_0`, `audio_1`, ... where there are several.

    Controls: the signals.

    Output: audio `[batch, samples]`.

    Raises:
        DdspError: If an argument is not as above; in a call, if inputs are missing, unknown or do not fit
            each other, or the layer does not give a signal of their length; in a stream, where the layer
            cannot be cut into blocks.
    """

    def __init__(
        self, layer: keras.layers.Layer, sample_rate: int, hop: int, n_inputs: int = 1, **kwargs: Any
    ) -> None:
        super().__init__(sample_rate, hop, **kwargs)
        if not isinstance(layer, keras.layers.Layer) or isinstance(layer, Processor):
            raise DdspError(
                f"SignalLayer: layer must be a layer of Keras that is no processor. Received: layer={layer!r}"
            )
        self.layer = layer
        self.n_inputs = check_integer("SignalLayer", "n_inputs", n_inputs, 1, 64)

    @property
    def input_sizes(self) -> dict[str, int | None]:
        """Channels of each raw input by name."""
        return {"audio": AUDIO} if self.n_inputs == 1 else {f"audio_{i}": AUDIO for i in range(self.n_inputs)}

    @property
    def streams(self) -> bool:
        """Whether blocks joined are what one piece gives."""
        return isinstance(self.layer, ELEMENT_WISE) or getattr(self.layer, "streams", False) is True

    def build(self, input_shape: Any) -> None:
        """Create the weights of the layer, for signals of any length."""
        if not self.layer.built:
            shape = (None, None) if self.n_inputs == 1 else [(None, None)] * self.n_inputs
            try:
                self.layer.build(shape)
            except Exception as error:  # whatever a layer of any kind finds wrong
                raise DdspError(
                    f"{self.name}: {type(self.layer).__name__} cannot be built for signals [batch, samples] "
                    f"of any length. Received: {' '.join(str(error).split())}"
                ) from error
        self.built = True

    def render_block(self, controls: Tensors, state: Any = None) -> tuple[tf.Tensor, tuple[()]]:
        """Render signals in one piece; a next block is refused where the layer cannot stream."""
        kind = type(self.layer).__name__
        if state is not None and not self.streams:
            raise DdspError(
                f"{self.name}: {kind} may look at a whole signal, so it cannot be rendered block by block; "
                "render in one piece, or let the layer say that it works sample by sample (streams = True). "
                "Received: a state of the block before"
            )
        signals = [controls[name] for name in self.input_sizes]
        output = self.layer(signals[0] if self.n_inputs == 1 else signals)
        shape = getattr(output, "shape", None)
        if shape is None or not tf.TensorShape(shape).is_compatible_with(signals[0].shape):
            raise DdspError(
                f"{self.name}: {kind} must give a signal {tuple(signals[0].shape)}. "
                f"Received: {type(output).__name__ if shape is None else tuple(shape)}"
            )
        return tf.cast(output, tf.float32), ()

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        layer = keras.saving.serialize_keras_object(self.layer)
        return {**super().get_config(), "layer": layer, "n_inputs": self.n_inputs}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "SignalLayer":
        """Rebuild the processor from `get_config`."""
        layer = config["layer"]
        if not isinstance(layer, keras.layers.Layer):
            layer = keras.saving.deserialize_keras_object(layer)
        return cls(**{**config, "layer": layer})
