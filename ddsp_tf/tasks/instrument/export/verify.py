"""Does the file play what the model plays? Measured in a process that cannot import TensorFlow."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from ddsp_edge.further import scaled
from ddsp_edge.instrument_card import InstrumentCard
from ddsp_edge.model.network import Network
from ddsp_edge.units import Array, scale_f0, scale_loudness
from ddsp_export.apart import play_apart
from ddsp_export.machine import machine
from ddsp_tf.errors import DdspError
from ddsp_tf.layers.branches import ROOMS
from ddsp_tf.metrics import MultiScaleSpectralDistance
from ddsp_tf.tasks.instrument.export.endpoints import output_name
from ddsp_tf.tasks.instrument.export.gate import GATE_SECONDS, OWN_DISTANCE
from ddsp_tf.tasks.instrument.model.autoencoder import Autoencoder
from ddsp_tf.tasks.instrument.reference import Reference


class Verifier:
    """Compare model files with the Keras model that they were made from, on the same features and noise.

    Args:
        model: The Keras model.
        reference: What to play; repeated where it is shorter than 10 s.
    """

    def __init__(self, model: Autoencoder, reference: Reference) -> None:
        least = model.spec.frames_for(GATE_SECONDS)
        self._model, self._reference = model, _repeated(reference, least, model.spec.hop)
        reference = self._reference
        rng = np.random.default_rng(0)
        n_samples = model.spec.n_samples(len(reference.f0_hz))
        self._noise = {
            f"{node.name}_noise": rng.uniform(-1.0, 1.0, n_samples).astype(np.float32)
            for node in model.processors.nodes
            if node.type == "FilteredNoise"
        }
        self.expected = _predict(model, reference)
        controls = {**self.expected, "f0_hz": reference.f0_hz[:, None]}
        self._distance = _distance(reference.audio, _render(model, controls, self._noise))
        self._own = "imported" in model.facts  # whether the reference is what the instrument itself plays

    def level_error_db(self, controls: dict[str, Array]) -> float:
        """Mean error of harmonic levels, dB, in controls `[frames, channels]` by their names in a file."""
        return _level_error_db(controls, self.expected)

    def control_error(self, controls: dict[str, Array]) -> float:
        """Largest difference of any control, `[frames, channels]` by its name in a file, from Keras."""
        return max(float(np.abs(controls[name] - v).max()) for name, v in self.expected.items())

    def predict(self, flatbuffer: bytes, card: InstrumentCard) -> dict[str, Array]:
        """Controls that a model gives, by LiteRT in this process."""
        reference = self._reference
        network = Network(flatbuffer, card)
        told = scaled(reference.further)
        return network.process(scale_f0(reference.f0_hz), scale_loudness(reference.loudness_db), *told)

    def check_opens(self, path: Path) -> None:
        """Open and play a finished file in a fresh process without TensorFlow.

        Raises:
            DdspError: If it cannot be played there.
        """
        frames = self._model.spec.frames_for(0.5)
        hop = self._model.spec.hop
        noise = {name: values[: frames * hop] for name, values in self._noise.items()}
        played = _play(path, _repeated(self._reference, frames, hop, exactly=True), noise)
        if not np.isfinite(played["audio"]).all():
            raise DdspError("the file plays what is no sound: values that are not finite")

    def measure(self, path: Path) -> dict[str, Any]:
        """Play a file and measure what it does.

        Args:
            path: The model file.

        Returns:
            What was measured, as plain data for the card.

        Raises:
            DdspError: If the file cannot be played without TensorFlow.
        """
        played = _play(path, self._reference, self._noise)
        controls = {k.removeprefix("control_"): v for k, v in played.items() if k.startswith("control_")}
        same_controls = _render(self._model, controls, self._noise)
        distance = _distance(self._reference.audio, played["audio"])
        frames = len(self._reference.f0_hz)
        seconds = self._model.spec.seconds(frames)
        return {
            "seconds_verified": round(seconds, 3),
            "control_error_max": self.control_error(controls),
            "harmonic_level_error_db_mean": self.level_error_db(controls),
            "synthesis_error_peak": max(
                float(np.abs(played[name] - same_controls).max())
                for name in ("audio", "audio_by_hops", "audio_by_synthesize", "audio_by_voice")
                if name in played
            ),
            "spectral_distance_keras": self._distance,
            "spectral_distance_file": distance,
            "spectral_distance_change_percent": self._change_percent(distance),
            "network_us_per_frame": round(1e6 * float(played["network_seconds"]) / frames, 2),
            "real_time_factor_by_hops": round(seconds / float(played["live_seconds"]), 2),
            "measured_on": machine(),
            **_measure_block(played, controls, frames),
            **self._measure_play(played, frames, seconds),
        }

    def _change_percent(self, distance: float) -> float:
        if not self._own:
            return 100.0 * (distance / self._distance - 1.0)
        # What weights lose has nothing to do with what a recording differs by: their squares add up.
        lost = distance**2 - self._distance**2
        return 100.0 * (math.sqrt(max(0.0, 1.0 + lost / OWN_DISTANCE**2)) - 1.0)

    def _measure_play(self, played: dict[str, Array], frames: int, seconds: float) -> dict[str, Any]:
        """What the signature `play` does; features are scaled in the graph, so int8 may round otherwise."""
        if "audio_by_play" not in played:
            return {}
        distance = _distance(self._reference.audio, played["audio_by_play"])
        return {
            "play_error_peak": float(np.abs(played["audio_by_play"] - played["audio"]).max()),
            "play_distance_change_percent": self._change_percent(distance),
            "play_us_per_frame": round(1e6 * float(played["play_seconds"]) / frames, 2),
            "play_real_time_factor": round(seconds / float(played["play_seconds"]), 2),
        }


def _repeated(reference: Reference, frames: int, hop: int, exactly: bool = False) -> Reference:
    """A reference of so many frames at least, played over and over; `exactly` cuts a longer one."""
    have = len(reference.f0_hz)
    wanted = frames if exactly else max(frames, have)
    return Reference(
        np.resize(reference.f0_hz, wanted),
        np.resize(reference.loudness_db, wanted),
        np.resize(reference.audio, wanted * hop),
        further={name: np.resize(values, wanted) for name, values in reference.further.items()},
    )


def _measure_block(played: dict[str, Array], controls: dict[str, Array], frames: int) -> dict[str, float]:
    """What the signature `block` does, beside `step`."""
    blocks = {k.removeprefix("block_"): v for k, v in played.items() if k.startswith("block_")}
    if not blocks:
        return {}
    error = max(float(np.abs(v - controls[k][: len(v)]).max()) for k, v in blocks.items())
    seconds = float(played["seconds_by_block"])
    return {"block_error_max": error, "block_us_per_frame": round(1e6 * seconds / frames, 2)}


def _distance(target: Array, audio: Array) -> float:
    metric = MultiScaleSpectralDistance()
    metric.update_state(target[None], audio[None])
    return float(metric.result())


def _play(path: Path, reference: Reference, noise: dict[str, Array]) -> dict[str, Array]:
    given = {**reference.features, **noise}
    played = play_apart(
        "ddsp_tf.tasks.instrument.export.play", path, given, "the file does not play without TensorFlow"
    )
    if len(played["loaded"]):
        raise DdspError(f"playing the file loads {', '.join(played['loaded'])}")
    return played


def _predict(model: Autoencoder, reference: Reference) -> dict[str, Array]:
    """Controls that Keras predicts, `[frames, channels]`, by their names in a model file."""
    features = {
        name: tf.constant(values[None, :, None], tf.float32) for name, values in reference.features.items()
    }
    controls = model.get_controls(features)
    return {
        output_name(node.name, control): np.asarray(controls[node.name][control])[0]
        for node in model.processors.nodes
        for control, source in node.inputs.items()
        if source in model.decoder.output_sizes
    }


def _render(model: Autoencoder, controls: dict[str, Array], noise: dict[str, Array]) -> Array:
    """Render controls that go by their names in a model file with the Keras layers, in blocks."""
    group, hop = model.processors, model.spec.hop
    frames = len(controls["f0_hz"])
    block = model.spec.frames_for(4.0)  # bounds the memory
    state = None
    rendered = []
    for start in range(0, frames, block):
        stop = min(start + block, frames)
        given: dict[str, dict[str, tf.Tensor]] = {}
        for node in group.nodes:
            values = {
                control: controls["f0_hz" if source == "f0_hz" else output_name(node.name, control)]
                for control, source in node.inputs.items()
                if source in group.input_sizes
            }
            given[node.name] = {k: tf.constant(v[None, start:stop], tf.float32) for k, v in values.items()}
            if node.type == "FilteredNoise":
                white = noise[f"{node.name}_noise"][None, start * hop : stop * hop]
                given[node.name]["noise"] = tf.constant(white)
            if node.type in ROOMS:
                given[node.name]["impulse_response"] = group.processors[node.name].impulse_response
        output, state = group.stream_signal(given, state)
        rendered.append(np.asarray(output.audio)[0])
    return np.concatenate(rendered)


def _level_error_db(device: dict[str, Array], expected: dict[str, Array]) -> float:
    """Mean difference of harmonic levels in dB, over a floor of -80 dB."""
    errors = []
    for name in expected:
        if not name.endswith("_distribution"):
            continue
        amplitude = name.removesuffix("distribution") + "amplitude"
        levels = [
            20.0 * np.log10(np.maximum(values[name] * values[amplitude], 1e-4))
            for values in (device, expected)
        ]
        errors.append(float(np.abs(levels[0] - levels[1]).mean()))
    return max(errors, default=0.0)
