"""Restoring files with a model that was trained, by the code of devices around the Keras network."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from ddsp_edge.restoration.files import RestoreReport, restore_file
from ddsp_edge.restoration.restorer import Restorer
from ddsp_edge.units import Array
from ddsp_tf.tasks.restoration.model.model import Restoration


class KerasNetwork:
    """The network of a model as a stream, see `ddsp_edge.restoration.restorer.Network`.

    Args:
        model: The model.
    """

    def __init__(self, model: Restoration) -> None:
        self._sizes = model.state_sizes
        states = {name: tf.TensorSpec([1, size], tf.float32) for name, size in self._sizes.items()}
        signature = [tf.TensorSpec([1, None, model.bands.count], tf.float32), states]
        self._run = tf.function(model.network, input_signature=signature, autograph=False)
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._state: dict[str, Any] = {
            name: np.zeros((1, size), np.float32) for name, size in self._sizes.items()
        }

    def process(self, *, log_power: npt.ArrayLike) -> dict[str, Array]:
        """Gains of frames that follow those before."""
        frames = np.asarray(log_power, np.float32)[np.newaxis]
        state = {name: tf.constant(value) for name, value in self._state.items()}
        gains, self._state = self._run(tf.constant(frames), state)
        return {"gains": gains.numpy()[0]}


def restorer_of(
    model: Restoration, sample_rate: int | None = None, channels: int = 1, strength: float = 1.0
) -> Restorer:
    """What restores streams with a model; arguments are those of `Restorer`."""
    return Restorer(KerasNetwork(model), model.bands, sample_rate, channels, strength)


def restore(
    model: Restoration,
    source: Path,
    out: Path,
    *,
    strength: float = 1.0,
    stems: bool = False,
    progress: Callable[[float, float], None] | None = None,
) -> RestoreReport:
    """Restore a sound file, see `ddsp_edge.restoration.files.restore_file`."""
    return restore_file(
        lambda rate, channels: restorer_of(model, rate, channels, strength),
        source,
        out,
        stems=stems,
        progress=progress,
    )
