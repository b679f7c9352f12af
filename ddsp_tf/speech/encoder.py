"""The content encoder: log-mel bands to what is said, whoever says it."""

from typing import Any

import keras
import tensorflow as tf

from ddsp_edge.features.log_mel import N_MELS
from ddsp_tf.layers.band_normaliser import BandNormaliser
from ddsp_tf.layers.dilated_conv import DilatedConv
from ddsp_tf.layers.gru import GRU

DILATIONS = (1, 2, 4, 8)
KERNEL = 5
MEAN_SECONDS = 3.0
"""Time constant of the running means that bands are heard against: longer than a sung vowel."""

State = dict[str, tf.Tensor]


@keras.saving.register_keras_serializable(package="ddsp_tf")
class ContentEncoder(keras.layers.Layer):
    """Log-mel bands to a few numbers that tell the phone, by a bottleneck without room for a speaker.

    Bands re their running means and floors go through a dense layer, four causal dilated convolutions and a
    recurrent layer. What a linear layer of `content` channels makes of that is the content; phones are named
    from it by one more linear layer, which is all that training looks at. A frame that comes out speaks of
    the frame `lookahead_frames` before.

    Args:
        phones: Integer, phones that it tells apart.
        channels: Integer, channels of the convolutions.
        units: Integer, width of the recurrent layer.
        content: Integer, channels of the bottleneck.
        lookahead_frames: Integer, frames that it waits before it speaks of one.
        frame_rate: Float, frames a second.
        dropout: Float, share of the channels that are left out while it is trained.
        **kwargs: Of `keras.layers.Layer`.

    Input: `[batch, frames, 40]` of `ddsp_edge.features.log_mel`. Output: `content`,
    `[batch, frames, content]`.
    """

    def __init__(
        self,
        phones: int,
        channels: int,
        units: int,
        content: int,
        lookahead_frames: int,
        frame_rate: float,
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.phones, self.channels, self.units, self.content = phones, channels, units, content
        self.lookahead_frames, self.frame_rate, self.dropout = lookahead_frames, frame_rate, dropout
        self.normaliser = BandNormaliser(N_MELS, frame_rate, True, MEAN_SECONDS, name="normaliser")
        self.entry = keras.layers.Dense(channels, "relu", name="entry")
        self.convolutions = [DilatedConv(KERNEL, d, name=f"conv_{i}") for i, d in enumerate(DILATIONS)]
        self.memory = GRU(units, return_sequences=True, return_state=True, name="memory")
        self.bottleneck = keras.layers.Dense(content, name="bottleneck")
        self.head = keras.layers.Dense(phones, name="phones")
        self.drop = keras.layers.Dropout(dropout, noise_shape=(None, 1, channels))
        self.drop_last = keras.layers.Dropout(dropout)

    def build(self, input_shape: Any) -> None:
        """Create the weights, once."""
        if self.entry.built:
            return
        self.normaliser.build(None)
        self.entry.build([None, 2 * N_MELS])
        for layer in self.convolutions:
            layer.build([None, None, self.channels])
        self.memory.build((None, None, self.channels))
        self.bottleneck.build([None, self.units])
        self.head.build([None, self.content])
        self.built = True

    def call(self, log_mel: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Content of whole sounds."""
        return self.of_normalised(self.normaliser(log_mel)[0], training)

    def of_normalised(self, bands: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Content of bands as the normaliser gives them, `[batch, frames, 80]`."""
        hidden = self.drop(self.entry(bands), training=training)
        for layer in self.convolutions:
            hidden = layer(hidden)
        hidden, _ = self.memory(self.drop(hidden, training=training))
        return self.bottleneck(self.drop_last(hidden, training=training))

    def in_place(self, content: tf.Tensor) -> tf.Tensor:
        """Content of whole sounds, each frame where it belongs; the last ones hold what is known last."""
        ahead = self.lookahead_frames
        return tf.concat([content[:, ahead:], tf.repeat(content[:, -1:], ahead, axis=1)], 1)

    def logits(self, content: tf.Tensor) -> tf.Tensor:
        """Logits of phones, of content."""
        return self.head(content)

    @property
    def state_shapes(self) -> dict[str, list[int]]:
        """Of what `step` carries."""
        normaliser = {name: [1, size] for name, size in self.normaliser.state_sizes.items()}
        before = {layer.name: [layer.reach, self.channels] for layer in self.convolutions}
        return {**normaliser, **before, "memory": [1, self.units]}

    def step(self, log_mel: tf.Tensor, state: State) -> tuple[tf.Tensor, State]:
        """One frame `[1, 40]` with the states by name: its content `[1, content]`, and the next states."""
        bands, after = self.step_normaliser(log_mel, state)
        content, further = self.step_normalised(bands, state)
        return content, {**after, **further}

    def step_normaliser(self, log_mel: tf.Tensor, state: State) -> tuple[tf.Tensor, State]:
        """The first part of a step: bands re their means and floors `[1, 80]`, and its next states."""
        own = {name: state[name] for name in self.normaliser.state_sizes}
        bands, after = self.normaliser.step(log_mel, own)
        return bands, dict(after)

    def step_normalised(self, bands: tf.Tensor, state: State) -> tuple[tf.Tensor, State]:
        """The rest of it."""
        after: State = {}
        hidden = self.entry(bands)
        for layer in self.convolutions:
            hidden, after[layer.name] = layer.step(hidden, state[layer.name])
        hidden, _ = self.memory.cell(hidden, [state["memory"]])
        # The state is named apart from what goes on through the network: a tensor has one name.
        after["memory"] = hidden + 0.0
        return self.bottleneck(hidden), after

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {
            **super().get_config(),
            "phones": self.phones,
            "channels": self.channels,
            "units": self.units,
            "content": self.content,
            "lookahead_frames": self.lookahead_frames,
            "frame_rate": self.frame_rate,
            "dropout": self.dropout,
        }

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Create the weights when a saved layer is loaded."""
        self.build(None)
