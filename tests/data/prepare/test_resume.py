"""`prepare` goes on where it was killed, adds to what there is, and never leaves half a dataset."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from ddsp_tf.config import DataConfig
from ddsp_tf.data import load_dataset_info, prepare, read_passages
from ddsp_tf.data.records.store import DatasetStore
from ddsp_tf.errors import DdspError
from ddsp_tf.features.f0_estimators import make_f0_estimator
from ddsp_tf.frames import FrameSpec
from tests.data.doubles import ConstantEstimator
from tests.data.killing import content
from tests.data.sounds import swelling, tone, write

ROOT = Path(__file__).parents[3]
CHEAP = ConstantEstimator()


class CountingEstimator(ConstantEstimator):
    """Counts the passages that it was given; fails after `limit`."""

    def __init__(self, limit: int = 10**9) -> None:
        super().__init__()
        self.count = 0
        self.limit = limit

    def estimate(self, audio, spec):  # type: ignore[no-untyped-def]
        if self.count == self.limit:
            raise KeyboardInterrupt
        self.count += 1
        return super().estimate(audio, spec)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Nine and five seconds."""
    return [
        write(tmp_path / "a.wav", swelling(9.0)),
        write(tmp_path / "b.wav", swelling(5.0, f0_hz=300.0)),
    ]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked")
