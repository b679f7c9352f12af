"""Distance in what a pitch tracker hears."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from ddsp_tf.errors import DdspError
from ddsp_tf.features.crepe import load_crepe
from ddsp_tf.features.crepe_weights import WINDOW, read_crepe_weights
from ddsp_tf.losses.terms import Branches, SingleTermLoss, plain_config

_STEP = WINDOW // 2  # samples between windows
_SMALLEST_DEVIATION = 1e-4  # of a window: below -80 dB nothing is made louder
LAYER = "conv5-maxpool"


@keras.saving.register_keras_serializable(package="ddsp_tf")
class CrepeEmbeddingLoss(SingleTermLoss):
    """L1 distance of the activations of CREPE's fifth layer, for sound at 16 kHz.

    A perceptual loss as in J. Engel et al., "DDSP: Differentiable Digital Signal Processing", ICLR 2020,
    appendix B.4 (unsupervised training), on windows of 64 ms, half overlapped, each normalised as CREPE
    takes them. Windows that are all but silent count as silent on both sides.

    Args:
        weights: Path of the published weights, `.h5` or `.h5.bz2`, of any capacity.
        name: String, name of the loss, and of its term.
        reduction: How Keras joins the losses of a batch.

    Raises:
        DdspError: If the file does not hold CREPE weights; in the call, if a sound is shorter than a window.

    Input: `y_true` and `y_pred`, both `[batch, samples]`, 16 kHz. Output: `[batch]`, before the reduction.
    """

    def __init__(
        self, weights: str | Path, name: str = "perceptual", reduction: str = "sum_over_batch_size"
    ) -> None:
        super().__init__(name, reduction)
        self.weights = str(weights)
        self._embed = _embedding(self.weights)

    def distance(self, target: tf.Tensor, prediction: tf.Tensor, branches: Branches | None) -> tf.Tensor:
        """Mean absolute difference of activations, `[batch]`."""
        n_samples = target.shape[1]
        if n_samples is not None and n_samples < WINDOW:
            raise DdspError(
                f"CrepeEmbeddingLoss needs sounds of {WINDOW} samples at least. Received: {n_samples}"
            )
        return tf.reduce_mean(tf.abs(self.embed(prediction) - self.embed(target)), axis=[1, 2])

    def embed(self, audio: tf.Tensor) -> tf.Tensor:
        """The activations of windows, `[batch, windows, activations]`."""
        windows = tf.signal.frame(audio, WINDOW, _STEP)
        centred = windows - tf.reduce_mean(windows, axis=-1, keepdims=True)
        power = tf.reduce_mean(tf.square(centred), axis=-1, keepdims=True)
        scaled = centred / tf.sqrt(tf.maximum(power, _SMALLEST_DEVIATION**2))
        shape = tf.shape(scaled)
        embedded = self._embed(tf.reshape(scaled, [-1, WINDOW]), training=False)
        size = embedded.shape[1] * embedded.shape[2] * embedded.shape[3]
        return tf.reshape(embedded, [shape[0], shape[1], size])

    def get_config(self) -> dict[str, Any]:
        """Return every argument of the constructor."""
        return plain_config(self, "weights")


@lru_cache(maxsize=2)
def _embedding(weights: str) -> Any:
    """CREPE up to its fifth layer."""
    model = load_crepe(read_crepe_weights(Path(weights)))
    embedding = keras.Model(model.inputs[0], model.get_layer(LAYER).output)
    embedding.trainable = False
    return embedding
