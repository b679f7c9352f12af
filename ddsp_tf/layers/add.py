"""Sum of signals, as a layer."""

from typing import Any

import tensorflow as tf

from ddsp_tf.layers.checks import check_integer
from ddsp_tf.layers.processor import AUDIO, Processor, Tensors, processor_type


@processor_type
class Add(Processor):
    """Sum of `n_inputs` signals.

    Args:
        sample_rate: Integer, Hz.
        hop: Integer, samples a frame.
        n_inputs: Integer in 1 to 64.

    Input: `audio_0`, `audio_1`, ... `[batch, samples]`.

    Output: audio `[batch, samples]`.

    Raises:
        DdspError: If an argument is not as above; in a call, if inputs are missing, unknown or do not fit
            each other; where controls are rendered, if one is missing, unknown, not finite or too large.
    """

    def __init__(self, sample_rate: int, hop: int, n_inputs: int = 2, **kwargs: Any) -> None:
        super().__init__(sample_rate, hop, **kwargs)
        self.n_inputs = check_integer("Add", "n_inputs", n_inputs, 1, 64)

    @property
    def input_sizes(self) -> dict[str, int | None]:
        """Channels of each raw input by name."""
        return {f"audio_{i}": AUDIO for i in range(self.n_inputs)}

    def render_block(self, controls: Tensors, state: Any = None) -> tuple[tf.Tensor, tuple[()]]:
        """Render one block; there is no state."""
        return tf.add_n([controls[name] for name in self.input_sizes]), ()

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {**super().get_config(), "n_inputs": self.n_inputs}
