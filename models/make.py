"""Make the instruments that come with the package anew: `make models DATA=FOLDER`.

    python models/make.py FOLDER [--only violin flute] [--work models/work]

FOLDER holds a folder of recordings for each, `FOLDER/violin/*.flac`; the page of each, beside its file in
`export/ddsp_edge/models`, says what they were. Notes beside them, and beside further performances in
`FOLDER/violin-played`, teach it how notes are played. Each is prepared, trained and exported by the commands
that a user would type, which this prints. What an earlier call has done is gone on with. The pages are
written by hand.
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
    **dict.fromkeys(
        ("bassoon", "cello", "clarinet", "flute", "horn", "saxophone", "trombone", "trumpet"),
        ("steps=1400", "clip_seconds=0.5", "steps_per_epoch=350"),
    ),
}
"""Changes of the section `training` of the configuration, by name: sounds without a room do with short
clips."""


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
        make(name, args.recordings / name, args.work / name)


def make(name: str, recordings: Path, work: Path) -> None:
    """Make one instrument, and put its file among those that are shipped."""
    data, run = work / "dataset", work / "run"
    settings = ["--set", f"name={name}"]
    settings += [part for setting in SETTINGS[name] for part in ("--set", f"training.{setting}")]
    ddsp_tf("prepare", recordings, "--out", data, "--config", CONFIG)
    again = ["--resume"] if (run / "config.yaml").exists() else []
    ddsp_tf("train", CONFIG, "--data", data, "--out", run, *settings, *again)
    played = [recordings, recordings.with_name(f"{name}-played")]
    if with_notes := [folder for folder in played if any(folder.glob("*.notes.csv"))]:
        ddsp_tf("expression", run, *with_notes)
    ddsp_tf("export", run, "--out", SHIPPED / f"{name}.tflite", "--quantize", "int8-layers")


def ddsp_tf(*arguments: object) -> None:
    """Print a command, and run it."""
    print("ddsp-tf", *arguments, flush=True)
    subprocess.run([sys.executable, "-m", "ddsp_tf.cli.main", *map(str, arguments)], check=True)


if __name__ == "__main__":
    main()
