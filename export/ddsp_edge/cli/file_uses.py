"""Which uses there are, by the task that the card of a model names; each is loaded when it is asked for."""

import importlib

from ddsp_edge.cli.file_use import FileUse

_PLACES = {
    "instrument": "ddsp_edge.cli.render",
    "restoration": "ddsp_edge.cli.restore",
    "transcription": "ddsp_edge.cli.transcribe",
    "voice": "ddsp_edge.cli.convert",
}
"""Modules that have `USES`, by task."""


def uses_of(task: str) -> tuple[FileUse, ...]:
    """What a model of a task does with files; nothing, where none of them is known."""
    if task not in _PLACES:
        return ()
    found: tuple[FileUse, ...] = importlib.import_module(_PLACES[task]).USES
    return found
