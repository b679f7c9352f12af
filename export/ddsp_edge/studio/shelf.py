"""The models that a studio offers: those that come along, those of folders, and dropped ones."""

import dataclasses
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ddsp_edge.card import Card
from ddsp_edge.cli.file_uses import uses_of
from ddsp_edge.errors import DdspError, printable
from ddsp_edge.instrument_card import InstrumentCard
from ddsp_edge.model.file import read_model_file
from ddsp_edge.shipped import shipped_models
from ddsp_edge.studio.knobs import knobs_of
from ddsp_edge.units import note_name

MOST = 500  # of one folder


@dataclass(frozen=True)
class Offered:
    """A model that may be chosen.

    Args:
        path: Its file.
        label: What it is called.
        card: Its card.
    """

    path: Path
    label: str
    card: Card


class Shelf:
    """Models by number.

    Args:
        places: Model files, and folders of them.

    Raises:
        DdspError: If there is no such file or folder.
    """

    def __init__(self, places: Sequence[Path] = ()) -> None:
        self.models: dict[str, Offered] = {}
        self.left_out: list[str] = []
        """Why a file of a folder is not offered, a line each."""
        for name, path in shipped_models().items():
            with suppress(DdspError):  # a part of other models, which does nothing with a file by itself
                self.add(path, name)
        for place in places:
            if place.is_dir():
                for path in sorted(place.glob("*.tflite"))[:MOST]:
                    try:
                        self.add(path, path.stem)
                    except DdspError as error:
                        self.left_out.append(str(error))
            else:
                self.add(place, place.stem)

    def add(self, path: Path, label: str) -> str:
        """Put a model file on the shelf; returns its number.

        Raises:
            DdspError: If it cannot be read, or is of a task that does nothing with files here.
        """
        card = read_model_file(path).card
        if not uses_of(card.task):
            raise DdspError(f"{path} is of the task {card.task[:60]!r}, which does nothing with a file here")
        number = str(len(self.models) + 1)
        self.models[number] = Offered(path, printable(label)[:80], card)
        return number

    def described(self) -> list[dict[str, Any]]:
        """What a page shows of each model: its card in words, what it takes, and its knobs."""
        return [_described(number, offered) for number, offered in self.models.items()]


def _described(number: str, offered: Offered) -> dict[str, Any]:
    card = offered.card
    return {
        "id": number,
        "label": offered.label,
        "task": card.task,
        "name": printable(card.name)[:80],
        "about": _about(card),
        "uses": [
            {
                "takes": use.takes,
                "title": use.title,
                "command": use.command,
                "knobs": [dataclasses.asdict(knob) for knob in knobs_of(use)],
            }
            for use in uses_of(card.task)
        ],
    }


def _about(card: Card) -> str:
    words = [card.task, f"{card.sample_rate / 1000:g} kHz"]
    if isinstance(card, InstrumentCard):
        low, high = (note_name(f0) for f0 in (card.f0_hz_range.low, card.f0_hz_range.high))
        words.append(f"{low} to {high}")
    return printable(", ".join(words))[:120]
