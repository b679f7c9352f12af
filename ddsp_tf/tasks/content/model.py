"""The model of the task: the content encoder, trained to name phones."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from ddsp_edge.features.log_mel import N_MELS
from ddsp_tf.speech.encoder import ContentEncoder
from ddsp_tf.tasks.content.config import ContentConfig
from ddsp_tf.tasks.content.phones import PHONES
from ddsp_tf.training.model import TaskModel

_SMALL = 1e-3  # weight of the mean square of the content: keeps its channels near 1


@keras.saving.register_keras_serializable(package="ddsp_tf")
class ContentModel(TaskModel):
    """Log-mel bands to logits of phones.

    Args:
        encoder: Settings of the encoder, as its constructor takes them.
        facts: What belongs to the trained model beside its weights, plain data.

    Input: `{"log_mel": [batch, frames, 40]}`. Output: logits `[batch, frames, phones]` of the phone
    `lookahead_frames` before each frame.
    """

    def __init__(
        self, encoder: Mapping[str, Any], facts: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.facts = dict(facts or {})
        self.encoder = ContentEncoder(**encoder, name="encoder")
        self._settings = dict(encoder)

    @classmethod
    def from_experiment(cls, config: ContentConfig, facts: Mapping[str, Any]) -> "ContentModel":
        """Build the model that a configuration describes, with its weights."""
        keras.utils.set_random_seed(config.training.seed)
        settings = {
            **vars(config.network),
            "phones": len(PHONES),
            "frame_rate": float(config.spec.frame_rate),
        }
        model = cls(settings, {"config": config.to_dict(), **facts}, name="content")
        model.build(None)
        return model

    @property
    def input_specs(self) -> dict[str, tf.TensorSpec]:
        """Log-mel bands, of any batch and length."""
        return {"log_mel": tf.TensorSpec([None, None, N_MELS], tf.float32, name="log_mel")}

    @property
    def input_sizes(self) -> dict[str, int]:
        """Width of each input of `step` by name."""
        return {"log_mel": N_MELS}

    @property
    def state_shapes(self) -> dict[str, list[int]]:
        """Of what `step` carries, in its order."""
        return self.encoder.state_shapes

    def build(self, input_shape: Any) -> None:
        """Create the weights."""
        self.encoder.build(None)
        self.built = True

    def call(self, inputs: Mapping[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Logits of whole sounds."""
        content = self.encoder(inputs["log_mel"], training=training)
        if training:
            self.add_loss(_SMALL * tf.reduce_mean(tf.square(content)))
        return self.encoder.logits(content)

    def step(self, log_mel: tf.Tensor, *states: tf.Tensor) -> dict[str, tf.Tensor]:
        """One frame, for export: `content`, `phones` (logits), and the next states."""
        before = dict(zip(self.encoder.state_shapes, states, strict=True))
        content, after = self.encoder.step(log_mel, before)
        return {"content": content, "phones": self.encoder.logits(content), **after}

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {**super().get_config(), "encoder": self._settings, "facts": self.facts}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Create the weights when a saved model is loaded."""
        self.build(None)
