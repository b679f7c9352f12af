"""Arrays that a run keeps of its data, for commands that have the run alone."""

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from ddsp_edge.atomic import written_whole
from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError


def save_kept(path: Path, values: Mapping[str, Array]) -> None:
    """Write arrays by name into an `.npz` of a run, beside and renamed."""
    arrays: dict[str, Any] = dict(values)
    with written_whole(path) as beside, beside.open("wb") as file:
        np.savez_compressed(file, **arrays)


def load_kept(path: Path, names: Sequence[str], missing: str) -> dict[str, Array]:
    """Read arrays that `save_kept` wrote.

    Args:
        path: The file, in its run.
        names: Of the arrays that it must hold; others are passed over.
        missing: What is said after `RUN has no FILE` where it is not there.

    Raises:
        DdspError: If it is not there, or damaged.
    """
    if not path.is_file():
        raise DdspError(f"{path.parent} has no {path.name}{missing}")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in names}
    except (ValueError, KeyError, OSError, EOFError, BadZipFile, zlib.error) as error:
        raise DdspError(f"{path} is damaged") from error
