"""Balance between two signals, as a layer."""

import tensorflow as tf

from ddsp_tf.layers.processor import AUDIO, Processor, Tensors, processor_type
from ddsp_tf.ops.frames import crossfade


@processor_type
class Mix(Processor):
    """Linear balance between two signals that changes over time.

    Args:
        sample_rate: Integer, Hz.
        hop: Integer, samples a frame.

    Input: `audio_0`, `audio_1` `[batch, frames * hop]`; `level` `[batch, frames, 1]`, raw network output.

    Controls: the signals; `level` `[batch, frames, 1]`, 0 (only `audio_1`) to 1 (only `audio_0`).

    Output: `level * audio_0 + (1 - level) * audio_1`, `[batch, frames * hop]`.

    Raises:
        DdspError: If an argument is not as above; in a call, if inputs are missing, unknown or do not fit
            each other; where controls are rendered, if one is missing, unknown, not finite or too large.
    """

    @property
    def input_sizes(self) -> dict[str, int | None]:
        """Channels of each raw input by name."""
        return {"audio_0": AUDIO, "audio_1": AUDIO, "level": 1}

    def get_controls(  # type: ignore[override]
        self, audio_0: tf.Tensor, audio_1: tf.Tensor, level: tf.Tensor
    ) -> Tensors:
        """Scale the level to 0 to 1."""
        return {"audio_0": audio_0, "audio_1": audio_1, "level": tf.sigmoid(level)}

    def render_block(self, controls: Tensors, state: tf.Tensor | None = None) -> tuple[tf.Tensor, tf.Tensor]:
        """Render one block; the state is the last frame's level, `[batch]`."""
        frames = controls["level"][..., 0]
        level = crossfade(frames, state, self.spec.hop)
        first, second = controls["audio_0"], controls["audio_1"]
        return second + level * (first - second), frames[:, -1]
