"""Weights in fewer bits: what the converter writes, layer by layer; and the choice by measuring."""

import dataclasses
import sys

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

import ddsp_export.convert as conversion
import ddsp_export.quantization_recipes as recipes
from ddsp_edge.model.file import read_model_file
from ddsp_export.export import export
from ddsp_export.operators import count_operators, is_kind, product_names
from ddsp_export.quantize import quantize_weights, weight_layers
from ddsp_export.runtimes import RUNTIMES, quantization_for
from ddsp_tf.cli.export import table_of_recipes
from ddsp_tf.cli.main import main
from ddsp_tf.errors import DdspError
from ddsp_tf.tasks.command import command_of
from ddsp_tf.tasks.instrument.export import exportable

WIDTH = 64


@pytest.fixture(scope="module")
def run(wide_run):
    return wide_run


@pytest.fixture(scope="module")
def float32(wide_float32):
    return wide_float32[0]


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


TABLE = command_of("instrument").export_table
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


def test_a_layer_may_have_one_scale_and_an_older_operator(float32):
    """What tflite-runtime 2.14 loads: FULLY_CONNECTED up to version 9 takes one scale a matrix."""
    exact, rounded = stored(float32), stored(quantize_weights(float32, "int8-layers"))
    for name, (values, scales) in rounded.items():
        wanted = exact[name][0]
        assert scales.shape == (1,)
        assert scales[0] == pytest.approx(np.abs(wanted).max() / 127.0)
        assert (np.abs(values - wanted) <= 0.5001 * scales[0]).all()
    versions = {
        quantization: max(
            code.version
            for code in schema.ModelT.InitFromPackedBuf(
                quantize_weights(float32, quantization), 0
            ).operatorCodes
            if code.builtinCode == schema.BuiltinOperator.FULLY_CONNECTED
        )
        for quantization in ("float32", "float16", "int8-weights", "int8-layers", "int8")
    }
    assert max(versions[name] for name in RUNTIMES["2.14"] - {"auto"}) <= 9 < versions["int8"]
    error = np.abs(played(quantize_weights(float32, "int8-layers")) - played(float32)).max()
    assert 0.0 < error < 0.1


@pytest.mark.parametrize(
    ("runtime", "quantize", "taken"),
    [("2.14", "int8", "int8-layers"), ("2.14", "float16", "float16"), ("current", "int8", "int8")],
)
def test_an_old_runtime_gets_what_it_loads(runtime, quantize, taken):
    assert quantization_for(runtime, quantize) == taken


@pytest.mark.parametrize(
    ("runtime", "quantize", "words"),
    [
        (
            "2.14",
            "int8-full",
            "runtime 2.14 does not load quantize='int8-full': choose auto, float16, float32, int8-l",
        ),
        ("1.0", "int8", "runtime must be one of current, 2.14. Received: '1.0'"),
    ],
)
def test_what_a_runtime_does_not_load_is_refused_before_any_work(run, tmp_path, runtime, quantize, words):
    with pytest.raises(DdspError, match=words):
        export(run, tmp_path / "no.tflite", quantize, runtime=runtime)


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


@pytest.mark.slow
def test_auto_measures_all_and_takes_the_smallest_that_sounds_the_same(run, tmp_path, monkeypatch):
    bound = 0.004  # too tight for all layers in int8, so that some stay float
    monkeypatch.setattr(exportable, "AUTO_LEVEL_DB", bound)
    card = export(run, tmp_path / "auto.tflite", "auto", play=False)
    rows = card.quality["recipes"]
    assert {"int8", "int8-layers", "int8-weights", "float16", "float32", "int8-full"} < set(rows)
    assert rows["int8"]["bytes"] < rows["float16"]["bytes"] < rows["float32"]["bytes"]
    assert rows["int8"]["harmonic_level_error_db_mean"] > bound
    for name, row in rows.items():
        assert row["control_error_max"] is not None, f"{name} did not play"
        if name.startswith("int8-full"):
            kinds = {kept for kept in row["float_layers"] if is_kind(kept)}
            assert not kinds & {"FULLY_CONNECTED", "QUANTIZE"}
            assert row["bytes"] < rows["float16"]["bytes"]
        elif row["float_layers"]:
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
    text = table_of_recipes(rows, TABLE)
    assert all(name in text for name in rows)
    assert max(len(line) for line in text.splitlines() if "refused" not in line) < 100


@pytest.mark.slow
def test_every_export_shows_what_its_weights_cost(run, tmp_path, capsys):
    path = tmp_path / "one.tflite"
    assert main(["export", str(run), "--out", str(path), "--no-play"]) == 0
    quality = read_model_file(path).card.quality
    rows = quality["recipes"]
    assert set(rows) == {"int8", "float32"}
    assert rows["int8"]["bytes"] < 0.6 * rows["float32"]["bytes"]
    assert rows["int8"]["control_error_max"] == quality["control_error_max"]
    assert rows["float32"]["control_error_max"] <= 1e-4 < rows["int8"]["control_error_max"]
    assert rows["int8"]["bytes"] <= path.stat().st_size <= rows["int8"]["bytes"] + 10_000  # and the table
    shown = capsys.readouterr().out
    assert all(line in shown for line in table_of_recipes(rows, TABLE).splitlines())
    assert f"Keras, before {quality['spectral_distance_keras']:.3f}" in " ".join(shown.split())


