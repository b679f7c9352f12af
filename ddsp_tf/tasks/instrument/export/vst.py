"""A file that the DDSP-VST plug-in of 2022 loads.

The plug-in knows a model by the names of its tensors:

| tensor | shape | |
| --- | --- | --- |
| `call_f0_scaled:0` | `[1]` | MIDI note / 127 |
| `call_pw_scaled:0` | `[1]` | power / 80 dB + 1 |
| `call_state:0` | `[512]` | zeros, then what came out before |
| `StatefulPartitionedCall:0` | `[]`, or `[1]` in files of the web trainer | amplitude |
| `StatefulPartitionedCall:1` | `[60]` | harmonic distribution |
| `StatefulPartitionedCall:2` | `[65]` | magnitudes of the noise |
| `StatefulPartitionedCall:3` | `[512]` | next state |

at 16 kHz and 50 frames a second, controls after their nonlinearities, and reads `metadata.json` from a zip
appended to the file. Its power is 10 log10 of the mean square over 1024 samples. A network that was trained
on that (`model.level: power`) hears it as it is. For one that was trained on A-weighted loudness, what leads
from one to the other is measured on the training data and is a part of the graph.
"""

import argparse
import dataclasses
import datetime
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

from ddsp_edge.children import module_command
from ddsp_edge.model import vst
from ddsp_edge.model.vst import BANDS, HARMONICS, HOP, SAMPLE_RATE, STATE
from ddsp_edge.units import MIDI_MAX, Array, hz_to_midi, midi_to_hz
from ddsp_edge.version import __version__
from ddsp_export.apart import run_apart
from ddsp_export.convert import TIMEOUT_S, to_flatbuffer
from ddsp_export.operators import pack
from ddsp_tf.errors import DdspError
from ddsp_tf.tasks.instrument.excerpts import Excerpts
from ddsp_tf.tasks.instrument.export.describe import DEVICE_ROOMS, load_to_export
from ddsp_tf.tasks.instrument.model.autoencoder import Autoencoder
from ddsp_tf.tasks.instrument.model.scaling import scale_loudness

FRAME_SIZE = 1024
INPUTS = dict(
    zip(("f0_scaled", "pw_scaled", "state"), (name for name, _ in vst.INPUTS.values()), strict=True)
)
OUTPUTS = dict(
    zip(
        ("amplitude", "distribution", "magnitudes", "next_state"),
        (name for name, _ in vst.OUTPUTS.values()),
        strict=True,
    )
)
"""Names in the plug-in's files, by those in the signature that is converted."""
_DB_RANGE = 80.0
_MIDDLE_C = 60.0
_LEAST_FRAMES = 100
_LEAST_OCTAVES = 0.5


@dataclasses.dataclass(frozen=True)
class PowerMap:
    """Loudness from power: `loudness_db = power_db + offset_db + slope_db * (midi - 60) / 12`.

    Args:
        offset_db: Of middle C, dB.
        slope_db: By octave, dB: A-weighting hears low notes less.
        residual_db: Standard deviation of what it misses on the training data, dB.
    """

    offset_db: float
    slope_db: float
    residual_db: float = 0.0

    def loudness_db(self, power_db: Any, midi: Any) -> Any:
        """Loudness in dB of power in dB at a (fractional) MIDI note; numbers, arrays or tensors."""
        return power_db + self.offset_db + self.slope_db * (midi - _MIDDLE_C) / 12.0


def measure_power_map(excerpts: Excerpts) -> PowerMap:
    """Fit loudness to power and pitch on training sound, by least squares over voiced frames.

    Notes within half an octave tell nothing of what pitch does: the slope is 0 then.

    Raises:
        DdspError: If there are too few of them.
    """
    heard = excerpts.voiced & (excerpts.power_db > -_DB_RANGE)
    if heard.sum() < _LEAST_FRAMES:
        raise DdspError(
            f"power cannot be told from loudness: {int(heard.sum())} voiced frames in the excerpts of the "
            f"training data, {_LEAST_FRAMES} at least are needed"
        )
    octaves = (hz_to_midi(excerpts.f0_hz[heard]).astype(float) - _MIDDLE_C) / 12.0
    difference = (excerpts.loudness_db - excerpts.power_db)[heard].astype(float)
    slope = 0.0
    low, high = np.percentile(octaves, (5, 95))
    if high - low >= _LEAST_OCTAVES:
        slope = float(np.cov(octaves, difference)[0, 1] / octaves.var(ddof=1))
    residual = difference - slope * octaves
    return PowerMap(float(residual.mean()), slope, float(residual.std()))


