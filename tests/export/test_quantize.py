"""Weights in fewer bits: what the converter writes, layer by layer; and the choice by measuring."""

import sys

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

import ddsp_export.convert as conversion
import ddsp_export.recipes as recipes
from ddsp_edge.card import read_model_file
from ddsp_export.convert import convert_apart
from ddsp_export.export import export
from ddsp_export.quantize import quantize_weights, weight_layers
from ddsp_tf.cli.export import table_of_recipes
from ddsp_tf.errors import DdspError
from ddsp_tf.training import train
from tests import tiny

WIDTH = 64  # the tiny model's own matrices are below the size from which weights are quantized


@pytest.fixture(scope="module")
def run(tiny_dataset, tmp_path_factory):
    path = tmp_path_factory.mktemp("wide") / "run"
    decoder = {"type": "GruDecoder", "units": WIDTH, "layer_units": WIDTH, "layers": 1}
    train(tiny.config(model={**tiny.settings()["model"], "decoder": decoder}), tiny_dataset, path, verbose=0)
    return path


@pytest.fixture(scope="module")
def float32(run):
    return convert_apart(run)


def played(flatbuffer, frames=30):
    """Outputs over some frames with the state fed back, `[frames, channels]`."""
    rng = np.random.default_rng(0)
    step = Interpreter(model_content=flatbuffer, num_threads=1).get_signature_runner("step")
    state, rows = np.zeros([1, WIDTH], np.float32), []
    for _ in range(frames):
        features = {
            name: rng.uniform(0.3, 0.9, [1, 1]).astype(np.float32)
            for name in ("f0_scaled", "loudness_scaled")
        }
        out = step(**features, state=state)
        state = out["state"]
        rows.append(np.concatenate([out[name].ravel() for name in sorted(out)]))
    return np.array(rows)


def stored(flatbuffer):
    """Weights of each matrix product, made float again, by the layer."""
    interpreter = Interpreter(model_content=flatbuffer)
    values = {}
    for tensor in interpreter.get_tensor_details():
        if tensor["name"] in LAYERS:
            quantization = tensor["quantization_parameters"]
            raw = interpreter.get_tensor(tensor["index"])
            scales = quantization["scales"]
            values[tensor["name"]] = raw.astype(float) * (scales[:, None] if len(scales) else 1.0), scales
    return values


LAYERS = ("gru_cell_1/MatMul", "gru_cell_1/MatMul_1", "output_stack_1/dense_0_1/MatMul")


def test_the_large_matrices_are_found(float32):
    sizes = weight_layers(float32)
    assert set(LAYERS) <= set(sizes)
    assert sizes["gru_cell_1/MatMul"] == 3 * WIDTH * 2 * WIDTH


