"""Files of DDSP-VST as runs, of stand-ins with the trainer's network; no genuine file could be had."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from ddsp_edge import Instrument
from ddsp_edge.model.file import read_instrument_file
from ddsp_export.export import export
from ddsp_tf.cli.main import main
from ddsp_tf.config import load_config
from ddsp_tf.errors import DdspError
from ddsp_tf.models import Autoencoder
from ddsp_tf.tasks.instrument.excerpts import load_excerpts
from ddsp_tf.tasks.instrument.export.export_vst import export_vst
from ddsp_tf.tasks.instrument.export.verify import Verifier
from ddsp_tf.tasks.instrument.export.vst import PowerMap, convert_vst
from ddsp_tf.tasks.instrument.importing import vst_run
from ddsp_tf.tasks.instrument.importing.flat_graph import flat_graph
from ddsp_tf.tasks.instrument.importing.vst_run import import_vst
from ddsp_tf.tasks.instrument.importing.vst_weights import find_weights
from ddsp_tf.tasks.instrument.reference import load_reference
from ddsp_tf.training import load_model_of_run, train
from tests.export.vst_standin import METADATA, Trainer, flatbuffer_of, operators_of, packed, write

FRAMES = 60
# Half of a multiple below 8 kHz: no harmonic is near it, where we fade and the plug-in cuts off.
F0_HZ = 8000.0 / (8.5 + np.round(8.0 + 7.0 * np.sin(np.arange(FRAMES) / 9.0)))
F0_SCALED = ((69.0 + 12.0 * np.log2(F0_HZ / 440.0)) / 127.0).astype(np.float32)
PW_SCALED = (0.7 + 0.2 * np.sin(np.arange(FRAMES) / 5.0)).astype(np.float32)


@pytest.fixture(scope="module")
def network():
    return Trainer()


@pytest.fixture(scope="module")
def flute(network, tmp_path_factory):
    flatbuffer = flatbuffer_of(network)
    assert "WHILE" in operators_of(flatbuffer)
    assert 7_400_000 < len(flatbuffer) < 7_600_000
    return write(tmp_path_factory.mktemp("vst") / "flute.tflite", flatbuffer)


@pytest.fixture(scope="module")
def imported(flute, tmp_path_factory):
    """A run, and what was found; made by the command."""
    run = tmp_path_factory.mktemp("runs") / "flute"
    found = import_vst(flute, run)
    return run, found


def played(network):
    """Controls that the trainer's own network gives, `[frames, channels]`."""
    state, rows = tf.zeros([512]), []
    for f0, power in zip(F0_SCALED, PW_SCALED, strict=True):
        *controls, state = network.call(tf.constant([f0]), tf.constant([power]), state)
        rows.append([np.reshape(control, -1) for control in controls])
    return [np.array(column) for column in zip(*rows, strict=True)]


def told():
    """The same frames in Hz and dB."""
    return 440.0 * 2.0 ** ((127.0 * F0_SCALED - 69.0) / 12.0), (PW_SCALED - 1.0) * 80.0


def controls_of(model):
    f0_hz, power_db = told()
    controls = model.get_controls(
        {"f0_hz": f0_hz[None].astype(np.float32), "loudness_db": power_db[None].astype(np.float32)}
    )
    return [
        np.asarray(controls[node][name])[0]
        for node, name in (("harmonic", "amplitude"), ("harmonic", "distribution"), ("noise", "magnitudes"))
    ]


def test_the_device_plays_a_loop_as_it_is(network, flute):
    """What LiteRT gives is what the trainer's network gives in TensorFlow."""
    instrument = Instrument(flute, seed=0)
    controls = instrument.controls(*told())
    for name, want in zip(("amplitude", "distribution", "magnitudes"), played(network), strict=True):
        np.testing.assert_allclose(controls[name], want, atol=1e-5, err_msg=name)
    instrument.reset()
    sound = instrument.process(*told())
    assert np.sqrt(np.mean(sound**2)) > 0.01
    assert np.isfinite(sound).all()


def test_a_run_plays_what_the_file_plays(network, imported):
    run, found = imported
    assert found.control_error_max < 1e-5
    assert found.frames == 500
    model = load_model_of_run(run)
    for ours, want in zip(controls_of(model), played(network), strict=True):
        np.testing.assert_allclose(ours, want, atol=1e-5)
    assert model.level == "power"
    assert model.level_db_range == {"low": -40.0, "median": -27.5, "high": -15.0}
    assert model.instrument["f0_hz_range"]["low"] == 261.6
    assert model.instrument["imported"]["export_time"] == METADATA["export_time"]
    assert model.instrument["config"]["name"] == "flute"


