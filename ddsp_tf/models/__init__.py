"""Models: networks joined to processors."""

from ddsp_tf.models.autoencoder import Autoencoder, control_sizes
from ddsp_tf.models.gru_decoder import GruDecoder

__all__ = ["Autoencoder", "GruDecoder", "control_sizes"]
