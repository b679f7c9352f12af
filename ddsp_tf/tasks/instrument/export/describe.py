"""What goes into a model's card: everything that is known of it before anything is measured."""

import dataclasses
import datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ddsp_edge.card import Port, Range
from ddsp_edge.features.level import DEFINITIONS
from ddsp_edge.instrument_card import (
    FEATURE_SCALING,
    InstrumentCard,
    further_scaling,
    instrument_extractors,
    instrument_inputs,
    instrument_states,
)
from ddsp_edge.units import Array
from ddsp_tf.data.instruments import parse_mix
from ddsp_tf.errors import DdspError
from ddsp_tf.layers.processor_group import ProcessorGroup
from ddsp_tf.tasks.instrument.export.endpoints import VoiceSynthesis, output_name
from ddsp_tf.tasks.instrument.model.autoencoder import FEATURES, Autoencoder
from ddsp_tf.tasks.instrument.model.load import load_instrument
from ddsp_tf.training.files import CHECKPOINTS_NAME, model_path

ROOM = "Reverb"
"""What devices call a room, however its impulse response was learned."""
DEVICE_ROOMS = (ROOM, "Room")
DEVICE_PROCESSORS = ("Harmonic", "FilteredNoise", "Add", "Mix", *DEVICE_ROOMS)
_MEANINGS = {
    ("Harmonic", "amplitude"): "linear amplitude of all harmonics together, 0 to 2",
    ("Harmonic", "distribution"): "share of each harmonic, adding up to 1; 0 above Nyquist",
    ("FilteredNoise", "magnitudes"): "linear gain at frequencies from 0 Hz to Nyquist, 0 to 2",
    ("Mix", "level"): "share of the first signal, 0 to 1",
}


def load_to_export(run: Path, instrument: str | None = None, *, dry: bool = False) -> Autoencoder:
    """Load the model of a run as a device is to play it.

    Args:
        run: The run folder.
        instrument: Of a model of several: one of them, or a mix, such as `"flute=0.5,violin=0.5"`.
        dry: Whether the rooms are left out.

    Returns:
        The model, which plays one instrument, or one mix.

    Raises:
        DdspError: If the run has no model, or one whose weights are not finite, or the instrument is not one
            of its, or is not named.
    """
    model = load_instrument(run)
    _check_weights(model, run)
    names = model.instrument_names
    if instrument is not None:
        model = model.playing(parse_mix(instrument, names))
    elif names and model.mix is None:
        raise DdspError(
            f"{run} plays several instruments, a file for devices one of them or one mix: name it, such as "
            f"--instrument {names[0]} or --instrument {names[0]}=0.5,{names[-1]}=0.5, of {', '.join(names)}"
        )
    return without_rooms(model) if dry else model


def _check_weights(model: Autoencoder, run: Path) -> None:
    """Refuse a model that has come apart in training, by the names of its weights."""
    bad = [
        weight.path for weight in model.weights if not np.isfinite(keras.ops.convert_to_numpy(weight)).all()
    ]
    if bad:
        more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
        raise DdspError(
            f"the model of {run} has weights that are not finite ({bad[0]}{more}): put an earlier checkpoint "
            f"of {run / CHECKPOINTS_NAME} in the place of {model_path(run, model.task_name)}, or train it "
            "anew"
        )


