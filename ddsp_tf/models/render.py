"""Render a trained model over sequences of any length, in constant memory."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from ddsp_edge.units import Array
from ddsp_tf.layers.processor import AUDIO, Tensors
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
        self._state: Any = None
        self._last: dict[str, Tensors] = {}  # the last frame of each control, by node
        frames = tf.TensorSpec([None], tf.float32)
        self._first = tf.function(lambda f0, loudness: self._stream(f0, loudness, None), [frames, frames])
        self._next: Any = None  # made when the structure of the state is known

    def _stream(self, f0_hz: tf.Tensor, loudness_db: tf.Tensor, state: Any) -> tuple[Any, ...]:
        column = {
            "f0_hz": f0_hz[tf.newaxis, :, tf.newaxis],
            "loudness_db": loudness_db[tf.newaxis, :, tf.newaxis],
        }
        output, state = self.model.stream(column, state)
        return output.audio[0], state, self._last_frame(output.controls)

    def _last_frame(self, controls: dict[str, Tensors]) -> dict[str, Tensors]:
        """The last frame of each control, and what does not change; signals are left out."""
        return {
            node: {
                name: value[:, -1:] if len(value.shape) > 2 else value
                for name, value in values.items()
                if self.model.processors.processors[node].input_sizes.get(name, 0) is not AUDIO
            }
            for node, values in controls.items()
        }

    def reset(self) -> None:
        """Forget everything: the next frame is frame 0."""
        self._state, self._last = None, {}

    def blocks(self, f0_hz: Array, loudness_db: Array) -> Iterator[Array]:
        """Yield audio, float32 `[n * hop]`, for features `[frames]` in Hz (no zeros) and dB."""
        for start in range(0, len(f0_hz), self._block_frames):
            part = slice(start, start + self._block_frames)
            given = tf.constant(f0_hz[part], tf.float32), tf.constant(loudness_db[part], tf.float32)
            if self._state is None:
                audio, self._state, self._last = self._first(*given)
            else:
                self._next = self._next or self._compile_next()
                audio, self._state, self._last = self._next(*given, self._state)
            yield np.asarray(audio)

    def ring_out(self) -> Array:
        """Render what rings on after the last frame: whole hops, none where nothing does.

        Levels of the processors that make sound go to zero over one hop; all other controls stay as they
        were in the last frame, as on the device.
        """
        group = self.model.processors
        tail = sum(processor.tail_samples for processor in group.processors.values())
        if not tail or self._state is None:
            return np.zeros(0, np.float32)
        frames = 1 + -(-tail // group.spec.hop)  # one to fade in
        held = {
            node: {
                name: tf.repeat(value, frames, axis=1) if len(value.shape) > 2 else value
                for name, value in values.items()
            }
            for node, values in self._last.items()
        }
        for node, processor in group.processors.items():
            held[node] |= {name: tf.zeros_like(held[node][name]) for name in processor.level_controls}
        output, _ = group.stream_signal(held, self._state["processors"])
        self.reset()
        return np.asarray(output.audio[0])

    def _compile_next(self) -> Any:
        frames = tf.TensorSpec([None], tf.float32)
        state = tf.nest.map_structure(tf.TensorSpec.from_tensor, self._state)
        return tf.function(self._stream, [frames, frames, state])

    def render(self, f0_hz: Array, loudness_db: Array) -> Array:
        """Render features `[frames]` in Hz and dB; return audio `[frames * hop]`."""
        return np.concatenate([np.zeros(0, np.float32), *self.blocks(f0_hz, loudness_db)])
