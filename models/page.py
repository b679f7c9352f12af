"""Write the page of an instrument that comes with the package, from its file, its run and what is measured.

    python -m models.page NAME FOLDER HELD_BACK [--work models/work]

FOLDER is what `models/make.py` was given. HELD_BACK is a folder of performances that the instrument was not
made from, with their notes. What no measure can tell (whose the recordings are, what to be careful of)
stands in models/pages.yaml. Needs the run that `models/make.py` left in its folder of work.
"""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ddsp_edge.instrument import Instrument
from models.make import CONFIG, ROOT, SETTINGS, SHIPPED, commands

WORDS = yaml.safe_load(Path(__file__).with_name("pages.yaml").read_text(encoding="utf-8"))
LIKENESS = (
    "log-spectral distance, dB",
    "loudness error, dB",
    "loudness correlation",
    "centroid, cents off",
    "partial levels, dB",
    "log-mel, dB",
    "old note at 112 ms, dB",
    "level at joints, dB",
    "onsets, dB",
)
"""Rows of `benchmarks/quality.py` that a page has."""

CONTOURS = (
    ("loudness error, dB", 1),
    ("pitch error without vibrato, cents", 3),
    ("onset error, ms", 4),
    ("depth of vibrato, cents", 5),
    ("rate of vibrato, Hz", 6),
)
"""Rows of a page, and the columns of `benchmarks/expression.py` that they are."""

PAGE = """\
# {name}

{what}

    ddsp-edge render {name} singing.wav out.wav --match-octave --match-loudness
    ddsp-edge midi {name}

| | |
| --- | --- |
| task | `instrument` |
| plays | {khz:g} kHz, frames of {frame_ms:g} ms; it knows {range} |
| network | GRU of {units}, int8; {kb:.0f} kB with synthesizer, room, expression and card |
| trained | {steps} steps of {batch} clips of {clip:g} s, {minutes:.0f} minutes of one core |

## What it was made from

| what | whose | licence |
| --- | --- | --- |
| {minutes_of:.1f} minutes; a part is held back | {source} | {licence} |

No recording is part of the file. Whoever hands it on names the authors above, as their licence asks. {heard}

## How well

The file itself, as a device runs it, on {seconds} of {held_back}, played by the recording's own pitch and
loudness (`python benchmarks/quality.py DATASET {name}.tflite`):

{likeness}

"itself, other noise" is what no instrument with noise in it can be better than. {limits}

## How notes are played

Learned from {learned}, and held to {notes} notes of {judged}
(`python benchmarks/expression.py {name}.tflite HELD_BACK --sound`; the sound is that of the first minute, and
"its own" the instrument with the recording's own pitch and loudness):

{expression}

## How to make it again

    make models DATA=FOLDER

with recordings in `DATA/{name}`, and more of them in `DATA/{name}-played`, with their notes
(`NAME.notes.csv`). By hand, with [models/instrument.yaml](../../../models/instrument.yaml):

{commands}
"""


def main() -> None:
    """Measure, and write the page beside the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=sorted({*WORDS} & {*SETTINGS}))
    parser.add_argument("recordings", type=Path, metavar="FOLDER")
    parser.add_argument("held_back", type=Path, metavar="HELD_BACK")
    parser.add_argument("--work", type=Path, default=Path(__file__).parent / "work")
    args = parser.parse_args()
    page = page_of(args.name, args.recordings, args.work / args.name, args.held_back)
    (SHIPPED / f"{args.name}.md").write_text(page, encoding="utf-8")


def page_of(name: str, recordings: Path, work: Path, held_back: Path) -> str:
    """The page of an instrument."""
    path = SHIPPED / f"{name}.tflite"
    card = Instrument(path).card
    pitch, level = card.f0_hz_range, card.loudness_db_range
    training: dict[str, Any] = card.config["training"]
    log = np.genfromtxt(work / "run" / "log.csv", delimiter=",", names=True)
    dataset = work / "held-back"
    if not dataset.exists():
        run("-m", "ddsp_tf.cli.main", "prepare", held_back, "--out", dataset, "--config", CONFIG)
    quality = run("benchmarks/quality.py", dataset, path)
    played = run("benchmarks/expression.py", path, held_back, "--sound")
    again = "\n".join(
        "    ddsp-tf " + " ".join(command) for command in commands(name, recordings, work, SHIPPED)
    )
    for folder, written in ((recordings, "DATA"), (f"{work}/", ""), (f"{SHIPPED}/", ""), (f"{ROOT}/", "")):
        again = again.replace(str(folder), written)
    facts = {
        "khz": card.sample_rate / 1000,
        "frame_ms": 1000 * card.hop / card.sample_rate,
        "range": f"{pitch.low:.0f} to {pitch.high:.0f} Hz, {level.low:.0f} to {level.high:.0f} dB",
        "units": card.config["model"]["decoder"]["units"],
        "kb": path.stat().st_size / 1000,
        "steps": training["steps"],
        "batch": training["batch_size"],
        "clip": training["clip_seconds"],
        "minutes": log["seconds"][-1] / 60,
        "seconds": re.search(r"\d+ s", quality).group(),
        "likeness": "\n".join(likeness(quality.splitlines())),
        "notes": re.search(r"(\d+) notes", played).group(1),
        "expression": "\n".join(expression(played.splitlines())),
        "commands": again,
    }
    page = PAGE.format(name=name, **{**WORDS["all"], **WORDS[name], **facts})
    return re.sub(r" +$", "", page, flags=re.MULTILINE)  # where there is nothing to be careful of


def likeness(lines: Iterable[str]) -> list[str]:
    """The rows of the table of `benchmarks/quality.py` that a page has."""
    rows = list(lines)
    return rows[:2] + [row for row in rows if cells(row)[0] in LIKENESS]


def expression(lines: Iterable[str]) -> list[str]:
    """A table of the two of `benchmarks/expression.py`: a column for each way to play, and the recordings."""
    rows = {cells(line)[0]: cells(line) for line in lines if line.startswith("|")}
    ways = ("plain", "live", "file", "recordings")
    made = [
        "| | plain envelope | expression, live | expression, file | recordings, or its own |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for title, column in CONTOURS:
        made.append(
            " | ".join([f"| {title}", *(rows[way][column].replace("nan", "") for way in ways)]) + " |"
        )
    for title in ("log-spectral distance, dB", "log-mel, dB"):
        own, *others = rows[title][1:]
        made.append(" | ".join([f"| {title}", *others, own]) + " |")
    return made


def cells(row: str) -> list[str]:
    """What stands in a row of a table."""
    return [cell.strip() for cell in row.strip("|").split("|")]


def run(*arguments: object) -> str:
    """What a program of this project prints."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(
        command, check=True, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ).stdout


if __name__ == "__main__":
    main()
