"""Does the file play what the model plays? Measured in a process that cannot import TensorFlow."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from ddsp_edge.units import Array
from ddsp_export.convert import output_name
from ddsp_tf.errors import DdspError
from ddsp_tf.metrics import MultiScaleSpectralDistance
from ddsp_tf.models.autoencoder import Autoencoder
from ddsp_tf.training.reference import Reference

SYNTHESIS_BOUND = 1e-4
"""Peak difference, of full scale, allowed between executions of the same controls and noise (law 1)."""

CONTROL_BOUNDS = {"float32": 1e-4, "float16": 0.02, "int8": 0.3, "int8-weights": 0.3, "int8-full": 2.0}
"""Largest difference allowed in any control (they lie in 0 to 2). For float32 it is rounding; for the
others a guard against a broken file: what is heard is bounded by the two below."""

LEVEL_BOUNDS_DB = {"float32": 0.01, "float16": 0.1, "int8": 0.5, "int8-weights": 0.5, "int8-full": 0.5}
"""Mean error allowed in the levels of harmonics, dB."""

PLAY_BOUNDS = {"float32": 1e-4, "float16": 1e-4, "int8-weights": 1e-4, "int8": 0.05, "int8-full": 0.05}
"""Peak difference allowed between the signature `play` and `step` with the synthesizer. Where activations are
quantized, a feature that differs in its last bit may be rounded to the next step."""

DISTANCE_BOUND = 0.01
"""Relative difference allowed between the spectral distances of file and model to the recording."""

TIMEOUT_S = 600


class Verifier:
    """Compare model files with the Keras model that they were made from, on the same features and noise.

    Args:
        model: The Keras model.
        reference: What to play.
    """

    def __init__(self, model: Autoencoder, reference: Reference) -> None:
        self._model, self._reference = model, reference
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

    def level_error_db(self, controls: dict[str, Array]) -> float:
        """Mean error of harmonic levels, dB, in controls `[frames, channels]` by their names in a file."""
        return _level_error_db(controls, self.expected)

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
            "control_error_max": max(float(np.abs(controls[k] - v).max()) for k, v in self.expected.items()),
            "harmonic_level_error_db_mean": self.level_error_db(controls),
            "synthesis_error_peak": max(
                float(np.abs(played[name] - same_controls).max())
                for name in ("audio", "audio_by_hops", "audio_by_synthesize")
                if name in played
            ),
            "spectral_distance_keras": self._distance,
            "spectral_distance_file": distance,
            "spectral_distance_change_percent": 100.0 * (distance / self._distance - 1.0),
            "network_us_per_frame": round(1e6 * float(played["network_seconds"]) / frames, 2),
            "real_time_factor_by_hops": round(seconds / float(played["live_seconds"]), 2),
            **self._measure_play(played, seconds),
        }

    def _measure_play(self, played: dict[str, Array], seconds: float) -> dict[str, Any]:
        """What the signature `play` does; features are scaled in the graph, so int8 may round otherwise."""
        if "audio_by_play" not in played:
            return {}
        distance = _distance(self._reference.audio, played["audio_by_play"])
        return {
            "play_error_peak": float(np.abs(played["audio_by_play"] - played["audio"]).max()),
            "play_distance_change_percent": 100.0 * (distance / self._distance - 1.0),
            "play_real_time_factor": round(seconds / float(played["play_seconds"]), 2),
        }


def check_measured(measured: dict[str, Any], quantization: str) -> None:
    """Refuse a file by what `Verifier.measure` found.

    Raises:
        DdspError: If a bound is exceeded.
    """
    for what, value, bound in (
        (
            "the synthesis differs from Keras on the same controls",
            measured["synthesis_error_peak"],
            SYNTHESIS_BOUND,
        ),
        (
            "the controls differ from Keras",
            measured["control_error_max"],
            CONTROL_BOUNDS[quantization],
        ),
        (
            "the harmonic levels differ from Keras (dB)",
            measured["harmonic_level_error_db_mean"],
            LEVEL_BOUNDS_DB[quantization],
        ),
        (
            "the sound of `play` differs from that of `step` and the synthesizer",
            measured.get("play_error_peak", 0.0),
            PLAY_BOUNDS[quantization],
        ),
        (
            "the spectral distance of `play` differs from Keras (relative)",
            abs(measured.get("play_distance_change_percent", 0.0)) / 100.0,
            DISTANCE_BOUND,
        ),
        (
            "the spectral distance differs from Keras (relative)",
            abs(measured["spectral_distance_change_percent"]) / 100.0,
            DISTANCE_BOUND,
        ),
    ):
        if not value <= bound:  # also when it is no number
            raise DdspError(f"{what} by {value:.3g}; at most {bound:g} is allowed")


def _distance(target: Array, audio: Array) -> float:
    metric = MultiScaleSpectralDistance()
    metric.update_state(target[None], audio[None])
    return float(metric.result())


def _play(path: Path, reference: Reference, noise: dict[str, Array]) -> dict[str, Array]:
    with tempfile.TemporaryDirectory() as folder:
        features, result = Path(folder) / "features.npz", Path(folder) / "result.npz"
        given: dict[str, Any] = {"f0_hz": reference.f0_hz, "loudness_db": reference.loudness_db, **noise}
        np.savez(features, **given)
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        try:
            done = subprocess.run(
                [sys.executable, "-m", "ddsp_export.play", str(path), str(features), str(result)],
                capture_output=True,
                text=True,
                timeout=TIMEOUT_S,
                env={**os.environ, **threads},
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise DdspError(f"the file did not play within {TIMEOUT_S} s") from error
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["it died without a word"])[-1]
            raise DdspError(f"the file does not play without TensorFlow: {last}")
        with np.load(result) as values:
            played = dict(values)
    if len(played["loaded"]):
        raise DdspError(f"playing the file loads {', '.join(played['loaded'])}")
    return played


def _predict(model: Autoencoder, reference: Reference) -> dict[str, Array]:
    """Controls that Keras predicts, `[frames, channels]`, by their names in a model file."""
    features = {
        "f0_hz": tf.constant(reference.f0_hz[None, :, None], tf.float32),
        "loudness_db": tf.constant(reference.loudness_db[None, :, None], tf.float32),
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
            if node.type == "Reverb":
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
