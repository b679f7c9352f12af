"""Its command line: `ddsp-tf pitch`."""

import argparse
from collections.abc import Mapping
from typing import Any

from ddsp_edge.cli.command import path_argument, tell
from ddsp_edge.cli.options import WIDE
from ddsp_tf.cli.quiet import load_tensorflow
from ddsp_tf.errors import printable
from ddsp_tf.tasks.command import Column, Command, ExportTable


class PitchCommand(Command):
    """See `ddsp_tf.tasks.command.Command`."""

    noun = "a tracker of pitch"
    word = "pitch"
    help = "follow the pitch of a recording of speech"
    listening = "tracking"
    export_table = ExportTable(
        (
            Column("same_pitch", "same pitch", ".3f"),
            Column("cents", "cents", ".1f"),
            Column("us_per_frame", "us/frame", ".0f"),
        ),
        "same pitch, share of frames within 25 cents of Keras; cents, mean error; us, CPU time of a frame",
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """A run, a recording, and where to."""
        parser.usage = "ddsp-tf pitch [options] RUN INPUT OUTPUT"
        parser.formatter_class = WIDE  # type: ignore[assignment]
        parser.add_argument("run", metavar="RUN", type=path_argument, help="run folder from train")
        parser.add_argument("input", metavar="INPUT", type=path_argument, help="sound file")
        parser.add_argument("output", metavar="OUTPUT", type=path_argument, help=".csv to write")

    def run(self, args: argparse.Namespace) -> None:
        """Follow the pitch of a recording by the model of a run."""
        load_tensorflow()

        from ddsp_tf.tasks.pitch.reading import write_pitch
        from ddsp_tf.training.run import load_model_of_run

        model: Any = load_model_of_run(args.run, task="pitch")
        frames, voiced = write_pitch(model, args.input, args.output)
        tell(f"{printable(args.output)}: {frames} frames, {voiced / max(frames, 1):.0%} with a pitch")

    def told_of(self, quality: Mapping[str, Any]) -> list[str]:
        """How near it is to Keras, and how fast."""
        return [
            f"hears {100 * quality['same_pitch']:.1f} % of the frames as Keras does; "
            f"{quality['us_per_frame']:.0f} us of CPU a frame of 8 ms"
        ]


COMMAND = PitchCommand()
