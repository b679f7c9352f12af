"""However a run ends, it goes on from there as if nothing had been."""

import contextlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ddsp_tf.cli.main import main
from ddsp_tf.errors import DdspError
from ddsp_tf.training import callbacks, checkpoints, fit, load_model_of_run, watch
from ddsp_tf.training.callbacks import RunLog
from ddsp_tf.training.checkpoints import (
    TrainingState,
    checkpoints_of,
    load_checkpoint,
    load_newest,
    save_checkpoint,
)
from ddsp_tf.training.interruption import Interruption, signals_deferred
from ddsp_tf.training.watch import Steps
from tests import tiny
from tests.training.killing import OPERATIONS
from tests.training.runs import assert_same_run, losses

ROOT = Path(__file__).parents[2]


def run_folder(path):
    path.mkdir(exist_ok=True)
    return path


def names(run):
    return sorted(str(p.relative_to(run)) for p in run.rglob("*") if p.is_file())


class Snapshots:
    """Copies of a folder as it is before each file operation in it: what SIGKILL would leave there."""

    def __init__(self, watched, into):
        self.watched, self.into, self.copies, self.at_work = watched, into, [], False
        sys.addaudithook(self.hook)

    def hook(self, event, arguments):
        inside = any(str(self.watched) in str(argument) for argument in arguments[:2])
        if self.into is None or self.at_work or event not in OPERATIONS or not inside:
            return
        self.at_work = True
        self.copies.append(shutil.copytree(self.watched, self.into / str(len(self.copies))))
        self.at_work = False

    def stop(self):
        self.into = None  # a hook cannot be taken away


def signal_at(patch, step, number):
    """Have a signal come while a training step is done."""
    original = watch.StopOnNonFiniteLoss.on_train_batch_end

    def signalling(self, batch, logs=None):
        original(self, batch, logs)
        if int(self.model.optimizer.iterations) == step:
            signal.raise_signal(number)

    patch.setattr(watch.StopOnNonFiniteLoss, "on_train_batch_end", signalling)


@pytest.mark.slow
def test_a_run_that_is_killed_and_then_terminated_ends_like_one_that_was_not(
    trained_run, tiny_dataset, tmp_path, capsys
):
    """SIGKILL at a random file operation after its first checkpoint, SIGTERM in the middle of an epoch."""
    run, config = tmp_path / "run", tiny.write_config(tmp_path / "tiny.yaml")
    operation = random.randrange(24)  # of some 25 in two epochs
    killed = [sys.executable, "-m", "tests.training.killing", config, tiny_dataset, run, str(operation)]
    done = subprocess.run(killed, capture_output=True, text=True, timeout=300, cwd=ROOT)
    assert done.returncode == -signal.SIGKILL, f"operation {operation}: {done.stdout}{done.stderr}"

    command = ["train", config, "--data", tiny_dataset, "--out", run, "--resume", "--no-report"]
    command = [str(argument) for argument in command]
    with pytest.MonkeyPatch.context() as patch:
        signal_at(patch, 5, signal.SIGTERM)
        assert main(command) == 143
    error = capsys.readouterr().err
    assert "stopped after step 5: go on with --resume" in error
    assert error.endswith("ddsp-tf: ended by SIGTERM\n")
    model, state = load_newest(run, "instrument", tell=pytest.fail)
    assert int(model.optimizer.iterations) == state.step == 5
    assert [row["step"] for row in losses(run)] == [2, 4]
    assert main(command) == 0
    assert "going on from step 5" in capsys.readouterr().err
    assert_same_run(trained_run, run)
    assert not [name for name in names(run) if "/." in name], done.stdout


def test_lines_of_steps_that_are_not_kept_are_gone_from_the_log_when_a_run_goes_on(run_copy):
    """The line of an epoch is written before its checkpoint, and a kill may come between."""
    assert [row["step"] for row in losses(run_copy)] == [2, 4, 6]
    RunLog(run_copy, Steps(4))
    assert [row["step"] for row in losses(run_copy)] == [2, 4]


def test_a_kill_at_any_file_operation_of_a_checkpoint_leaves_a_good_one(trained_model, tmp_path):
    run, copies = tmp_path / "run", tmp_path / "copies"
    copies.mkdir()
    for step in (1, 2):
        save_checkpoint(trained_model, run_folder(run), TrainingState(step), keep=2, best=True)
    moments = Snapshots(run, copies)
    save_checkpoint(trained_model, run, TrainingState(3), keep=2, best=True)
    moments.stop()
    assert len(moments.copies) >= 10
    assert sum(any(".part" in name for name in names(copy)) for copy in moments.copies) >= 5
    seen = {}
    for copy in moments.copies:
        newest = checkpoints_of(copy)[0]
        assert newest.name in ("step-00000002.keras", "step-00000003.keras")
        for path in (newest, copy / "instrument.keras", copy / "checkpoints/best.keras"):
            data = path.read_bytes()
            if data not in seen:
                seen[data] = load_checkpoint(path, to_train=True)[1].step
            assert path != newest or seen[data] == int(newest.stem[-8:])
    assert sorted(seen.values()) == [2, 3]


