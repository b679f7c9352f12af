"""`ddsp-edge restore`: a recording without its noise."""

import argparse
import sys
from typing import Any

from ddsp_edge.cli.command import model_argument, path_argument, tell
from ddsp_edge.cli.options import MODEL_HELP, WIDE, add_restoration_options
from ddsp_edge.cli.progress import seconds_bar
from ddsp_edge.errors import printable


def add_restore(commands: Any, debug: argparse.ArgumentParser) -> None:
    """Add the command to those of a parser."""
    parser = commands.add_parser(
        "restore",
        parents=[debug],
        help="take noise out of a recording",
        usage="ddsp-edge restore [options] MODEL INPUT OUTPUT",
        description="Take noise, hum, hiss and room out of INPUT, a recording of any length, rate and number "
        "of channels, into OUTPUT (.wav or .flac), which has the same.",
        formatter_class=WIDE,
    )
    parser.add_argument("model", metavar="MODEL", type=model_argument, help=MODEL_HELP)
    parser.add_argument("input", metavar="INPUT", type=path_argument, help="sound file")
    parser.add_argument("output", metavar="OUTPUT", type=path_argument, help=".wav or .flac to write")
    add_restoration_options(parser)
    parser.set_defaults(handler=_restore)


def _restore(arguments: argparse.Namespace) -> None:
    from ddsp_edge.model.file import read_model_file
    from ddsp_edge.restoration.files import restore_file
    from ddsp_edge.restoration.restorer import bands_of, open_restorer

    file = read_model_file(arguments.model)
    bands_of(file.card, str(arguments.model))  # another task is told with the name of the file
    with seconds_bar(arguments.quiet) as progress:
        report = restore_file(
            lambda rate, channels: open_restorer(file, rate, channels, arguments.strength),
            arguments.input,
            arguments.output,
            inputs={"model": arguments.model},
            stems=arguments.stems,
            progress=progress,
        )
    for warning in report.warnings:
        print(f"ddsp-edge: warning: {printable(warning)}", file=sys.stderr)
    if not arguments.quiet:
        level = "" if report.removed_db is None else f", {report.removed_db:.1f} dB of it taken out"
        tell(
            f"{printable(arguments.output)}: {report.seconds:.1f} s in {report.wall_seconds:.1f} s, "
            f"{report.realtime_factor:.1f} x real time{level}"
        )
