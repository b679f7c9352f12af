"""Train a small instrument for thousands of steps: is a step as quick at the end, and memory as small?

    python benchmarks/soak.py                  5000 steps on the demo's recording
    python benchmarks/soak.py --steps 1000

Everything that `ddsp-tf train` does is done: data is read, every 100 steps are measured on held-back clips,
logged and saved. Prints CPU time a step (of the whole process, so that other work on the machine does not
count) over the first and the last 500 steps after 100 to warm up, and resident memory at both ends.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))

import keras

from benchmarks.measure import machine, resident_mb
from ddsp_tf.config import load_config
from ddsp_tf.data import prepare
from ddsp_tf.training import train

RECORDING = Path(__file__).parent.parent / "demo" / "recordings" / "flute-phrase.flac"
WARM_UP, WINDOW = 100, 500
SMALL = (
    "model.decoder.units=32",
    "model.decoder.layer_units=32",
    "loss.fft_sizes=[512, 64]",
    "training.batch_size=2",
    "training.clip_seconds=0.5",
    "data.f0=pyin",
)


class Soak(keras.callbacks.Callback):
    """CPU time of every step, and memory after every hundredth."""

    def __init__(self) -> None:
        super().__init__()
        self.step_ms: list[float] = []
        self.memory_mb: list[float] = []
        self._used = 0.0

    def on_train_batch_begin(self, batch: int, logs: object = None) -> None:
        """Start the clock."""
        self._used = time.process_time()

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        """Stop it."""
        self.step_ms.append(1e3 * (time.process_time() - self._used))
        if len(self.step_ms) % 100 == 0:
            self.memory_mb.append(resident_mb())


def main() -> None:
    """Run the soak and print what was measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=5000)
    steps = parser.parse_args().steps
    config = load_config("solo_instrument", [*SMALL, f"training.steps={steps}"])
    soak = Soak()
    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / "dataset"
        prepare([RECORDING], data, config.spec, config.data, jobs=1)
        train(config, data, Path(name) / "run", verbose=0, callbacks=[soak])
    window = min(WINDOW, (steps - WARM_UP) // 2)
    first, last = soak.step_ms[WARM_UP : WARM_UP + window], soak.step_ms[-window:]
    print(machine())
    print(f"{steps} steps, CPU time a step in ms (median, mean) and resident memory in MB:")
    for label, part, memory in (
        (f"first {window} after {WARM_UP}", first, soak.memory_mb[(WARM_UP + window) // 100 - 1]),
        (f"last {window}", last, soak.memory_mb[-1]),
    ):
        print(f"  {label:22} {statistics.median(part):8.2f} {statistics.mean(part):8.2f} {memory:8.0f}")
    for label, of in (("median", statistics.median), ("mean", statistics.mean)):
        print(f"  {label} of the last over the first: {of(last) / of(first):.3f}")
    print(
        "  memory every tenth of the run:", *(f"{mb:.0f}" for mb in soak.memory_mb[:: max(1, steps // 1000)])
    )


if __name__ == "__main__":
    main()
