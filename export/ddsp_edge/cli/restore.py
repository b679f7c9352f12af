"""`ddsp-edge restore`: a recording without its noise."""

import argparse
from typing import TYPE_CHECKING, Any

from ddsp_edge.cli.file_use import Files, FileUse, Outcome, Progress, add_file_command, pace_of
from ddsp_edge.cli.options import STRENGTH, add_restoration_options

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
        return Outcome([f"{pace_of(report)}, {report.taken_out}"], report.warnings)


USES = (Restore(),)


def add_restore(commands: Any, debug: argparse.ArgumentParser) -> None:
    """Add the command to those of a parser."""
    add_file_command(
        commands,
        debug,
        USES[0],
        help="take noise out of a recording",
        description="Take noise, hum, hiss and room out of INPUT, a recording of any length, rate and number "
        "of channels, into OUTPUT (.wav or .flac), which has the same.",
    )
