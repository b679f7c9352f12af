"""An instrument that takes voicing, brightness and levels of partials, from a dataset to a file."""

import numpy as np
import pytest
import soundfile

from ddsp_edge import Instrument
from ddsp_edge.further import FURTHER, PARTIALS
from ddsp_edge.model.file import write_model_file
from ddsp_tf.config import Config
from ddsp_tf.data import prepare, read_passages
from ddsp_tf.data.prepare.pitched import feature_grid
from ddsp_tf.errors import DdspError
from ddsp_tf.evaluation import transfer
from ddsp_tf.features.yin_viterbi import YinViterbiEstimator
from ddsp_tf.tasks.instrument.evaluation.playing import features_of
from ddsp_tf.tasks.instrument.excerpts import load_further
from ddsp_tf.tasks.instrument.export.describe import describe
from ddsp_tf.tasks.instrument.export.exportable import convert_model
from ddsp_tf.tasks.instrument.export.vst import check_fits
from ddsp_tf.tasks.instrument.model.load import load_instrument
from ddsp_tf.tasks.instrument.model.render import Renderer
from ddsp_tf.tasks.instrument.model.scaling import scale_further
from ddsp_tf.tasks.instrument.reference import load_reference
from ddsp_tf.training import train
from tests import tiny

NAMES = ("voicing", "brightness", *PARTIALS)


def _config():
    values = tiny.without_noise()
    values["model"]["features"] = ["voicing", "brightness", "partials"]
    values["data"] = {**values["data"], "f0": "yin-viterbi"}
    values["training"] = {**values["training"], "steps": 4}
    return Config.from_dict(values)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The dataset and a run on it."""
    folder, config = tmp_path_factory.mktemp("further"), _config()
    soundfile.write(folder / "swelling.wav", tiny.swelling_phrase(12.0), tiny.RATE)
    prepare([folder / "swelling.wav"], folder / "data", feature_grid(tiny.RATE), config.data, jobs=1)
    train(config, folder / "data", folder / "run", verbose=0)
    return folder / "data", folder / "run"


@pytest.fixture(scope="module")
def model(trained):
    return load_instrument(trained[1])


@pytest.fixture(scope="module")
def passage(trained, model):
    return next(iter(read_passages(trained[0], "validation", model.spec)))


def test_the_run_knows_what_it_takes_and_what_is_usual(trained, model):
    assert model.further == NAMES
    assert model.feature_names == ("f0_hz", "loudness_db", *NAMES)
    assert set(model.usual) == set(NAMES)
    reference = load_reference(trained[1], model.spec)
    assert set(reference.further) == set(NAMES)
    assert len(load_further(trained[1], NAMES)["brightness"]) > 100


def test_scaling_is_that_of_the_device():
    values = np.linspace(-10.0, 20.0, 301).astype(np.float32)
    for name, feature in FURTHER.items():
        np.testing.assert_allclose(scale_further(name, values), feature.scale(values), atol=1e-6)


def test_each_feature_is_heard(model, passage):
    features = features_of(model, passage)
    renderer = Renderer(model)
    before = renderer.render(**features)
    for name in NAMES:
        renderer.reset()
        changed = {**features, name: np.zeros_like(features[name])}
        assert np.abs(renderer.render(**changed) - before).max() > 1e-5


def test_what_is_left_out_is_what_it_usually_is(model, passage):
    pair = {"f0_hz": passage.f0_hz, "loudness_db": passage.loudness_db}
    usual = {name: known.at(*pair.values()) for name, known in model.usual.items()}
    np.testing.assert_array_equal(Renderer(model).render(**pair), Renderer(model).render(**pair, **usual))


def test_a_file_plays_what_the_model_plays(model, passage, tmp_path):
    """Law 1, by each way of playing the file."""
    card, arrays = describe(model, play=True)
    from ddsp_export.graph import SynthesizerGraph
    from ddsp_tf.tasks.instrument.export.endpoints import VoiceSynthesis

    synthesizer = SynthesizerGraph(model.spec, card.synthesizer, arrays)
    voice = VoiceSynthesis.of(model.spec, card.synthesizer, arrays)
    path = tmp_path / "further.tflite"
    write_model_file(path, convert_model(model, synthesizer=synthesizer, voice=voice), card, arrays)
    features = features_of(model, passage)
    want = Renderer(model).render(**features)
    assert np.abs(want).max() > 1e-3
    for backend in ("play", "step", "numpy"):
        found = Instrument(path, backend=backend).process(**features)
        np.testing.assert_allclose(found, want, atol=1e-4, rtol=0)


@pytest.mark.slow
def test_a_transfer_of_what_it_was_trained_on_hardly_changes_its_brightness(model, trained, tmp_path):
    """Matched by quantiles to the range that it has already, and knobs are heard."""
    source = tmp_path / "in.wav"
    soundfile.write(source, tiny.swelling_phrase(6.0), tiny.RATE)
    estimator = YinViterbiEstimator(150.0, 500.0)
    sounds = []
    for name, brightness in (("0", 0.0), ("1", 1.0)):
        transfer(model, estimator, source, tmp_path / f"{name}.wav", brightness=brightness)
        sounds.append(soundfile.read(tmp_path / f"{name}.wav")[0])
    assert np.abs(sounds[0]).max() > 1e-3
    assert np.abs(sounds[1] - sounds[0]).max() > 1e-5


def test_the_plug_in_is_told_no_further_features(model):
    with pytest.raises(DdspError, match=r"takes voicing, brightness, partials_1, .* too: train it without"):
        check_fits(model)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"features": ["brightnes"]}, "model.features must be one of voicing, brightness"),
        ({"features": ["voicing", "voicing"]}, "model.features must be different"),
        ({"features": ["voicing"], "level": "power"}, "model.features are for model.level=loudness"),
    ],
)
def test_what_is_no_feature_is_refused(change, words):
    values = tiny.settings()
    values["model"] = {**values["model"], **change}
    with pytest.raises(DdspError, match=words):
        Config.from_dict(values)
