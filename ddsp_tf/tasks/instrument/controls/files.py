"""Controls in files: `.npz`, which holds all of them, and `.csv`, for a spreadsheet or an editor of text.

An `.npz` (NumPy's archive, without pickled objects) holds each control by its name, `loudness_db`, what lasts
as `lasting.NODE.CONTROL`, and `about`, a JSON text: sample rate, hop, processors. A `.csv` has a line of JSON
after `# `, then a line of names, and a line for each frame: its time in seconds, the loudness, and a column
for each channel, `harmonic.distribution[3]`. It lacks what lasts: a room is taken from a run.
"""

import csv
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ddsp_edge.atomic import written_whole
from ddsp_edge.files.controls_format import (
    ENDINGS,
    LASTING,
    LOUDNESS,
    about_text,
    check_ending,
    is_table,
    write_table,
)
from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError
from ddsp_tf.frames import FrameSpec
from ddsp_tf.tasks.instrument.controls.controls import Controls

__all__ = ["ENDINGS", "MAX_BYTES", "check_ending", "load_controls", "save_controls"]

MAX_BYTES = 4 << 30  # of all arrays together: ten hours of an instrument
_COLUMN = re.compile(r"(.+)\[(\d+)\]")


def save_controls(path: Path, controls: Controls) -> None:
    """Write controls, by the ending of the name, beside and renamed.

    Raises:
        DdspError: If the ending is another.
    """
    check_ending(path)
    about = about_text(controls.spec, controls.processors)
    with written_whole(path) as beside:
        if is_table(path):
            channels = {name: values.shape[1] for name, values in controls.frames.items()}
            write_table(beside, controls.spec, about, channels, _rows(controls))
            return
        arrays: dict[str, Any] = {**controls.frames, LOUDNESS: controls.loudness_db}
        arrays |= {LASTING + name: values for name, values in controls.lasting.items()}
        with beside.open("wb") as file:
            np.savez_compressed(file, about=np.array(about), **arrays)


def load_controls(path: Path) -> Controls:
    """Read controls that `save_controls` wrote, changed or not.

    Raises:
        DdspError: If it is no such file, or holds what is no number.
    """
    check_ending(path)
    if not path.is_file():
        raise DdspError(f"{path}: no such file")
    about, frames, lasting = (_read_csv if is_table(path) else _read_npz)(path)
    for name, values in {**frames, **lasting}.items():
        if not np.isfinite(values).all():
            place = np.argwhere(~np.isfinite(values))[0].tolist()
            bad = values[tuple(place)]
            raise DdspError(f"{path}: {name} must be finite throughout. Received: {bad} at {place}")
    if LOUDNESS not in frames:
        raise DdspError(f"{path} lacks {LOUDNESS}: it is no file of controls")
    loudness = frames.pop(LOUDNESS).reshape(-1)
    try:
        spec = FrameSpec(int(about["sample_rate"]), int(about["hop"]))
        processors = about["processors"]
        if not isinstance(processors, dict):
            raise TypeError("no processors")
    except (KeyError, TypeError, ValueError) as error:
        raise DdspError(f"{path} does not say what its controls are for: {error}") from error
    try:
        return Controls(spec, processors, frames, loudness, lasting)
    except DdspError as error:
        raise DdspError(f"{path}: {error}") from error


def _read_npz(path: Path) -> tuple[dict[str, Any], dict[str, Array], dict[str, Array]]:
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_BYTES:
                raise DdspError(f"{path} unpacks to more than {MAX_BYTES / 1e9:.1f} GB")
        with np.load(path, allow_pickle=False) as stored:
            about = json.loads(str(stored["about"]))
            arrays = {name: np.asarray(stored[name], np.float32) for name in stored.files if name != "about"}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError) as error:
        if isinstance(error, DdspError):
            raise
        raise DdspError(f"{path} is no file of controls: {error}") from error
    lasting = {k.removeprefix(LASTING): v for k, v in arrays.items() if k.startswith(LASTING)}
    return about, {k: v for k, v in arrays.items() if not k.startswith(LASTING)}, lasting


def _rows(controls: Controls) -> Iterator[list[float]]:
    for start in range(0, controls.n_frames, 1024):
        part = controls.part(start, start + 1024)
        values = np.concatenate([part.loudness_db[:, None], *part.frames.values()], axis=1)
        yield from values.tolist()


def _read_csv(path: Path) -> tuple[dict[str, Any], dict[str, Array], dict[str, Array]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            first = file.readline()
            about = json.loads(first.removeprefix("#")) if first.startswith("#") else {}
            reader = csv.reader(file)
            names = next(reader, [])
            rows = [np.array([float(cell) for cell in row], np.float32) for row in reader if row]
    except (OSError, ValueError, csv.Error) as error:
        raise DdspError(f"{path} is no file of controls: {error}") from error
    for number, row in enumerate(rows, 1):
        if len(row) != len(names):
            raise DdspError(f"{path}: frame {number} has {len(row)} values for {len(names)} columns")
    table = np.stack(rows) if rows else np.zeros((0, len(names)), np.float32)
    return about, _joined(path, names, table), {}


def _joined(path: Path, names: list[str], table: Array) -> dict[str, Array]:
    """Columns of one control together, in the order of their numbers."""
    places: dict[str, dict[int, int]] = {}
    for column, name in enumerate(names):
        found = _COLUMN.fullmatch(name)
        if found:
            places.setdefault(found[1], {})[int(found[2])] = column
        elif name != "time_s":
            places[name] = {0: column}
    for name, numbered in places.items():
        if sorted(numbered) != list(range(len(numbered))):
            raise DdspError(f"{path}: the columns of {name} must be numbered from 0, with none left out")
    return {name: table[:, [numbered[i] for i in range(len(numbered))]] for name, numbered in places.items()}
