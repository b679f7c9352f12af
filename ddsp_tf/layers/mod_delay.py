"""Chorus, flanger and vibrato, as a layer."""

import math
from typing import Any, NamedTuple

import tensorflow as tf

from ddsp_tf.errors import DdspError
from ddsp_tf.layers.checks import check_boolean, check_choice, check_number
from ddsp_tf.layers.processor import AUDIO, ControlSize, Processor, Tensors, processor_type
from ddsp_tf.ops.delay import INTERPOLATIONS, fractional_delay
from ddsp_tf.ops.frames import crossfade, previous_frames
from ddsp_tf.ops.scaling import exp_sigmoid


class ModDelayState(NamedTuple):
    """What a modulated delay carries from one block to the next.

    Attributes:
        history: `[batch, longest delay + 2]`, the input's last samples.
        gain: `[batch]`, gain of the last frame.
        delay_ms: `[batch]`, delay of the last frame, milliseconds.
    """

    history: tf.Tensor
    gain: tf.Tensor
    delay_ms: tf.Tensor


@processor_type
class ModDelay(Processor):
    """A delay whose time changes: chorus, flanger, or without the dry signal vibrato.

    The delay moves linearly from frame to frame, so the pitch shift is constant within a hop; the gain moves
    along the crossfade window. A flanger has a delay of about 1 to 10 ms, a chorus of about 10 to 30 ms (J.
    Dattorro, "Effect Design, Part 2: Delay-Line Modulation and Chorus", J. Audio Eng. Soc. 45, 1997).

    Args:
        sample_rate: Integer, Hz.
        hop: Integer, samples a frame.
        center_ms: Float in 0 to 10,000, delay of a raw 0, milliseconds.
        depth_ms: Float in 0 to `center_ms`, most that the delay differs from it, milliseconds. With cubic
            interpolation the shortest delay must be at least one sample.
        interpolation: "linear" or "cubic", between samples of the delay line.
        add_dry: Boolean, whether the undelayed signal is added.

    Input: `audio` `[batch, frames * hop]`; `gain` and `delay`, `[batch, frames, 1]` each, raw network
    outputs.

    Controls: `audio`; `gain` `[batch, frames, 1]`, linear, 0 to 2; `delay_ms` `[batch, frames, 1]`,
    `center_ms - depth_ms` to `center_ms + depth_ms`. Delays are held within 0 (cubic: one sample) and
    the delay line, `max_delay_samples`.

    Output: audio `[batch, frames * hop]`.

    Raises:
        DdspError: If an argument is not as above; in a call, if inputs are missing, unknown or do not fit
            each other; where controls are rendered, if one is missing, unknown, not finite or too large.
    """

    def __init__(
        self,
        sample_rate: int,
        hop: int,
        center_ms: float = 15.0,
        depth_ms: float = 10.0,
        interpolation: str = "linear",
        add_dry: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(sample_rate, hop, **kwargs)
        self.center_ms = check_number("ModDelay", "center_ms", center_ms, 0, 10_000)
        self.depth_ms = check_number("ModDelay", "depth_ms", depth_ms, 0, self.center_ms)
        self.interpolation = check_choice("ModDelay", "interpolation", interpolation, INTERPOLATIONS)
        self.add_dry = check_boolean("ModDelay", "add_dry", add_dry)
        shortest = (self.center_ms - self.depth_ms) * sample_rate / 1000.0
        if interpolation == "cubic" and shortest < 1.0:
            raise DdspError(
                "ModDelay: with cubic interpolation center_ms - depth_ms must be at least one sample "
                f"({1000.0 / sample_rate:.3g} ms). Received: center_ms={center_ms!r}, depth_ms={depth_ms!r}"
            )

    @property
    def input_sizes(self) -> dict[str, int | None]:
        """Channels of each raw input by name."""
        return {"audio": AUDIO, "gain": 1, "delay": 1}

    @property
    def control_sizes(self) -> dict[str, ControlSize]:
        """Channels of each control by name."""
        return {"audio": AUDIO, "gain": 1, "delay_ms": 1}

    @property
    def max_delay_samples(self) -> int:
        """Length of the delay line."""
        return max(1, math.ceil((self.center_ms + self.depth_ms) * self.spec.sample_rate / 1000.0))

    @property
    def tail_samples(self) -> int:
        """How long the delay line still sounds."""
        return self.max_delay_samples + 1

    def get_controls(  # type: ignore[override]
        self, audio: tf.Tensor, gain: tf.Tensor, delay: tf.Tensor
    ) -> Tensors:
        """Scale the gain, and the delay to milliseconds."""
        delay_ms = self.center_ms + self.depth_ms * tf.tanh(delay)
        return {"audio": audio, "gain": exp_sigmoid(gain), "delay_ms": delay_ms}

    def render_block(
        self, controls: Tensors, state: ModDelayState | None = None
    ) -> tuple[tf.Tensor, ModDelayState]:
        """Render one block."""
        history, last_gain, last_delay = (None, None, None) if state is None else state
        audio, gain, delay_ms = controls["audio"], controls["gain"][..., 0], controls["delay_ms"][..., 0]
        delayed, history = fractional_delay(
            audio,
            self._delay_samples(delay_ms, last_delay),
            self.max_delay_samples,
            history,
            interpolation=self.interpolation,
        )
        wet = crossfade(gain, last_gain, self.spec.hop) * delayed
        output = audio + wet if self.add_dry else wet
        return output, ModDelayState(history, gain[:, -1], delay_ms[:, -1])

    def _delay_samples(self, delay_ms: tf.Tensor, before: tf.Tensor | None) -> tf.Tensor:
        """Delay of every sample, float64 `[batch, frames * hop]`; float32 would lose the fraction."""
        earlier = tf.cast(previous_frames(delay_ms, before), tf.float64)[..., tf.newaxis]
        later = tf.cast(delay_ms, tf.float64)[..., tf.newaxis]
        position = tf.range(self.spec.hop, dtype=tf.float64) / self.spec.hop
        delay = (earlier + (later - earlier) * position) * (self.spec.sample_rate / 1000.0)
        return tf.reshape(delay, [tf.shape(delay_ms)[0], -1])

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {
            **super().get_config(),
            "center_ms": self.center_ms,
            "depth_ms": self.depth_ms,
            "interpolation": self.interpolation,
            "add_dry": self.add_dry,
        }
