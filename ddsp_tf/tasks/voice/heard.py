"""What is heard of a run while it trains: a held-back passage, said again."""

from pathlib import Path

from ddsp_edge.units import Array
from ddsp_tf.tasks.voice.config import VoiceConfig
from ddsp_tf.tasks.voice.examples import VoiceExamples
from ddsp_tf.tasks.voice.model import Voice
from ddsp_tf.training.held_back_sound import SECONDS


class SaidAgain:
    """The beginning of the first passage held back; called with a model it gives what that makes of it.

    Args:
        config: The configuration.
        data: Folder of the dataset.

    Attributes:
        audio: The recording, float32 `[samples]` of full scale 1.
    """

    def __init__(self, config: VoiceConfig, data: Path) -> None:
        frames = config.spec.frames_for(min(SECONDS, config.data.passage_seconds))
        # Whoever trains was told of damage when the clips were read.
        examples = VoiceExamples(data, "validation", config, lambda _: None, frames)
        self._inputs, sound = examples.stack([examples.place(0, 0)])
        self.audio: Array = sound[0]

    def __call__(self, model: Voice) -> Array:
        """Say it with a model; float32 `[samples]`."""
        said: Array = model(self._inputs)[0].numpy()
        return said
