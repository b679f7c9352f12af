"""A run: it learns, it stops and goes on as if nothing had been, and it refuses what does not fit."""

from importlib.util import find_spec

import numpy as np
import pytest
import tensorflow as tf

from ddsp_tf.config import Config, load_config
from ddsp_tf.data import prepare
from ddsp_tf.data.dataset import validation_dataset
from ddsp_tf.errors import DdspError
from ddsp_tf.models import Autoencoder
from ddsp_tf.tasks.instrument import data as task_data
from ddsp_tf.tasks.instrument.loss import compile_model
from ddsp_tf.tasks.instrument.reference import load_reference
from ddsp_tf.training import callbacks, fit, load_config_of_run, load_model_of_run, train, watch
from ddsp_tf.training.callbacks import COLUMNS, read_log
from ddsp_tf.training.run import make_run_folder
from tests import tiny
from tests.data.doubles import ConstantEstimator
from tests.training.runs import assert_same_run, losses


class Killed(BaseException):
    """What ends a process in the middle of something."""


def killed_run(data, run, owner, method, epoch, after):
    """Train a run until the process dies in a callback, before or after that did its work."""
    original = getattr(owner, method)

    def dying(self, number, logs=None):
        if number == epoch and not after:
            raise Killed
        original(self, number, logs)
        if number == epoch:
            raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, method, dying)
        with pytest.raises(Killed):
            train(tiny.config(), data, run, verbose=0)


def test_the_loss_falls(trained_run, tiny_dataset):
    log, config = losses(trained_run), tiny.config()
    assert log[-1]["loss"] < 0.9 * log[0]["loss"]
    untrained = Autoencoder.from_experiment(config)
    compile_model(untrained, config)
    frames = config.spec.frames_for(config.training.clip_seconds)
    held_back = validation_dataset(tiny_dataset, config.spec, batch_size=2, clip_frames=frames)
    before = untrained.evaluate(held_back, return_dict=True, verbose=0)["loss"]
    assert log[-1]["val_loss"] < 0.85 * before


def test_a_run_holds_its_configuration_its_log_and_held_back_sound(trained_run, tiny_dataset):
    assert {p.name for p in trained_run.iterdir()} == {
        "checkpoints",
        "config.yaml",
        "instrument.keras",
        "log.csv",
        "excerpts.npz",
        "reference.npz",
    }
    assert load_config_of_run(trained_run) == tiny.config()
    lines = (trained_run / "log.csv").read_text().splitlines()
    assert lines[0].startswith(",".join(COLUMNS))
    levels = ["recording_db", "harmonic_db", "noise_db", "reverb_db"]
    terms = ["magnitude", "log_magnitude"]
    further = [*terms, *levels, "val_magnitude", "val_log_magnitude", "audio_s_per_s"]
    assert set(lines[0].split(",")) == {*COLUMNS, *further}
    log = losses(trained_run)
    assert [(row["step"], row["epoch"]) for row in log] == [(2, 1), (4, 2), (6, 3)]
    # The cosine from 0.01 down to a tenth, at 2, 4 and 6 of 6 steps.
    cosine = [0.01 * (0.1 + 0.9 * (1 + np.cos(np.pi * step / 6)) / 2) for step in (2, 4, 6)]
    np.testing.assert_allclose([row["learning_rate"] for row in log], cosine, rtol=1e-5)
    seconds = [float(row["seconds"]) for row in read_log(trained_run)]
    assert seconds == sorted(seconds)
    reference = load_reference(trained_run, tiny.config().spec)
    assert len(reference.audio) == len(reference.f0_hz) * tiny.HOP
    assert reference.f0_hz.min() > 0


def test_a_model_keeps_what_it_was_trained_on(trained_model):
    assert trained_model.instrument["config"] == tiny.config().to_dict()
    assert trained_model.instrument["f0_estimator"]["name"] == "pyin"
    median = trained_model.instrument["f0_hz_range"]["median"]
    assert median == pytest.approx(np.median(tiny.NOTES_HZ), rel=0.1)


