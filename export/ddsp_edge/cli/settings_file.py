"""Options of a command from a TOML file, for what starts without anybody at a keyboard."""

import argparse
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ddsp_edge.errors import DdspError, did_you_mean, printable

MAX_BYTES = 1 << 16


def with_settings_file(
    arguments: argparse.Namespace, parser: argparse.ArgumentParser, defaults: Mapping[str, Any]
) -> argparse.Namespace:
    """Fill in what the command line left open, from the file `arguments.settings` names, then from defaults.

    Keys of the file are options as `--help` has them, without the dashes (`gain-db` or `gain_db`), and
    `instrument`, whose path counts from the folder of the file. Values are checked as on the command line.

    Args:
        arguments: What `parser` made of the command line; None in each place that was left open.
        parser: The parser of the command.
        defaults: By name.

    Raises:
        DdspError: If the file cannot be read, a key is unknown, or a value is refused.
    """
    if arguments.settings is not None:
        origin = str(arguments.settings)
        for name, value in checked_values(_read(arguments.settings), parser, origin).items():
            if getattr(arguments, name) is None:
                setattr(arguments, name, value)
                if name == "instrument":
                    arguments.instrument = arguments.settings.parent / arguments.instrument
    for name, value in defaults.items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, value)
    return arguments


def checked_values(
    values: Mapping[str, Any], parser: argparse.ArgumentParser, origin: str = ""
) -> dict[str, Any]:
    """Values of options that are no command line, checked as if they were.

    Args:
        values: By option, `gain-db` or `gain_db`; numbers, texts, and true or false for flags.
        parser: The parser of the command.
        origin: The name of the file that they are from, for errors.

    Returns:
        What the options are set to, by name with underscores.

    Raises:
        DdspError: If there is no such option, or a value is refused.
    """
    actions = {action.dest: action for action in parser._actions}
    for hidden in ("help", "debug", "settings", "list_devices"):
        actions.pop(hidden, None)
    found = {}
    for key, value in values.items():
        where = f"{origin}: {printable(key)}" if origin else printable(key)
        name = key.replace("-", "_")
        if name not in actions:
            raise DdspError(f"{where} is no option here.{did_you_mean(name, list(actions))}")
        found[name] = _value(where, actions[name], value)
    return found


def _read(path: Path) -> dict[str, Any]:
    if path.is_dir():
        raise DdspError(f"{path} is a folder, not a TOML file")
    if not path.is_file():
        raise DdspError(f"{path}: no such file")
    if path.stat().st_size > MAX_BYTES:
        raise DdspError(f"{path} has {path.stat().st_size} bytes; settings have {MAX_BYTES} at most")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise DdspError(f"{path} is not a TOML file: it is no text in UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise DdspError(f"{path} is not valid TOML: {error}") from error


def _value(where: str, action: argparse.Action, value: Any) -> Any:
    if action.nargs == 0:  # a flag
        if not isinstance(value, bool):
            raise DdspError(f"{where} must be true or false. Received: {value!r}")
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise DdspError(f"{where} must be a number or a text. Received: {str(value)[:60]}")
    if action.choices is not None and value not in action.choices:
        raise DdspError(f"{where} must be one of {', '.join(action.choices)}. Received: {value!r}")
    if action.type is int and not isinstance(value, int):
        raise DdspError(f"{where} must be a whole number. Received: {value!r}")
    try:
        return action.type(str(value)) if callable(action.type) else str(value)
    except (argparse.ArgumentTypeError, ValueError) as error:
        raise DdspError(f"{where}: {error}") from error
