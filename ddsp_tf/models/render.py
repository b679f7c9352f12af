"""Render a trained model over sequences of any length, in constant memory."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from ddsp_edge.units import Array
from ddsp_tf.models.autoencoder import Autoencoder


class Renderer:
    """Play features through a model, block after block; the model's state is carried.

    Args:
        model: The model.
        block_seconds: Length of the pieces that are rendered at once, seconds; it bounds the memory.
    """

    def __init__(self, model: Autoencoder, block_seconds: float = 4.0) -> None:
        self.model = model
        self._block_frames = model.spec.frames_for(block_seconds)
        self._state = None
        self._stream = tf.function(self._stream_audio, reduce_retracing=True)

    def _stream_audio(
        self, f0_hz: tf.Tensor, loudness_db: tf.Tensor, state: object
    ) -> tuple[tf.Tensor, object]:
        features = {
            "f0_hz": f0_hz[tf.newaxis, :, tf.newaxis],
            "loudness_db": loudness_db[tf.newaxis, :, tf.newaxis],
        }
        output, state = self.model.stream(features, state)
        return output.audio[0], state

    def reset(self) -> None:
        """Forget everything: the next frame is frame 0."""
        self._state = None

    def blocks(self, f0_hz: Array, loudness_db: Array) -> Iterator[Array]:
        """Yield audio, float32 `[n * hop]`, for features `[frames]` in Hz (no zeros) and dB."""
        for start in range(0, len(f0_hz), self._block_frames):
            part = slice(start, start + self._block_frames)
            audio, self._state = self._stream(
                tf.constant(f0_hz[part], tf.float32), tf.constant(loudness_db[part], tf.float32), self._state
            )
            yield np.asarray(audio)

    def render(self, f0_hz: Array, loudness_db: Array) -> Array:
        """Render features `[frames]` in Hz and dB; return audio `[frames * hop]`."""
        return np.concatenate(list(self.blocks(f0_hz, loudness_db)))