@pytest.mark.parametrize("every", [7, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", ["new", "add", "overwrite"])
def test_killed_at_any_file_operation_it_ends_like_a_run_that_was_not(
    tmp_path: Path, kind: str, every: int
) -> None:
    """At every seventh of them in seconds."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.data.killing", str(tmp_path), kind, str(every)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) > 20


_SLOW = """
import sys, time
from ddsp_tf.config import DataConfig
from ddsp_tf.data import prepare
from ddsp_tf.frames import FrameSpec
from tests.data.doubles import SlowEstimator
if __name__ == "__main__":
    prepare(sys.argv[2:], sys.argv[1], FrameSpec(16000, 128), DataConfig(passage_seconds=2.0),
            estimator=SlowEstimator(), jobs=2)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_killed_at_any_moment_with_two_processes(tmp_path: Path) -> None:
    files = [write(tmp_path / f"{n}.wav", swelling(12.0, f0_hz=200.0 + 50 * n)) for n in range(4)]
    script = tmp_path / "slow.py"
    script.write_text(_SLOW)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def start(out: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, str(script), str(out), *map(str, files)], env=environment)

    assert start(tmp_path / "whole").wait(300) == 0
    out = tmp_path / "out"
    rng = np.random.default_rng()
    for _ in range(3):
        process = start(out)
        deadline = time.monotonic() + 60
        journals = out / ".prepare" / "journals"
        while not (journals.exists() and any(journals.iterdir())) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(float(rng.uniform(0.0, 1.0)))
        process.send_signal(signal.SIGKILL)
        process.wait(60)
        if (out / "dataset.json").exists():
            break
    assert start(out).wait(300) == 0
    assert content(out) == content(tmp_path / "whole")


def test_what_was_measured_is_not_measured_again(
    files: list[Path], tmp_path: Path, spec: FrameSpec, short: DataConfig
) -> None:
    whole = CountingEstimator()
    prepare(files, tmp_path / "whole", spec, short, estimator=whole, jobs=1)
    first = CountingEstimator(limit=5)
    with pytest.raises(KeyboardInterrupt):
        prepare(files, tmp_path / "out", spec, short, estimator=first, jobs=1)
    with pytest.raises(DdspError, match=r"has no dataset\.json"):
        load_dataset_info(tmp_path / "out")
    second = CountingEstimator()
    prepare(files, tmp_path / "out", spec, short, estimator=second, jobs=1)
    assert first.count + second.count == whole.count == 6
    assert content(tmp_path / "out") == content(tmp_path / "whole")


def test_a_second_time_nothing_happens(
    files: list[Path], tmp_path: Path, spec: FrameSpec, short: DataConfig
) -> None:
    out = tmp_path / "out"
    quiet = write(tmp_path / "quiet.wav", 0.0 * swelling(5.0))
    info = prepare([*files, tmp_path], out, spec, short, estimator=CHEAP, jobs=1)
    before = content(out)
    assert prepare([*files, tmp_path], out, spec, short, estimator=CountingEstimator(0), jobs=1) == info
    assert content(out) == before
    write(quiet, swelling(5.0, f0_hz=200.0))  # what was silent may be recorded again
    louder = prepare([*files, tmp_path], out, spec, short, estimator=CHEAP, jobs=1)
    assert [file.status for file in louder.files if file.name == "quiet.wav"] == ["used"]


def test_recordings_are_added_and_what_there_is_stays(
    files: list[Path], tmp_path: Path, spec: FrameSpec, short: DataConfig
) -> None:
    out = tmp_path / "out"
    before = prepare(files, out, spec, short, estimator=CHEAP, jobs=1)
    was = content(out)
    passages = {s: list(read_passages(out, s)) for s in ("train", "validation")}
    estimator = CountingEstimator()
    files.append(write(tmp_path / "c.wav", swelling(8.0, f0_hz=440.0)))
    (tmp_path / "bad.wav").touch()
    after = prepare([*files, tmp_path / "bad.wav"], out, spec, short, estimator=estimator, jobs=1)
    assert estimator.count == 4
    now = content(out)
    assert all(now[name] == data for name, data in was.items() if name != "dataset.json")
    assert [(f.name, f.status) for f in after.files] == [
        *((f.name, f.status) for f in before.files),
        ("c.wav", "used"),
        ("bad.wav", "skipped"),
    ]
    for split, old in passages.items():
        both = list(read_passages(out, split))
        assert [(p.source, p.first_sample) for p in both][: len(old)] == [
            (p.source, p.first_sample) for p in old
        ]
        assert len(both) > len(old)
        assert {p.source for p in both[len(old) :]} == {"c.wav"}
    # The description is that of all recordings prepared at once, but for where shards begin.
    at_once = prepare(
        [*files, tmp_path / "bad.wav"], tmp_path / "at-once", spec, short, estimator=CHEAP, jobs=1
    )
    assert dataclasses.replace(after, shards=at_once.shards) == at_once


def test_the_same_sound_is_taken_once(
    files: list[Path], tmp_path: Path, spec: FrameSpec, short: DataConfig
) -> None:
    (tmp_path / "copy.wav").write_bytes(files[0].read_bytes())
    info = prepare([*files, tmp_path / "copy.wav"], tmp_path / "out", spec, short, estimator=CHEAP, jobs=1)
    assert [(f.name, f.reason) for f in info.files if f.status == "skipped"] == [
        ("copy.wav", "is the same file as a.wav")
    ]
    again = prepare([tmp_path / "copy.wav"], tmp_path / "out", spec, short, estimator=CHEAP, jobs=1)
    assert again == info


def test_another_recording_of_a_known_name_is_not_taken_for_it(
    files: list[Path], tmp_path: Path, spec: FrameSpec, short: DataConfig
) -> None:
    out = tmp_path / "out"
    prepare(files, out, spec, short, estimator=CHEAP, jobs=1)
    write(files[0], swelling(6.0, f0_hz=500.0))
    info = prepare(files, out, spec, short, estimator=CHEAP, jobs=1)
    (skipped,) = [f for f in info.files if f.status == "skipped"]
    assert skipped.name == "a.wav"
    assert "has another content than the recording of this name in the dataset. Rename it" in skipped.reason
    assert prepare(files, out, spec, short, estimator=CHEAP, jobs=1) == info


def test_other_settings_are_refused_with_what_differs(
    files: list[Path], tmp_path: Path, spec: FrameSpec, short: DataConfig
) -> None:
    out = tmp_path / "out"
    prepare(files, out, spec, short, estimator=CHEAP, jobs=1)
    was = content(out)
    other = dataclasses.replace(short, passage_seconds=3.0, audio="float32")
    words = (
        r"out was prepared with other settings: data\.audio was 'int16', is 'float32'; "
        r"data\.passage_seconds was 2\.0, is 3\.0\. Give the same, name another folder, or give --overwrite"
    )
    with pytest.raises(DdspError, match=words):
        prepare(files, out, spec, other, estimator=CHEAP, jobs=1)
    estimator = ConstantEstimator(settings={"f0_hz": 110.0})
    with pytest.raises(DdspError, match=r"f0 estimator's f0_hz was 220\.0, is 110\.0"):
        prepare(files, out, spec, short, estimator=estimator, jobs=1)
    assert content(out) == was


def test_of_another_estimator_nothing_but_its_name_is_told(
    files: list[Path], tmp_path: Path, spec: FrameSpec, short: DataConfig
) -> None:
    out = tmp_path / "out"
    prepare(files, out, spec, short, estimator=CHEAP, jobs=1)
    words = (
        r"settings: the f0 estimator was 'constant', is 'yin-viterbi'\. Give the same \(--f0 constant\), name"
    )
    with pytest.raises(DdspError, match=words):
        prepare(files, out, spec, short, jobs=1)
    tracker = make_f0_estimator("yin-viterbi")
    prepare(files, out, spec, short, estimator=tracker, jobs=1, overwrite=True)
    narrow = dataclasses.replace(short, f0_min_hz=110.0)
    with pytest.raises(DdspError, match=r"settings: data\.f0_min_hz was 55\.0, is 110\.0") as refused:
        prepare(files, out, spec, narrow, jobs=1)
    assert "the f0 estimator was" not in str(refused.value)


def test_a_loss_of_power_that_left_the_settings_empty_begins_anew(
    files: list[Path], tmp_path: Path, spec: FrameSpec, short: DataConfig
) -> None:
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        prepare(files, out, spec, short, estimator=CountingEstimator(3), jobs=1)
    [settings] = out.rglob("settings.json")
    settings.write_bytes(b"")
    prepare(files, out, spec, short, estimator=CHEAP, jobs=1)
    prepare(files, tmp_path / "whole", spec, short, estimator=CHEAP, jobs=1)
    assert content(out) == content(tmp_path / "whole")


def test_other_settings_are_refused_where_a_run_was_interrupted(
    files: list[Path], tmp_path: Path, spec: FrameSpec, short: DataConfig
) -> None:
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        prepare(files, out, spec, short, estimator=CountingEstimator(3), jobs=1)
    other = dataclasses.replace(short, passage_seconds=3.0)
    with pytest.raises(
        DdspError, match=r"was started with other settings: data\.passage_seconds was 2\.0, is 3\."
    ):
        prepare(files, out, spec, other, estimator=CHEAP, jobs=1)
    prepare(files, out, spec, other, estimator=CHEAP, jobs=1, overwrite=True)
    prepare(files, tmp_path / "whole", spec, other, estimator=CHEAP, jobs=1)
    assert content(out) == content(tmp_path / "whole")


def test_the_old_dataset_can_be_read_until_the_new_one_is_complete(
    files: list[Path], tmp_path: Path, spec: FrameSpec, short: DataConfig
) -> None:
    out = tmp_path / "out"
    before = prepare(files[:1], out, spec, short, estimator=CHEAP, jobs=1)

    def look(done: float, total: float) -> None:
        assert load_dataset_info(out) == before
        assert {p.source for p in read_passages(out, "train")} == {"a.wav"}

    other = dataclasses.replace(short, passage_seconds=2.5)
    after = prepare(files[1:], out, spec, other, estimator=CHEAP, jobs=1, overwrite=True, progress=look)
    assert {p.source for p in read_passages(out, "train")} == {"b.wav"}
    named = {shard.file for shards in after.shards.values() for shard in shards}
    assert {p.name for p in out.iterdir()} == named | {"dataset.json"}


def test_two_runs_do_not_write_one_folder(
    files: list[Path], tmp_path: Path, spec: FrameSpec, short: DataConfig
) -> None:
    pytest.importorskip("fcntl")
    out = tmp_path / "out"

    def meanwhile(done: float, total: float) -> None:
        with pytest.raises(DdspError, match="out is being written by another prepare"):
            DatasetStore(out, {})

    prepare(files, out, spec, short, estimator=CHEAP, jobs=1, progress=meanwhile)
    assert load_dataset_info(out).train_seconds > 0


def test_a_recording_that_cannot_be_measured_costs_a_line(
    files: list[Path], tmp_path: Path, spec: FrameSpec, short: DataConfig
) -> None:
    class Stumbling(ConstantEstimator):
        def estimate(self, audio, spec):  # type: ignore[no-untyped-def]
            if np.abs(audio).max() > 0.9:
                raise FloatingPointError("no pitch\nin here")
            return super().estimate(audio, spec)

    loud = write(tmp_path / "loud.wav", np.concatenate([tone(4.0), tone(4.0, level=1.0) * 1.9]))
    info = prepare([loud, *files], tmp_path / "out", spec, short, estimator=Stumbling(), jobs=1)
    assert [(f.name, f.status, f.reason) for f in info.files] == [
        ("loud.wav", "skipped", "cannot be measured: FloatingPointError: no pitch in here"),
        ("a.wav", "used", ""),
        ("b.wav", "used", ""),
    ]
    assert "loud.wav" not in {
        p.source for s in ("train", "validation") for p in read_passages(tmp_path / "out", s)
    }
