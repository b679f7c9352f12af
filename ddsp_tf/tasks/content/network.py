"""The model of a run as a stream: frames in, frames out, states carried."""

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from ddsp_edge.features.log_mel import N_MELS
from ddsp_edge.units import Array
from ddsp_tf.frames import FrameSpec
from ddsp_tf.tasks.content.model import ContentModel

_AT_ONCE = 64  # frames, for which a graph is made once


class KerasNetwork:
    """Runs a model frame by frame, as `ddsp_edge.StepModel` runs its file.

    Args:
        model: The model.
    """

    def __init__(self, model: ContentModel) -> None:
        self._model, self._shapes = model, model.encoder.state_shapes
        config = model.facts["config"]
        self.spec = FrameSpec.from_frame_rate(config["sample_rate"], config["frame_rate"])
        signature = [
            tf.TensorSpec([None, N_MELS], tf.float32),
            [tf.TensorSpec(shape, tf.float32) for shape in self._shapes.values()],
        ]
        self._many = tf.function(self._frames, input_signature=signature)
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self._states: list[Any] = [tf.zeros(shape) for shape in self._shapes.values()]

    def process(self, *, log_mel: npt.ArrayLike) -> dict[str, Array]:
        """Bands `[frames, 40]` to `content` `[frames, channels]` and `phones`, their logits."""
        frames = np.asarray(log_mel, np.float32)
        content = [np.zeros((0, self._model.encoder.content), np.float32)]
        phones = [np.zeros((0, self._model.encoder.phones), np.float32)]
        for start in range(0, len(frames), _AT_ONCE):
            out, states = self._many(tf.constant(frames[start : start + _AT_ONCE]), self._states)
            self._states = list(states)
            content.append(np.asarray(out[0]))
            phones.append(np.asarray(out[1]))
        return {"content": np.concatenate(content), "phones": np.concatenate(phones)}

    def _frames(
        self, log_mel: tf.Tensor, states: list[tf.Tensor]
    ) -> tuple[tuple[tf.Tensor, tf.Tensor], list[tf.Tensor]]:
        count, encoder = tf.shape(log_mel)[0], self._model.encoder
        contents = tf.TensorArray(tf.float32, count, element_shape=[encoder.content])
        phones = tf.TensorArray(tf.float32, count, element_shape=[encoder.phones])
        index = tf.constant(0)
        while index < count:
            out = self._model.step(log_mel[index : index + 1], *states)
            contents = contents.write(index, out["content"][0])
            phones = phones.write(index, out["phones"][0])
            states = [tf.ensure_shape(out[name], shape) for name, shape in self._shapes.items()]
            index += 1
        return (contents.stack(), phones.stack()), states
