"""A beginning that is left out, as a layer."""

from typing import Any

import tensorflow as tf

from ddsp_tf.layers.checks import check_integer
from ddsp_tf.layers.processor import AUDIO, Processor, Tensors, processor_type


@processor_type
class Crop(Processor):
    """Drops the first samples of a signal, to take back a delay that another processor declares.

    The output is shorter than the input by `drop_samples` (empty if the input is no longer than that), so
    this is a processor for the end of a graph: others expect whole hops.

    In a stream the dropped samples are not made up for: the first blocks come out shorter, or empty, and all
    blocks joined are what one piece gives. Nothing is looked ahead, so in real time the sound is not earlier.

    Args:
        drop_samples: Integer in 0 to 10,000,000, samples that are left out.
        sample_rate: Integer, Hz.
        hop: Integer, samples a frame.

    Input: `audio` `[batch, samples]`.

    Controls: `audio`.

    Output: audio `[batch, samples - drop_samples]`.

    Raises:
        DdspError: If an argument is not as above; in a call, if inputs are missing, unknown or do not fit
            each other; where controls are rendered, if one is missing, unknown, not finite or too large.
    """

    def __init__(self, drop_samples: int, sample_rate: int, hop: int, **kwargs: Any) -> None:
        super().__init__(sample_rate, hop, **kwargs)
        self.drop_samples = check_integer("Crop", "drop_samples", drop_samples, 0, 10_000_000)

    @property
    def input_sizes(self) -> dict[str, int | None]:
        """Channels of each raw input by name."""
        return {"audio": AUDIO}

    def render_block(self, controls: Tensors, state: tf.Tensor | None = None) -> tuple[tf.Tensor, tf.Tensor]:
        """Render one block; the state is how many samples are still to be dropped, an integer scalar."""
        left = self.drop_samples if state is None else state
        audio = controls["audio"]
        return audio[:, left:], tf.maximum(left - tf.shape(audio)[1], 0)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, int | None]:
        """Shape of the audio, `(batch, samples - drop_samples)`."""
        batch, samples = super().compute_output_shape(input_shape)
        return (batch, None if samples is None else max(0, samples - self.drop_samples))

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {**super().get_config(), "drop_samples": self.drop_samples}
