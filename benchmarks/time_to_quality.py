"""How good is an instrument after so many minutes? Distance on held-back passages against CPU time.

    python benchmarks/time_to_quality.py RECORDING [RECORDING ...] --out FOLDER --minutes 10
    python benchmarks/time_to_quality.py --out FOLDER --minutes 10        go on, ten minutes more for each
    python benchmarks/time_to_quality.py --out FOLDER --minutes 0         plot what there is
    ... --variants classic,gru-128-125hz                                  some of them

Each variant trains on the same dataset at 16 kHz, with four clips of two seconds a step, until it has used
that many more minutes of CPU time or all its steps, stops at a step, and goes on from there the next time:
hours can be run in pieces. `FOLDER/VARIANT.csv` has a line an epoch: steps, CPU minutes, and the multi-scale
spectral distance of held-back clips. CPU time is that of the whole process within training steps, without
measuring and saving. `FOLDER/curves.png` shows all of them.

`classic` is the baseline: the network of Engel et al. 2020 (GRU 512, stacks of three dense layers of 512,
which begin as Keras has it and not as decision 0016 does) at 250 frames a second with 100 harmonics, at a
learning rate of 1e-3 that does not fall; everything else is ours. The other decoders train for 2000 steps
with a learning rate that falls towards the last. `default` is `configs/solo_instrument.yaml` as it is,
`best` is `configs/best.yaml`.
"""

import argparse
import csv
import os
import signal
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))

import keras
from matplotlib.figure import Figure

from benchmarks.measure import machine
from ddsp_tf.config import Config, load_config
from ddsp_tf.data import prepare
from ddsp_tf.layers.dense_stack import DenseStack
from ddsp_tf.training import train

STEPS = 2000  # of the small ones
ENDLESS = 1_000_000  # more than anybody waits for
COMMON = "training.steps_per_epoch=50"


def network(
    kind: str, units: int, layers: int, frame_rate: int, *more: str, steps: int = STEPS
) -> tuple[str, ...]:
    """Settings of a decoder: its type, width and dense layers, frames a second, and others."""
    return (
        f"model.decoder.type={kind}",
        f"model.decoder.units={units}",
        f"model.decoder.layer_units={units}",
        f"model.decoder.layers={layers}",
        f"frame_rate={frame_rate}",
        f"training.steps={steps}",
        *more,
    )


VARIANTS = {
    "classic": network("GruDecoder", 512, 3, 250, "training.learning_rate=1e-3", steps=ENDLESS),
    "gru-512-125hz": network("GruDecoder", 512, 3, 125),
    "gru-256-125hz": network("GruDecoder", 256, 1, 125),
    "gru-128-250hz": network("GruDecoder", 128, 1, 250),
    "gru-128-125hz": network("GruDecoder", 128, 1, 125),
    "gru-128-50hz": network("GruDecoder", 128, 1, 50),
    "gru-64-125hz": network("GruDecoder", 64, 1, 125),
    "mingru-128-125hz": network("MinGruDecoder", 128, 1, 125, "model.decoder.depth=2"),
    "conv-128-125hz": network("ConvDecoder", 128, 1, 125, "model.decoder.depth=4"),
    "mlp-128-125hz": network("MlpDecoder", 128, 1, 125),
    "default": (),
    "best": (),
}
CONFIGS = {"best": "best"}  # of variants that are not made of `solo_instrument`


class Record(keras.callbacks.Callback):
    """Append a line an epoch, and stop the run when it has used its CPU time."""

    def __init__(self, path: Path, minutes: float) -> None:
        super().__init__()
        self.path = path
        rows = read(path)
        self.used_s = 60.0 * rows[-1][1] if rows else 0.0
        self.until_s = self.used_s + 60.0 * minutes
        self._begun = 0.0
        self._first = True

    def on_train_batch_begin(self, batch: int, logs: object = None) -> None:
        """Start the clock."""
        self._begun = time.process_time()

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        """Stop it; the step that compiles does not count."""
        if not self._first:
            self.used_s += time.process_time() - self._begun
        self._first = False

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Write the line."""
        logs = logs or {}
        line = f"{int(self.model.optimizer.iterations)},{self.used_s / 60.0:.4f},{logs['val_loss']:.5f}\n"
        with self.path.open("a") as file:
            file.write(line)
        if self.used_s >= self.until_s:
            signal.raise_signal(signal.SIGTERM)  # `train` stops there, with a checkpoint


def read(path: Path) -> list[tuple[int, float, float]]:
    """Steps, CPU minutes and distance of every epoch."""
    if not path.exists():
        return []
    with path.open() as file:
        return [(int(a), float(b), float(c)) for a, b, c in csv.reader(file)]


def config_of(variant: str) -> Config:
    """The configuration of a variant."""
    config = load_config(CONFIGS.get(variant, "solo_instrument"), [COMMON, *VARIANTS[variant]])
    if variant != "classic":
        return config
    values = config.to_dict()
    values["model"]["processors"]["nodes"][0]["config"]["n_harmonics"] = 100
    return Config.from_dict(values)


def advance(variant: str, folder: Path, minutes: float) -> None:
    """Train a variant for some CPU minutes more."""
    record = Record(folder / f"{variant}.csv", minutes)
    run = folder / "runs" / variant
    DenseStack.spread = variant != "classic"
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        train(config_of(variant), folder / "dataset", run, resume=run.exists(), verbose=0, callbacks=[record])
    except KeyboardInterrupt:
        if record.used_s < record.until_s:
            raise
    finally:
        signal.signal(signal.SIGTERM, before)


def plot(folder: Path, path: Path) -> None:
    """All curves in one picture."""
    figure = Figure(figsize=(9.0, 5.0), layout="constrained")
    axes = figure.subplots()
    for variant in VARIANTS:
        rows = read(folder / f"{variant}.csv")
        if rows:
            axes.plot([row[1] for row in rows], [row[2] for row in rows], label=variant)
    axes.set(xlabel="CPU minutes", ylabel="multi-scale spectral distance, held back", xscale="log")
    axes.legend(fontsize="small")
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)


def main() -> None:
    """Prepare if there is no dataset yet, train, plot, and print where each variant is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recordings", nargs="*", type=Path, metavar="RECORDING")
    parser.add_argument("--out", required=True, type=Path, metavar="FOLDER")
    parser.add_argument("--minutes", type=float, required=True, help="CPU minutes for each variant")
    parser.add_argument("--variants", default=",".join(VARIANTS))
    arguments = parser.parse_args()
    folder: Path = arguments.out
    if arguments.recordings:
        config = load_config("solo_instrument")
        prepare(arguments.recordings, folder / "dataset", config.spec, config.data)
    chosen = arguments.variants.split(",")
    for variant in chosen:
        if arguments.minutes > 0:
            advance(variant, folder, arguments.minutes)
    plot(folder, folder / "curves.png")
    print(machine())
    print(f"{'':16}{'steps':>8}{'CPU minutes':>14}{'distance':>10}{'lowest':>10}")
    for variant in chosen:
        rows = read(folder / f"{variant}.csv")
        if rows:
            step, minutes, distance = rows[-1]
            print(f"{variant:16}{step:8}{minutes:14.1f}{distance:10.3f}{min(r[2] for r in rows):10.3f}")


if __name__ == "__main__":
    main()
