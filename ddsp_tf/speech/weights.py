"""The weights of a content encoder in a model file, so that it can be trained through, frozen."""

from pathlib import Path
from typing import Any

import numpy as np

from ddsp_edge.model.file import ModelFile, read_model_file
from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError
from ddsp_tf.speech.encoder import ContentEncoder

TASK = "content"
SETTINGS = "encoder"
"""Of a card's `about`: the settings of the encoder, as its constructor takes them."""
_STEPS = "_steps"
_MOST = 127.0


def encoder_arrays(encoder: ContentEncoder) -> dict[str, Array]:
    """The weights as whole numbers of -127 to 127 and the size of their steps, by name.

    A matrix has a size for each of its columns, so that nothing is lost that a file of integers would keep.
    """
    arrays: dict[str, Array] = {}
    for name, value in _named(encoder).items():
        weights = np.asarray(value)
        if weights.ndim < 2:
            arrays[name] = weights
            continue
        steps = np.maximum(np.abs(weights).max(axis=tuple(range(weights.ndim - 1))), 1e-9) / _MOST
        arrays[name] = np.asarray(np.rint(weights / steps), np.float32)
        arrays[name + _STEPS] = np.asarray(steps, np.float32)
    return arrays


def encoder_of_file(path: str | Path) -> ContentEncoder:
    """Make the encoder of a model file, with its weights, not to be trained.

    Raises:
        DdspError: If the file cannot be read, is of another task, or does not hold the weights.
    """
    file: ModelFile[Any] = read_model_file(path)
    if file.card.task != TASK:
        raise DdspError(f"{path} holds a model of the task {file.card.task!r}, not a content encoder")
    settings = file.card.about.get(SETTINGS)
    try:
        encoder = ContentEncoder(**{**settings, "dropout": 0.0}, name="encoder")
    except (TypeError, ValueError) as error:
        raise DdspError(f"{path}: its card does not tell the settings of its encoder") from error
    encoder.build(None)
    for name, variable in _named(encoder).items():
        if name not in file.arrays or file.arrays[name].shape != tuple(variable.shape):
            raise DdspError(f"{path} does not hold the weights {name}: export it again")
        steps = file.arrays.get(name + _STEPS)
        variable.assign(file.arrays[name] if steps is None else file.arrays[name] * steps)
    encoder.trainable = False
    return encoder


def _named(encoder: ContentEncoder) -> dict[str, Any]:
    """The variables by layer and name."""
    layers = [encoder.entry, *encoder.convolutions, encoder.memory, encoder.bottleneck, encoder.head]
    return {
        f"{layer.name}_{variable.name}": variable for layer in layers for variable in layer.trainable_weights
    }
