"""What is heard of a run while it trains: a held-back passage, played again."""

from pathlib import Path

from ddsp_edge.units import Array
from ddsp_tf.frames import FrameSpec
from ddsp_tf.tasks.instrument.model.autoencoder import Autoencoder
from ddsp_tf.tasks.instrument.model.render import Renderer, part_of
from ddsp_tf.tasks.instrument.reference import load_reference
from ddsp_tf.training.held_back_sound import SECONDS


class Resynthesis:
    """The beginning of a run's held-back sound; called with a model it gives what that makes of it.

    Args:
        run: The run folder.
        spec: The frame grid.

    Attributes:
        audio: The recording, float32 `[samples]` of full scale 1.
    """

    def __init__(self, run: Path, spec: FrameSpec) -> None:
        reference = load_reference(run, spec)
        told = {**reference.features, "audio": reference.audio}
        if reference.instrument is not None:
            told["instrument"] = reference.instrument
        self._features = part_of(told, 0, spec.frames_for(SECONDS), spec.hop)
        self.audio: Array = self._features["audio"]
        self._renderer: Renderer | None = None

    def __call__(self, model: Autoencoder) -> Array:
        """Play it on a model, always the same one; float32 `[samples]`."""
        self._renderer = self._renderer or Renderer(model)
        self._renderer.reset()
        return self._renderer.render(**{name: self._features[name] for name in model.feature_names})
