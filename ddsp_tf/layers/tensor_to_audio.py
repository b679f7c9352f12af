"""Samples from a network, as a layer."""

from typing import Any, ClassVar

import tensorflow as tf

from ddsp_tf.layers.processor import Processor, Tensors, processor_type


@processor_type
class TensorToAudio(Processor):
    """Takes frames of `hop` samples as they are: a network's own waveform, or a recording cut into hops.

    Frame `i` is the samples of hop `i`, `i * hop` to `(i + 1) * hop - 1`. Nothing is scaled and nothing
    overlaps.

    Args:
        sample_rate: Integer, Hz.
        hop: Integer, samples a frame.

    Input: `samples` `[batch, frames, hop]`, linear, full scale 1.

    Controls: `samples`, unchanged.

    Output: audio `[batch, frames * hop]`.

    Raises:
        DdspError: If an argument is not as above; in a call, if inputs are missing, unknown or do not fit
            each other; where controls are rendered, if one is missing, unknown, not finite or too large.
    """

    level_controls: ClassVar[tuple[str, ...]] = ("samples",)

    @property
    def input_sizes(self) -> dict[str, int | None]:
        """Channels of each raw input by name."""
        return {"samples": self.spec.hop}

    def render_block(self, controls: Tensors, state: Any = None) -> tuple[tf.Tensor, tuple[()]]:
        """Render one block; there is no state."""
        samples = controls["samples"]
        return tf.reshape(samples, [tf.shape(samples)[0], -1]), ()
