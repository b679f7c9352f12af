"""Kill `prepare` at its file operations, start it again, and compare with one left alone.

    python -m tests.data.killing FOLDER {new,add,overwrite} EVERY

A child is forked for every point, so what is imported is imported once. Prints the number of points,
of which one in EVERY is taken.
"""

import os
import shutil
import signal
import sys
import threading
from pathlib import Path

import numpy as np

from ddsp_tf.config import DataConfig
from ddsp_tf.data import load_dataset_info, prepare, read_passages
from ddsp_tf.data.prepare import analysis
from ddsp_tf.data.quality.quality import Quality
from ddsp_tf.data.records.store import DatasetStore
from ddsp_tf.frames import FrameSpec
from tests.data.doubles import ConstantEstimator
from tests.data.sounds import swelling, write

SPEC = FrameSpec(16_000, 128)
CONFIG = DataConfig(passage_seconds=2.0, validation_share=0.25)
OPERATIONS = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "shutil.rmtree")


def run(files: list[Path], out: Path, overwrite: bool) -> None:
    """Prepare, in this process, with small shards."""
    DatasetStore.__init__.__kwdefaults__["shard_bytes"] = 150_000
    quality = Quality(
        1, 20, 2, 1, -20.0, -60.0, 50, -70.0, (0.3,)
    )  # measuring it would take most of the time
    analysis.measure_quality = lambda *_: quality  # type: ignore[attr-defined]
    prepare(files, out, SPEC, CONFIG, estimator=ConstantEstimator(), jobs=1, overwrite=overwrite)


def in_child(files: list[Path], out: Path, overwrite: bool, kill_at: int = -1) -> int:
    """Prepare in a child that is killed before its file operation `kill_at`; return how many it began.

    An operation counts if it is on a path below `out`.
    """
    counted = out.with_suffix(".count")
    child = os.fork()
    if child == 0:
        count = 0
        one_by_one = threading.Lock()  # recordings are checked in threads

        def hook(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal count
            if event in OPERATIONS and any(str(out) in str(argument) for argument in arguments[:2]):
                with one_by_one:
                    if count == kill_at:
                        os.kill(os.getpid(), signal.SIGKILL)
                    count += 1

        sys.addaudithook(hook)
        run(files, out, overwrite)
        counted.write_text(str(count))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if kill_at < 0:
        if status:
            raise SystemExit("an undisturbed run failed")
        return int(counted.read_text())
    return count_of(status)


def count_of(status: int) -> int:
    """0 for a child that ended well, 1 for one that was killed; anything else is a failure."""
    if status not in (0, signal.SIGKILL):
        raise SystemExit(f"a run that was started again failed: status {status}")
    return int(status != 0)


def content(out: Path) -> dict[str, bytes]:
    """Everything in a dataset, leftovers too."""
    return {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}


def check_whole(out: Path, allowed: list[dict[str, bytes]]) -> None:
    """What looks like a dataset after a kill is the old one or the new one, complete."""
    if (out / "dataset.json").exists():
        if (out / "dataset.json").read_bytes() not in [whole["dataset.json"] for whole in allowed]:
            raise SystemExit("dataset.json is neither the old nor the new one")
        for split in load_dataset_info(out).shards:
            list(read_passages(out, split))


def tear(out: Path, rng: np.random.Generator) -> None:
    """Cut a journal where a kill could have cut a write."""
    for journal in sorted((out / ".prepare").glob("journals/*"))[-1:]:
        size = journal.stat().st_size
        os.truncate(journal, int(size - rng.integers(0, min(size, 70_000) + 1)))


def main() -> None:
    """Run every point."""
    folder, kind, every = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    old_files = [write(folder / "old.wav", swelling(7.0, f0_hz=330.0))]
    files = [
        write(folder / "a.wav", swelling(9.0)),
        write(folder / "b.flac", swelling(5.0, 22_050, 200.0)),
        folder / "bad.wav",
        write(folder / "c.wav", np.zeros(3 * 16_000)),
    ]
    (folder / "bad.wav").write_bytes(b"no sound")
    start, reference = folder / "start", folder / "reference"
    allowed = []
    if kind != "new":
        run(old_files, start, False)
        shutil.copytree(start, reference)
        allowed.append(content(start))
    points = in_child(files, reference, kind == "overwrite")
    whole = content(reference)
    allowed.append(whole)
    rng = np.random.default_rng(0)
    for point in range(0, points, every):
        out = folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        if kind != "new":
            shutil.copytree(start, out)
        for again, at in enumerate((point, int(rng.integers(0, points)))):
            killed = in_child(files, out, kind == "overwrite", at)
            if not killed and not again:
                raise SystemExit(f"point {point} was not reached")
            check_whole(out, allowed)
            tear(out, rng)
        in_child(files, out, kind == "overwrite")
        if content(out) != whole:
            raise SystemExit(f"killed at {point}, the dataset differs: {sorted(content(out))}")
    print(points)


if __name__ == "__main__":
    main()
