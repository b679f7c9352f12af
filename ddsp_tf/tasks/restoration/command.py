"""The command lines of a restoration: `ddsp-tf restore`, and what its export tells."""

import argparse
import sys
from collections.abc import Mapping
from typing import Any, ClassVar

from ddsp_edge.cli.command import path_argument, tell
from ddsp_edge.cli.options import STRENGTH, WIDE, add_restoration_options
from ddsp_tf.cli.quiet import load_tensorflow
from ddsp_tf.errors import printable
from ddsp_tf.tasks.command import Column, Command, ExportTable


class RestorationCommand(Command):
    """See `ddsp_tf.tasks.command.Command`."""

    noun = "a restoration"
    word = "restore"
    help = "take noise out of a recording"
    listening = "reading"
    groups: ClassVar[Mapping[str, str]] = {
        "clean": "clean sound, of many speakers (restoration)",
        "noise": "noise alone (restoration)",
        "rooms": "impulse responses of rooms (restoration)",
    }
    export_table = ExportTable(
        (
            Column("gain_error_mean", "gain", ".2g"),
            Column("si_sdr_db_keras", "", ".2f"),
            Column("si_sdr_db_file", "SI-SDR", ".2f"),
            Column("si_sdr_loss_db", "loss dB", "+.3f"),
            Column("us_per_frame", "us/frame", ".0f"),
        ),
        "gain, mean error from Keras; SI-SDR of held-back mixtures, dB, and what of it is lost; us, CPU time "
        "of a frame, transforms and all",
        before="si_sdr_db_keras",
        compared="si_sdr_db_file",
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command line."""
        parser.usage = "ddsp-tf restore [options] RUN INPUT OUTPUT"
        parser.formatter_class = WIDE  # type: ignore[assignment]
        parser.add_argument("run", type=path_argument, metavar="RUN", help="run folder from train")
        parser.add_argument("input", type=path_argument, metavar="INPUT", help="sound file")
        parser.add_argument("output", type=path_argument, metavar="OUTPUT", help=".wav or .flac to write")
        add_restoration_options(parser)

    def run(self, args: argparse.Namespace) -> None:
        """Run the command."""
        load_tensorflow()

        from ddsp_tf.cli.progress import Progress
        from ddsp_tf.tasks.restoration.restore import restore
        from ddsp_tf.training.run import load_model_of_run

        model: Any = load_model_of_run(args.run, task="restoration").in_float32()
        with Progress("restore", quiet=args.quiet) as progress:
            report = restore(
                model,
                args.input,
                args.output,
                strength=STRENGTH if args.strength is None else args.strength,
                stems=bool(args.stems),
                progress=progress,
            )
        for warning in report.warnings:
            print(f"ddsp-tf: note: {printable(warning)}", file=sys.stderr)
        if not args.quiet:
            tell(f"{printable(args.output)}: {report.seconds:.1f} s, {report.taken_out}")

    def told_of(self, quality: Mapping[str, Any]) -> list[str]:
        """How exact it is, and how late."""
        return [
            f"SI-SDR of held-back mixtures {quality['si_sdr_db_file']:.2f} dB, of the mixtures themselves "
            f"{quality['si_sdr_db_noisy']:.2f} dB; {quality['si_sdr_loss_db']:.3f} dB less than Keras",
            f"{quality['latency_ms']:.1f} ms late, {quality['real_time_factor']:.0f} times faster than real "
            "time, transforms and all",
        ]


COMMAND = RestorationCommand()
