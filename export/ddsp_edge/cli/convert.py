"""`ddsp-edge convert`: a recording of somebody in another person's voice."""

import argparse
from functools import partial
from typing import TYPE_CHECKING, Any

from ddsp_edge.cli.file_use import Files, FileUse, Outcome, Progress, add_file_command, pace_of
from ddsp_edge.cli.options import PITCH, add_conversion_options

if TYPE_CHECKING:
    from ddsp_edge.render.watch import Watch


class Convert(FileUse):
    """A recording of somebody in another person's voice."""

    command, title = "convert", "Say it in this voice"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """See `FileUse`."""
        add_conversion_options(parser)

    def defaults(self) -> dict[str, Any]:
        """See `FileUse`."""
        return {"pitch": PITCH}

    def run(
        self, files: Files, arguments: argparse.Namespace, progress: Progress, watch: "Watch | None" = None
    ) -> Outcome:
        """See `FileUse`."""
        from ddsp_edge.model.file import read_model_file
        from ddsp_edge.voice.card import facts_of
        from ddsp_edge.voice.converter import open_converter
        from ddsp_edge.voice.files import convert_file

        file = read_model_file(files.model)
        facts = facts_of(file.card, str(files.model))  # another task is told with the name of the file
        report = convert_file(
            partial(open_converter, file, voice=arguments.voice, seed=arguments.seed),
            file.card.spec,
            facts,
            files.source,
            files.out,
            pitch=PITCH if arguments.pitch is None else arguments.pitch,
            inputs={"model": files.model},
            progress=progress,
        )
        return Outcome([f"{pace_of(report)}, {report.shift.semitones:+.1f} semitones"], report.warnings)


USES = (Convert(),)


def add_convert(commands: Any, debug: argparse.ArgumentParser) -> None:
    """Add the command to those of a parser."""
    add_file_command(
        commands,
        debug,
        USES[0],
        help="say the same in another person's voice",
        description="Say or sing what INPUT, a recording of one person, holds in the voice of MODEL, into "
        "OUTPUT (.wav or .flac). A voice belongs to a person: use those that you may use.",
    )
