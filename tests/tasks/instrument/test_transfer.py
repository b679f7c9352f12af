"""Playing somebody's recording on the instrument."""

import numpy as np
import pytest
import soundfile

from ddsp_edge.features.loudness import loudness_db
from ddsp_tf.config import Config
from ddsp_tf.errors import DdspError
from ddsp_tf.evaluation import transfer
from ddsp_tf.models import Autoencoder
from ddsp_tf.tasks.instrument.model.render import Renderer
from tests import tiny
from tests.data.doubles import ConstantEstimator, DeafEstimator, NeighbourhoodEstimator

KNOWN = {"low": 200.0, "median": 250.0, "high": 300.0}

TAIL = 4 * tiny.HOP  # a hop to fade in, and the 300 taps of the room, in whole hops


@pytest.fixture(scope="module")
def model():
    """An instrument without noise that has heard 200 to 300 Hz."""
    model = Autoencoder.from_experiment(Config.from_dict(tiny.without_noise()), {"f0_hz_range": KNOWN})
    rng = np.random.default_rng(0)
    for weight in model.trainable_variables:
        weight.assign(rng.normal(scale=0.2, size=weight.shape))
    return model


def played(path):
    audio, rate = soundfile.read(path, dtype="float32")
    assert rate == tiny.RATE
    return audio


@pytest.mark.slow
def test_a_long_input_sounds_as_in_one_piece(model, tmp_path):
    """25 s are three passages; context around each and one state make them one."""
    source = tiny.write_phrase(tmp_path / "in.wav", 25.003)
    estimator = NeighbourhoodEstimator()
    said = []
    result = transfer(model, estimator, source, tmp_path / "out.wav", progress=lambda *a: said.append(a))
    audio = soundfile.read(source, dtype="float32")[0]
    f0_hz = estimator.estimate(audio, model.spec).f0_hz
    renderer = Renderer(model)
    rendered = renderer.render(f0_hz, loudness_db(audio, model.spec))
    tail = renderer.ring_out()
    whole = np.concatenate([rendered, tail])
    out = played(tmp_path / "out.wav")
    assert len(tail) == TAIL
    assert len(out) == len(audio) // tiny.HOP * tiny.HOP + TAIL
    assert np.abs(whole).max() > 0.01
    # 16 bits end at full scale, and features are float32.
    np.testing.assert_allclose(out, np.clip(whole, -1.0, 1.0), atol=1e-4)
    assert result.seconds == len(out) / tiny.RATE
    assert [done for done, _ in said] == sorted(done for done, _ in said)
    assert said[-1] == (result.seconds - TAIL / tiny.RATE, pytest.approx(25.003, abs=1e-3))


@pytest.mark.parametrize("rate", [8000, 22_050, 48_000])
def test_any_rate_and_format_comes_out_at_the_rate_of_the_model(model, tmp_path, rate):
    source = tiny.write_phrase(tmp_path / "in.flac", 1.5, rate)
    transfer(model, ConstantEstimator(), source, tmp_path / "out.flac")
    assert len(played(tmp_path / "out.flac")) == 24_000 // tiny.HOP * tiny.HOP + TAIL


def test_octaves_and_loudness_move_what_the_model_is_told(model, tmp_path):
    source = tiny.write_phrase(tmp_path / "in.wav", 2.0)
    result = transfer(
        model, ConstantEstimator(), source, tmp_path / "out.wav", octaves=-1, loudness_shift_db=-6.0
    )
    audio = soundfile.read(source, dtype="float32")[0]
    level = loudness_db(audio, model.spec) - 6.0
    expected = Renderer(model).render(np.full(len(level), 110.0), level)
    np.testing.assert_allclose(played(tmp_path / "out.wav")[:-TAIL], expected, atol=1e-4)
    assert "the pitch played (110 to 110 Hz)" in result.advice[0]


@pytest.mark.parametrize(
    ("octaves", "advice"),
    [(0, ""), (1, "try --octaves 0"), (-1, "try --octaves 0"), (3, "try --octaves 0")],
)
def test_advice_is_given_when_the_pitch_is_not_what_the_model_knows(model, tmp_path, octaves, advice):
    source = tiny.write_phrase(tmp_path / "in.wav", 1.5)  # heard as 220 Hz
    result = transfer(model, ConstantEstimator(), source, tmp_path / "out.wav", octaves=octaves)
    assert len(result.advice) == bool(advice)
    assert "".join(result.advice).endswith(advice)


def test_advice_never_names_what_was_asked_for(tmp_path):
    """Where no whole octave fits, none is named."""
    known = {"low": 240.0, "median": 250.0, "high": 300.0}
    model = Autoencoder.from_experiment(Config.from_dict(tiny.without_noise()), {"f0_hz_range": known})
    source = tiny.write_phrase(tmp_path / "in.wav", 1.5)
    result = transfer(model, ConstantEstimator(), source, tmp_path / "out.wav")
    assert "lies outside what the instrument was trained on (240 to 300 Hz)" in result.advice[0]
    assert "--octaves" not in result.advice[0]


def test_an_input_without_pitch_is_played_and_said_so(model, tmp_path):
    source = tiny.write_phrase(tmp_path / "in.wav", 1.5)
    result = transfer(model, DeafEstimator(), source, tmp_path / "out.wav")
    assert result.advice == ["no pitch was found in the input: the instrument held its middle pitch"]
    assert np.isfinite(played(tmp_path / "out.wav")).all()


@pytest.mark.parametrize(
    ("audio", "words"),
    [
        (np.zeros(32_000), "is silent: nothing to follow"),
        (np.full(3, 0.1), "is too short: less than one frame"),
        (np.full(127, 0.1), "is too short: less than one frame"),
        (np.zeros(0), "is too short|holds no samples"),
    ],
)
def test_nothing_to_follow_is_refused_and_leaves_no_file(model, tmp_path, audio, words):
    soundfile.write(tmp_path / "in.wav", audio, tiny.RATE)
    with pytest.raises(DdspError, match=words):
        transfer(model, ConstantEstimator(), tmp_path / "in.wav", tmp_path / "out.wav")
    assert [p.name for p in tmp_path.iterdir()] == ["in.wav"]


def test_a_file_that_breaks_off_leaves_the_output_of_before(model, tmp_path):
    nan = np.full(30_000, 0.1)
    nan[25_000] = np.nan
    soundfile.write(tmp_path / "in.wav", nan, tiny.RATE, subtype="FLOAT")
    (tmp_path / "out.wav").write_bytes(b"before")
    with pytest.raises(DdspError, match="not finite"):
        transfer(model, ConstantEstimator(), tmp_path / "in.wav", tmp_path / "out.wav")
    assert (tmp_path / "out.wav").read_bytes() == b"before"


@pytest.mark.parametrize(
    ("out", "options", "words"),
    [
        ("gone/out.wav", {}, "the folder .*gone does not exist"),
        ("out.mp3", {}, r"written as \.wav or \.flac"),
        ("folder.wav", {}, "is a folder"),
        ("out.wav", {"octaves": 11}, "octaves must be from -8 to 8. Received: 11"),
        ("out.wav", {"loudness_shift_db": float("nan")}, "Received: nan"),
    ],
)
def test_an_output_that_cannot_be_is_refused(model, tmp_path, out, options, words):
    source = tiny.write_phrase(tmp_path / "in.wav", 1.5)
    (tmp_path / "folder.wav").mkdir()
    with pytest.raises(DdspError, match=words):
        transfer(model, ConstantEstimator(), source, tmp_path / out, **options)
