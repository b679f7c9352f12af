"""Training in several processes, and on several devices of one."""

import contextlib
import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from ddsp_tf.config import Config
from ddsp_tf.data import prepare
from ddsp_tf.errors import DdspError
from ddsp_tf.tasks.task import task_named
from ddsp_tf.training import train
from ddsp_tf.training.workers import parse_tf_config, writes_run
from tests import tiny
from tests.data.doubles import ConstantEstimator
from tests.training.runs import losses

ROOT = Path(__file__).parents[2]
STEPS = 5
PATIENCE_S = (
    1200.0  # until a worker is taken for one that hangs: they take half a minute, on busy machines more
)


def settings():
    """An epoch a step, so that the log has every step.

    Without noise, which workers draw for themselves; and without log magnitudes, for which what is between
    harmonics then, all rounding, counts as much as they do, and moves the taps of the room.
    """
    training = {"steps": STEPS, "steps_per_epoch": 1, "batch_size": 2, "clip_seconds": 0.25}
    loss = {"fft_sizes": [64], "log_magnitude_weight": 0.0}
    values = tiny.without_noise()
    return {**values, "loss": loss, "training": {**values["training"], **training}}


@pytest.fixture(scope="module")
def reference(tiny_dataset, tmp_path_factory):
    """The log of one process on the joined batch."""
    run = tmp_path_factory.mktemp("one") / "run"
    train(Config.from_dict(settings()), tiny_dataset, run, verbose=0)
    return losses(run)


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("localhost", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@contextlib.contextmanager
def started(config, data, run, *arguments, count=2):
    """Processes of the command on localhost; whatever happens, none of them is left behind."""
    hosts = [f"localhost:{port}" for port in free_ports(count)]
    command = [sys.executable, "-m", "ddsp_tf.cli.main", "train", config, "--data", data, "--out", run]
    command += ["--strategy", "multi_worker", "--no-report", *arguments]
    workers = []
    try:
        for index in range(count):
            task = {"cluster": {"worker": hosts}, "task": {"type": "worker", "index": index}}
            environment = {**os.environ, "TF_CONFIG": json.dumps(task)}
            log = run.parent / f"worker{index}{len(arguments)}.log"
            with log.open("w") as output:
                words = list(map(str, command))
                workers.append(
                    subprocess.Popen(words, cwd=ROOT, env=environment, stdout=output, stderr=output)
                )
            workers[-1].log = log
        yield workers
    finally:
        for worker in workers:
            worker.kill()  # one that has ended already is left alone
            worker.wait()


def finish(worker):
    status = worker.wait(PATIENCE_S)
    return status, worker.log.read_text()


def assert_same_losses(one, two):
    assert [row["step"] for row in one] == [row["step"] for row in two]
    for a, b in zip(one, two, strict=True):
        # Sums of another order, and Adam, which in its first steps divides small gradients by themselves.
        assert a == pytest.approx(b, rel=1e-3, abs=1e-3)
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-4)  # up to 2.2e-5 was seen


@pytest.mark.slow
def test_a_cluster_of_one_worker_trains_as_without(reference, tiny_dataset, tmp_path):
    """The command, its strategy and what is saved."""
    run, config = tmp_path / "run", tiny.write_config(tmp_path / "tiny.yaml", settings())
    with started(config, tiny_dataset, run, count=1) as (worker,):
        status, said = finish(worker)
    assert status == 0, said
    assert_same_losses(losses(run), reference)


@pytest.mark.slow
def test_two_workers_train_like_one_and_go_on_after_one_was_killed(reference, tiny_dataset, tmp_path):
    run, config = tmp_path / "run", tiny.write_config(tmp_path / "tiny.yaml", settings())
    with started(config, tiny_dataset, run) as workers:
        deadline = time.monotonic() + PATIENCE_S
        while not (run / "instrument.keras").exists():
            assert all(worker.poll() is None for worker in workers), finish(workers[0])
            assert time.monotonic() < deadline
            time.sleep(0.01)
        workers[1].kill()
        status, said = finish(workers[0])
        assert finish(workers[1])[0] == -signal.SIGKILL
    if status:  # the last steps are quick: it may have been done
        assert "another worker is gone" in said or "unhealthy" in said
    before = losses(run)
    assert before
    assert_same_losses(before, reference[: len(before)])

    if len(before) == STEPS:  # go on all the same, from an earlier checkpoint
        for path in (run / "instrument.keras", run / "checkpoints" / f"step-{STEPS:08d}.keras"):
            path.unlink()
    with started(config, tiny_dataset, run, "--resume") as workers:
        for worker in workers:
            status, said = finish(worker)
            assert status == 0, said
            assert "going on from step" in said
    assert_same_losses(losses(run), reference)


def latents():
    """The same settings for a model that listens and knows two instruments."""
    values = settings()
    values["model"] |= {
        "encoder": {"z_size": 3, "units": 8, "n_mfcc": 10, "n_mels": 40},
        "instruments": {"flute": "flute*", "violin": "violin*"},
    }
    return values


