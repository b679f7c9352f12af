"""Its command line: `ddsp-tf phones`."""

import argparse
from collections.abc import Mapping
from typing import Any

from ddsp_edge.cli.command import path_argument, tell
from ddsp_edge.cli.options import WIDE
from ddsp_tf.cli.quiet import load_tensorflow
from ddsp_tf.errors import printable
from ddsp_tf.tasks.command import Column, Command, ExportTable


class ContentCommand(Command):
    """See `ddsp_tf.tasks.command.Command`."""

    noun = "a content encoder"
    word = "phones"
    help = "name the phones in a recording of speech"
    listening = "labelling"
    export_table = ExportTable(
        (
            Column("content_error", "content", ".2g"),
            Column("same_phones", "same phones", ".3f"),
            Column("us_per_frame", "us/frame", ".0f"),
        ),
        "content, mean error from Keras re its spread; same phones, share of frames; us, CPU time of a frame",
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """A run, a recording, and where to."""
        parser.usage = "ddsp-tf phones [options] RUN INPUT OUTPUT"
        parser.formatter_class = WIDE  # type: ignore[assignment]
        parser.add_argument("run", metavar="RUN", type=path_argument, help="run folder from train")
        parser.add_argument("input", metavar="INPUT", type=path_argument, help="sound file")
        parser.add_argument("output", metavar="OUTPUT", type=path_argument, help=".csv to write")

    def run(self, args: argparse.Namespace) -> None:
        """Name the phones of a recording by the model of a run."""
        load_tensorflow()

        from ddsp_tf.tasks.content.reading import write_phones
        from ddsp_tf.training.run import load_model_of_run

        model: Any = load_model_of_run(args.run, task="content")
        count = write_phones(model, args.input, args.output)
        tell(f"{printable(args.output)}: {count} phones")

    def told_of(self, quality: Mapping[str, Any]) -> list[str]:
        """How near it is to Keras, and how fast."""
        return [
            f"names {100 * quality['same_phones']:.1f} % of the frames as Keras does; "
            f"{quality['us_per_frame']:.0f} us of CPU a frame of 8 ms"
        ]


COMMAND = ContentCommand()
