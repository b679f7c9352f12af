"""What is heard of a run while it trains: a held-back sound, and what the model makes of it."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras

from ddsp_edge.units import Array
from ddsp_tf.layers.processor_group import ProcessorGroup
from ddsp_tf.training.sounds import SoundPlace

SECONDS = 5.0  # of sound, every epoch


class HeldBackSound(keras.callbacks.Callback):
    """Hand out a sound once, and what the model makes of it after every epoch.

    The noise of training is not touched: a run with it and one without are the same.

    Args:
        given: The sound, `[samples]`.
        played: Gives what a model makes of it, `[samples]`.
        places: Where the sounds go.
    """

    def __init__(self, given: Array, played: Callable[[Any], Array], places: Sequence[SoundPlace]) -> None:
        super().__init__()
        self.given, self.played, self.places = given, played, places
        self._began = False

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Hand out the sound."""
        if self._began:  # a part of a run that is fitted in parts
            return
        self._began = True
        for place in self.places:
            place.recording(self.given)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Hand out what the model makes of it."""
        with _noise_untouched(self.model.processors):
            audio = self.played(self.model)
        for place in self.places:
            place.resynthesis(audio, epoch)


@contextlib.contextmanager
def _noise_untouched(group: ProcessorGroup) -> Iterator[None]:
    """Put the generators of noise back where they were."""
    generators = [
        processor.seed_generator
        for processor in group.processors.values()
        if hasattr(processor, "seed_generator")
    ]
    before = [generator.state.numpy() for generator in generators]
    try:
        yield
    finally:
        for generator, state in zip(generators, before, strict=True):
            generator.state.assign(state)
