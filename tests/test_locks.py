"""Folders that one process writes at a time."""

import json
import os
import subprocess
import sys

import pytest

from ddsp_tf.errors import DdspError
from ddsp_tf.locks import FolderLock
from ddsp_tf.training import train
from ddsp_tf.training.run import writing
from tests import tiny

HOLDER = """
import sys
from pathlib import Path
from ddsp_tf.locks import FolderLock
with FolderLock(Path(sys.argv[1]), Path(sys.argv[1]) / ".lock", "another training"):
    print("taken", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that has the lock of `tmp_path`, until it is told to end."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "taken\n"
        yield process
        process.kill()


def test_the_second_is_told_who_has_it(tmp_path, holder):
    with pytest.raises(DdspError, match=rf"written by another training \(process {holder.pid}, since 20"):
        FolderLock(tmp_path, tmp_path / ".lock", "another training")
    holder.communicate("\n")
    with FolderLock(tmp_path, tmp_path / ".lock", "another training"):
        assert json.loads((tmp_path / ".lock").read_text())["pid"] == os.getpid()
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_is_killed_leaves_no_lock_behind(tmp_path, holder):
    holder.kill()
    holder.wait()
    with FolderLock(tmp_path, tmp_path / ".lock", "another training"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_tells_nothing_is_a_lock_all_the_same(tmp_path, holder):
    (tmp_path / ".lock").write_bytes(b"\xff" * 1000)
    with pytest.raises(DdspError, match="written by another training: wait until it ends"):
        FolderLock(tmp_path, tmp_path / ".lock", "another training")


def test_two_runs_do_not_write_one_folder(tmp_path, holder, tiny_dataset):
    for resume in (False, True):
        with pytest.raises(DdspError, match="is being written by another training"):
            train(tiny.config(), tiny_dataset, tmp_path, resume=resume, verbose=0)
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_a_folder_that_was_made_for_nothing_goes_again(tmp_path):
    run = tmp_path / "deep" / "run"
    with pytest.raises(DdspError, match="enough"), writing(run, new=True):
        raise DdspError("enough")
    assert list(tmp_path.iterdir()) == []
    with writing(run, new=True):
        (run / "kept").touch()
    assert [path.name for path in run.iterdir()] == ["kept"]
