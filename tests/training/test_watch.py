"""A run explains itself: what it shows while it goes on, what it warns of, and what it leaves."""

from importlib.util import find_spec

import keras
import numpy as np
import pytest
import tensorflow as tf

from ddsp_edge.files.audio_file import read_audio
from ddsp_tf.config import Config
from ddsp_tf.data import training_dataset
from ddsp_tf.errors import DdspError
from ddsp_tf.layers.branches import branch_kinds, branch_signals
from ddsp_tf.models import Autoencoder
from ddsp_tf.reports.run import REPORT_NAME, write_run_report
from ddsp_tf.tasks.instrument.reference import REFERENCE_NAME
from ddsp_tf.training import branch_watch, compile_model, train, watch
from ddsp_tf.training.callbacks import read_log
from ddsp_tf.training.run import load_model_of_run
from tests import tiny
from tests.training.runs import assert_same_run

KINDS = {"harmonic": "tonal", "noise": "noise", "reverb": "room"}


def level_db(audio):
    return 10.0 * np.log10(np.mean(np.square(np.asarray(audio, np.float64))))


def test_branches_are_synths_and_rooms_and_a_room_adds_its_echoes():
    group = Autoencoder.from_experiment(tiny.config()).processors
    assert branch_kinds(group) == KINDS
    signals = {
        name: np.full([1, 4], value)
        for name, value in zip(("harmonic", "noise", "dry", "reverb"), (1.0, 2.0, 3.0, 7.0), strict=True)
    }
    added = branch_signals(group, signals)
    assert {name: float(signal[0, 0]) for name, signal in added.items()} == {
        "harmonic": 1.0,
        "noise": 2.0,
        "reverb": 4.0,
    }


def broken_instrument():
    """Its noise is loud whatever the network says, and its harmonics have no amplitude."""
    values = tiny.settings(training={"learning_rate": 1e-8})
    for node in values["model"]["processors"]["nodes"]:
        if node["name"] == "noise":
            node["config"]["initial_bias"] = 20.0
    config = Config.from_dict(values)
    model = Autoencoder.from_experiment(config)
    bias = model.decoder.head.bias
    bias.assign(tf.tensor_scatter_nd_update(tf.convert_to_tensor(bias), [[0]], [-1000.0]))
    compile_model(model, config)
    return config, model


def test_a_dead_branch_and_noise_that_swallows_the_harmonics_are_warned_of(tiny_dataset, capsys):
    """Made to happen, in plain `fit`, which shows distance, levels and speed in its progress bar."""
    config, model = broken_instrument()
    said = []
    clips = training_dataset(tiny_dataset, config.spec, batch_size=2, clip_frames=62)
    history = model.fit(
        clips,
        epochs=3,
        steps_per_epoch=2,
        shuffle=False,
        verbose=1,
        callbacks=[watch.Speed(0.992), branch_watch.BranchWatch(said.append)],
    ).history
    assert len(said) == 2  # once each, though they go on
    assert said[0].startswith("warning, epoch 2: the branch 'harmonic' has fallen silent, -1")
    assert "dB louder than the harmonics and covers them" in said[1]
    shown = capsys.readouterr().out
    names = ("loss", "magnitude", "log_magnitude", "recording_db", "harmonic_db", "noise_db", "reverb_db")
    for name in (*names, "audio_s_per_s"):
        assert f" {name}: " in shown
    assert history["harmonic_db"][-1] < -100.0
    np.testing.assert_allclose(
        np.add(history["magnitude"], history["log_magnitude"]), history["loss"], rtol=1e-5
    )
    recordings = [np.asarray(audio) for _, audio in clips.take(6)]
    expected = [level_db(recordings[i : i + 2]) for i in (0, 2, 4)]
    np.testing.assert_allclose(history["recording_db"], expected, atol=1e-3)  # float32 sums


def test_healthy_levels_are_not_warned_of():
    logs = {"recording_db": -20.0, "harmonic_db": -21.0, "noise_db": -90.0, "reverb_db": -120.0}
    assert branch_watch.branch_warnings(KINDS, logs) == {}
    assert branch_watch.branch_warnings(KINDS, {**logs, "noise_db": -15.5}) == {}
    assert set(branch_watch.branch_warnings(KINDS, {**logs, "noise_db": -14.5})) == {"swallowed"}
    assert branch_watch.branch_warnings(KINDS, {**logs, "reverb_db": -15.5}) == {}
    assert set(branch_watch.branch_warnings(KINDS, {**logs, "reverb_db": -14.5})) == {"room"}
    assert set(branch_watch.branch_warnings(KINDS, {**logs, "noise_db": -111.0})) == {"silent noise"}
    assert set(branch_watch.branch_warnings(KINDS, {**logs, "harmonic_db": -81.0, "noise_db": -90.0})) == {
        "silent harmonic"
    }


def test_the_guard_names_the_term_and_the_batch():
    guard = watch.StopOnNonFiniteLoss(watch.Steps(9))
    _, model = broken_instrument()
    guard.set_model(model)
    good = {"loss": 1.0, "magnitude": 0.5, "log_magnitude": 0.5}
    guard.on_train_batch_end(0, good)
    words = r"the loss is nan at batch 4 of this epoch, step 9 by its term log_magnitude; "
    with pytest.raises(DdspError, match=words):
        guard.on_train_batch_end(3, {**good, "loss": np.nan, "log_magnitude": np.nan})
    with pytest.raises(
        DdspError, match="inf on the held-back passages by its terms magnitude, log_magnitude"
    ):
        guard.on_epoch_end(0, {"val_loss": np.inf, "val_magnitude": np.inf, "val_log_magnitude": np.inf})


