"""`ddsp-edge restore`: a recording without its noise."""

import argparse
from typing import TYPE_CHECKING, Any

from ddsp_edge.cli.command import model_argument, path_argument
from ddsp_edge.cli.file_use import Files, FileUse, Outcome, Progress, add_settings, run_file_use
from ddsp_edge.cli.options import MODEL_HELP, STRENGTH, WIDE, add_restoration_options

if TYPE_CHECKING:
    from ddsp_edge.render.watch import Watch


class Restore(FileUse):
    """A recording without its noise."""

    command, title = "restore", "Take the noise out"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """See `FileUse`."""
        add_restoration_options(parser)

    def defaults(self) -> dict[str, Any]:
        """See `FileUse`."""
        return {"strength": STRENGTH}

    def run(
        self, files: Files, arguments: argparse.Namespace, progress: Progress, watch: "Watch | None" = None
    ) -> Outcome:
        """See `FileUse`."""
        from ddsp_edge.model.file import read_model_file
        from ddsp_edge.restoration.files import restore_file
        from ddsp_edge.restoration.restorer import bands_of, open_restorer

        file = read_model_file(files.model)
        bands_of(file.card, str(files.model))  # another task is told with the name of the file
        strength = STRENGTH if arguments.strength is None else arguments.strength
        report = restore_file(
            lambda rate, channels: open_restorer(file, rate, channels, strength),
            files.source,
            files.out,
            inputs={"model": files.model},
            stems=bool(arguments.stems),
            progress=progress,
        )
        level = "" if report.removed_db is None else f", {report.removed_db:.1f} dB of it taken out"
        told = (
            f"{report.seconds:.1f} s in {report.wall_seconds:.1f} s, "
            f"{report.realtime_factor:.1f} x real time{level}"
        )
        return Outcome([told], report.warnings)


USES = (Restore(),)


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
    USES[0].add_options(parser)
    add_settings(parser)
    parser.set_defaults(handler=_restore)


def _restore(arguments: argparse.Namespace) -> None:
    run_file_use(USES[0], Files(arguments.model, arguments.input, arguments.output), arguments)
