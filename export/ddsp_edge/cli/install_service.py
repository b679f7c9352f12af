"""`ddsp-edge install-service`: play whenever the machine runs."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ddsp_edge.cli.command import path_argument, tell
from ddsp_edge.cli.options import check_played_range
from ddsp_edge.cli.settings_file import with_settings_file
from ddsp_edge.errors import DdspError, printable


def add_install_service(
    commands: Any, debug: argparse.ArgumentParser, players: Mapping[str, argparse.ArgumentParser]
) -> None:
    """Add the command to those of a parser, given the parsers of the commands that it can start, by name."""
    parser = commands.add_parser(
        "install-service",
        parents=[debug],
        help="play whenever this machine runs (systemd)",
        description="Write a systemd unit of the user's own that runs ddsp-edge play or midi with a settings "
        "file. Nothing is started; what to type next is printed.",
    )
    parser.set_defaults(handler=lambda given: _install_service(given, players[given.what]))
    parser.add_argument("what", choices=tuple(players), help="which command")
    parser.add_argument("settings", metavar="FILE", type=path_argument, help="its TOML settings")
    parser.add_argument("--folder", type=path_argument, help="for the unit (~/.config/systemd/user)")


def _install_service(arguments: argparse.Namespace, player: argparse.ArgumentParser) -> None:
    from ddsp_edge.cli.service import NAME, install_service
    from ddsp_edge.model.file import read_instrument_file

    # What would not start is refused here, where somebody reads it.
    asked = argparse.Namespace(**{**vars(player.parse_args([])), "settings": arguments.settings})
    asked = with_settings_file(asked, player, {})
    check_played_range(asked)
    instrument: Path | None = asked.instrument
    if instrument is None:
        raise DdspError(f'{arguments.settings} names no instrument: instrument = "FILE.tflite"')
    read_instrument_file(instrument)
    path, before = install_service(arguments.what, arguments.settings, arguments.folder)
    if before:
        tell(f"There is one service; this one takes the place of the one that ran {printable(before)}")
    tell(
        f"{printable(path)} is written. To start it now and with the machine:\n"
        f"  systemctl --user daemon-reload\n"
        f"  systemctl --user enable --now {NAME}\n"
        f"  loginctl enable-linger\n"
        f"What it says: journalctl --user --unit {NAME} --follow"
    )
