"""Where an expression is kept: in a run, until it is exported, and in model files."""

import dataclasses
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ddsp_edge.atomic import written_whole
from ddsp_edge.expression.network import MAX_UNITS, PREFIX, ExpressionNetwork
from ddsp_edge.instrument_card import InstrumentCard
from ddsp_edge.model.file import read_instrument_file, write_model_file
from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError

EXPRESSION_NAME = "expression.npz"
_ABOUT = "about"
_MOST_BYTES = 16 * MAX_UNITS * MAX_UNITS + (1 << 16)


@dataclass(frozen=True)
class Expression:
    """What an instrument knows of how notes are played.

    Args:
        arrays: Those of the network, by their names in model files.
        about: What it was learned from and how well it does, plain data for the card.
    """

    arrays: dict[str, Array]
    about: dict[str, Any]


def save_expression(run: Path, expression: Expression) -> Path:
    """Write an expression into a run, beside and renamed; return the file.

    Raises:
        DdspError: If it cannot be written.
    """
    path = run / EXPRESSION_NAME
    values: dict[str, Any] = {**expression.arrays, _ABOUT: np.array(json.dumps(expression.about))}
    try:
        with written_whole(path) as beside, beside.open("wb") as file:
            np.savez(file, **values)
    except OSError as error:
        raise DdspError(f"{path} cannot be written: {error.strerror}") from error
    return path


def load_expression(run: Path) -> Expression | None:
    """The expression of a run; None where it has none.

    Raises:
        DdspError: If the file is damaged.
    """
    path = run / EXPRESSION_NAME
    if not path.exists():
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > _MOST_BYTES:
                raise ValueError("it is larger than an expression is")
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files if name.startswith(f"{PREFIX}_")}
            about = json.loads(str(file[_ABOUT]))
        ExpressionNetwork(arrays)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, DdspError) as error:
        raise DdspError(
            f"{path} is no expression that can be read ({error}): make it again with ddsp-tf expression"
        ) from error
    return Expression(arrays, about)


def with_expression(
    card: InstrumentCard, arrays: dict[str, Array], expression: Expression | None
) -> tuple[InstrumentCard, dict[str, Array]]:
    """Card and arrays of an instrument with an expression in place of one that it had; None leaves both."""
    if expression is None:
        return card, arrays
    kept = {name: value for name, value in arrays.items() if not name.startswith(f"{PREFIX}_")}
    about = {**card.about, PREFIX: expression.about}
    return dataclasses.replace(card, about=about), {**kept, **expression.arrays}


def add_to_file(path: Path, out: Path, expression: Expression) -> None:
    """Write a finished instrument with an expression; all else of it stays as it is.

    Raises:
        DdspError: If the file cannot be read, or the other cannot be written.
    """
    file = read_instrument_file(path)
    card, arrays = with_expression(file.card, file.arrays, expression)
    write_model_file(out, file.model, card, arrays)
