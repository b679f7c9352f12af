"""The options of a use as knobs of a page: the parser of the command line says all of them."""

import argparse
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ddsp_edge.cli import options
from ddsp_edge.cli.file_use import FileUse
from ddsp_edge.cli.settings_file import checked_values
from ddsp_edge.errors import DdspError, did_you_mean, printable
from ddsp_edge.ranges import MAX_VOICES, RANGES, USUAL
from ddsp_edge.transfer.transposition import MAX_OCTAVES

_NOT_ON_A_PAGE = ("quiet", "runtime")
_WHOLE: dict[Any, tuple[float | None, float | None]] = {
    int: (None, None),
    options.voices: (1, MAX_VOICES),
    options.seed: (0, None),
}
_WHOLE_BY_NAME = {"octaves": (-MAX_OCTAVES, MAX_OCTAVES), "voices": (1, 1)}
"""Ranges of those that are `int` to the command line: voices of a transcription are one or not said."""


@dataclass(frozen=True)
class Knob:
    """An option as a page shows it.

    Args:
        name: Of the option, with underscores.
        kind: `flag`, `number`, `whole`, `choice`, `names` (several of `choices`) or `text`.
        help: As the command line has it.
        default: What holds where nothing is set; None where that hangs on the sound.
        low: Smallest value, or None.
        high: Largest value, or None.
        usual: The span of a slider, where all of the range would be too wide.
        choices: What may be chosen.
    """

    name: str
    kind: str
    help: str
    default: Any = None
    low: float | None = None
    high: float | None = None
    usual: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()


def knobs_of(use: FileUse) -> list[Knob]:
    """The knobs of a use; options that name files are none."""
    defaults = use.defaults()
    return [
        _knob(use, action, defaults.get(action.dest))
        for action in use.parser()._actions
        if action.dest not in (*use.also, *_NOT_ON_A_PAGE)
    ]


def arguments_of(use: FileUse, values: Mapping[str, Any]) -> argparse.Namespace:
    """What a command line with these values would give.

    Args:
        use: What is done.
        values: By the name of a knob; of names a list or a text with commas.

    Raises:
        DdspError: If there is no such knob, or a value is refused, with the range that it has.
    """
    knobs = {knob.name: knob for knob in knobs_of(use)}
    for name in values:
        if name not in knobs:  # what names a file is an option, but not for those who only have a page
            raise DdspError(f"there is no knob {printable(name)[:60]!r}.{did_you_mean(name, list(knobs))}")
    plain = {name: ",".join(map(str, v)) if isinstance(v, list) else v for name, v in values.items()}
    arguments = use.parser().parse_args([])
    vars(arguments).update(checked_values(plain, use.parser()))
    for name in values:
        _check_range(knobs[name], getattr(arguments, name))
    use.check(arguments)
    return arguments


def settings_text(use: FileUse, values: Mapping[str, Any], model: str) -> str:
    """A TOML file with these values, for `--settings`."""
    word = f"ddsp-edge {use.command} {printable(model)} INPUT OUTPUT{use.ending} --settings THIS.toml"
    lines = [f"# {word}"]
    for name, value in values.items():
        text = ",".join(map(str, value)) if isinstance(value, list) else value
        lines.append(f"{name.replace('_', '-')} = {json.dumps(text)}")  # such JSON is TOML
    return "\n".join(lines) + "\n"


def _check_range(knob: Knob, value: Any) -> None:
    low = -math.inf if knob.low is None else knob.low
    high = math.inf if knob.high is None else knob.high
    if knob.kind in ("whole", "number") and value is not None and not low <= value <= high:
        span = f"from {low:g} to {high:g}" if low < high else f"{low:g}"
        if knob.low is None:
            span = f"at most {high:g}"
        elif knob.high is None:
            span = f"from {low:g}"
        raise DdspError(f"{knob.name} must be {span}. Received: {value}")


def _knob(use: FileUse, action: argparse.Action, default: Any) -> Knob:
    name, text = action.dest, str(action.help)
    if action.nargs == 0:
        return Knob(name, "flag", text, bool(default))
    if action.choices:
        return Knob(name, "choice", text, default, choices=tuple(map(str, action.choices)))
    if name in use.lists:
        return Knob(name, "names", text, choices=use.lists[name])
    kind: Any = action.type.func if isinstance(action.type, partial) else action.type
    if kind in _WHOLE:
        low, high = _WHOLE_BY_NAME.get(name, _WHOLE[kind]) if kind is int else _WHOLE[kind]
        usual = USUAL.get(name)
        return Knob(name, "whole", text, default, low, high, usual)
    if kind in (float, options.number, options.share):
        low, high = (0.0, 1.0) if kind is options.share else RANGES.get(name, (None, None))
        return Knob(name, "number", text, default, low, high, USUAL.get(name))
    return Knob(name, "text", text, default)
