"""`ddsp-edge convert`: a recording of somebody in another person's voice."""

import argparse
from typing import TYPE_CHECKING, Any

from ddsp_edge.cli.command import model_argument, path_argument
from ddsp_edge.cli.file_use import Files, FileUse, Outcome, Progress, add_settings, run_file_use
from ddsp_edge.cli.options import MODEL_HELP, PITCH, WIDE, add_conversion_options

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
            lambda shift: open_converter(file, shift=shift, voice=arguments.voice, seed=arguments.seed),
            file.card.spec,
            facts,
            files.source,
            files.out,
            pitch=PITCH if arguments.pitch is None else arguments.pitch,
            inputs={"model": files.model},
            progress=progress,
        )
        told = (
            f"{report.seconds:.1f} s in {report.wall_seconds:.1f} s, "
            f"{report.realtime_factor:.1f} x real time, {report.shift.semitones:+.1f} semitones"
        )
        return Outcome([told], report.warnings)


USES = (Convert(),)


def add_convert(commands: Any, debug: argparse.ArgumentParser) -> None:
    """Add the command to those of a parser."""
    parser = commands.add_parser(
        "convert",
        parents=[debug],
        help="say the same in another person's voice",
        usage="ddsp-edge convert [options] MODEL INPUT OUTPUT",
        description="Say or sing what INPUT, a recording of one person, holds in the voice of MODEL, into "
        "OUTPUT (.wav or .flac). A voice belongs to a person: use those that you may use.",
        formatter_class=WIDE,
    )
    parser.add_argument("model", metavar="MODEL", type=model_argument, help=MODEL_HELP)
    parser.add_argument("input", metavar="INPUT", type=path_argument, help="sound file")
    parser.add_argument("output", metavar="OUTPUT", type=path_argument, help=".wav or .flac to write")
    USES[0].add_options(parser)
    add_settings(parser)
    parser.set_defaults(handler=_convert)


def _convert(arguments: argparse.Namespace) -> None:
    run_file_use(USES[0], Files(arguments.model, arguments.input, arguments.output), arguments)