def test_a_run_keeps_what_the_instrument_plays_over_its_ranges(flute, imported):
    run, _ = imported
    model = load_model_of_run(run)
    reference = load_reference(run, model.spec)
    assert len(reference.f0_hz) == 1000  # 20 s
    for values, low, high in ((reference.f0_hz, 261.6, 830.6), (reference.loudness_db, -40.0, -15.0)):
        assert values.min() == pytest.approx(low, abs=0.1)
        assert values.max() == pytest.approx(high, abs=0.1)
    want = Instrument(flute, seed=0).process(reference.f0_hz, reference.loudness_db)
    np.testing.assert_array_equal(reference.audio, want)
    excerpts = load_excerpts(run)
    assert excerpts.voiced.all()
    assert len(np.unique(excerpts.number)) == 15
    for number in range(15):
        own = excerpts.number == number
        assert (excerpts.f0_hz[own].min(), excerpts.f0_hz[own].max()) == pytest.approx((261.6, 830.6))
        assert (excerpts.power_db[own].min(), excerpts.power_db[own].max()) == (-40.0, -15.0)


@pytest.mark.slow
def test_weights_are_found_wherever_a_converter_puts_them():
    """Our own form of the file: no loop, layers that take things in another order; the very same weights."""
    model = Autoencoder.from_experiment(load_config("ddsp_vst"))
    rng = np.random.default_rng(2)
    for weight in model.decoder.weights:
        weight.assign(weight + rng.normal(0.0, 0.05, weight.shape))
    flatbuffer = convert_vst(model, PowerMap(0.0, 0.0))
    assert "WHILE" not in operators_of(flatbuffer)
    found, decoder = find_weights(flat_graph(flatbuffer)), model.decoder
    for stack, name in ((found.f0, "f0_scaled"), (found.level, "loudness_scaled"), (found.output, None)):
        layer = decoder.output_stack if name is None else decoder.input_stacks[name]
        weights = [*layer.dense[0].get_weights(), *layer.norms[0].get_weights()]
        for have, want in zip(
            (stack.dense.kernel, stack.dense.bias, stack.gamma, stack.beta), weights, strict=True
        ):
            np.testing.assert_array_equal(have, want)
    kernel, recurrent, biases = decoder.gru.get_weights()
    np.testing.assert_array_equal(found.inputs.kernel, kernel)
    np.testing.assert_array_equal(found.recurrent.kernel, recurrent)
    np.testing.assert_array_equal([found.inputs.bias, found.recurrent.bias], biases)
    for have, want in zip((found.head.kernel, found.head.bias), decoder.head.get_weights(), strict=True):
        np.testing.assert_array_equal(have, want)


def changed(flute, change):
    """The stand-in's flatbuffer with one constant changed: found by its shape, given to `change`."""
    model = schema.ModelT.InitFromPackedBuf(read_instrument_file(flute).model, 0)
    change(model)
    return packed(model)


def constants(model, shape):
    """Constants of a shape, as arrays that may be changed in place, in all graphs."""
    found = []
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            buffer = model.buffers[tensor.buffer]
            if buffer.data is not None and tensor.shape is not None and list(tensor.shape) == shape:
                buffer.data = np.array(buffer.data, np.uint8)
                found.append(buffer.data.view("<f4"))
    return found


