"""A run made of a file of DDSP-VST: its weights in our network, and what a run keeps of its training data.

Of the training data nothing is left but two ranges. In its place a run keeps what the instrument itself plays
of glides over its pitches with swells over its levels.
"""

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ddsp_edge.features.loudness import DEFINITION, loudness_db
from ddsp_edge.instrument import Instrument
from ddsp_edge.instrument_card import InstrumentCard
from ddsp_edge.model.file import read_instrument_file
from ddsp_edge.model.vst import SAMPLE_RATE, vst_ports
from ddsp_edge.units import Array, midi_to_hz
from ddsp_tf.config import load_config
from ddsp_tf.errors import DdspError
from ddsp_tf.frames import FrameSpec
from ddsp_tf.tasks.instrument.config import InstrumentConfig
from ddsp_tf.tasks.instrument.excerpts import EXCERPT_SECONDS, EXCERPTS, EXCERPTS_NAME
from ddsp_tf.tasks.instrument.importing.flat_graph import flat_graph
from ddsp_tf.tasks.instrument.importing.vst_weights import Stack, VstWeights, find_weights
from ddsp_tf.tasks.instrument.model.autoencoder import Autoencoder
from ddsp_tf.tasks.instrument.model.gru_decoder import GruDecoder
from ddsp_tf.tasks.instrument.reference import REFERENCE_NAME, REFERENCE_SECONDS
from ddsp_tf.training.checkpoints import TrainingState, save_checkpoint
from ddsp_tf.training.kept import save_kept
from ddsp_tf.training.run import make_run_folder, refuse_used_folder, writing

CONFIG = "ddsp_vst"
BOUND = 1e-4
"""Largest difference allowed in any control between the file and our model: rounding, carried on."""
CHECKED_FRAMES = 500
_FADES_HZ = 0.02 * SAMPLE_RATE / 2  # below Nyquist, in which we fade what the plug-in cuts off
_GLIDE_SECONDS, _SWELL_SECONDS = 7.0, 1.7  # in no simple ratio: each level meets each pitch


@dataclasses.dataclass(frozen=True)
class Imported:
    """What was found when a file was imported.

    Args:
        run: The run folder.
        control_error_max: Largest difference of any control from the file.
        fade_error_max: The same of shares of harmonics in frames in which one lies within 2 % below 8 kHz:
            we fade it there, the plug-in does not.
        frames: How many were compared.
    """

    run: Path
    control_error_max: float
    fade_error_max: float
    frames: int


def import_vst(
    path: Path, run: Path, *, name: str | None = None, progress: Callable[[str], None] = lambda text: None
) -> Imported:
    """Make a run of a file of DDSP-VST.

    Args:
        path: The file.
        run: The run folder to write.
        name: What the instrument is called; None for the name of the file.
        progress: Called with a few words before each stage.

    Returns:
        How near the model is to the file.

    Raises:
        DdspError: If it is no file of DDSP-VST, its network is another one, the model does not give what the
            file gives, or the folder holds a run or cannot be written. Nothing is written then.
    """
    config = load_config(CONFIG)
    if not isinstance(config, InstrumentConfig):
        raise TypeError(f"the configuration {CONFIG} must be one of an instrument")
    file = read_instrument_file(path)
    if vst_ports(file.model) is None:
        raise DdspError(f"{path} is not a file of the plug-in DDSP-VST: those are imported, ours are played")
    with writing(run, new=True):
        refuse_used_folder(run)
        progress("looking for the weights")
        try:
            weights = find_weights(flat_graph(file.model))
        except DdspError as error:
            raise DdspError(f"{path}: {error}") from error
        config = dataclasses.replace(config, name=name or file.card.name)
        model = _model(config, file.card, weights, hashlib.sha256(path.read_bytes()).hexdigest())
        progress("comparing what both give")
        instrument = Instrument(path, seed=0)
        found = _compare(model, instrument, path, run)
        progress("playing glides and swells")
        reference, excerpts = _reference(instrument), _excerpts(instrument)
        make_run_folder(run, config)
        save_kept(run / REFERENCE_NAME, reference)
        save_kept(run / EXCERPTS_NAME, excerpts)
        save_checkpoint(model, run, TrainingState(0), keep=1)  # last: with it the folder is a run
    return found


def _model(config: InstrumentConfig, card: InstrumentCard, weights: VstWeights, sha256: str) -> Autoencoder:
    """The model, with its weights, and what is known of its training data."""
    facts: dict[str, Any] = {
        "f0_estimator": card.f0_estimator,
        "loudness": DEFINITION,
        "f0_hz_range": vars(card.f0_hz_range),
        "power_db_range": vars(card.loudness_db_range),
        "imported": {**card.about.get("ddsp_vst", {}), "sha256": sha256},
    }
    model = Autoencoder.from_experiment(config, facts)
    decoder = model.decoder
    if not isinstance(decoder, GruDecoder):
        raise TypeError(f"the configuration {CONFIG} must have a GruDecoder")
    for stack, found in (
        (decoder.input_stacks["f0_scaled"], weights.f0),
        (decoder.input_stacks["loudness_scaled"], weights.level),
        (decoder.output_stack, weights.output),
    ):
        _fill(stack, found)
    decoder.head.set_weights([weights.head.kernel, weights.head.bias])
    biases = np.stack([weights.inputs.bias, weights.recurrent.bias])
    decoder.gru.set_weights([weights.inputs.kernel, weights.recurrent.kernel, biases])
    return model


