"""The parts of a model, made to fit each other."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from ddsp_edge.further import ALL_PARTIALS, PARTIALS, names_of, scaled_name
from ddsp_tf.errors import DdspError
from ddsp_tf.layers.processor_group import ProcessorGroup
from ddsp_tf.tasks.instrument.config import InstrumentConfig
from ddsp_tf.tasks.instrument.model.conv_decoder import ConvDecoder
from ddsp_tf.tasks.instrument.model.decoder import FEATURE_SIZES, Decoder
from ddsp_tf.tasks.instrument.model.encoder import MfccEncoder
from ddsp_tf.tasks.instrument.model.gru_decoder import GruDecoder
from ddsp_tf.tasks.instrument.model.instrument_embedding import InstrumentEmbedding
from ddsp_tf.tasks.instrument.model.min_gru_decoder import MinGruDecoder
from ddsp_tf.tasks.instrument.model.mlp_decoder import MlpDecoder

FEATURES = ("f0_hz", "loudness_db")
_PARTIALS = scaled_name(ALL_PARTIALS)  # the input of a decoder that has the levels of all groups of partials
DECODERS: dict[str, type[Decoder]] = {
    cls.__name__: cls for cls in (GruDecoder, MinGruDecoder, ConvDecoder, MlpDecoder)
}
DTYPES = {"float32": None, "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}
"""Policy of the network by precision; None is Keras' global one, which is float32 unless somebody set it."""


def make_networks(
    config: InstrumentConfig, group: ProcessorGroup
) -> tuple[Decoder, MfccEncoder | None, InstrumentEmbedding | None]:
    """Make the decoder that drives a processor group, and encoder and embedding where they are configured."""
    model, spec, dtype = config.model, config.spec, DTYPES[config.training.precision]
    encoder, embedding = None, None
    if model.encoder is not None:
        sizes = dataclasses.asdict(model.encoder)
        encoder = MfccEncoder(spec.sample_rate, spec.hop, **sizes, name="encoder", dtype=dtype)
    if model.instruments:
        embedding = InstrumentEmbedding(list(model.instruments), model.instrument_size, name="embedding")
    decoder = DECODERS[model.decoder.type](
        control_sizes(group),
        model.decoder.units,
        model.decoder.layer_units,
        model.decoder.layers,
        model.decoder.depth,
        decoder_inputs(encoder, embedding, model.further),
        name="decoder",
        dtype=dtype,
    )
    return decoder, encoder, embedding


def decoder_inputs(
    encoder: MfccEncoder | None, embedding: InstrumentEmbedding | None, further: Sequence[str] = ()
) -> dict[str, int]:
    """Channels of each input of the decoder; all levels of partials are one input."""
    return {
        **FEATURE_SIZES,
        **{scaled_name(name): 1 for name in further if name not in PARTIALS},
        **({_PARTIALS: len(PARTIALS)} if any(name in PARTIALS for name in further) else {}),
        **({} if encoder is None else {"z": encoder.z_size}),
        **({} if embedding is None else {"instrument": embedding.size}),
    }


def further_of(input_sizes: Iterable[str]) -> tuple[str, ...]:
    """Further features that a decoder takes, given the names of its inputs."""
    given = set(input_sizes)
    return (*names_of(given), *(PARTIALS if _PARTIALS in given else ()))


def as_decoder_takes(inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Inputs of the network `[..., 1]`, one for each feature, with those of partials joined into one,
    `partials_scaled` `[..., 8]`.
    """
    levels = [inputs[scaled_name(name)] for name in PARTIALS if scaled_name(name) in inputs]
    rest = {name: value for name, value in inputs.items() if name not in map(scaled_name, PARTIALS)}
    return {**rest, _PARTIALS: tf.concat(levels, -1)} if levels else rest


def in_float32(layer: Any) -> Any:
    """A copy of a layer, with its weights, that computes in float32."""
    copy = type(layer).from_config({**layer.get_config(), "dtype": "float32"})
    copy.build(None)
    copy.set_weights(layer.get_weights())
    return copy


def control_sizes(processors: ProcessorGroup) -> dict[str, int]:
    """Channels of each control that a processor group needs from a decoder, by name.

    Raises:
        DdspError: If the group takes a signal, which no decoder gives.
    """
    sizes = {}
    for name, size in processors.input_sizes.items():
        if name in FEATURES:
            continue
        if not isinstance(size, int):
            kind = "a signal" if size is None else "a shape for all frames,"
            raise DdspError(f"the processor group takes {kind} {name!r}, which no decoder gives")
        sizes[name] = size
    return sizes
