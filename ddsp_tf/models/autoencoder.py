"""The model: features of a sound in, the sound out."""

from typing import Any

import keras
import tensorflow as tf

from ddsp_tf.config import Config
from ddsp_tf.errors import DdspError
from ddsp_tf.layers.processor_group import GroupOutput, ProcessorGroup
from ddsp_tf.models.conv_decoder import ConvDecoder
from ddsp_tf.models.decoder import Decoder
from ddsp_tf.models.gru_decoder import GruDecoder
from ddsp_tf.models.min_gru_decoder import MinGruDecoder
from ddsp_tf.models.mlp_decoder import MlpDecoder
from ddsp_tf.models.observed import ObservedModel
from ddsp_tf.models.scaling import scale_f0, scale_loudness, unscale_f0, unscale_loudness

Tensors = dict[str, tf.Tensor]

FEATURES = ("f0_hz", "loudness_db")
DECODERS: dict[str, type[Decoder]] = {
    cls.__name__: cls for cls in (GruDecoder, MinGruDecoder, ConvDecoder, MlpDecoder)
}
DTYPES = {"float32": None, "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}
"""Policy of the network by precision; None is Keras' global one, which is float32 unless somebody set it."""


@keras.saving.register_keras_serializable(package="ddsp_tf")
class Autoencoder(ObservedModel):
    """Fundamental frequency and loudness to controls to audio.

    A decoder predicts the raw controls that a processor group takes, frame by frame; the group renders
    them. What the group takes beside the features is what the decoder gives, so the two always fit.

    Args:
        decoder: The network.
        processors: The processor group; its inputs are `f0_hz`, `loudness_db`, or controls from the
            decoder.
        instrument: What else belongs to the trained instrument, as plain data: the configuration, and
            of its training data pitch estimator, loudness definition and ranges.

    Input: `{"f0_hz", "loudness_db"}`, each `[batch, frames, 1]`, in Hz (no zeros) and dB.

    Output: audio `[batch, frames * hop]`.

    Example:
        >>> from ddsp_tf.config import load_config
        >>> model = Autoencoder.from_experiment(load_config("solo_instrument"))
        >>> model.compile("adam", loss="mae")
    """

    def __init__(
        self,
        decoder: Decoder,
        processors: ProcessorGroup,
        instrument: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        # Half precision would put the pitch out of tune; the decoder alone follows the global policy.
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        needed = control_sizes(processors)
        if dict(decoder.output_sizes) != needed:
            raise DdspError(f"the decoder gives {decoder.output_sizes}, but the processors take {needed}")
        self.decoder = decoder
        self.processors = processors
        self.instrument = instrument or {}

    @classmethod
    def from_experiment(cls, config: Config, instrument: dict[str, Any] | None = None) -> "Autoencoder":
        """Build the model that a configuration describes, with its weights."""
        keras.utils.set_random_seed(config.training.seed)
        spec = config.spec
        group = ProcessorGroup(
            spec.sample_rate,
            spec.hop,
            inputs=config.model.processors.inputs,
            nodes=config.model.processors.nodes,
            name="processors",
        )
        settings = config.model.decoder
        decoder = DECODERS[settings.type](
            control_sizes(group),
            settings.units,
            settings.layer_units,
            settings.layers,
            settings.depth,
            name="decoder",
            dtype=DTYPES[config.training.precision],
        )
        model = cls(decoder, group, {"config": config.to_dict(), **(instrument or {})}, name="autoencoder")
        model.build(None)
        return model

    def in_float32(self) -> "Autoencoder":
        """The same instrument with a network of float32, to be played and exported; itself if it has one."""
        if self.decoder.dtype_policy.name == "float32":
            return self
        decoder = type(self.decoder).from_config({**self.decoder.get_config(), "dtype": "float32"})
        model = Autoencoder(decoder, self.processors, self.instrument, name=self.name)
        model.build(None)
        decoder.set_weights(self.decoder.get_weights())
        return model

    @property
    def spec(self) -> Any:
        """The frame grid."""
        return self.processors.spec

    def build(self, input_shape: Any) -> None:
        """Create the weights; shapes follow from the arguments alone."""
        for part in (self.decoder, self.processors):
            if not part.built:
                part.build(None)
        self.built = True

    def call(self, inputs: Tensors, training: bool = False) -> tf.Tensor:
        """Render features; returns audio `[batch, frames * hop]`."""
        return self.stream(inputs, training=training)[0].audio

    def stream(  # type: ignore[override]
        self, features: Tensors, state: dict[str, Any] | None = None, training: bool = False
    ) -> tuple[GroupOutput, dict[str, Any]]:
        """Render one block of features.

        Args:
            features: `{"f0_hz", "loudness_db"}`, each `[batch, frames, 1]`.
            state: What the call before returned; None starts anew.
            training: Boolean, whether the model is being trained.

        Returns:
            Everything the processor group computed, and the state for the next block.
        """
        inputs, decoder_state = self._decode(features, None if state is None else state["decoder"])
        output, group_state = self.processors.stream(inputs, None if state is None else state["processors"])
        return output, {"decoder": decoder_state, "processors": group_state}

    def get_controls(self, features: Tensors) -> dict[str, Tensors]:
        """Predict the controls of every processor, by node, without rendering them."""
        return self.processors.get_controls(self._decode(features, None)[0])

    def step(self, inputs: Tensors, state: Tensors) -> tuple[dict[str, Tensors], Tensors]:
        """Predict one frame of controls, for export.

        Args:
            inputs: `{"f0_scaled", "loudness_scaled"}`, each `[1, 1]`.
            state: States of the decoder by name, `[1, size]`.

        Returns:
            Controls by node and name, `[1, size]`, and the next states.
        """
        raw, state = self.decoder.step(inputs, state)
        given = {
            **raw,
            "f0_hz": unscale_f0(inputs["f0_scaled"]),
            "loudness_db": unscale_loudness(inputs["loudness_scaled"]),
        }
        given = {k: v[:, tf.newaxis] for k, v in given.items() if k in self.processors.input_sizes}
        controls = self.processors.get_controls(given)
        return {
            node: {k: v[:, 0] for k, v in values.items() if v.shape.rank == 3}
            for node, values in controls.items()
        }, state

    def _decode(self, features: Tensors, state: Tensors | None) -> tuple[Tensors, Tensors]:
        missing = [name for name in FEATURES if name not in features]
        if missing:
            raise DdspError(f"the model lacks the feature {missing[0]!r}; it has {', '.join(features)}")
        scaled = {
            "f0_scaled": scale_f0(features["f0_hz"]),
            "loudness_scaled": scale_loudness(features["loudness_db"]),
        }
        raw, state = self.decoder(scaled, state)
        given = {k: v for k, v in features.items() if k in self.processors.input_sizes}
        return {**raw, **given}, state

    def compute_output_shape(self, input_shape: dict[str, Any]) -> tuple[int | None, int | None]:
        """Shape of the audio, `(batch, samples)`."""
        batch, frames = input_shape["f0_hz"][:2]
        return (batch, None if frames is None else self.spec.n_samples(frames))

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {
            **super().get_config(),
            "decoder": keras.saving.serialize_keras_object(self.decoder),
            "processors": keras.saving.serialize_keras_object(self.processors),
            "instrument": self.instrument,
        }

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Create the weights when a saved model is loaded."""
        self.build(None)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "Autoencoder":
        """Rebuild the model from `get_config`."""
        config = dict(config)
        for key in ("decoder", "processors"):
            config[key] = keras.saving.deserialize_keras_object(config[key], custom_objects=custom_objects)
        return cls(**config)


def control_sizes(processors: ProcessorGroup) -> dict[str, int]:
    """Channels of each control that a processor group needs from a decoder, by name.

    Raises:
        DdspError: If the group takes a signal, which no decoder gives.
    """
    sizes = {}
    for name, size in processors.input_sizes.items():
        if name in FEATURES:
            continue
        if size is None:
            raise DdspError(f"the processor group takes a signal {name!r}, which no decoder gives")
        sizes[name] = size
    return sizes