def test_int8_is_to_the_bit_what_the_converter_writes(run, float32, tmp_path):
    from ddsp_tf.training import load_model_of_run

    model = load_model_of_run(run)
    specification = [
        tf.TensorSpec([1, n], tf.float32, name=name)
        for name, n in (("f0_scaled", 1), ("loudness_scaled", 1), ("state", WIDTH))
    ]

    @tf.function(input_signature=specification)
    def step(f0_scaled, loudness_scaled, state):
        controls, states = model.step(
            {"f0_scaled": f0_scaled, "loudness_scaled": loudness_scaled}, {"state": state}
        )
        return {
            f"{node}_{name}": v
            for node, values in controls.items()
            for name, v in values.items()
            if name != "f0_hz"
        } | states

    converter = tf.lite.TFLiteConverter.from_concrete_functions([step.get_concrete_function()], model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    wanted = Interpreter(model_content=converter.convert(), num_threads=1)
    ours = quantize_weights(float32, "int8")
    rng = np.random.default_rng(0)
    wanted.allocate_tensors()
    runner = Interpreter(model_content=ours, num_threads=1).get_signature_runner("step")
    state = np.zeros([1, WIDTH], np.float32)
    for _ in range(10):
        values = {
            "f0_scaled": rng.random([1, 1], np.float32),
            "loudness_scaled": rng.random([1, 1], np.float32),
            "state": state,
        }
        for details in wanted.get_input_details():
            name = next(name for name in values if name in details["name"])
            wanted.set_tensor(details["index"], values[name])
        wanted.invoke()
        out = runner(**values)
        theirs = sorted(wanted.get_tensor(d["index"]).ravel().tolist() for d in wanted.get_output_details())
        assert theirs == sorted(v.ravel().tolist() for v in out.values())
        state = out["state"]


@pytest.mark.parametrize(
    ("quantization", "share"), [("int8", 0.5), ("int8-weights", 0.5), ("float16", 2.0**-11)]
)
def test_weights_are_rounded_to_the_nearest_step(float32, quantization, share):
    exact, rounded = stored(float32), stored(quantize_weights(float32, quantization))
    assert set(exact) == set(rounded) == set(LAYERS)
    for name, (values, scales) in rounded.items():
        wanted = exact[name][0]
        if quantization == "float16":
            np.testing.assert_allclose(values, wanted, rtol=share, atol=1e-7)
            continue
        np.testing.assert_allclose(scales, np.abs(wanted).max(axis=1) / 127.0, rtol=1e-6)
        assert (np.abs(values - wanted) <= (share + 1e-4) * scales[:, None]).all()


def test_sound_suffers_as_little_as_it_should(float32):
    exact = played(float32)
    errors = {
        name: np.abs(played(quantize_weights(float32, name)) - exact).max()
        for name in ("float16", "int8-weights", "int8")
    }
    assert 0.0 < errors["float16"] < 2e-3 < errors["int8"] < 0.1
    assert 0.0 < errors["int8-weights"] < 0.05
    sizes = [len(quantize_weights(float32, name)) for name in ("int8", "float16", "float32")]
    assert sizes[0] < 0.75 * sizes[1] < 0.75 * 0.75 * sizes[2]


def test_a_layer_that_is_kept_stays_as_it_was(float32):
    kept = quantize_weights(float32, "int8", [LAYERS[1]])
    assert len(quantize_weights(float32, "int8")) < len(kept) < len(float32)
    values, scales = stored(kept)[LAYERS[1]]
    assert not len(scales)
    np.testing.assert_array_equal(values, stored(float32)[LAYERS[1]][0])
    np.testing.assert_array_equal(
        played(quantize_weights(float32, "int8", weight_layers(float32))), played(float32)
    )


@pytest.mark.parametrize(
    ("quantization", "keep", "words"),
    [("int4", [], "must be one of int8, "), ("int8", ["haed"], "no weights called haed")],
)
def test_what_there_is_not_is_refused(float32, quantization, keep, words):
    with pytest.raises(DdspError, match=words):
        quantize_weights(float32, quantization, keep)


def test_auto_measures_all_and_takes_the_smallest_that_sounds_the_same(run, tmp_path, monkeypatch):
    bound = 0.004  # too tight for all layers in int8, so that some stay float
    monkeypatch.setattr(recipes, "AUTO_LEVEL_DB", bound)
    card = export(run, tmp_path / "auto.tflite", "auto")
    rows = card.quality["recipes"]
    assert {"int8", "int8-weights", "float16", "float32", "int8-full"} < set(rows)
    assert rows["int8"]["bytes"] < rows["float16"]["bytes"] < rows["float32"]["bytes"]
    assert rows["int8"]["harmonic_level_error_db_mean"] > bound
    for name, row in rows.items():
        assert row["control_error_max"] is not None, f"{name} did not play"
        if row["float_layers"]:
            assert rows["int8"]["bytes"] < row["bytes"] < rows["float32"]["bytes"]
            assert set(row["float_layers"]) < {*LAYERS, "head_1/MatMul"}
    assert any(row["float_layers"] for row in rows.values())
    good = [
        row["bytes"]
        for row in rows.values()
        if not row["refused"]
        and row["harmonic_level_error_db_mean"] <= bound
        and abs(row["spectral_distance_change_percent"]) <= 0.5
    ]
    assert (tmp_path / "auto.tflite").stat().st_size <= 1.01 * min(good) + 10_000  # the card holds the table
    assert card.quality["harmonic_level_error_db_mean"] <= bound
    assert read_model_file(tmp_path / "auto.tflite").card == card
    text = table_of_recipes(rows)
    assert all(name in text for name in rows)
    assert max(len(line) for line in text.splitlines() if "refused" not in line) < 90


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import os; os.abort()", "the converter died of SIGABRT"),
        ("import sys; sys.exit('error: no room')", "no room"),
        ("raise MemoryError('42 GB')", "MemoryError: 42 GB"),
    ],
)
def test_a_converter_that_dies_is_an_error_in_words(run, tmp_path, monkeypatch, code, words):
    monkeypatch.setattr(conversion, "CHILD", [sys.executable, "-c", code])
    with pytest.raises(DdspError, match=rf"bad.tflite was not written: .*{words}"):
        export(run, tmp_path / "bad.tflite")
    assert list(tmp_path.iterdir()) == []