def describe(model: Autoencoder, play: bool = False) -> tuple[InstrumentCard, dict[str, Array]]:
    """Build a model's card and collect the arrays that its synthesizer needs.

    Args:
        model: The trained model.
        play: Whether the synthesizer is a part of the model file's graph.

    Returns:
        The card, and the arrays by name.

    Raises:
        DdspError: If the model uses a processor that devices do not have, hears more than they give it, or
            was not trained on a dataset.
    """
    model.require_pitch_and_loudness_only()
    nodes: list[dict[str, Any]] = []
    arrays: dict[str, Array] = {}
    outputs: dict[str, Port] = {}
    node_names = [node.name for node in model.processors.nodes]
    for node in model.processors.nodes:
        if node.type not in DEVICE_PROCESSORS:
            raise DdspError(
                f"node {node.name!r} is a {node.type}, which devices cannot run; "
                f"they have {', '.join(DEVICE_PROCESSORS)}"
            )
        kind, config = node.type, dict[str, Any]()
        if node.type == "Harmonic":
            config["n_harmonics"] = model.processors.processors[node.name].n_harmonics
        elif node.type == "FilteredNoise":
            config["n_bands"] = model.processors.processors[node.name].n_bands
        elif node.type in DEVICE_ROOMS:
            kind = ROOM
            config["impulse_response"] = name = f"{node.name}_impulse_response"
            response = np.asarray(model.processors.processors[node.name].impulse_response, np.float32)
            arrays[name] = response if node.type == ROOM else _without_end(response)
        inputs = {}
        for control, source in node.inputs.items():
            if source in node_names or source == "f0_hz":
                inputs[control] = source
            elif source in FEATURES:
                raise DdspError(f"node {node.name!r} takes {source}, which devices do not pass to processors")
            else:
                meaning = _MEANINGS.get((node.type, control))
                size = model.processors.processors[node.name].input_sizes[control]
                if meaning is None or not isinstance(size, int):
                    raise DdspError(
                        f"node {node.name!r} ({node.type}) is given {control}, which devices do not do"
                    )
                inputs[control] = output = output_name(node.name, control)
                outputs[output] = Port((1, size), meaning)
        nodes.append({"name": node.name, "type": kind, "config": config, "inputs": inputs})
    known = model.instrument
    level_range = f"{model.level}_db_range"
    missing = [k for k in ("config", "f0_estimator", "f0_hz_range", level_range) if k not in known]
    if missing:
        raise DdspError(f"the model does not know its {', '.join(missing)}: train it with `ddsp-tf train`")
    definition = known["loudness"] if model.level == "loudness" else DEFINITIONS[model.level]
    usual = model.usual
    if lost := [name for name in model.further if name not in usual]:
        raise DdspError(
            f"the model does not know what its {', '.join(lost)} usually is: train it with `ddsp-tf train`"
        )
    scaling = {**FEATURE_SCALING, **further_scaling(model.further)}
    state_shapes = {name: [1, size] for name, size in model.decoder.state_sizes.items()}
    card = InstrumentCard(
        name=known["config"]["name"],
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        sample_rate=model.spec.sample_rate,
        hop=model.spec.hop,
        inputs=instrument_inputs(scaling),
        outputs=outputs,
        states=instrument_states(state_shapes),
        extractors=instrument_extractors(known["f0_estimator"], definition, model.further, model.level),
        feature_scaling=scaling,
        f0_estimator=known["f0_estimator"],
        loudness=definition,
        level=model.level,
        f0_hz_range=Range(**known["f0_hz_range"]),
        loudness_db_range=Range(**known[level_range]),
        state_shapes=state_shapes,
        synthesizer={"nodes": nodes, "output": model.processors.output_name},
        config=known["config"],
        mix=model.mix or {},
        further=usual,
    )
    if play:
        from ddsp_export.graph import SynthesizerGraph

        states = SynthesizerGraph(card.spec, card.synthesizer, arrays).states
        shapes = {name: [1, size] for name, size in states.items()}
        voice = VoiceSynthesis.of(card.spec, card.synthesizer, arrays).describe(model.decoder.state_sizes)
        card = dataclasses.replace(card, synthesis_state_shapes=shapes, voice=voice)
    return card, arrays


def _without_end(impulse_response: Array) -> Array:
    """An impulse response without the zeros that it ends with, as that of a dry `Room` does."""
    return impulse_response[: max(1, len(np.trim_zeros(impulse_response, "b")))]


def without_rooms(model: Autoencoder) -> Autoencoder:
    """The same instrument, with the same weights, without its reverbs: what they take goes past them."""
    group = model.processors
    past = {node.name: node.inputs["audio"] for node in group.nodes if node.type in DEVICE_ROOMS}

    def source(name: str) -> str:
        while name in past:
            name = past[name]
        return name

    nodes = [
        {
            "name": node.name,
            "type": node.type,
            "config": node.config,
            "inputs": {control: source(given) for control, given in node.inputs.items()},
        }
        for node in group.nodes
        if node.name not in past
    ]
    dry = ProcessorGroup(
        group.spec.sample_rate,
        group.spec.hop,
        inputs=list(group.input_sizes),
        nodes=nodes,
        output=source(group.output_name),
        name=group.name,
    )
    config = {**model.get_config(), "processors": keras.saving.serialize_keras_object(dry)}
    copy = type(model).from_config(config)
    copy.build(copy.input_shapes)
    for part in ("decoder", "encoder", "embedding"):
        if getattr(model, part, None) is not None:
            getattr(copy, part).set_weights(getattr(model, part).get_weights())
    return copy
