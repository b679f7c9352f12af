"""Models: networks joined to processors."""

from ddsp_tf.models.autoencoder import Autoencoder
from ddsp_tf.models.conv_decoder import ConvDecoder
from ddsp_tf.models.decoder import Decoder
from ddsp_tf.models.encoder import MfccEncoder
from ddsp_tf.models.gru_decoder import GruDecoder
from ddsp_tf.models.instrument_embedding import InstrumentEmbedding
from ddsp_tf.models.min_gru_decoder import MinGruDecoder
from ddsp_tf.models.mlp_decoder import MlpDecoder
from ddsp_tf.models.parts import control_sizes

__all__ = [
    "Autoencoder",
    "ConvDecoder",
    "Decoder",
    "GruDecoder",
    "InstrumentEmbedding",
    "MfccEncoder",
    "MinGruDecoder",
    "MlpDecoder",
    "control_sizes",
]