def test_a_run_that_was_killed_before_its_first_checkpoint_starts_anew(tiny_dataset, tmp_path):
    """With nothing in its folder yet, with its configuration, or with half of it."""
    for left in ([], ["config.yaml"], [".config.part.yaml"]):
        run = tmp_path / f"run{len(list(tmp_path.iterdir()))}"
        run.mkdir()
        for name in left:
            tiny.write_config(run / name)
        assert not fit._can_go_on(tiny.config(), run)
    (run / "notes.txt").touch()
    with pytest.raises(DdspError, match=r"is no run folder: it has no config\.yaml"):
        fit._can_go_on(tiny.config(), run)


def test_a_signal_asks_and_a_second_one_ends_a_run_at_once():
    seen = []

    def two_signals():
        with signals_deferred() as interruption:
            signal.raise_signal(signal.SIGINT)
            seen.append(interruption.signal)
            signal.raise_signal(signal.SIGINT)
            pytest.fail("the second one was not heard")

    ours = signal.signal(signal.SIGINT, signal.default_int_handler)  # tests may run where it is ignored
    try:
        with pytest.raises(KeyboardInterrupt):
            two_signals()
        assert seen == [signal.SIGINT]
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, ours)


@contextlib.contextmanager
def full_disk(size):
    """No file can be larger than a number of bytes."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.999])
def test_a_disk_that_is_full_ends_a_run_in_words_with_its_checkpoint_intact(run_copy, share):
    before = (run_copy / "instrument.keras").read_bytes()
    steps = watch.Steps(6)
    log = callbacks.RunLog(run_copy, steps)
    checkpoint = callbacks.Checkpoint(run_copy, steps, log, 3, Interruption())
    checkpoint.set_model(load_model_of_run(run_copy, to_train=True))
    steps.done = 8
    words = r"File too large; .* step-00000006.keras, which is intact. Make room"
    with full_disk(int(share * len(before))), pytest.raises(DdspError, match=words):
        checkpoint.on_epoch_end(3)
    assert (run_copy / "instrument.keras").read_bytes() == before
    assert not [name for name in names(run_copy) if ".part" in name]
    assert load_newest(run_copy, "instrument", tell=pytest.fail)[1].step == 6


def test_a_log_that_cannot_be_written_ends_a_run_in_words(run_copy):
    log = callbacks.RunLog(run_copy, watch.Steps(6))
    log.set_model(load_model_of_run(run_copy, to_train=True))
    log.on_train_begin()
    before = (run_copy / "log.csv").read_bytes()
    words = r"File too large; .* is intact. Make room, and go on with --resume"
    with full_disk(100), pytest.raises(DdspError, match=words):
        log.on_epoch_end(3, {})
    assert (run_copy / "log.csv").read_bytes() == before


# What is kept


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_the_last_checkpoints_and_the_best_are_kept(trained_model, tmp_path, monkeypatch, links):
    if not links:

        def refuse(*_, **__):
            raise OSError(1, "Operation not permitted")

        monkeypatch.setattr(os, "link", refuse)
    for step in range(1, 6):
        save_checkpoint(trained_model, tmp_path, TrainingState(step), keep=2, best=step == 2)
    assert names(tmp_path) == [
        "checkpoints/best.keras",
        "checkpoints/step-00000004.keras",
        "checkpoints/step-00000005.keras",
        "instrument.keras",
    ]
    assert load_checkpoint(tmp_path / "checkpoints/best.keras", to_train=False)[1].step == 2
    assert load_checkpoint(tmp_path / "instrument.keras", to_train=False)[1].step == 5


def test_the_best_checkpoint_is_that_of_the_lowest_loss_held_back(trained_run):
    best = min(losses(trained_run), key=lambda row: row["val_loss"])
    _, state = load_checkpoint(trained_run / "checkpoints/best.keras", to_train=False)
    assert state.step == best["step"]


def test_a_damaged_checkpoint_is_named_and_the_one_before_it_taken(run_copy):
    newest, before = checkpoints_of(run_copy)[:2]
    data = newest.read_bytes()
    newest.write_bytes(data[: len(data) // 2])
    told = []
    model, state = load_newest(run_copy, "instrument", told.append)
    assert f"step-{state.step:08d}.keras" == before.name
    assert int(model.optimizer.iterations) == state.step
    assert len(told) == 1
    assert f"{newest} is damaged" in told[0]


def test_a_checkpoint_of_a_newer_format_is_refused_in_words(trained_model, tmp_path):
    save_checkpoint(trained_model, tmp_path, TrainingState(1, format=checkpoints.FORMAT + 1), keep=1)
    with pytest.raises(DdspError, match=r"is of format 4, this version of ddsp_tf reads up to 3: update"):
        load_checkpoint(tmp_path / "instrument.keras", to_train=False)


@pytest.mark.parametrize("to_train", [False, True])
def test_an_instrument_whose_room_has_another_scale_is_refused_in_words(trained_model, tmp_path, to_train):
    save_checkpoint(trained_model, tmp_path, TrainingState(1, format=1), keep=1)
    with pytest.raises(DdspError, match=r"was trained by an earlier version .*: train it again"):
        load_checkpoint(tmp_path / "instrument.keras", to_train=to_train)


def test_means_of_an_epoch_are_kept_to_the_last_bit(trained_model, tmp_path):
    means = tuple(float(x) for x in np.random.default_rng(0).normal(size=5).astype(np.float32))
    save_checkpoint(trained_model, tmp_path, TrainingState(7, means), keep=1)
    assert load_checkpoint(tmp_path / "instrument.keras", to_train=False)[1].means == means