@pytest.fixture(scope="module")
def two_instruments(tmp_path_factory):
    """A dataset of two."""
    folder = tmp_path_factory.mktemp("latents")
    names = {"flute.wav": 10.0, "violin.wav": 11.0}
    recordings = [tiny.write_phrase(folder / name, seconds) for name, seconds in names.items()]
    config = Config.from_dict(latents())
    data = dataclasses.replace(config.data, passage_seconds=2.0, validation_share=0.4)
    prepare(recordings, folder / "data", config.spec, data, estimator=ConstantEstimator(), jobs=1)
    return folder / "data"


@pytest.fixture(scope="module")
def reference_of_two(two_instruments, tmp_path_factory):
    """The log of one process that trained on its joined batches."""
    run = tmp_path_factory.mktemp("two") / "run"
    train(Config.from_dict(latents()), two_instruments, run, verbose=0)
    return losses(run)


@pytest.mark.slow
def test_two_workers_train_a_model_with_latents_like_one(two_instruments, reference_of_two, tmp_path):
    run, config = tmp_path / "run", tiny.write_config(tmp_path / "latents.yaml", latents())
    with started(config, two_instruments, run) as workers:
        for worker in workers:
            status, said = finish(worker)
            assert status == 0, said
    assert_same_losses(losses(run), reference_of_two)


MIRRORED = """
import sys
import tensorflow as tf
devices = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], devices)
mirrored = tf.distribute.MirroredStrategy
tf.distribute.MirroredStrategy = lambda: mirrored(["CPU:0", "CPU:1"])
from ddsp_tf.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def train_mirrored(config, data, run):
    """The log of two devices of one process."""
    command = ["train", config, "--data", data, "--out", run, "--strategy", "mirrored", "--no-report"]
    program = [sys.executable, "-c", MIRRORED, *map(str, command)]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return losses(run)


def assert_nearly_same_losses(two, reference):
    assert_same_losses(two[:1], reference[:1])
    # Keras clips the gradients of each device before it adds them up, which is not quite the same later.
    np.testing.assert_allclose(*([row["loss"] for row in rows] for rows in (two, reference)), rtol=5e-3)


@pytest.mark.parametrize("augmentation", [{}, {"gain_db": 6.0, "pitch_semitones": 0.5}])
def test_a_model_that_listens_is_given_what_it_is_to_sound_like(two_instruments, augmentation):
    """Under `mirrored` Keras first calls it with its features alone."""
    config = Config.from_dict({**latents(), "augmentation": augmentation})
    clips = task_named("instrument").training_data(config, two_instruments)
    for features, target in clips.take(2):
        np.testing.assert_array_equal(features["audio"], target)
    without = Config.from_dict(settings())
    features, _ = next(iter(task_named("instrument").training_data(without, two_instruments)))
    assert "audio" not in features


@pytest.mark.slow
def test_two_devices_of_one_process_train_like_one(reference, tiny_dataset, tmp_path):
    config = tiny.write_config(tmp_path / "tiny.yaml", settings())
    assert_nearly_same_losses(train_mirrored(config, tiny_dataset, tmp_path / "run"), reference)


@pytest.mark.slow
def test_two_devices_train_a_model_with_latents_like_one(two_instruments, reference_of_two, tmp_path):
    config = tiny.write_config(tmp_path / "latents.yaml", latents())
    assert_nearly_same_losses(train_mirrored(config, two_instruments, tmp_path / "run"), reference_of_two)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"cluster": {"worker": ["a:1"]}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "ps", "index": 0}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": "x"}}',
    ],
)
def test_a_wrong_tf_config_is_refused_with_its_form(text):
    with pytest.raises(DdspError, match=r"TF_CONFIG must be \{"):
        parse_tf_config(text)


def test_workers_need_tf_config_and_a_batch_that_can_be_shared(tiny_dataset, tmp_path, monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(DdspError, match="needs the environment variable TF_CONFIG"):
        train(tiny.config(), tiny_dataset, tmp_path / "run", strategy="multi_worker")
    three = {"cluster": {"worker": ["a:1", "b:1", "c:1"]}, "task": {"type": "worker", "index": 2}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(three))
    assert parse_tf_config(os.environ["TF_CONFIG"]) == (2, 3)
    assert not writes_run("multi_worker")
    assert writes_run("mirrored")
    with pytest.raises(DdspError, match=r"\(2\) must be a multiple of the number of workers \(3\)"):
        train(tiny.config(), tiny_dataset, tmp_path / "run", strategy="multi_worker")
    with pytest.raises(DdspError, match="must be one of mirrored, multi_worker"):
        train(tiny.config(), tiny_dataset, tmp_path / "run", strategy="horovod")
    assert not (tmp_path / "run").exists()