@pytest.mark.slow
def test_a_run_that_is_killed_twice_ends_like_one_that_was_not(trained_run, tiny_dataset, tmp_path):
    run = tmp_path / "run"
    make_run_folder(run, tiny.config())  # all that is there when a run is killed within its first epoch
    # At the end of the second, with its line in the log but before its weights are saved.
    killed_run(tiny_dataset, run, callbacks.Checkpoint, "on_epoch_end", 1, after=False)
    assert [row["step"] for row in losses(run)] == [2, 4]
    assert int(load_model_of_run(run, to_train=True).optimizer.iterations) == 2
    train(tiny.config(), tiny_dataset, run, resume=True, verbose=0)
    assert_same_run(trained_run, run)


def test_a_run_can_be_made_longer_by_steps_that_fill_no_epoch(run_copy, tiny_dataset):
    longer = tiny.config(training={"steps": 9})
    said = []
    model = train(longer, tiny_dataset, run_copy, resume=True, verbose=0, progress=said.append)
    assert said == ["going on from step 6"]
    assert int(model.optimizer.iterations) == 9
    log = losses(run_copy)
    assert [(row["step"], row["epoch"]) for row in log] == [(2, 1), (4, 2), (6, 3), (8, 4), (9, 5)]
    assert load_config_of_run(run_copy) == longer
    assert model.instrument["config"] == longer.to_dict()


@pytest.mark.parametrize("steps", range(1, 13))
@pytest.mark.parametrize("per_epoch", [1, 3, 5, 50])
def test_from_any_step_on_every_step_is_done_once_and_epochs_end_where_they_would(steps, per_epoch):
    ends = {*range(per_epoch, steps, per_epoch), steps}
    for start in range(steps):
        done, reached = start, []
        while done < steps:
            epochs, each = fit._next_epochs(done, steps, per_epoch)
            reached += [done + (i + 1) * each for i in range(epochs)]
            done = reached[-1]
        assert reached == sorted(end for end in ends if end > start)


def test_a_finished_run_is_left_as_it_is(run_copy, tiny_dataset):
    before = {p: p.read_bytes() for p in run_copy.rglob("*") if p.is_file()}
    said = []
    train(tiny.config(), tiny_dataset, run_copy, resume=True, verbose=0, progress=said.append)
    assert said == [f"{run_copy} has done 6 steps of 6: there is nothing left to do"]
    assert {p: p.read_bytes() for p in run_copy.rglob("*") if p.is_file()} == before


def test_a_folder_that_holds_a_run_is_refused(trained_run, tiny_dataset):
    with pytest.raises(DdspError, match="holds a run already: go on with --resume"):
        train(tiny.config(), tiny_dataset, trained_run, verbose=0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"training": {"learning_rate": 0.5}}, r"configuration: training.learning_rate differs\."),
        ({"loss": {"fft_sizes": [64]}, "name": "x"}, r"configuration: name, loss.fft_sizes differ\."),
    ],
)
def test_going_on_with_another_configuration_is_refused_by_name(run_copy, tiny_dataset, change, words):
    with pytest.raises(DdspError, match=words):
        train(tiny.config(**change), tiny_dataset, run_copy, resume=True, verbose=0)


def test_going_on_with_another_dataset_is_refused(run_copy, tmp_path):
    config = tiny.config()
    other = tiny.write_phrase(tmp_path / "other.wav", 5.0)
    prepare([other], tmp_path / "data", config.spec, config.data, estimator=ConstantEstimator(), jobs=1)
    with pytest.raises(DdspError, match=r"another dataset than .*: f0_estimator, .* differ"):
        train(tiny.config(training={"steps": 8}), tmp_path / "data", run_copy, resume=True, verbose=0)


def test_a_held_back_loss_that_is_no_number_ends_the_run_and_keeps_the_checkpoint(
    run_copy, tiny_dataset, monkeypatch
):
    """What the last step of an epoch spoils shows only afterwards."""
    original = task_data.validation_dataset

    def spoilt(*args, **kwargs):
        return original(*args, **kwargs).map(lambda x, y: (x, y * np.float32(np.nan)))

    monkeypatch.setattr(task_data, "validation_dataset", spoilt)
    before = (run_copy / "instrument.keras").read_bytes()
    log = (run_copy / "log.csv").read_bytes()
    with pytest.raises(DdspError, match=r"the loss is nan on the held-back .* training\.learning_rate"):
        train(tiny.config(training={"steps": 8}), tiny_dataset, run_copy, resume=True, verbose=0)
    assert (run_copy / "instrument.keras").read_bytes() == before
    assert (run_copy / "log.csv").read_bytes() == log