def check_fits(model: Autoencoder) -> None:
    """Refuse a model that the plug-in has no room for.

    Raises:
        DdspError: Naming everything that does not fit.
    """
    model.require_pitch_and_loudness_only()
    if model.further:
        raise DdspError(
            "the plug-in gives an instrument pitch and level only, and this one takes "
            f"{', '.join(model.further)} too: train it without model.features"
        )
    types: dict[str, list[str]] = {}
    for node in model.processors.nodes:
        types.setdefault(node.type, []).append(node.name)
    wrong = [
        f"{what} {have}, not {want}"
        for what, have, want in (
            ("sample rate", model.spec.sample_rate, SAMPLE_RATE),
            ("hop", model.spec.hop, HOP),
            ("states", dict(model.decoder.state_sizes), {"state": STATE}),
            ("harmonics", _size(model, types.get("Harmonic", []), "n_harmonics"), HARMONICS),
            ("bands of noise", _size(model, types.get("FilteredNoise", []), "n_bands"), BANDS),
        )
        if have != want
    ]
    other = sorted(set(types) - {"Harmonic", "FilteredNoise", "Add", *DEVICE_ROOMS})
    wrong += [f"a {kind}, which the plug-in does not have" for kind in other]
    wrong += [
        f"{control} of {node.name}, which the plug-in does not have"
        for node in model.processors.nodes
        for control in ("harmonic_shifts", "impulse_response")
        if control in node.inputs
    ]
    if wrong:
        raise DdspError(
            f"DDSP-VST cannot play this model: {'; '.join(wrong)}. Train one with configs/ddsp_vst.yaml"
        )


def vst_endpoint(model: Autoencoder, power_map: PowerMap) -> Any:
    """One frame of the network with the plug-in's inputs and outputs, as a `tf.function`."""
    [harmonic] = [node.name for node in model.processors.nodes if node.type == "Harmonic"]
    [noise] = [node.name for node in model.processors.nodes if node.type == "FilteredNoise"]

    @tf.function(
        input_signature=[
            tf.TensorSpec([1], tf.float32, name="f0_scaled"),
            tf.TensorSpec([1], tf.float32, name="pw_scaled"),
            tf.TensorSpec([STATE], tf.float32, name="state"),
        ],
        autograph=False,
    )
    def call(f0_scaled: tf.Tensor, pw_scaled: tf.Tensor, state: tf.Tensor) -> dict[str, tf.Tensor]:
        power_db = (pw_scaled - 1.0) * _DB_RANGE
        loudness_db = power_map.loudness_db(power_db, f0_scaled * MIDI_MAX)
        inputs = {
            "f0_scaled": tf.reshape(f0_scaled, [1, 1]),
            "loudness_scaled": tf.reshape(scale_loudness(loudness_db), [1, 1]),
        }
        controls, states = model.step(inputs, {"state": tf.reshape(state, [1, STATE])})
        return {
            "amplitude": tf.reshape(controls[harmonic]["amplitude"], []),
            "distribution": tf.reshape(controls[harmonic]["distribution"], [HARMONICS]),
            "magnitudes": tf.reshape(controls[noise]["magnitudes"], [BANDS]),
            "next_state": tf.reshape(states["state"], [STATE]),
        }

    return call


