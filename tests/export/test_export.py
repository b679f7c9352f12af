"""Export: what the file holds, that it plays what Keras plays, and that a bad one never gets its name."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from ddsp_edge.instrument import Instrument
from ddsp_edge.model.file import read_model_file, write_model_file
from ddsp_edge.units import scale_f0, scale_loudness
from ddsp_export.export import export
from ddsp_export.operators import check_operators, count_operators
from ddsp_tf.errors import DdspError
from ddsp_tf.tasks.instrument.export.describe import describe
from ddsp_tf.tasks.instrument.export.exportable import convert_model as convert
from ddsp_tf.tasks.instrument.export.gate import check_measured
from ddsp_tf.tasks.instrument.export.verify import Verifier
from ddsp_tf.tasks.instrument.reference import load_reference
from ddsp_tf.training import load_model_of_run
from tests import tiny


@pytest.fixture(scope="module", params=["float32", pytest.param("float16", marks=pytest.mark.slow), "int8"])
def file_and_card(request, exported):
    return exported(request.param)


def test_file_is_a_flatbuffer_of_builtin_operators_with_a_card(file_and_card, trained_run):
    path, card = file_and_card
    file = read_model_file(path)
    assert file.card == card
    assert not [name for name in count_operators(file.model) if name.startswith("CUSTOM")]
    assert card.quality["operators"] == count_operators(file.model)
    assert (card.sample_rate, card.hop) == (tiny.RATE, tiny.HOP)
    assert card.state_shapes == {"state": [1, 8]}
    assert card.config == load_model_of_run(trained_run).instrument["config"]
    assert card.f0_estimator["name"] == "pyin"
    assert card.f0_hz_range.low == pytest.approx(196.0, rel=0.05)  # the lowest note of the phrase
    assert card.f0_hz_range.high == pytest.approx(329.6, rel=0.05)


def test_impulse_response_travels_with_the_model(file_and_card, trained_model):
    path, _ = file_and_card
    arrays = read_model_file(path).arrays
    want = trained_model.processors.processors["reverb"].impulse_response
    np.testing.assert_array_equal(arrays["reverb_impulse_response"], want)


def test_device_predicts_the_controls_of_keras_with_state_fed_back(file_and_card, trained_model):
    path, card = file_and_card
    features = tiny.features(300)
    controls = Instrument(path).controls(features["f0_hz"][0, :, 0], features["loudness_db"][0, :, 0])
    want = trained_model.get_controls({k: tf.constant(v) for k, v in features.items()})
    # float32: rounding alone. The others round weights to 11 bits or 8, and a state feeds errors back.
    bound = {"float32": 1e-5, "float16": 2e-3, "int8": 5e-2}[card.quantization]
    for node, control in (("harmonic", "amplitude"), ("harmonic", "distribution"), ("noise", "magnitudes")):
        error = np.abs(controls[f"{node}_{control}"] - want[node][control][0]).max()
        assert error < bound, (node, control, error)


def test_card_holds_what_was_measured(file_and_card):
    _, card = file_and_card
    quality = card.quality
    assert quality["synthesis_error_peak"] < 1e-4
    assert abs(quality["spectral_distance_change_percent"]) < 1.0
    ratio = quality["spectral_distance_file"] / quality["spectral_distance_keras"]
    assert quality["spectral_distance_change_percent"] == pytest.approx(100 * (ratio - 1))
    assert quality["real_time_factor_by_hops"] > 0
    json.dumps(quality, allow_nan=False)


def test_scaling_on_the_device_is_that_of_the_model():
    from ddsp_tf.tasks.instrument.model.scaling import scale_f0 as tf_scale_f0
    from ddsp_tf.tasks.instrument.model.scaling import scale_loudness as tf_scale_loudness

    f0_hz = np.geomspace(20, 8000, 200).astype("float32")
    loudness = np.linspace(-120, 30, 200).astype("float32")
    np.testing.assert_allclose(tf_scale_f0(f0_hz), scale_f0(f0_hz), atol=1e-6)
    np.testing.assert_allclose(tf_scale_loudness(loudness), scale_loudness(loudness), atol=1e-6)


def test_playing_the_file_needs_no_tensorflow(file_and_card, tmp_path):
    path, _ = file_and_card
    script = (
        "import sys\n"
        "for n in ('tensorflow', 'keras', 'librosa', 'scipy'): sys.modules[n] = None\n"
        "from ddsp_edge import Instrument\n"
        "import numpy as np\n"
        f"audio = Instrument({str(path)!r}, seed=0).process([220.0] * 50, [-20.0] * 50)\n"
        "assert np.isfinite(audio).all() and np.abs(audio).max() > 1e-4, audio\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_foreign_operator_is_refused_by_name(trained_model):
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(convert(trained_model), 0)
    code = model.operatorCodes[0]
    code.builtinCode, code.deprecatedBuiltinCode = (
        schema.BuiltinOperator.CUSTOM,
        schema.BuiltinOperator.CUSTOM,
    )
    code.customCode = b"FlexCumsum"
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    with pytest.raises(DdspError, match="FlexCumsum"):
        check_operators(bytes(builder.Output()))


def test_a_file_of_other_weights_is_refused_and_leaves_nothing(trained_run, tmp_path, monkeypatch):
    """The gate is real: convert something else than what is compared with."""
    import ddsp_export.export as module

    def convert_other(run, options):
        model = load_model_of_run(run)
        other = keras.models.clone_model(model)
        other.build(None)
        for weight, value in zip(other.weights, model.weights, strict=True):
            weight.assign(value * 1.05)
        return convert(other)

    monkeypatch.setattr(module, "convert_apart", convert_other)
    with pytest.raises(
        DdspError, match=r"was not written: the float32 model differs from Keras by .*at most"
    ):
        export(trained_run, tmp_path / "bad.tflite", "float32")
    assert list(tmp_path.iterdir()) == []


def test_another_impulse_response_is_noticed(trained_run, tmp_path):
    model = load_model_of_run(trained_run)
    card, arrays = describe(model)
    response = arrays["reverb_impulse_response"].copy()
    response[100] += 0.01
    path = tmp_path / "wrong.tflite"
    write_model_file(path, convert(model), card, {"reverb_impulse_response": response})
    with pytest.raises(DdspError, match="the synthesis differs from Keras on the same controls by"):
        check_measured(Verifier(model, load_reference(trained_run, model.spec)).measure(path), "float32")


def test_a_file_that_does_not_play_is_refused_in_words(trained_run, tmp_path):
    model = load_model_of_run(trained_run)
    card, arrays = describe(model)
    path = tmp_path / "wrong.tflite"
    write_model_file(path, b"\x1c\0\0\0TFL3" + bytes(100), card, arrays)
    with pytest.raises(DdspError, match="does not play without TensorFlow"):
        check_measured(Verifier(model, load_reference(trained_run, model.spec)).measure(path), "float32")


def test_a_model_that_no_dataset_made_is_refused():
    from ddsp_tf.models import Autoencoder

    with pytest.raises(DdspError, match="does not know its f0_estimator"):
        describe(Autoencoder.from_experiment(tiny.config()))


@pytest.mark.parametrize(
    ("out", "words"),
    [
        ("model.onnx", r"ends in \.tflite"),
        ("absent/model.tflite", "absent does not exist"),
        ("notes.txt/model.tflite", "notes.txt is a file, not a folder"),
    ],
)
def test_impossible_outputs_are_refused_before_any_work(trained_run, tmp_path, out, words):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(DdspError, match=words):
        export(trained_run, tmp_path / out)


def test_weights_that_are_not_finite_are_named_before_any_work(run_copy, tmp_path, monkeypatch):
    import ddsp_export.export as module

    model = load_model_of_run(run_copy)
    weight = model.decoder.weights[0]
    weight.assign(np.full(weight.shape, np.nan))
    model.save(run_copy / "instrument.keras")
    monkeypatch.setattr(module, "convert_apart", None)
    with pytest.raises(
        DdspError, match=rf"not finite \({weight.path}\).*an earlier checkpoint of .*checkpoints"
    ):
        export(run_copy, tmp_path / "no.tflite")
    assert not list(tmp_path.glob("*.tflite"))


def test_a_damaged_evaluation_is_refused_before_any_work(run_copy, tmp_path, monkeypatch):
    import ddsp_export.export as module

    (run_copy / "evaluation.json").write_text("{nope")
    monkeypatch.setattr(module, "convert_apart", None)
    with pytest.raises(DdspError, match=r"evaluation.json is damaged: run `ddsp-tf evaluate` again"):
        export(run_copy, tmp_path / "no.tflite")
