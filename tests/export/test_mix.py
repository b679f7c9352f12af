"""One instrument, or one mix, of a model that was trained on several."""

import shutil

import numpy as np
import pytest

import ddsp_export.convert as conversion
import ddsp_export.export as module
from ddsp_edge.cli.card_text import describe
from ddsp_edge.instrument import Instrument
from ddsp_edge.model.file import read_model_file
from ddsp_export.export import export
from ddsp_tf.config import Config
from ddsp_tf.errors import DdspError
from ddsp_tf.models import Autoencoder
from ddsp_tf.tasks.instrument.export.describe import load_to_export
from tests import tiny


@pytest.fixture(scope="module")
def run(trained_run, trained_model, tmp_path_factory):
    """A run of an untrained model of two instruments, whose vectors are far apart."""
    values = tiny.settings()
    values["model"] |= {"instruments": {"flute": "flute*", "violin": "violin*"}, "instrument_size": 4}
    known = {k: v for k, v in trained_model.instrument.items() if k != "config"}
    model = Autoencoder.from_experiment(Config.from_dict(values), known)
    rng = np.random.default_rng(0)
    model.embedding.set_weights([3.0 * rng.normal(size=w.shape) for w in model.embedding.get_weights()])
    folder = tmp_path_factory.mktemp("several") / "run"
    shutil.copytree(trained_run, folder)
    model.save(folder / "instrument.keras")
    return folder


def controls_of(run, instrument, features):
    """What Keras predicts for a mix, `[frames, channels]` by name."""
    controls = load_to_export(run, instrument).get_controls(features)
    names = (("harmonic", "amplitude"), ("harmonic", "distribution"), ("noise", "magnitudes"))
    return {f"{node}_{name}": np.asarray(controls[node][name])[0] for node, name in names}


def test_a_file_plays_the_mix_it_was_exported_for(run, tmp_path, monkeypatch):
    """All the way that the command goes, but for the process apart."""

    def in_this_process(who, command, timeout_s):
        conversion.main(command[len(conversion.CHILD) :])

    monkeypatch.setattr(conversion, "run_apart", in_this_process)
    monkeypatch.setattr(module, "convert_apart", conversion.convert_apart)
    path = tmp_path / "mix.tflite"
    card = export(run, path, "float32", instrument="flute=1,violin=3", play=False)
    assert card.mix == {"flute": 0.25, "violin": 0.75}
    file = read_model_file(path)
    assert file.card == card
    assert "flute 0.25, violin 0.75" in describe(file, path)
    features = tiny.features(60)
    played = Instrument(path).controls(features["f0_hz"][0, :, 0], features["loudness_db"][0, :, 0])
    want = controls_of(run, "flute=0.25,violin=0.75", features)
    other = controls_of(run, "flute", features)
    for name, values in want.items():
        np.testing.assert_allclose(played[name], values, atol=1e-5)  # rounding, carried on in the state
    assert max(np.abs(played[name] - other[name]).max() for name in want) > 0.01


@pytest.mark.parametrize(
    ("instrument", "words"),
    [
        (None, "plays several instruments, .* such as --instrument flute or --instrument flute=0.5,violin=0"),
        ("flut", "has no instrument 'flut'"),
    ],
)
def test_a_mix_that_is_not_named_or_not_known_is_refused(run, tmp_path, instrument, words):
    with pytest.raises(DdspError, match=words):
        export(run, tmp_path / "no.tflite", instrument=instrument)
    assert list(tmp_path.iterdir()) == []


def test_a_model_of_one_instrument_has_no_choice(trained_run, tmp_path):
    with pytest.raises(DdspError, match="the model plays one instrument only"):
        export(trained_run, tmp_path / "no.tflite", instrument="flute")


def test_a_room_may_be_left_out_of_a_mix(run):
    model = load_to_export(run, "violin", dry=True)
    assert model.mix == {"violin": 1.0}
    assert "reverb" not in [node.name for node in model.processors.nodes]