def test_speed_leaves_out_the_step_that_compiles(monkeypatch):
    clock = iter([100.0, 100.5, 101.0, 101.5])
    monkeypatch.setattr(watch.time, "perf_counter", lambda: next(clock))
    speed = watch.Speed(4.0)
    speed.on_epoch_begin(0)
    logs = {}
    speed.on_train_batch_end(0, logs)
    assert logs == {}
    for batch in (1, 2, 3):
        speed.on_train_batch_end(batch, logs)
        assert logs == {"audio_s_per_s": 8.0}


@pytest.mark.slow
@pytest.mark.skipif(find_spec("tensorboard") is None, reason="TensorBoard is not installed")
def test_tensorboard_holds_sound_and_spectrograms_and_changes_nothing(trained_run, tiny_dataset, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = tmp_path / "run"
    train(tiny.config(), tiny_dataset, run, tensorboard=True, verbose=0)
    assert_same_run(trained_run, run)
    events = EventAccumulator(str(run / "tensorboard" / "sound"))
    events.Reload()
    assert set(events.Tags()["tensors"]) == {
        f"{name}{kind}" for name in ("recording", "resynthesis") for kind in ("", " spectrogram")
    }
    sounds = events.Tensors("resynthesis")
    assert [event.step for event in sounds] == [0, 1, 2]
    encoded = tf.make_ndarray(sounds[-1].tensor_proto).ravel()[0]
    audio, rate = tf.audio.decode_wav(encoded)
    assert int(rate) == tiny.RATE
    assert np.abs(audio).max() > 0.01
    picture = tf.make_ndarray(events.Tensors("resynthesis spectrogram")[-1].tensor_proto)
    assert int(picture[0]) > 300  # pixels wide
    curves = EventAccumulator(str(run / "tensorboard" / "train"))
    curves.Reload()
    assert "epoch_harmonic_db" in curves.Tags()["tensors"]


def test_sounds_are_files_of_which_the_newest_stays_and_change_nothing(trained_run, tiny_dataset, tmp_path):
    run, seen = tmp_path / "run", []
    look = keras.callbacks.LambdaCallback(on_epoch_begin=lambda *_: seen.append(sounds_of(run)))
    train(tiny.config(), tiny_dataset, run, sounds=True, callbacks=[look], verbose=0)
    assert_same_run(trained_run, run)
    assert [*seen, sounds_of(run)] == [
        ["recording.wav", *newest]
        for newest in ([], ["step-00000002.wav"], ["step-00000004.wav"], ["step-00000006.wav"])
    ]
    recording, rate = read_audio(run / "sounds" / "recording.wav")
    resynthesis, _ = read_audio(run / "sounds" / "step-00000006.wav")
    kept = np.load(run / REFERENCE_NAME)["audio"][: len(recording)]
    np.testing.assert_allclose(recording, kept, rtol=0, atol=1.0 / 32768.0)  # 16 bits
    assert (rate, len(resynthesis)) == (tiny.RATE, len(recording))
    assert np.abs(resynthesis).max() > 0.01
    assert not (run / "tensorboard").exists()


def test_a_run_that_goes_on_goes_on_with_its_sounds(run_copy, tiny_dataset):
    (run_copy / "sounds").mkdir()
    (run_copy / "sounds" / "step-00000099.wav").touch()  # of steps that were lost with their checkpoint
    train(tiny.config(training={"steps": 8}), tiny_dataset, run_copy, resume=True, sounds=True, verbose=0)
    assert sounds_of(run_copy) == ["recording.wav", "step-00000008.wav"]


def sounds_of(run):
    return sorted(path.name for path in (run / "sounds").iterdir())


@pytest.mark.slow
def test_a_report_is_left_at_the_end(run_copy, tiny_dataset):
    """What the command writes; `tests/reports` looks at pages."""
    write_run_report(run_copy, tiny_dataset)
    page = (run_copy / REPORT_NAME).read_text(encoding="utf-8")
    for words in ("6 steps of training", "Terms of the loss", "How loud each branch is", "resynthesis"):
        assert words in page
    assert page.count("<audio") == 2
    assert "http" not in page.replace("http://www.w3.org", "")


def test_a_log_of_older_columns_can_be_gone_on_with(run_copy, tiny_dataset):
    """Runs that were begun by a version that logged less."""
    log = run_copy / "log.csv"
    lines = [",".join(line.split(",")[:6]) for line in log.read_text().splitlines()]
    log.write_text("\n".join(lines) + "\n")
    train(tiny.config(training={"steps": 8}), tiny_dataset, run_copy, resume=True, verbose=0)
    rows = read_log(run_copy)
    assert [row["step"] for row in rows] == ["2", "4", "6", "8"]
    assert rows[0]["harmonic_db"] == "nan"
    assert float(rows[-1]["harmonic_db"]) < 0.0
    model = load_model_of_run(run_copy, to_train=True)
    assert isinstance(model.optimizer, keras.optimizers.Adam)
