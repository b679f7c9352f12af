"""Time the input pipeline alone against the training step that it feeds, in one process.

    python benchmarks/input_pipeline.py                a made recording of 10 minutes
    python benchmarks/input_pipeline.py --rounds 9     more rounds

Clips of 4 s at 16 kHz in batches of 4 on a grid of hop 64, from TFRecords with passages of 10 s, as they are
and with level and pitch changed at random; the classic network of `training_step.py` eats them. Both run on
all cores. Prints seconds of sound a second of wall time (median), and how many times what training eats that
is.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))

import tensorflow as tf

from benchmarks.measure import machine, require_quiet
from benchmarks.training_step import BATCH, FRAMES, HOP, RATE, build
from ddsp_tf.config import AugmentationConfig, DataConfig
from ddsp_tf.data import feature_grid, prepare, training_dataset
from ddsp_tf.frames import FrameSpec
from tests.data.doubles import ConstantEstimator
from tests.data.sounds import swelling, write

MINUTES = 10
BATCHES = 60  # of a round of the pipeline
STEPS = 3  # of a round of training
SPEC = FrameSpec(RATE, HOP)
VARIANTS = {
    "as they are": None,
    "gain": AugmentationConfig(gain_db=6.0),
    "gain and pitch": AugmentationConfig(gain_db=6.0, pitch_semitones=2.0),
}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--anyway", action="store_true", help="measure on a busy machine too, and say so")
    args = parser.parse_args()
    require_quiet(args.anyway)
    rounds = args.rounds
    print(f"{machine()}, TensorFlow {tf.__version__}; batches of {BATCH} clips of {FRAMES * HOP / RATE:g} s")
    with tempfile.TemporaryDirectory() as folder:
        dataset = _dataset(Path(folder))
        step = build("ours")
        eats = {"training": lambda: [step() for _ in range(STEPS)]}
        reads = {name: _reader(dataset, augmentation) for name, augmentation in VARIANTS.items()}
        for run in (*eats.values(), *reads.values()):
            run()
        wall: dict[str, list[float]] = {name: [] for name in (*eats, *reads)}
        for _ in range(rounds):
            for name, run in (*eats.items(), *reads.items()):
                begun = time.perf_counter()
                run()
                wall[name].append(time.perf_counter() - begun)
    clip = BATCH * FRAMES * HOP / RATE
    rate = {
        name: clip * (STEPS if name == "training" else BATCHES) / statistics.median(seconds)
        for name, seconds in wall.items()
    }
    print("| clips | seconds of sound a second | times what training eats |\n| --- | ---: | ---: |")
    for name, value in rate.items():
        ratio = "1" if name == "training" else f"{value / rate['training']:.0f}"
        print(f"| {name} | {value:.0f} | {ratio} |")


def _dataset(folder: Path) -> Path:
    recording = write(folder / "made.wav", swelling(60.0 * MINUTES), RATE)
    grid, estimator = feature_grid(RATE), ConstantEstimator()
    prepare([recording], folder / "dataset", grid, DataConfig(), estimator=estimator, jobs=1)
    return folder / "dataset"


def _reader(dataset: Path, augmentation: AugmentationConfig | None) -> Callable[[], object]:
    clips: Iterator[object] = iter(
        training_dataset(dataset, SPEC, batch_size=BATCH, clip_frames=FRAMES, augmentation=augmentation)
    )
    return lambda: [next(clips) for _ in range(BATCHES)]


if __name__ == "__main__":
    main()
