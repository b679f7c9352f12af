"""What is heard of a run while it trains: a held-back passage, and what the model makes of it."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import keras

from ddsp_tf.frames import FrameSpec
from ddsp_tf.tasks.instrument.model.autoencoder import Autoencoder
from ddsp_tf.tasks.instrument.model.render import Renderer, part_of
from ddsp_tf.tasks.instrument.reference import load_reference
from ddsp_tf.training.sounds import SoundPlace

SECONDS = 5.0  # of sound, every epoch


class HeldBackSound(keras.callbacks.Callback):
    """Hand out the recording once, and its resynthesis after every epoch.

    The noise of training is not touched: a run with it and one without are the same.

    Args:
        run: The run folder, with its held-back sound.
        spec: The frame grid.
        places: Where the sounds go.
    """

    def __init__(self, run: Path, spec: FrameSpec, places: Sequence[SoundPlace]) -> None:
        super().__init__()
        self.places = places
        frames = spec.frames_for(SECONDS)
        reference = load_reference(run, spec)
        told = {**reference.features, "audio": reference.audio}
        if reference.instrument is not None:
            told["instrument"] = reference.instrument
        self.features = part_of(told, 0, frames, spec.hop)
        self._renderer: Renderer | None = None

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Hand out the recording."""
        if self._renderer is not None:  # a part of a run that is fitted in parts
            return
        for place in self.places:
            place.recording(self.features["audio"])

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Hand out the resynthesis."""
        self._renderer = self._renderer or Renderer(self.model)
        self._renderer.reset()
        with _noise_untouched(self.model):
            audio = self._renderer.render(**{name: self.features[name] for name in self.model.feature_names})
        for place in self.places:
            place.resynthesis(audio, epoch)


@contextlib.contextmanager
def _noise_untouched(model: Autoencoder) -> Iterator[None]:
    """Put the generators of noise back where they were."""
    generators = [
        processor.seed_generator
        for processor in model.processors.processors.values()
        if hasattr(processor, "seed_generator")
    ]
    before = [generator.state.numpy() for generator in generators]
    try:
        yield
    finally:
        for generator, state in zip(generators, before, strict=True):
            generator.state.assign(state)
