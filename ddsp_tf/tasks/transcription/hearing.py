"""The model of a run as what a transcriber asks which notes there are."""

from pathlib import Path
from typing import Any

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
from ddsp_tf.training.step_network import StepNetwork


def network_of(model: Model) -> StepNetwork:
    """Its network as a stream: `spectra` `[frames, 288, 2]` to `roll`, `[frames, pitches, 4]`."""
    inputs, outputs = {"spectra": [N_BINS, len(WINDOWS)]}, {"roll": [model.pitches, 4]}
    return StepNetwork(model.step, inputs, model.state_shapes, outputs)


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
    return Transcriber(network_of(model), about_run(run), load_config_of_run(run).spec)
