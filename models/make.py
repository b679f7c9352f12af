"""Make the instruments that come with the package anew: `make models DATA=FOLDER`.

    python models/make.py FOLDER [--only violin flute] [--work models/work]

FOLDER holds a folder of recordings for each, `FOLDER/violin/*.flac`; the page of each, beside its file in
`export/ddsp_edge/models`, says what they were. Notes beside them, and beside further performances in
`FOLDER/violin-played`, teach it how notes are played. Each is prepared, trained and exported by the commands
that a user would type, which this prints. What an earlier call has done is gone on with. `models/page.py`
writes the pages.
"""

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SHIPPED = ROOT / "export" / "ddsp_edge" / "models"
CONFIG = Path(__file__).with_name("instrument.yaml")
SETTINGS = {
    "violin": ("steps=3000", "clip_seconds=1", "steps_per_epoch=300"),
    "cello": ("steps=3000", "clip_seconds=0.5", "steps_per_epoch=300"),
    **dict.fromkeys(
        ("bassoon", "clarinet", "flute", "horn", "saxophone", "trombone", "trumpet"),
        ("steps=2000", "clip_seconds=0.5", "steps_per_epoch=250"),
    ),
}
"""Changes of the section `training` of the configuration, by name: sounds without a room do with short
clips."""

EXPRESSION_SEEDS = {"cello": 2}
"""Seeds of expressions that are not 0, by name: of three, the one whose notes held back were nearest."""


def main() -> None:
    """Make those that are asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recordings", type=Path, metavar="FOLDER")
    parser.add_argument(
        "--only", nargs="+", choices=sorted(SETTINGS), default=sorted(SETTINGS), metavar="NAME"
    )
    parser.add_argument("--work", type=Path, default=Path(__file__).parent / "work")
    args = parser.parse_args()
    for name in args.only:
        work = args.work / name
        for command in commands(name, args.recordings, work, SHIPPED):
            again = ["--resume"] if command[0] == "train" and (work / "run" / "config.yaml").exists() else []
            ddsp_tf(*command, *again)


def commands(name: str, data: Path, work: Path, shipped: Path) -> list[list[str]]:
    """What makes an instrument: arguments of `ddsp-tf`, one list for each command.

    Args:
        name: Of the instrument.
        data: Has a folder of its recordings, `data/name`, and may have one of further performances.
        work: Where dataset and run go.
        shipped: Where the file goes.
    """
    recordings, dataset, run = data / name, work / "dataset", work / "run"
    settings = [part for setting in SETTINGS[name] for part in ("--set", f"training.{setting}")]
    folders = [recordings, recordings.with_name(f"{name}-played")]
    seed = ["--seed", EXPRESSION_SEEDS[name]] if name in EXPRESSION_SEEDS else []
    with_notes = [folder for folder in folders if any(folder.glob("*.notes.csv"))]
    made: list[list[object]] = [
        ["prepare", recordings, "--out", dataset, "--config", CONFIG],
        ["train", CONFIG, "--data", dataset, "--out", run, "--set", f"name={name}", *settings],
        *([["expression", run, *with_notes, *seed]] if with_notes else []),
        ["export", run, "--out", shipped / f"{name}.tflite", "--quantize", "int8-layers"],
    ]
    return [list(map(str, command)) for command in made]


def ddsp_tf(*arguments: object) -> None:
    """Print a command, and run it."""
    print("ddsp-tf", *arguments, flush=True)
    subprocess.run([sys.executable, "-m", "ddsp_tf.cli.main", *map(str, arguments)], check=True)


if __name__ == "__main__":
    main()
