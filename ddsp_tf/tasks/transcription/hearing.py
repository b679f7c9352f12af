"""The model of a run as what a transcriber asks which notes there are."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from ddsp_edge.transcription.spectra import N_BINS, WINDOWS
from ddsp_edge.transcription.transcriber import LOOKAHEAD, LOWEST_MIDI, Transcriber
from ddsp_edge.transcription.transcriber import THRESHOLDS as ABOUT_THRESHOLDS
from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError
from ddsp_tf.tasks.transcription.config import TranscriptionConfig
from ddsp_tf.tasks.transcription.evaluation import COUNTS, THRESHOLDS
from ddsp_tf.tasks.transcription.model import Transcriber as Model
from ddsp_tf.training.evaluation import load_evaluation
from ddsp_tf.training.run import load_config_of_run

_AT_ONCE = 64  # frames, for which a graph is made once


class KerasNetwork:
    """Runs a model frame by frame, as `ddsp_edge.transcription.transcriber.Network`."""

    def __init__(self, model: Model) -> None:
        self._model, self._shapes = model, model.state_shapes
        signature = [
            tf.TensorSpec([None, N_BINS, len(WINDOWS)], tf.float32),
            [tf.TensorSpec(shape, tf.float32) for shape in self._shapes.values()],
        ]
        self._many = tf.function(self._frames, input_signature=signature)
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self._states = [tf.zeros(shape) for shape in self._shapes.values()]

    def process(self, *, spectra: Array) -> dict[str, Array]:
        """Spectra `[frames, 288, 2]` to `roll`, `[frames, pitches, 4]`."""
        rolls = []
        for start in range(0, len(spectra), _AT_ONCE):
            part = spectra[start : start + _AT_ONCE]
            roll, states = self._many(tf.constant(part, tf.float32), self._states)
            self._states = list(states)
            rolls.append(np.asarray(roll))
        return {"roll": np.concatenate(rolls)}

    def _frames(self, spectra: tf.Tensor, states: list[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
        count = tf.shape(spectra)[0]
        rolls = tf.TensorArray(tf.float32, count, element_shape=[self._model.pitches, 4])
        index = tf.constant(0)
        while index < count:
            out = self._model.step(spectra[index : index + 1], *states)
            rolls = rolls.write(index, out["roll"][0])
            states = [tf.ensure_shape(out[name], shape) for name, shape in self._shapes.items()]
            index += 1
        return rolls.stack(), states


def transcription_config(run: Path) -> TranscriptionConfig:
    """The configuration of a run of this task.

    Raises:
        DdspError: If the run is of another task.
    """
    config = load_config_of_run(run)
    if not isinstance(config, TranscriptionConfig):
        raise DdspError(f"{run} holds no transcriber; its task is {config.task}")
    return config


def about_run(run: Path) -> dict[str, Any]:
    """What a transcriber needs beside the network; default thresholds before `ddsp-tf evaluate` ran."""
    network = transcription_config(run).network
    return {
        LOWEST_MIDI: network.lowest_midi,
        LOOKAHEAD: network.lookahead_frames,
        ABOUT_THRESHOLDS: load_evaluation(run).get(THRESHOLDS, {}),
    }


def namer_arrays_of_run(run: Path, model: Model) -> dict[str, Array]:
    """What names notes, by a run and its model; `ddsp-tf evaluate` counts what was trained on."""
    return model.namer_arrays(load_evaluation(run).get(COUNTS, ()))


def transcriber_of_run(run: Path, model: Model) -> Transcriber:
    """A transcriber by a run and its model."""
    return Transcriber(KerasNetwork(model), about_run(run), load_config_of_run(run).spec)
