"""A systemd service that plays as soon as the machine has started."""

import os
import shutil
import sys
from pathlib import Path

from ddsp_edge.atomic import written_whole
from ddsp_edge.errors import DdspError

NAME = "ddsp-edge.service"

_UNIT = """\
[Unit]
Description=ddsp-edge {command}: an instrument, live

[Service]
ExecStart={program} {command} --settings {settings}
# No sound card or no keyboard yet: try again until there is one.
Restart=always
RestartSec=5
Environment=PYTHONUNBUFFERED=1

[Install]
WantedBy=default.target
"""


def unit_text(command: str, settings: Path, program: Path) -> str:
    """The unit.

    Args:
        command: `play` or `midi`.
        settings: Path of the TOML file, absolute.
        program: Path of `ddsp-edge`, absolute.

    Raises:
        DdspError: If a path holds what no unit can.
    """
    return _UNIT.format(command=command, program=_quoted(program), settings=_quoted(settings))


def install_service(command: str, settings: Path, folder: Path | None = None) -> tuple[Path, str]:
    """Write the unit into the folder of the user's own units.

    Args:
        command: `play` or `midi`.
        settings: The TOML file; it must be there.
        folder: Another folder for the unit.

    Returns:
        Its path, and the command line of another one that was there before; empty where there was none.

    Raises:
        DdspError: If the settings or `ddsp-edge` are not found, or the unit cannot be written.
    """
    if not settings.is_file():
        raise DdspError(f"{settings}: no such file")
    if folder is None:
        base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
        folder = Path(base) / "systemd" / "user"
    path = folder / NAME
    text = unit_text(command, settings.resolve(), _program())
    before = _started_by(path.read_text(encoding="utf-8", errors="replace")) if path.is_file() else ""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as beside:
            beside.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DdspError(f"{path} cannot be written: {error.strerror}") from error
    return path, "" if before == _started_by(text) else before


def _started_by(unit: str) -> str:
    """The command line of a unit."""
    key = "ExecStart="
    return next((line.removeprefix(key) for line in unit.splitlines() if line.startswith(key)), "")


def _program() -> Path:
    """`ddsp-edge` of the environment that runs now, which a service does not activate."""
    beside = Path(sys.executable).with_name("ddsp-edge")
    found = beside if beside.is_file() else shutil.which("ddsp-edge")
    if found is None:
        raise DdspError(f"ddsp-edge is not installed beside {sys.executable}")
    return Path(found).absolute()


def _quoted(path: Path) -> str:
    """A path as one word of a command line of systemd (systemd.service(5), "Command lines")."""
    text = str(path)
    if not text.isprintable():
        raise DdspError(f"A service cannot name the path {text!r}")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'
