"""A model that listens and plays several instruments: trained, resumed, evaluated, reported, transferred."""

import json

import keras
import numpy as np
import pytest
import soundfile

from ddsp_tf.cli.main import main
from ddsp_tf.config import Config, DataConfig
from ddsp_tf.data import prepare, read_passages
from ddsp_tf.errors import DdspError
from ddsp_tf.evaluation import evaluate, transfer
from ddsp_tf.reports.run import write_run_report
from ddsp_tf.tasks.instrument.evaluation.playing import features_of
from ddsp_tf.tasks.instrument.export.describe import describe
from ddsp_tf.tasks.instrument.model.render import Renderer
from ddsp_tf.tasks.instrument.reference import load_reference
from ddsp_tf.training import load_model_of_run, train
from ddsp_tf.training.callbacks import read_log
from tests import tiny
from tests.data.doubles import ConstantEstimator
from tests.training.runs import assert_same_run, state_of

pytestmark = pytest.mark.slow  # model/test_latents.py is its quick part


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Ten seconds, half of a flute."""
    folder = tmp_path_factory.mktemp("two")
    names = {"flute.wav": 10.0, "violin.wav": 11.0}
    recordings = [tiny.write_phrase(folder / name, seconds) for name, seconds in names.items()]
    data = DataConfig(f0="pyin", f0_min_hz=150.0, f0_max_hz=500.0, passage_seconds=2.0, validation_share=0.4)
    prepare(recordings, folder / "data", tiny.config().spec, data, jobs=1)
    return folder / "data"


def config(**training):
    values = tiny.settings(training=training)
    values["model"] |= {
        "encoder": {"z_size": 3, "units": 8, "n_mfcc": 10, "n_mels": 40, "kl_weight": 0.01},
        "instruments": {"flute": "flute*", "violin": "violin*"},
    }
    return Config.from_dict(values)


@pytest.fixture(scope="module")
def run(dataset, tmp_path_factory):
    """A run of three epochs of two steps."""
    folder = tmp_path_factory.mktemp("run") / "run"
    train(config(), dataset, folder, verbose=0)
    return folder


class DiesAtStep3(keras.callbacks.Callback):
    """Ends a run in the middle of its second epoch, as if it were killed."""

    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.optimizer.iterations) == 3:
            raise InterruptedError


@pytest.mark.slow
def test_a_run_that_died_ends_as_one_that_did_not(dataset, run, tmp_path):
    """The draws from the distribution of z go on as well."""
    with pytest.raises(InterruptedError):
        train(config(), dataset, tmp_path / "run", verbose=0, callbacks=[DiesAtStep3()])
    train(config(), dataset, tmp_path / "run", verbose=0, resume=True)
    assert_same_run(tmp_path / "run", run)
    drawn = [np.array(load_model_of_run(r).encoder.seed_generator.state) for r in (run, tmp_path / "run")]
    np.testing.assert_array_equal(*drawn)
    assert drawn[0][1] > 0
    paths = " ".join(state_of(run))
    assert "encoder" in paths
    assert "embedding" in paths


def test_the_log_has_the_divergence(run):
    rows = read_log(run)
    assert all(float(row["kl"]) > 0.0 and float(row["val_kl"]) > 0.0 for row in rows)


def test_held_back_sound_is_kept_with_its_instruments(dataset, run):
    model = load_model_of_run(run)
    reference = load_reference(run, model.spec)
    passages = list(read_passages(dataset, "validation", model.spec))
    expected = np.concatenate([features_of(model, p)["instrument"] for p in passages])
    np.testing.assert_array_equal(reference.instrument, expected[: len(reference.f0_hz)])
    assert len(np.unique(reference.instrument, axis=0)) == 2


@pytest.mark.slow
def test_it_is_evaluated_and_reported_as_its_own_instruments(dataset, run):
    scores = evaluate(run, dataset).trained
    model = load_model_of_run(run)
    renderer = Renderer(model)
    passage = next(iter(read_passages(dataset, "validation", model.spec)))
    audio = renderer.render(**features_of(model, passage))
    assert audio.shape == passage.audio.shape
    assert np.isfinite(scores.spectral_distance)
    assert json.loads((run / "evaluation.json").read_text())["levels_db"]["harmonic"] > -120.0
    assert write_run_report(run, dataset).stat().st_size > 10_000


def test_what_devices_cannot_give_is_refused(run):
    with pytest.raises(DdspError, match=r"has an encoder, which listens to sound; devices give it pitch"):
        describe(load_model_of_run(run))


def test_transfer_plays_a_mix_and_listens(run, tmp_path):
    """In passages of 10 s as in one piece; a wrong or missing instrument is answered in words."""
    source = tiny.write_phrase(tmp_path / "in.wav", 12.0)
    model = load_model_of_run(run)
    with pytest.raises(DdspError, match="several instruments: name one, or a mix, of flute, violin"):
        transfer(model, ConstantEstimator(), source, tmp_path / "out.wav")
    model = model.playing({"flute": 0.5, "violin": 0.5})
    model.processors.processors["noise"].seed_generator.state.assign([1, 0])
    result = transfer(model, ConstantEstimator(), source, tmp_path / "out.wav", loudness_shift_db=-6.0)
    assert not result.advice or "Hz" in " ".join(result.advice)
    out, _ = soundfile.read(tmp_path / "out.wav")
    audio, _ = soundfile.read(source, dtype="float32")
    from ddsp_edge.features.loudness import loudness_db
    from ddsp_edge.features.pitch import hold_unvoiced

    track = ConstantEstimator().estimate(audio, model.spec).f0_hz
    f0_hz = hold_unvoiced(track, track > 0, model.instrument["f0_hz_range"]["median"])
    heard = audio[: len(f0_hz) * tiny.HOP] * 10.0 ** (-6.0 / 20.0)
    expected = Renderer(model).render(f0_hz, loudness_db(audio, model.spec) - 6.0, audio=heard)
    # Noise is new at every call, and 60 dB below the rest at these weights.
    np.testing.assert_allclose(out[: len(expected)], expected, atol=0.01 * np.abs(expected).max() + 2e-4)


def test_the_command_line_takes_a_mix(run, tmp_path, capsys):
    source = str(tiny.write_phrase(tmp_path / "in.wav", 2.0))
    out = tmp_path / "out.wav"
    command = ["transfer", str(run), source, str(out), "--f0", "pyin", "--instrument"]
    assert main([*command, "flut=1"]) == 1
    assert "Did you mean 'flute'?" in capsys.readouterr().err
    assert main([*command, "flute=1,violin=3"]) == 0
    assert out.exists()
