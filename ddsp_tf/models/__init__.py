"""Models: networks joined to processors."""

from ddsp_tf.models.autoencoder import Autoencoder, control_sizes
from ddsp_tf.models.conv_decoder import ConvDecoder
from ddsp_tf.models.decoder import Decoder
from ddsp_tf.models.gru_decoder import GruDecoder
from ddsp_tf.models.min_gru_decoder import MinGruDecoder
from ddsp_tf.models.mlp_decoder import MlpDecoder

__all__ = [
    "Autoencoder",
    "ConvDecoder",
    "Decoder",
    "GruDecoder",
    "MinGruDecoder",
    "MlpDecoder",
    "control_sizes",
]
