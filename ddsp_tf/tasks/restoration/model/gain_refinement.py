"""Gains of bands from what is around them: what is the same for every band is learned once for all."""

from typing import Any

import keras
import tensorflow as tf

from ddsp_tf.errors import DdspError

_FRAMES = 3  # that are looked at: the present one and two before
_FEATURES = 2  # of each band: power re the running mean, and re the floor
_TOLD = 2  # numbers of the context for each band
_REACHES = (2, 2, 1)  # bands on either side, by convolution


@keras.saving.register_keras_serializable(package="ddsp_tf")
class GainRefinement(keras.layers.Layer):
    """Three convolutions over bands, with the same weights for all of them, told what the network has heard.

    A network of which all bands go through a narrow layer cannot tell each of many gains apart: partials of
    a voice are two or three bins wide. What a partial looks like is the same wherever it lies, so a few
    hundred weights see them all; where a voice may be, the context says, some values for each band.

    Reference for shortcuts around a narrow middle: O. Ronneberger et al., "U-Net", MICCAI 2015.

    Args:
        bands: Integer > 0, how many there are.
        channels: Integer > 0, of the first two convolutions.
        **kwargs: Of `keras.layers.Layer`.

    Raises:
        DdspError: If there are no bands or no channels.

    Input: features of each band `[batch, frames, bands * 2]`, one half after the other, and context
    `[batch, frames, bands * 2]`, of which the first half is added to what comes out.
    Output: logits of gains, `[batch, frames, bands]`; and the features before, for the next block.
    """

    built: bool

    def __init__(self, bands: int, channels: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if bands < 1 or channels < 1:
            raise DdspError(f"bands and channels must be above 0. Received: {bands} and {channels}")
        self.bands, self.channels = bands, channels

    @property
    def state_size(self) -> int:
        """Width of the state: features of the frames before."""
        return (_FRAMES - 1) * _FEATURES * self.bands

    def build(self, input_shape: Any) -> None:
        """Create the weights; no shape is needed."""
        if self.built:
            return
        widths = (_FRAMES * _FEATURES, self.channels + _TOLD, self.channels)
        sizes = (self.channels, self.channels, 1)
        self.kernels, self.biases = [], []
        for i, (reach, given, made) in enumerate(zip(_REACHES, widths, sizes, strict=True)):
            # The last begins at zero: gains are those of the context alone, and then they are refined.
            start = "zeros" if made == 1 else "he_normal"
            shape = (2 * reach + 1, given, made)
            self.kernels.append(self.add_weight(name=f"kernel_{i}", shape=shape, initializer=start))
            self.biases.append(self.add_weight(name=f"bias_{i}", shape=(made,), initializer="zeros"))
        self.built = True

    def call(
        self, features: tf.Tensor, context: tf.Tensor, state: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Frames that follow each other."""
        batch, frames = tf.shape(features)[0], tf.shape(features)[1]
        now = self._by_band(features)
        if state is None:
            state = tf.zeros([batch, self.state_size])
        before = tf.reshape(state, [batch, self.bands, _FRAMES - 1, _FEATURES])
        joined = tf.concat([tf.transpose(before, [0, 2, 1, 3]), now], axis=1)
        seen = tf.concat([joined[:, i : i + frames] for i in range(_FRAMES)], axis=-1)
        after = tf.transpose(joined[:, frames:], [0, 2, 1, 3])
        told = self._by_band(context)
        hidden = tf.nn.relu(self._convolved(seen, 0))
        hidden = tf.nn.relu(self._convolved(tf.concat([hidden, told], axis=-1), 1))
        logits = self._convolved(hidden, 2)[..., 0] + told[..., 0]
        return logits, tf.reshape(after, [batch, self.state_size])

    def step(self, features: tf.Tensor, context: tf.Tensor, state: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """One frame, `[1, bands * 2]` each; the state is `[1, state_size]`."""
        bands = self.bands

        def columns(flat: tf.Tensor) -> tf.Tensor:
            return tf.concat([tf.reshape(half, [bands, 1]) for half in tf.split(flat, _FEATURES, axis=1)], 1)

        seen = tf.concat([tf.reshape(state, [bands, (_FRAMES - 1) * _FEATURES]), columns(features)], axis=1)
        after = tf.reshape(seen[:, _FEATURES:], [1, self.state_size])
        told = columns(context)
        hidden = tf.nn.relu(self._product(seen, 0))
        hidden = tf.nn.relu(self._product(tf.concat([hidden, told], axis=1), 1))
        return tf.reshape(self._product(hidden, 2), [1, bands]) + context[:, :bands], after

    def _by_band(self, flat: tf.Tensor) -> tf.Tensor:
        """`[batch, frames, bands * 2]` to `[batch, frames, bands, 2]`."""
        return tf.stack(tf.split(flat, _FEATURES, axis=-1), axis=-1)

    def _convolved(self, values: tf.Tensor, layer: int) -> tf.Tensor:
        """`[batch, frames, bands, channels]`, zeros beyond the ends."""
        kernel = tf.convert_to_tensor(self.kernels[layer])[tf.newaxis]
        return tf.nn.conv2d(values, kernel, 1, "SAME") + self.biases[layer]

    def _product(self, values: tf.Tensor, layer: int) -> tf.Tensor:
        """The same of one frame, `[bands, channels]`, as one product of matrices."""
        kernel = tf.convert_to_tensor(self.kernels[layer])
        reach, channels = _REACHES[layer], values.shape[1]
        beyond = tf.zeros([reach, channels])
        padded = tf.concat([beyond, values, beyond], axis=0)
        parts = [padded[i : i + self.bands] for i in range(2 * reach + 1)]
        matrix = tf.reshape(kernel, [-1, kernel.shape[-1]])
        return tf.matmul(tf.concat(parts, axis=1), matrix) + self.biases[layer]

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {**super().get_config(), "bands": self.bands, "channels": self.channels}