@pytest.mark.parametrize("loss", [np.nan, np.inf])
def test_a_loss_that_is_no_number_ends_the_run_at_once(loss):
    inputs = tf.data.Dataset.from_tensors((tf.ones([1, 1]), tf.fill([1, 1], np.float32(loss)))).repeat()
    model = tf.keras.Sequential([tf.keras.Input([1]), tf.keras.layers.Dense(1)])
    model.compile("sgd", "mae")
    seen = []
    count = tf.keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    stop = watch.StopOnNonFiniteLoss()
    with pytest.raises(DdspError, match=rf"the loss is {loss} at batch 1 of this epoch"):
        model.fit(inputs, steps_per_epoch=5, callbacks=[stop, count], shuffle=False, verbose=0)
    assert seen == []


def test_controls_that_are_no_numbers_end_the_run_in_words_and_keep_the_checkpoint(
    run_copy, tiny_dataset, monkeypatch
):
    original = task_data.training_dataset

    def spoilt(*args, **kwargs):
        return original(*args, **kwargs).map(lambda x, y: ({**x, "f0_hz": x["f0_hz"] * np.nan}, y))

    monkeypatch.setattr(task_data, "training_dataset", spoilt)
    before = (run_copy / "instrument.keras").read_bytes()
    with pytest.raises(DdspError, match=r"control '\w+' must be finite \(step 7\); .* is intact"):
        train(tiny.config(training={"steps": 8}), tiny_dataset, run_copy, resume=True, verbose=0)
    assert (run_copy / "instrument.keras").read_bytes() == before


def test_a_dataset_of_another_rate_is_refused_before_anything_is_written(tiny_dataset, tmp_path):
    with pytest.raises(DdspError, match="has a sample rate of 16000 Hz, not 8000 Hz"):
        train(tiny.config(sample_rate=8000), tiny_dataset, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_bad_processor_is_refused_before_anything_is_written(tiny_dataset, tmp_path):
    values = tiny.settings()
    values["model"]["processors"]["nodes"][0]["type"] = "Harmonics"
    with pytest.raises(DdspError, match="Did you mean 'Harmonic'"):
        train(Config.from_dict(values), tiny_dataset, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_folder_that_cannot_be_written_is_refused(tiny_dataset, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DdspError, match="cannot be written: Not a directory"):
        train(tiny.config(), tiny_dataset, tmp_path / "file" / "run")


def test_a_user_trains_with_nothing_but_keras(tiny_dataset):
    """What `train` does, in a notebook."""
    from ddsp_tf.data import training_dataset
    from ddsp_tf.losses import MultiScaleSpectralLoss
    from ddsp_tf.models import Autoencoder

    config = tiny.config()
    model = Autoencoder.from_experiment(config)
    clips = training_dataset(tiny_dataset, config.spec, batch_size=2, clip_frames=62)
    model.compile(tf.keras.optimizers.Adam(1e-2), MultiScaleSpectralLoss((256, 64)))
    history = model.fit(clips, epochs=2, steps_per_epoch=5, shuffle=False, verbose=0).history
    assert history["loss"][1] < history["loss"][0]


@pytest.mark.skipif(find_spec("tensorboard") is not None, reason="TensorBoard is installed")
def test_tensorboard_that_is_not_installed_is_asked_for(tiny_dataset, tmp_path):
    with pytest.raises(DdspError, match="pip install tensorboard"):
        train(tiny.config(), tiny_dataset, tmp_path / "run", tensorboard=True)
    assert not (tmp_path / "run").exists()


def test_the_configuration_of_a_run_can_start_another(tmp_path):
    config = tiny.config()
    (tmp_path / "config.yaml").write_text(config.to_yaml())
    assert load_config(tmp_path / "config.yaml") == config
