"""Its command line: `ddsp-tf transcribe`."""

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ddsp_edge.cli.command import path_argument, tell
from ddsp_edge.cli.options import WIDE
from ddsp_edge.cli.transcribe import add_hearing_options, check_hearing_options, hear
from ddsp_tf.cli.quiet import load_tensorflow
from ddsp_tf.errors import DdspError, printable
from ddsp_tf.tasks.command import Column, Command, ExportTable

if TYPE_CHECKING:
    from ddsp_edge.transcription.files import Transcript


class TranscriptionCommand(Command):
    """See `ddsp_tf.tasks.command.Command`."""

    noun = "a transcriber"
    word = "transcribe"
    help = "write down the notes of a recording"
    listening = "reading"
    export_table = ExportTable(
        (
            Column("roll_error_max", "roll", ".2g"),
            Column("roll_error_mean", "mean", ".2g"),
            Column("notes_f1", "same notes", ".3f"),
            Column("us_per_frame", "us/frame", ".0f"),
        ),
        "errors from Keras: roll, the largest of any probability, and the mean; same notes, F1; us, CPU time "
        "of a frame of 20 ms",
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """A run, a recording, and where to."""
        parser.usage = "ddsp-tf transcribe [options] RUN INPUT OUTPUT"
        parser.formatter_class = WIDE  # type: ignore[assignment]
        parser.add_argument("run", metavar="RUN", type=path_argument, help="run folder from train")
        parser.add_argument("input", metavar="INPUT", type=path_argument, help="sound file")
        parser.add_argument("output", metavar="OUTPUT", type=path_argument, help=".mid or .csv to write")
        add_hearing_options(parser)
        parser.add_argument("--report", metavar="FILE", type=path_argument, help="also write a page (.html)")

    def run(self, args: argparse.Namespace) -> None:
        """Transcribe a recording by the model of a run."""
        check_hearing_options(args, args.input)
        load_tensorflow()

        from ddsp_edge.transcription.files import check_notes_output
        from ddsp_edge.transcription.melody import MelodyNotes
        from ddsp_tf.tasks.transcription.hearing import namer_arrays_of_run, transcriber_of_run
        from ddsp_tf.training.run import load_config_of_run, load_model_of_run

        check_notes_output(args.output, args.input)
        if args.voices == 1:
            found = hear(args, MelodyNotes(load_config_of_run(args.run).spec), args.input, args.output)
        else:
            model = load_model_of_run(args.run, task="transcription")
            hearing = transcriber_of_run(args.run, model)
            found = hear(args, hearing, args.input, args.output, namer_arrays_of_run(args.run, model))
        if args.report is not None:
            self._report(args, found)

    def _report(self, args: argparse.Namespace, found: "Transcript") -> None:
        from ddsp_tf.data.scores import read_score, score_beside
        from ddsp_tf.tasks.transcription.report import write_page

        try:
            truth = read_score(score_beside(args.input))
        except DdspError:
            truth = []  # there need not be any
        write_page(args.report, args.input, found, truth)
        if not args.quiet:
            tell(f"{printable(args.report)}: to look at and to listen to")

    def told_of(self, quality: Mapping[str, Any]) -> list[str]:
        """Whether the file finds the notes that Keras finds, and how fast."""
        return [
            f"finds the notes that Keras finds, F1 {quality['notes_f1']:.3f} over "
            f"{quality['seconds_verified']:.0f} s; {quality['us_per_frame'] / 20_000:.3f} s of CPU a second "
            "for the network"
        ]


COMMAND = TranscriptionCommand()
