"""The model of the task: what repeats itself in a sound to logits of pitches."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ddsp_edge.features.log_mel import N_MELS
from ddsp_edge.features.repetition import pitches_hz
from ddsp_tf.layers.band_normaliser import BandNormaliser
from ddsp_tf.layers.dilated_conv import DilatedConv
from ddsp_tf.layers.gru import GRU
from ddsp_tf.tasks.pitch.config import PitchConfig
from ddsp_tf.training.model import TaskModel
from ddsp_tf.training.step_network import StepNetwork

_KERNEL, _DILATIONS = 5, (1, 2)
_MEAN_SECONDS = 3.0  # that bands are heard against


@keras.saving.register_keras_serializable(package="ddsp_tf")
class PitchModel(TaskModel):
    """Repetitions and log-mel bands to logits of the pitches of a grid, and of none.

    Repetitions say where pitches may be, bands whether a sound is one that has any. Both go through a dense
    layer, two causal dilated convolutions, and a recurrent layer, which knows where the pitch was.

    Args:
        network: `channels`, `units` and `lookahead_frames`.
        f0_min_hz: Lowest pitch of the grid, Hz.
        f0_max_hz: Highest, Hz.
        frame_rate: Float, frames a second.
        facts: What belongs to the trained model beside its weights, plain data.

    Input: `{"repetition": [batch, frames, 2 * pitches], "log_mel": [batch, frames, 40]}`. Output: logits
    `[batch, frames, pitches + 1]` of the frame `lookahead_frames` before each, the last one that of no pitch.
    """

    def __init__(
        self,
        network: Mapping[str, int],
        f0_min_hz: float,
        f0_max_hz: float,
        frame_rate: float,
        facts: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.facts = dict(facts or {})
        self.f0_min_hz, self.f0_max_hz, self.frame_rate = f0_min_hz, f0_max_hz, frame_rate
        self.pitches_hz = pitches_hz(f0_min_hz, f0_max_hz)
        self.lookahead_frames = int(network["lookahead_frames"])
        self.channels = int(network["channels"])
        self._network = dict(network)
        self.normaliser = BandNormaliser(N_MELS, frame_rate, True, _MEAN_SECONDS, name="normaliser")
        self.entry = keras.layers.Dense(self.channels, "relu", name="entry")
        self.convolutions = [DilatedConv(_KERNEL, d, name=f"conv_{i}") for i, d in enumerate(_DILATIONS)]
        self.memory = GRU(int(network["units"]), return_sequences=True, return_state=True, name="memory")
        self.head = keras.layers.Dense(len(self.pitches_hz) + 1, name="pitches")

    @classmethod
    def from_experiment(cls, config: PitchConfig, facts: Mapping[str, Any]) -> "PitchModel":
        """Build the model that a configuration describes, with its weights."""
        keras.utils.set_random_seed(config.training.seed)
        model = cls(
            vars(config.network),
            config.data.f0_min_hz,
            config.data.f0_max_hz,
            float(config.spec.frame_rate),
            {"config": config.to_dict(), **facts},
            name="pitch",
        )
        model.build(None)
        return model

    @property
    def config(self) -> PitchConfig:
        """The configuration that it was trained by."""
        return PitchConfig.from_dict(self.facts["config"])  # type: ignore[return-value]

    @property
    def input_sizes(self) -> dict[str, int]:
        """Width of each input by name, in the order of `step`."""
        return {"repetition": 2 * len(self.pitches_hz), "log_mel": N_MELS}

    @property
    def input_specs(self) -> dict[str, tf.TensorSpec]:
        """Inputs of any batch and length."""
        sizes = self.input_sizes.items()
        return {name: tf.TensorSpec([None, None, size], tf.float32, name=name) for name, size in sizes}

    @property
    def state_shapes(self) -> dict[str, list[int]]:
        """Of what `step` carries, in its order."""
        normaliser = {name: [1, size] for name, size in self.normaliser.state_sizes.items()}
        before = {layer.name: [layer.reach, self.channels] for layer in self.convolutions}
        return {**normaliser, **before, "memory": [1, int(self._network["units"])]}

    def build(self, input_shape: Any) -> None:
        """Create the weights, once."""
        if self.entry.built:
            return
        self.normaliser.build(None)
        self.entry.build([None, 2 * len(self.pitches_hz) + 2 * N_MELS])
        for layer in self.convolutions:
            layer.build([None, None, self.channels])
        self.memory.build((None, None, self.channels))
        self.head.build([None, int(self._network["units"])])
        self.built = True

    def call(self, inputs: Mapping[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Logits of whole sounds."""
        bands, _ = self.normaliser(inputs["log_mel"])
        hidden = self.entry(tf.concat([inputs["repetition"], bands], axis=-1))
        for layer in self.convolutions:
            hidden = layer(hidden)
        hidden, _ = self.memory(hidden)
        return self.head(hidden)

    def step(self, repetition: tf.Tensor, log_mel: tf.Tensor, *states: tf.Tensor) -> dict[str, tf.Tensor]:
        """One frame, for export: `pitches` (logits), and the next states."""
        state = dict(zip(self.state_shapes, states, strict=True))
        own = {name: state[name] for name in self.normaliser.state_sizes}
        bands, after = self.normaliser.step(log_mel, own)
        after = dict(after)
        hidden = self.entry(tf.concat([repetition, bands], axis=-1))
        for layer in self.convolutions:
            hidden, after[layer.name] = layer.step(hidden, state[layer.name])
        hidden, _ = self.memory.cell(hidden, [state["memory"]])
        # The state is named apart from what goes on through the network: a tensor has one name.
        after["memory"] = hidden + 0.0
        return {"pitches": self.head(hidden), **after}

    def logits_of(self, features: Mapping[str, Any]) -> Any:
        """Logits of a whole sound, `[frames, pitches + 1]`, each frame where it belongs."""
        ahead = self.lookahead_frames
        late = {name: np.pad(values, ((0, ahead), (0, 0)), mode="edge") for name, values in features.items()}
        logits = self({name: values[np.newaxis] for name, values in late.items()})
        return np.asarray(logits)[0, ahead:]

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {
            **super().get_config(),
            "network": self._network,
            "f0_min_hz": self.f0_min_hz,
            "f0_max_hz": self.f0_max_hz,
            "frame_rate": self.frame_rate,
            "facts": self.facts,
        }

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Create the weights when a saved model is loaded."""
        self.build(None)


def network_of(model: PitchModel) -> StepNetwork:
    """The model as a stream: `repetition` and `log_mel` `[frames, size]` to `pitches`, their logits."""
    inputs = {name: [size] for name, size in model.input_sizes.items()}
    return StepNetwork(model.step, inputs, model.state_shapes, {"pitches": [len(model.pitches_hz) + 1]})
