"""The model: features of a sound in, the sound out."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from ddsp_edge.further import scaled_name
from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError
from ddsp_tf.layers.branches import sum_of_kind
from ddsp_tf.layers.inputs import named_inputs
from ddsp_tf.layers.processor_group import GroupOutput, ProcessorGroup
from ddsp_tf.losses.terms import Branches
from ddsp_tf.tasks.instrument.config import InstrumentConfig
from ddsp_tf.tasks.instrument.model.decoder import FEATURE_SIZES, Decoder
from ddsp_tf.tasks.instrument.model.encoder import MfccEncoder, tensorflow_distributions
from ddsp_tf.tasks.instrument.model.features import checked_features, feature_specs, named_features
from ddsp_tf.tasks.instrument.model.instrument_embedding import InstrumentEmbedding
from ddsp_tf.tasks.instrument.model.known import Known
from ddsp_tf.tasks.instrument.model.parts import (
    FEATURES,
    as_decoder_takes,
    control_sizes,
    decoder_inputs,
    further_of,
    in_float32,
    make_networks,
)
from ddsp_tf.tasks.instrument.model.scaling import (
    scale_f0,
    scale_further,
    scale_loudness,
    unscale_f0,
    unscale_loudness,
)
from ddsp_tf.training.group_model import GroupModel

Tensors = dict[str, tf.Tensor]


@keras.saving.register_keras_serializable(package="ddsp_tf")
class Autoencoder(Known, GroupModel):
    """Fundamental frequency and loudness to controls to audio.

    A decoder predicts the raw controls that a processor group takes, frame by frame; the group renders
    them. What the group takes beside the features is what the decoder gives, so the two always fit.
    With an encoder the decoder also gets what that hears in a recording; with an embedding, which of several
    instruments it is to play.

    Args:
        decoder: The network.
        processors: The processor group; its inputs are `f0_hz`, `loudness_db`, or controls from the
            decoder.
        instrument: What else belongs to the trained instrument, as plain data: the configuration, and
            of its training data pitch estimator, loudness definition and ranges.
        encoder: Listens to a recording; None for none.
        embedding: The instruments; None for one instrument.
        mix: Weights of instruments by name, where one mix of them is always played; see `playing`.

    Input: `{"f0_hz", "loudness_db"}` and the further features that the decoder takes (`ddsp_edge.further`),
    each `[batch, frames, 1]` or `[batch, frames]`, in Hz (no zeros) and dB, tensors, arrays or lists of any
    numbers. With an encoder also `audio` `[batch, frames * hop]`, what to listen to; in training it is the
    target unless it is given. With an embedding and no mix also `instrument`, `[batch, frames or 1,
    instruments]`, weights.

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
        encoder: MfccEncoder | None = None,
        embedding: InstrumentEmbedding | None = None,
        mix: Mapping[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        # Half precision would put the pitch out of tune; the decoder alone follows the global policy.
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        needed = control_sizes(processors)
        if dict(decoder.output_sizes) != needed:
            raise DdspError(f"the decoder gives {decoder.output_sizes}, but the processors take {needed}")
        given = decoder_inputs(encoder, embedding, further_of(decoder.input_sizes))
        if decoder.input_sizes != given:
            raise DdspError(f"the decoder takes {decoder.input_sizes}, but is given {given}")
        if mix is not None:
            if embedding is None:
                raise DdspError(f"a model of one instrument has no mix. Received: mix={dict(mix)!r}")
            embedding.weights_of(mix)  # refuses names that are not known
        self.decoder = decoder
        self.processors = processors
        self.facts = instrument or {}
        self.encoder = encoder
        self.embedding = embedding
        self.mix = None if mix is None else dict(mix)

    @classmethod
    def from_experiment(
        cls, config: InstrumentConfig, instrument: dict[str, Any] | None = None
    ) -> "Autoencoder":
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
        decoder, encoder, embedding = make_networks(config, group)
        known = {"config": config.to_dict(), **(instrument or {})}
        model = cls(decoder, group, known, encoder, embedding, name="autoencoder")
        model.build(model.input_shapes)
        return model

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the inputs."""
        listens, chooses = self.encoder is not None, self.embedding is not None and self.mix is None
        named = (["audio"] if listens else []), (["instrument"] if chooses else [])
        return (*FEATURES, *self.further, *named[0], *named[1])

    @property
    def further(self) -> tuple[str, ...]:
        """Further features that it takes, of `ddsp_edge.further.FURTHER`."""
        return further_of(self.decoder.input_sizes)

    @property
    def instrument_names(self) -> tuple[str, ...]:
        """Names of the instruments that a model of several plays; none of a model of one."""
        return () if self.embedding is None else self.embedding.names

    def playing(self, mix: Mapping[str, float]) -> "Autoencoder":
        """The same model, with the same weights, that always plays one mix of its instruments.

        Args:
            mix: Weights by name, of sum 1 for a timbre between those that it names.

        Raises:
            DdspError: If it has no such instrument, or is a model of one.
        """
        parts = (self.decoder, self.processors, self.instrument, self.encoder, self.embedding)
        model = type(self)(*parts, mix, name=self.name)
        model.build(model.input_shapes)
        return model

    def in_float32(self) -> "Autoencoder":
        """The same instrument with a network of float32, to be played and exported; itself if it has one."""
        if self.decoder.dtype_policy.name == "float32":
            return self
        decoder, encoder = in_float32(self.decoder), self.encoder and in_float32(self.encoder)
        parts = (decoder, self.processors, self.instrument, encoder, self.embedding, self.mix)
        model = type(self)(*parts, name=self.name)
        model.build(model.input_shapes)
        return model

    @property
    def spec(self) -> Any:
        """The frame grid."""
        return self.processors.spec

    def build(self, input_shape: Any) -> None:
        """Create the weights; shapes follow from the arguments alone."""
        for part in (self.decoder, self.processors, self.encoder, self.embedding):
            if part is not None and not part.built:
                part.build(None)
        self.built = True

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Render features, by name; returns audio `[batch, frames * hop]`."""
        return super().__call__(named_features(self.name, inputs, self.feature_names), *args, **kwargs)

    def named_features(self, features: Any) -> Tensors:
        """Features as float32 tensors by name, pitch and loudness with an axis of channels.

        What to listen to may still be absent: in training it is the target.

        Raises:
            DdspError: If pitch or loudness is missing, one is no number, or they do not fit each other.
        """
        return self._checked(features, (*FEATURES, *self.further))

    def _checked(self, features: Any, names: Sequence[str]) -> Tensors:
        named = named_features(self.name, features, self.feature_names)
        return checked_features(self.name, named, names, self.instrument_names, self.spec.hop)

    def call(self, inputs: Tensors, training: bool = False) -> tf.Tensor:
        """Render features; returns audio `[batch, frames * hop]`."""
        return self.stream(inputs, training=training)[0].audio

    def stream(  # type: ignore[override]
        self, features: Tensors, state: dict[str, Any] | None = None, training: bool = False
    ) -> tuple[GroupOutput, dict[str, Any]]:
        """Render one block of features.

        Args:
            features: The model's input, see there.
            state: What the call before returned; None starts anew.
            training: Boolean, whether the model is being trained.

        Returns:
            Everything the processor group computed, and the state for the next block.
        """
        output, state, _ = self._render(features, state, training)
        return output, state

    def _render(
        self, features: Mapping[str, tf.Tensor], state: dict[str, Any] | None, training: bool
    ) -> tuple[GroupOutput, dict[str, Any], Tensors]:
        """As `stream`, and what the encoder heard."""
        controls, after, latent = self._decode(features, state, training)
        output, after["processors"] = self.processors.stream_signal(
            controls, None if state is None else state["processors"]
        )
        return output, after, latent

    def stream_controls(
        self, features: Tensors, state: dict[str, Any] | None = None
    ) -> tuple[dict[str, Tensors], dict[str, Any]]:
        """Predict the controls of one block without rendering them, for example to edit them.

        Args:
            features: The model's input, see there.
            state: What the call before returned; None starts anew.

        Returns:
            Controls by node and name, and the states of the networks for the next block.
        """
        controls, after, _ = self._decode(features, state)
        return controls, after

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """As `keras.Model.compile`.

        Raises:
            DdspError: If the latent is a distribution and TensorFlow Probability is not installed.
        """
        if self.own_term_names:
            tensorflow_distributions()
        super().compile(*args, **kwargs)

    @property
    def own_term_names(self) -> tuple[str, ...]:
        """Terms that the model adds to its loss: `kl`, where the latent is a distribution."""
        return ("kl",) if self.encoder is not None and self.encoder.kl_weight else ()

    def observe(
        self, features: Mapping[str, tf.Tensor], target: tf.Tensor, training: bool
    ) -> tuple[GroupOutput, Tensors]:
        """Render a batch, listening to the target if there is nothing else to listen to."""
        output, _, latent = self._render({"audio": target, **features}, None, training)
        if self.encoder is None or not self.own_term_names:
            return output, {}
        return output, {"kl": self.encoder.kl_weight * self.encoder.kl_divergence(latent)}

    def branches(self, features: Mapping[str, tf.Tensor], output: GroupOutput) -> Branches:
        """The pitch that was played, and the sums of tonal and noise synths."""
        harmonic, noise = (sum_of_kind(self.processors, output.signals, kind) for kind in ("tonal", "noise"))
        return Branches(features["f0_hz"], harmonic, noise)

    def get_controls(self, features: Tensors) -> dict[str, Tensors]:
        """Predict the controls of every processor, by node, without rendering them."""
        return self._decode(features)[0]

    def step(self, inputs: Tensors, state: Tensors) -> tuple[dict[str, Tensors], Tensors]:
        """Predict one frame of controls, for export.

        Args:
            inputs: `{"f0_scaled", "loudness_scaled"}` and further features, scaled, each `[1, 1]`.
            state: States of the decoder by name, `[1, size]`.

        Returns:
            Controls by node and name, `[1, size]`, and the next states.
        """
        self.require_pitch_and_loudness_only()
        names = [*FEATURE_SIZES, *map(scaled_name, self.further)]
        inputs = named_inputs(self.name, inputs, names, names)
        if self.embedding is not None:
            instrument = self.embedding(tf.constant(self._mix_weights()[tf.newaxis]))
            inputs = {**inputs, "instrument": instrument}
        raw, state = self.decoder.step(as_decoder_takes(self.limits.asked(inputs)), state)
        given = {
            **raw,
            "f0_hz": unscale_f0(inputs["f0_scaled"]),
            "loudness_db": unscale_loudness(inputs["loudness_scaled"]),
        }
        given = {k: v[:, tf.newaxis] for k, v in given.items() if k in self.processors.input_sizes}
        told = inputs["loudness_scaled"][:, tf.newaxis]
        controls = self.limits.controls(self.processors, given, told)
        return {
            node: {k: v[:, 0] for k, v in values.items() if v.shape.rank == 3}
            for node, values in controls.items()
        }, state

    def require_pitch_and_loudness_only(self) -> None:
        """Raise `DdspError` if the model takes more than devices give it."""
        if self.encoder is not None:
            raise DdspError(
                "the model has an encoder, which listens to sound; devices give it pitch and loudness only. "
                "Train it without model.encoder"
            )
        if self.embedding is not None:
            self._mix_weights()

    def _decode(
        self, features: Mapping[str, tf.Tensor], state: dict[str, Any] | None = None, training: bool = False
    ) -> tuple[dict[str, Tensors], dict[str, Any], Tensors]:
        """Controls by node and name, the states of the networks, and what the encoder heard."""
        features = self._checked(features, self.feature_names)
        inputs = {
            "f0_scaled": scale_f0(features["f0_hz"]),
            "loudness_scaled": scale_loudness(features["loudness_db"]),
            **{scaled_name(name): scale_further(name, features[name]) for name in self.further},
        }
        after: dict[str, Any] = {}
        latent: Tensors = {}
        if self.encoder is not None:
            before = None if state is None else state["encoder"]
            latent, after["encoder"] = self.encoder(features["audio"], before)
            inputs["z"] = self.encoder.sample(latent) if training else latent["mean"]
        if self.embedding is not None:
            if self.mix is None:
                weights = features["instrument"]
            else:
                weights = tf.constant(self._mix_weights()[tf.newaxis, tf.newaxis])
            vectors = self.embedding(weights)
            inputs["instrument"] = vectors + tf.zeros_like(inputs["f0_scaled"])  # in every frame
        asked = as_decoder_takes(self.limits.asked(inputs))
        raw, after["decoder"] = self.decoder(asked, None if state is None else state["decoder"])
        given = {k: v for k, v in features.items() if k in self.processors.input_sizes}
        controls = self.limits.controls(self.processors, {**raw, **given}, inputs["loudness_scaled"])
        return controls, after, latent

    def _mix_weights(self) -> Array:
        """Weights of the mix that is always played, float32 `[instruments]`."""
        if self.embedding is None or self.mix is None:
            names = ", ".join(self.instrument_names)
            raise DdspError(f"the model plays several instruments: name one, or a mix, of {names}")
        return self.embedding.weights_of(self.mix)

    @property
    def input_specs(self) -> dict[str, tf.TensorSpec]:
        """What it takes, of any batch and length, by name."""
        return feature_specs(self.feature_names, len(self.instrument_names))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, int | None]:
        """Shape of the audio, `(batch, samples)`; None is any shape."""
        if not isinstance(input_shape, Mapping):
            return (None, None)
        batch, frames = input_shape["f0_hz"][:2]
        return (batch, None if frames is None else self.spec.n_samples(frames))

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        parts = {"encoder": self.encoder, "embedding": self.embedding}
        return {
            **super().get_config(),
            "decoder": keras.saving.serialize_keras_object(self.decoder),
            "processors": keras.saving.serialize_keras_object(self.processors),
            "instrument": self.instrument,
            **{k: keras.saving.serialize_keras_object(v) for k, v in parts.items() if v is not None},
            **({} if self.mix is None else {"mix": dict(self.mix)}),
        }

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Create the weights when a saved model is loaded."""
        self.build(self.input_shapes)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "Autoencoder":
        """Rebuild the model from `get_config`."""
        config = dict(config)
        for key in ("decoder", "processors", "encoder", "embedding"):
            if key in config:
                part = keras.saving.deserialize_keras_object(config[key], custom_objects=custom_objects)
                config[key] = part
        return cls(**config)