def test_a_network_that_gives_something_else_is_not_written(flute, tmp_path):
    """A factor of another activation stands where no weight is looked for: only comparing finds it out."""

    def other(model):
        for graph in model.subgraphs:
            for operator in graph.operators:
                if type(operator.builtinOptions).__name__ == "LeakyReluOptionsT":
                    operator.builtinOptions.alpha = 0.3

    path = write(tmp_path / "other.tflite", changed(flute, other))
    with pytest.raises(DdspError, match=r"other.tflite: with its weights our network gives another \w+, by"):
        import_vst(path, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_network_of_loudness_behind_the_power_is_refused(tmp_path):
    """Our own export of one: in front of its network stands what makes loudness of power."""
    model = Autoencoder.from_experiment(load_config("ddsp_vst"))
    path = write(tmp_path / "loud.tflite", convert_vst(model, PowerMap(-6.0, 2.5)))
    with pytest.raises(DdspError, match="A file that `ddsp-tf export` made of a run trained here cannot be"):
        import_vst(path, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_weights_that_are_not_there_are_named(flute, tmp_path):
    def narrow(model):
        """A head that is said to have another shape."""
        for tensor in model.subgraphs[0].tensors:
            if tensor.shape is not None and list(tensor.shape) == [126, 256]:
                tensor.shape = np.array([63, 512], np.int32)

    with pytest.raises(DdspError, match="0 dense layers of the controls, not 1"):
        find_weights(flat_graph(changed(flute, narrow)))
    for damaged in (b"", b"\0" * 100, read_instrument_file(flute).model[:5000]):
        with pytest.raises(DdspError, match="its graph cannot be read"):
            flat_graph(damaged)


def operator_of(model, kind):
    names = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
    codes = [names[max(code.builtinCode, code.deprecatedBuiltinCode)] for code in model.operatorCodes]
    found = next(o for o in model.subgraphs[0].operators if codes[o.opcodeIndex] == kind)
    found.inputs, found.outputs = np.array(found.inputs), np.array(found.outputs)  # to be changed in place
    return found


def test_graphs_that_bite_their_tails_end_in_words(flute):
    """A file from anywhere: what goes round in a circle is not followed round."""

    def itself(model):
        operator = operator_of(model, "RESHAPE")
        operator.inputs[0] = operator.outputs[0]

    def twice(model):
        operator = operator_of(model, "LEAKY_RELU")
        operator.outputs[0] = operator.inputs[0]

    def loop(model):
        operator = operator_of(model, "WHILE")
        operator.outputs[4] = operator.inputs[4]  # what a loop hands on comes out under the same number

    def endless(model):
        model.subgraphs[2].operators = [operator_of(model, "WHILE")]  # a loop whose body is itself

    for change, words in ((itself, "out of order"), (twice, "out of order"), (endless, "more than 4 deep")):
        with pytest.raises(DdspError, match=words):
            find_weights(flat_graph(changed(flute, change)))
    weights = find_weights(flat_graph(changed(flute, loop)))  # which is no circle
    np.testing.assert_array_equal(
        weights.head.kernel, find_weights(flat_graph(read_instrument_file(flute).model)).head.kernel
    )

    def joined(model):
        operator = operator_of(model, "CONCATENATION")
        operator.inputs = np.repeat(operator.inputs, 4)

    with pytest.raises(DdspError, match="what a dense layer takes comes of CONCATENATION"):
        find_weights(flat_graph(changed(flute, joined)))


def test_what_weights_lose_of_an_imported_instrument_is_told_as_of_a_recording():
    """Squares add up: lost beside 5 what was lost beside the instrument itself."""
    verifier = object.__new__(Verifier)
    verifier._own, verifier._distance = True, 1.3
    assert verifier._change_percent(1.3) == 0.0
    assert verifier._change_percent(1.4) == pytest.approx(
        100.0 * (np.sqrt(25.0 + 1.4**2 - 1.3**2) / 5.0 - 1.0)
    )
    assert 0.0 < verifier._change_percent(1.4) < 1.0 < verifier._change_percent(1.6)
    assert verifier._change_percent(0.0) < 0.0
    verifier._own = False
    assert verifier._change_percent(1.43) == pytest.approx(10.0)


def test_a_bias_and_a_normalisation_that_were_folded_away_are_none(flute, tmp_path):
    """Converters leave out a factor that is 1 everywhere and a sum with 0."""
    network = Trainer()
    for stack in (network.f0, network.out):
        stack.layers[1].gamma.assign(tf.ones(256))
        stack.layers[1].beta.assign(tf.zeros(256))
        stack.layers[0].bias.assign(tf.zeros(256))
    found = find_weights(flat_graph(flatbuffer_of(network)))
    np.testing.assert_array_equal(found.f0.dense.kernel, network.f0.layers[0].kernel)
    for stack in (found.f0, found.output):
        np.testing.assert_array_equal(stack.gamma, 1.0)
        np.testing.assert_array_equal(stack.beta, 0.0)
        np.testing.assert_array_equal(stack.dense.bias, 0.0)
    np.testing.assert_array_equal(found.level.gamma, network.pw.layers[1].gamma)


def test_the_command_tells_how_near_it_is_and_refuses_what_it_cannot(
    flute, imported, tmp_path, capsys, monkeypatch
):
    run, _ = imported
    monkeypatch.setattr(vst_run, "CHECKED_FRAMES", 50)
    assert main(["import", str(flute), "--out", str(tmp_path / "run"), "--name", "my flute"]) == 0
    said = capsys.readouterr().out
    assert "controls equal to the file's within" in said
    assert "over 50 frames" in said
    assert load_model_of_run(tmp_path / "run").instrument["config"]["name"] == "my flute"
    for arguments, words in (
        ([str(flute), "--out", str(run)], "holds a run already"),
        ([str(flute.with_name("gone.tflite")), "--out", str(tmp_path / "a")], "no such file"),
        ([str(run / "config.yaml"), "--out", str(tmp_path / "a")], "is not a TFLite file"),
        (
            [str(Path("tests/device/data/tiny-instrument.tflite")), "--out", str(tmp_path / "a")],
            "ours are played",
        ),
    ):
        assert main(["import", *arguments]) == 1
        assert words in capsys.readouterr().err
    assert not (tmp_path / "a").exists()


def test_amplitudes_of_either_shape_are_played_as_the_plug_in_does(flute, tmp_path):
    """The check of an export takes files of the web trainer too."""
    given, result = tmp_path / "given.npz", tmp_path / "result.npz"
    np.savez(given, f0_scaled=F0_SCALED, pw_scaled=PW_SCALED)
    metadata = {**METADATA, "frame_rate": 50, "frame_size": 1024, "sample_rate": 16000}
    path = write(tmp_path / "one.tflite", read_instrument_file(flute).model, metadata)
    interpreter = Interpreter(model_path=str(path))
    [amplitude] = [d for d in interpreter.get_output_details() if d["name"] == "StatefulPartitionedCall:0"]
    assert list(amplitude["shape"]) == [1]
    _play_apart(path, given, result)
    want = Instrument(flute, seed=0).controls(*told())
    with np.load(result) as found:
        np.testing.assert_allclose(found["StatefulPartitionedCall:0"], want["amplitude"], atol=1e-6)


def _play_apart(*paths):
    """In a process of its own: it forbids the import of TensorFlow."""
    import subprocess

    from ddsp_edge.children import module_command

    command = module_command("ddsp_tf.tasks.instrument.export.play_vst", *map(str, paths))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_an_imported_run_is_exported_in_a_quarter_of_the_size(flute, imported, tmp_path):
    run, _ = imported
    card = export(run, tmp_path / "ours.tflite", "int8", play=False)
    assert (tmp_path / "ours.tflite").stat().st_size < 0.28 * flute.stat().st_size
    assert card.level == "power"
    assert card.loudness_db_range == read_instrument_file(flute).card.loudness_db_range
    ours = Instrument(tmp_path / "ours.tflite", seed=0).controls(*told())
    theirs = Instrument(flute, seed=0).controls(*told())
    harmonics = [c[k] for c in (ours, theirs) for k in c if k.endswith("distribution")]
    np.testing.assert_allclose(*harmonics, atol=0.01)  # of 8-bit weights
    assert np.abs(harmonics[0] - harmonics[1]).max() > 0.0


@pytest.mark.slow
def test_there_and_back_is_the_same_instrument(flute, imported, tmp_path):
    run, _ = imported
    metadata = export_vst(run, tmp_path / "back.tflite")
    for name in (
        "mean_min_pitch_note_hz",
        "mean_max_pitch_note_hz",
        "mean_min_power_note",
        "mean_max_power_note",
    ):
        assert metadata[name] == pytest.approx(METADATA[name], rel=1e-6)
    theirs, back = (Instrument(path, seed=0).controls(*told()) for path in (flute, tmp_path / "back.tflite"))
    for name in ("amplitude", "distribution", "magnitudes"):
        np.testing.assert_allclose(back[name], theirs[name], atol=1e-5)
    found = import_vst(tmp_path / "back.tflite", tmp_path / "again")
    assert found.control_error_max < 1e-5
    pairs = zip(load_model_of_run(run).weights, load_model_of_run(tmp_path / "again").weights, strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)


@pytest.mark.slow
def test_training_goes_on_from_its_weights(imported, tiny_dataset, tmp_path):
    run, _ = imported
    changes = ["training.steps=1", "training.steps_per_epoch=1", "training.batch_size=2"]
    changes += ["training.clip_seconds=0.5", "loss.fft_sizes=[256]", "training.learning_rate=1e-8"]
    config = load_config("ddsp_vst", changes)
    model = train(config, tiny_dataset, tmp_path / "tuned", start_from=run, verbose=0)
    before = load_model_of_run(run).get_weights()
    for ours, want in zip(model.get_weights(), before, strict=True):
        np.testing.assert_allclose(ours, want, atol=1e-6)  # one step of 1e-8
    assert not all(map(np.array_equal, model.get_weights(), before))
    known = model.instrument
    assert "imported" not in known  # it knows the data that it was trained on
    assert known["power_db_range"]["low"] < known["power_db_range"]["high"] < 0.0
    assert known["power_db_range"] != {"low": -40.0, "median": -27.5, "high": -15.0}


@pytest.mark.slow
@pytest.mark.parametrize("amplitude", [(1,), ()])
def test_layers_of_keras_2_are_found_too(tmp_path, amplitude):
    """The trainer's are of 2022: their normalisation is another row of operators."""
    tf_keras = pytest.importorskip("tf_keras")
    network = Trainer(tf_keras.layers, tf_keras.Sequential, "alpha", amplitude)
    flatbuffer = flatbuffer_of(network)
    assert "WHILE" in operators_of(flatbuffer)
    found = import_vst(write(tmp_path / "old.tflite", flatbuffer), tmp_path / "run")
    assert found.control_error_max < 1e-5
    for ours, want in zip(controls_of(load_model_of_run(tmp_path / "run")), played(network), strict=True):
        np.testing.assert_allclose(ours, want, atol=1e-5)