def convert_vst_apart(
    run: Path, offset_db: float, slope_db: float, *, instrument: str | None = None
) -> bytes:
    """Convert the model of a run for DDSP-VST, in a process of its own; see `PowerMap`.

    Raises:
        DdspError: If it cannot be converted to builtin operators, or the converter dies.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "model.tflite"
        command = module_command(
            "ddsp_tf.tasks.instrument.export.vst", str(run), str(out), f"--map={offset_db!r},{slope_db!r}"
        )
        command += [] if instrument is None else [f"--instrument={instrument}"]
        run_apart("the converter", command, TIMEOUT_S)
        return out.read_bytes()


def convert_vst(model: Autoencoder, power_map: PowerMap) -> bytes:
    """The flatbuffer in float32: one graph, its tensors named as the plug-in looks for them."""
    flatbuffer = to_flatbuffer(model, {"call": vst_endpoint(model, power_map)})
    unpacked = schema.ModelT.InitFromPackedBuf(flatbuffer, 0)
    [graph] = unpacked.subgraphs
    [signature] = unpacked.signatureDefs
    for ports, names in ((signature.inputs, INPUTS), (signature.outputs, OUTPUTS)):
        for port in ports:
            graph.tensors[port.tensorIndex].name = names[port.name.decode()].encode()
    graph.inputs = [_tensor(signature.inputs, name) for name in INPUTS]
    graph.outputs = [_tensor(signature.outputs, name) for name in OUTPUTS]
    return pack(unpacked)


def _tensor(ports: list[Any], name: str) -> int:
    [index] = [port.tensorIndex for port in ports if port.name.decode() == name]
    return int(index)


def describe_for_vst(model: Autoencoder, excerpts: Excerpts, power_map: PowerMap) -> dict[str, Any]:
    """The plug-in's `metadata.json`, and beside it what we know, under `ddsp_tf`.

    Ranges are means over the excerpts of the training data: of the lowest, highest, softest and loudest
    voiced frame of each.
    """
    pitches, powers = [], []
    for number in np.unique(excerpts.number):
        heard = (excerpts.number == number) & excerpts.voiced
        if heard.any():
            midi = hz_to_midi(excerpts.f0_hz[heard])
            pitches.append((midi.min(), midi.max()))
            powers.append((excerpts.power_db[heard].min(), excerpts.power_db[heard].max()))
    low, high = (float(value) for value in np.mean(pitches, axis=0))
    soft, loud = (float(value) for value in np.mean(powers, axis=0))
    known = model.instrument
    return {
        "mean_min_pitch_note": low,
        "mean_max_pitch_note": high,
        "mean_min_pitch_note_hz": float(midi_to_hz(low)),
        "mean_max_pitch_note_hz": float(midi_to_hz(high)),
        "mean_min_power_note": soft,
        "mean_max_power_note": loud,
        "version": __version__,
        # A session of a host recalls a model by this text: no two may have the same.
        "export_time": datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds"),
        "num_harmonics": HARMONICS,
        "num_noise_amps": BANDS,
        "frame_rate": SAMPLE_RATE // HOP,
        "frame_size": FRAME_SIZE,
        "sample_rate": SAMPLE_RATE,
        "ddsp_tf": {
            "name": known["config"]["name"],
            "mix": model.mix or {},
            "power_map": dataclasses.asdict(power_map),
            "f0_estimator": known["f0_estimator"],
            "config": known["config"],
        },
    }


def expected_by_vst(
    model: Autoencoder, power_map: PowerMap, f0_scaled: Array, pw_scaled: Array
) -> dict[str, Array]:
    """What Keras gives for the plug-in's inputs `[frames]`: `[frames, channels]` by the keys of `OUTPUTS`."""
    midi = f0_scaled.astype(float) * MIDI_MAX
    loudness_db = power_map.loudness_db((pw_scaled.astype(float) - 1.0) * _DB_RANGE, midi)
    controls = model.get_controls(
        {
            "f0_hz": tf.constant(midi_to_hz(midi)[None, :, None], tf.float32),
            "loudness_db": tf.constant(loudness_db[None, :, None], tf.float32),
        }
    )
    names = {"Harmonic": ("amplitude", "distribution"), "FilteredNoise": ("magnitudes",)}
    return {
        control: np.asarray(controls[node.name][control])[0]
        for node in model.processors.nodes
        for control in names.get(node.type, ())
    }


def _size(model: Autoencoder, names: list[str], setting: str) -> Any:
    sizes = [getattr(model.processors.processors[name], setting) for name in names]
    return sizes[0] if len(sizes) == 1 else sizes


def main(arguments: list[str]) -> None:
    """Convert the model of a run and write the flatbuffer: what `convert_vst_apart` runs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--map", required=True)
    parser.add_argument("--instrument")
    given = parser.parse_args(arguments)
    try:
        model = load_to_export(given.run, given.instrument)
        given.out.write_bytes(convert_vst(model, PowerMap(*map(float, given.map.split(",")))))
    except DdspError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