def _fill(stack: Any, found: Stack) -> None:
    stack.dense[0].set_weights([found.dense.kernel, found.dense.bias])
    stack.norms[0].set_weights([found.gamma, found.beta])


def _compare(model: Autoencoder, instrument: Instrument, path: Path, run: Path) -> Imported:
    """Give both the same frames: pitches from the lowest note to 7.9 kHz, levels from silence to full scale.

    Raises:
        DdspError: If they do not give the same.
    """
    rng = np.random.default_rng(0)
    turns = np.arange(CHECKED_FRAMES) / CHECKED_FRAMES
    f0_hz = midi_to_hz(59.5 - 59.5 * np.cos(2 * np.pi * 3 * turns)).astype(np.float32)
    power_db = (-40.0 - 45.0 * np.cos(2 * np.pi * 7 * turns) + rng.normal(0.0, 3.0, len(turns))).astype(
        np.float32
    )
    given = instrument.controls(f0_hz, power_db)
    controls = model.get_controls(
        {"f0_hz": tf.constant(f0_hz[None, :, None]), "loudness_db": tf.constant(power_db[None, :, None])}
    )
    ours = {
        name: keras.ops.convert_to_numpy(controls[node][name])[0]
        for node, name in (("harmonic", "amplitude"), ("harmonic", "distribution"), ("noise", "magnitudes"))
    }
    errors = {name: np.abs(values - given[name]).max(axis=1) for name, values in ours.items()}
    harmonics_hz = f0_hz[:, None].astype(float) * np.arange(1, ours["distribution"].shape[1] + 1)
    nyquist = model.spec.sample_rate / 2
    fades = ((harmonics_hz > nyquist - _FADES_HZ) & (harmonics_hz < nyquist + 1.0)).any(axis=1)
    fade_error = float(errors["distribution"][fades].max(initial=0.0))
    errors["distribution"] = errors["distribution"][~fades]
    worst = max(errors, key=lambda name: float(errors[name].max(initial=0.0)))
    error = float(errors[worst].max(initial=0.0))
    if not error <= BOUND:
        raise DdspError(
            f"{path}: with its weights our network gives another {worst}, by {error:.3g} where {BOUND:g} is "
            "allowed: what stands between the weights is not what the trainer of DDSP-VST puts there. A file "
            "that `ddsp-tf export` made of a run trained here cannot be imported: go on with its run"
        )
    return Imported(run, error, fade_error, CHECKED_FRAMES)


def _played(
    instrument: Instrument, seconds: float, turn: float, ends: bool = False
) -> tuple[Array, Array, Array]:
    """Glides and swells over all that the card tells: f0, power, and what the instrument plays of them.

    Args:
        instrument: It.
        seconds: How long.
        turn: 0 to 1, where they begin.
        ends: Whether the first two frames are the ends of both ranges.
    """
    card, spec = instrument.card, instrument.spec
    times = np.arange(spec.frames_for(seconds)) * spec.hop / spec.sample_rate
    pitch, level = card.f0_hz_range, card.loudness_db_range
    f0_hz = pitch.low * (pitch.high / pitch.low) ** _there_and_back(times / _GLIDE_SECONDS + turn)
    power = level.low + (level.high - level.low) * _there_and_back(times / _SWELL_SECONDS + 0.5 * turn)
    f0_hz, power = f0_hz.astype(np.float32), power.astype(np.float32)
    if ends:
        f0_hz[:2], power[:2] = (pitch.low, pitch.high), (level.low, level.high)
    instrument.reset()
    return f0_hz, power, instrument.process(f0_hz, power)


def _there_and_back(turns: Array) -> Array:
    """From 0 to 1 and back in each turn."""
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * turns))


def _reference(instrument: Instrument) -> dict[str, Array]:
    """What export measures a file against."""
    f0_hz, power, audio = _played(instrument, REFERENCE_SECONDS, 0.0)
    return {"f0_hz": f0_hz, "loudness_db": power, "audio": audio}


def _excerpts(instrument: Instrument) -> dict[str, Array]:
    """What export measures ranges on, as means of what each excerpt reaches: each reaches both ends."""
    spec, parts = instrument.spec, list[dict[str, Array]]()
    for number in range(EXCERPTS):
        f0_hz, power, audio = _played(instrument, EXCERPT_SECONDS, number / EXCERPTS, ends=True)
        parts.append(
            {
                "f0_hz": f0_hz,
                "loudness_db": loudness_db(audio, FrameSpec(spec.sample_rate, spec.hop)),
                "power_db": power,
                "voiced": np.ones(len(f0_hz), bool),
                "number": np.full(len(f0_hz), number, np.int32),
            }
        )
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
