"""The models of instruments under the name they have always had; they live in `ddsp_tf.tasks.instrument`."""

from ddsp_tf.tasks.instrument.model.autoencoder import Autoencoder
from ddsp_tf.tasks.instrument.model.conv_decoder import ConvDecoder
from ddsp_tf.tasks.instrument.model.decoder import Decoder
from ddsp_tf.tasks.instrument.model.encoder import MfccEncoder
from ddsp_tf.tasks.instrument.model.gru_decoder import GruDecoder
from ddsp_tf.tasks.instrument.model.instrument_embedding import InstrumentEmbedding
from ddsp_tf.tasks.instrument.model.min_gru_decoder import MinGruDecoder
from ddsp_tf.tasks.instrument.model.mlp_decoder import MlpDecoder
from ddsp_tf.tasks.instrument.model.parts import control_sizes

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
