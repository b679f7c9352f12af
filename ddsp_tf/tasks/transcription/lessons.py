"""What names notes learns first: from notes of many mixtures, each heard many times, before the first step.

A note costs a mixture and a fit to be heard, and next to nothing to be learned from. So the network that
names is not trained by the few notes of each step: notes of some thousand mixtures are fitted once.
"""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from ddsp_edge.transcription.harmonics import N_FEATURES
from ddsp_edge.transcription.names import NAMES
from ddsp_edge.units import Array
from ddsp_tf.tasks.transcription.config import TranscriptionConfig
from ddsp_tf.tasks.transcription.examples import MixtureExamples
from ddsp_tf.tasks.transcription.model import Transcriber

_BATCH = 256  # notes
_DROPOUT = 0.2
_RATE = 2e-3
_DECAY = 1e-2
_HEAVIEST = 10.0  # how many times the mean a note of a rare instrument counts at most
_STRIDE = 104_729  # a prime: draws of mixtures for naming are not those of the steps
_TOLD_EVERY = 500  # mixtures

Tell = Callable[[str], None]


class NamesFirst(keras.callbacks.Callback):
    """Trains what names notes before the first step of a run; one that goes on has it already.

    Args:
        config: The configuration.
        data: Folder of the dataset.
        tell: Told how far it is.
    """

    def __init__(self, config: TranscriptionConfig, data: Path, tell: Tell) -> None:
        super().__init__()
        self._config, self._data, self._tell = config, data, tell

    def on_train_begin(self, logs: object = None) -> None:
        """Train it."""
        model = self.model
        if not isinstance(model, Transcriber) or int(model.optimizer.iterations) > 0:
            return
        if self._config.naming.mixtures:
            features, names = notes_of_mixtures(self._config, self._data, self._tell)
            teach(model, features, names, self._config.naming.rounds, self._config.training.seed)


def notes_of_mixtures(
    config: TranscriptionConfig, data: Path, tell: Tell = lambda text: None
) -> tuple[Array, Array]:
    """Notes of training mixtures whose instruments are known.

    Args:
        config: The configuration; `naming.mixtures` says how many mixtures.
        data: Folder of the dataset.
        tell: Told how far it is.

    Returns:
        Features `[notes, 66]`, and numbers of instruments `[notes]`.
    """
    examples, count = MixtureExamples(data, "train", config), config.naming.mixtures
    passages = np.random.default_rng([config.training.seed, 14]).integers(0, len(examples.fitting()), count)
    features, names = [np.zeros((0, N_FEATURES), np.float32)], [np.zeros(0, np.int64)]
    for number, passage in enumerate(passages):
        if number % _TOLD_EVERY == 0:
            tell(f"who plays: notes of mixture {number} of {count}")
        clip = examples.draw(int(passage), config.training.seed, _STRIDE + number)
        found, who = examples.named_notes(clip)
        features.append(found)
        names.append(who)
    return np.concatenate(features), np.concatenate(names)


def teach(model: Transcriber, features: Array, names: Array, rounds: int, seed: int) -> None:
    """Train what names notes on notes, each instrument counting as much as another.

    Args:
        model: Whose `namer` is to learn.
        features: `[notes, 66]`.
        names: Numbers of instruments, `[notes]`.
        rounds: Integer, how often each note is heard.
        seed: Of its first weights and of the order of notes.
    """
    if not len(names):
        return
    keras.utils.set_random_seed(seed)
    learner = _learner(model)
    steps = rounds * -(-len(names) // _BATCH)
    learner.compile(
        keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(_RATE, steps), weight_decay=_DECAY),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    learner.fit(features, names, sample_weight=_balance(names), batch_size=_BATCH, epochs=rounds, verbose=0)
    learned = [layer for layer in learner.layers if isinstance(layer, keras.layers.Dense)]
    for layer, after in zip(model.namer, learned, strict=True):
        layer.set_weights(after.get_weights())


def _learner(model: Transcriber) -> keras.Sequential:
    """A network of the same sizes, with dropout: it is not to learn notes by heart."""
    layers: list[keras.layers.Layer] = [keras.layers.Input([N_FEATURES])]
    for units in model.namer_units:
        layers += [keras.layers.Dense(units, "relu"), keras.layers.Dropout(_DROPOUT)]
    return keras.Sequential([*layers, keras.layers.Dense(len(NAMES))])


def _balance(names: Array) -> Array:
    """How much each note counts: notes of all instruments as much, of the rarest a little less."""
    counts = np.bincount(names, minlength=len(NAMES))
    heavy = len(names) / np.maximum(counts, 1) / (counts > 0).sum()
    return np.asarray(np.minimum(heavy, _HEAVIEST)[names], np.float32)
