"""The form of files of controls, `.npz` and `.csv`, whoever writes them; `docs/controls.md` tells of it."""

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ddsp_edge.errors import DdspError
from ddsp_edge.frames import FrameSpec

ENDINGS = (".npz", ".csv")
LASTING = "lasting."
"""Before the name of what does not change along time."""
LOUDNESS = "loudness_db"


def check_ending(path: Path) -> None:
    """Refuse a name that says nothing of the form.

    Raises:
        DdspError: With the endings that there are.
    """
    if path.suffix.lower() not in ENDINGS:
        raise DdspError(f"{path}: controls are kept as {' or '.join(ENDINGS)}")


def is_table(path: Path) -> bool:
    """Whether a file of controls is a table, which lacks what lasts."""
    return path.suffix.lower() == ".csv"


def about_text(spec: FrameSpec, processors: Mapping[str, Any]) -> str:
    """JSON: the grid of the frames, and the processors that the controls are for."""
    return json.dumps({"sample_rate": spec.sample_rate, "hop": spec.hop, "processors": processors})


def write_table(
    path: Path, spec: FrameSpec, about: str, channels: Mapping[str, int], rows: Iterable[Iterable[float]]
) -> None:
    """Write a `.csv`.

    Args:
        path: Where to.
        spec: The grid of the frames.
        about: As `about_text` gives it.
        channels: How many each control has, by its name.
        rows: Of each frame its loudness in dB, then all channels of all controls, float32.
    """
    columns = [f"{name}[{i}]" for name, count in channels.items() for i in range(count)]
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(f"# {about}\n")
        writer = csv.writer(file)
        writer.writerow(["time_s", LOUDNESS, *columns])
        for number, row in enumerate(rows, 1):
            # Nine digits are a float32, whole.
            writer.writerow([f"{float(number / spec.frame_rate):.6f}", *(f"{value:.9g}" for value in row)])
