"""From a recording to controls: what an instrument would be told to play it."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ddsp_edge.files.audio_file import AudioReader
from ddsp_edge.transfer.settings import TransferSettings
from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError
from ddsp_tf.features.f0 import F0Estimator
from ddsp_tf.tasks.instrument.controls.controls import Controls
from ddsp_tf.tasks.instrument.model.autoencoder import Autoencoder
from ddsp_tf.tasks.instrument.model.render import Renderer
from ddsp_tf.tasks.instrument.tracking import mapping_for, tracked_passages

_KERAS = "keras."


def controls_of_recording(
    model: Autoencoder,
    estimator: F0Estimator,
    source: Path,
    *,
    progress: Callable[[float, float], None] = lambda done, total: None,
    **changes: Any,
) -> Controls:
    """Predict the controls of an instrument that plays a recording.

    Args:
        model: The model; of several instruments one that plays a mix of them (`Autoencoder.playing`).
        estimator: The pitch estimator.
        source: Any sound file of one voice.
        progress: Called with the seconds done and the seconds in all.
        **changes: Fields of `ddsp_edge.transfer.settings.TransferSettings`.

    Raises:
        DdspError: If the recording cannot be read or is shorter than a frame, a change is out of range, or
            the model listens to sound, or has processors whose weights are no controls.
    """
    if "audio" in model.feature_names:
        raise DdspError("the model listens to the recording itself: its controls are not had apart from it")
    processors = plain_group(model)
    settings = TransferSettings(**changes)
    mapping = mapping_for(model, settings)
    renderer = Renderer(model)
    frames: dict[str, list[Array]] = {}
    loudness: list[Array] = []
    lasting: dict[str, Array] = {}
    with AudioReader(source, model.spec.sample_rate) as reader:
        total = reader.n_samples / model.spec.sample_rate
        done = 0
        passages = (found for _, found in tracked_passages(model, estimator, reader))
        for f0_hz, loudness_db, _, further in mapping.process(passages):
            for controls in renderer.controls(f0_hz, loudness_db, **further):
                for node, values in controls.items():
                    for name, value in values.items():
                        if value.ndim == 3:
                            frames.setdefault(f"{node}.{name}", []).append(value[0])
                        else:
                            lasting[f"{node}.{name}"] = value
            loudness.append(np.asarray(loudness_db, np.float32))
            done += len(f0_hz)
            progress(model.spec.seconds(done), max(total, model.spec.seconds(done)))
    if not done:
        raise DdspError(f"{source} is too short: less than one frame ({model.spec.hop} samples)")
    joined = {name: np.concatenate(parts) for name, parts in frames.items()}
    return Controls(model.spec, processors, joined, np.concatenate(loudness), lasting)


def plain_group(model: Autoencoder) -> dict[str, Any]:
    """The processor group of a model as plain data.

    Raises:
        DdspError: If one of its nodes is a layer of Keras, whose weights are no controls.
    """
    config = model.processors.get_config()
    for node in config["nodes"]:
        if str(node["type"]).startswith(_KERAS):
            raise DdspError(
                f"node {node['name']!r} is {node['type']}, whose weights are no controls: such a sound "
                "cannot be rendered of controls alone"
            )
    return {key: config[key] for key in ("inputs", "nodes", "output")}


def with_lasting(controls: Controls, model: Autoencoder) -> Controls:
    """Controls with what lasts, the room among it, taken from a model.

    Raises:
        DdspError: If the model has other processors.
    """
    if plain_group(model)["nodes"] != controls.processors["nodes"]:
        raise DdspError("the run has other processors than the controls are for")
    frame = np.ones(1, np.float32)
    found = {
        f"{node}.{name}": value
        for values in Renderer(model).controls(220.0 * frame, -30.0 * frame)
        for node, named in values.items()
        for name, value in named.items()
        if value.ndim != 3
    }
    return dataclasses.replace(controls, lasting=found)
