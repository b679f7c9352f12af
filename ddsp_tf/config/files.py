"""Configurations in YAML files: found, read safely, changed by settings of the command line."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from ddsp_tf.config.sections import Config
from ddsp_tf.errors import DdspError, did_you_mean

MAX_SETTINGS = 10_000
"""More than any experiment needs, and few enough that aliases of aliases cannot fill the memory."""


class _UniqueKeys(yaml.SafeLoader):
    """Safe YAML in which a key that stands twice is an error, not the last one's win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for i, key in enumerate(keys):
            if key in keys[:i]:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands there twice", node.start_mark
                )
        return super().construct_mapping(node, deep)


def config_folders() -> list[Path]:
    """Where shipped configurations live: in the installed package, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    return [package / "configs", package.parent / "configs"]


def load_config(path_or_name: str | Path, overrides: Sequence[str] = ()) -> Config:
    """Read a configuration.

    Args:
        path_or_name: A YAML file, or the name of a shipped one (`"solo_instrument"`).
        overrides: Settings `"key.sub_key=value"` that replace what the file says; values are YAML.

    Raises:
        DdspError: If the file is missing, no YAML, or holds anything that is not valid.
    """
    path = _find(path_or_name)
    values = read_settings(path)
    for override in overrides:
        _override(values, override)
    return Config.from_dict(values, str(path))


def read_settings(path: Path) -> dict[str, Any]:
    """Read a YAML file that holds a mapping, without checking what is in it.

    Raises:
        DdspError: If it is no YAML, holds something else, or is more than any experiment needs.
    """
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), _UniqueKeys)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        detail = " ".join(str(error).split())[:300]
        raise DdspError(f"{path} is not valid YAML: {detail}") from error
    if not isinstance(values, dict):
        raise DdspError(f"{path} must hold a mapping of settings. Received: {type(values).__name__}")
    count, waiting = 0, [values]
    while waiting:
        value = waiting.pop()
        count += 1
        if count > MAX_SETTINGS:
            raise DdspError(f"{path} holds more than {MAX_SETTINGS} settings, its aliases written out")
        if isinstance(value, dict | list):
            waiting.extend(value.values() if isinstance(value, dict) else value)
    return values


def _find(path_or_name: str | Path) -> Path:
    path = Path(path_or_name)
    if path.is_file():
        return path
    shipped = {p.stem: p for folder in config_folders() for p in sorted(folder.glob("*.yaml"))}
    if str(path_or_name) in shipped:
        return shipped[str(path_or_name)]
    hint = did_you_mean(path.stem, list(shipped)) or f" Shipped: {', '.join(sorted(shipped)) or 'none'}"
    raise DdspError(f"{path_or_name}: no such configuration file.{hint}")


def _override(values: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise DdspError(f"--set takes KEY=VALUE, for example training.batch_size=4. Received: {override!r}")
    *sections, last = key.strip().split(".")
    at = values
    for section in sections:
        at = at.setdefault(section, {})
        if not isinstance(at, dict):
            raise DdspError(f"--set {override}: {section} is no section")
    try:
        at[last] = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise DdspError(f"--set {override}: the value is not valid YAML") from error