def test_integers_throughout_are_not_chosen_where_the_synthesizer_is_wanted(float32):
    """They have `step` alone, so their file is smaller: a comparison of sizes would not be fair."""
    quality = {
        "harmonic_level_error_db_mean": 0.0,
        "spectral_distance_change_percent": 0.0,
        "network_us_per_frame": 1.0,
    }

    class Bench:
        has_more_than_step = True

        def measure(self, recipe):
            return recipes.Measured(recipe, len(recipe.flatbuffer), quality, "", True)

    table = list(recipes.compare(Bench(), float32, lambda kept: b"tiny", lambda words: None))
    assert [m.recipe.quantization for m in table][-1] == "int8-full"
    assert "no room for the synthesizer" in table[-1].refused
    assert recipes.choose(table, lambda quality: quality["network_us_per_frame"]).recipe.quantization in (
        "int8",
        "int8-layers",
    )


@pytest.mark.slow
def test_integers_leave_in_float_what_hurts(run, tmp_path, monkeypatch):
    """First the functions between products, then products from the last on; what passes is written."""
    asked, measure = [], recipes.Bench.measure

    def heard(bench, recipe):
        measured = measure(bench, recipe)
        if recipe.quantization != "int8-full":
            return measured
        asked.append(recipe)
        return dataclasses.replace(measured, refused="it is heard" if len(asked) < 3 else "")

    monkeypatch.setattr(recipes.Bench, "measure", heard)
    path = tmp_path / "integers.tflite"
    card = export(run, path, "int8-full")
    assert card.quantization == "int8-full"
    products = product_names(asked[0].flatbuffer)
    assert len(products) == 6
    kinds = set(count_operators(asked[0].flatbuffer)) - {"FULLY_CONNECTED", "QUANTIZE", "DEQUANTIZE"}
    assert [set(recipe.float_layers) for recipe in asked] == [set(), kinds, {*kinds, products[-1]}]
    assert set(card.quality["float_layers"]) == {*kinds, products[-1]}
    # Integers where products are integers, float elsewhere; the last product is the head.
    integers = products_in_integers(asked[2].flatbuffer)
    assert integers == {name: name != products[-1] for name in products}
    assert products_in_integers(asked[1].flatbuffer) == dict.fromkeys(products, True)
    rows = card.quality["recipes"]
    assert set(rows) == {"int8-full", *(f"int8-full, {len(kinds) + n} float" for n in (0, 1)), "float32"}
    errors = [measured["harmonic_level_error_db_mean"] for measured in rows.values()]
    assert errors[2] <= errors[1] < errors[0]


def products_in_integers(flatbuffer):
    """Whether each product of matrices takes 8-bit integers and gives them, by name."""
    model = schema.ModelT.InitFromPackedBuf(flatbuffer, 0)
    graph, found = model.subgraphs[0], {}
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        if max(code.builtinCode, code.deprecatedBuiltinCode) == schema.BuiltinOperator.FULLY_CONNECTED:
            given, taken = (graph.tensors[t[0]] for t in (operator.inputs, operator.outputs))
            found[taken.name.decode()] = given.type == taken.type == schema.TensorType.INT8
    return found


def test_auto_measures_for_an_old_runtime_what_it_loads(float32):
    """All layers of int8 in one scale are heard here, so one stays float; nothing newer is tried."""
    asked = []

    class Bench:
        has_more_than_step = True

        def measure(self, recipe):
            heard = recipe.quantization == "int8-layers" and not recipe.float_layers
            quality = {
                "harmonic_level_error_db_mean": 1.0 if heard else 0.0,
                "spectral_distance_change_percent": 0.0,
                "network_us_per_frame": 1.0,
            }
            return recipes.Measured(recipe, len(recipe.flatbuffer), quality, "", not heard)

        def layer_errors(self, float32, quantization):
            asked.append(quantization)
            return {name: float(at) for at, name in enumerate(LAYERS)}

    table = list(recipes.compare(Bench(), float32, lambda kept: b"", lambda words: None, RUNTIMES["2.14"]))
    names = [m.recipe.quantization for m in table]
    assert names == ["int8-layers", "int8-layers", "int8-weights", "float16", "float32"]
    assert asked == ["int8-layers"]
    taken = recipes.choose(table, lambda quality: quality["network_us_per_frame"]).recipe
    assert (taken.quantization, len(taken.float_layers)) in {("int8-layers", 1), ("int8-weights", 0)}


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import os; os.abort()", "the converter died of SIGABRT"),
        ("import sys; sys.exit('error: no room')", "no room"),
        ("raise MemoryError('42 GB')", "MemoryError: 42 GB"),
    ],
)
def test_a_converter_that_dies_is_an_error_in_words(run, tmp_path, monkeypatch, convert_apart, code, words):
    monkeypatch.setattr(conversion, "CHILD", [sys.executable, "-c", code])
    with pytest.raises(DdspError, match=rf"bad.tflite was not written: .*{words}"):
        export(run, tmp_path / "bad.tflite")
    assert list(tmp_path.iterdir()) == []
