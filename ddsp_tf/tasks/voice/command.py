"""Its command lines: `ddsp-tf convert`, and the question that `prepare` asks."""

import argparse
import sys
from collections.abc import Mapping
from typing import Any

from ddsp_edge.cli.command import path_argument, tell
from ddsp_edge.cli.options import PITCH, WIDE, add_conversion_options
from ddsp_tf.cli.quiet import load_tensorflow
from ddsp_tf.errors import printable
from ddsp_tf.tasks.command import Column, Command, ExportTable

_YES = ("y", "yes")


class VoiceCommand(Command):
    """See `ddsp_tf.tasks.command.Command`."""

    noun = "a voice"
    word = "convert"
    help = "say the same in another person's voice"
    export_table = ExportTable(
        (
            Column("envelope_error_db", "envelope dB", ".2f"),
            Column("amplitude_error_db", "voicing dB", ".2f"),
            Column("us_per_frame", "us/frame", ".0f"),
        ),
        "errors from Keras: envelope, mean of the filters where they are heard, dB; voicing, the same of the "
        "source; us, CPU time of a frame of 8 ms, the network alone",
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """A run, a recording, and where to."""
        parser.usage = "ddsp-tf convert [options] RUN INPUT OUTPUT"
        parser.formatter_class = WIDE  # type: ignore[assignment]
        parser.add_argument("run", metavar="RUN", type=path_argument, help="run folder from train")
        parser.add_argument("input", metavar="INPUT", type=path_argument, help="sound file")
        parser.add_argument("output", metavar="OUTPUT", type=path_argument, help=".wav or .flac to write")
        add_conversion_options(parser)

    def run(self, args: argparse.Namespace) -> None:
        """Convert a recording by the model of a run."""
        load_tensorflow()

        from ddsp_tf.cli.progress import Progress
        from ddsp_tf.tasks.voice.convert import convert
        from ddsp_tf.training.run import load_model_of_run

        model: Any = load_model_of_run(args.run, task="voice")
        with Progress("convert", quiet=args.quiet) as progress:
            report = convert(
                model,
                args.input,
                args.output,
                pitch=PITCH if args.pitch is None else args.pitch,
                voice=args.voice,
                seed=args.seed,
                progress=progress,
            )
        for warning in report.warnings:
            print(f"ddsp-tf: note: {printable(warning)}", file=sys.stderr)
        if not args.quiet:
            tell(f"{printable(args.output)}: {report.seconds:.1f} s, {report.shift.semitones:+.1f} semitones")

    def add_prepare_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the answer to the question of consent."""
        parser.add_argument(
            "--i-have-consent",
            action="store_true",
            help="who speaks agrees to a model (voice)",
        )

    def prepare_overrides(self, args: argparse.Namespace, config: Any) -> list[str]:
        """Ask whether who speaks has agreed, where nothing says so and somebody is there to answer."""
        from ddsp_tf.tasks.voice.config import CONSENT
        from ddsp_tf.tasks.voice.preparation import QUESTION

        if config.data.consent == CONSENT:
            return []
        agreed = bool(args.i_have_consent)
        if not agreed and sys.stdin is not None and sys.stdin.isatty():
            print(f"{QUESTION} [y/N] ", end="", file=sys.stderr, flush=True)
            agreed = sys.stdin.readline().strip().lower() in _YES
        return [f"data.consent={CONSENT}"] if agreed else []

    def told_of(self, quality: Mapping[str, Any]) -> list[str]:
        """How exact it is, how late and how fast."""
        return [
            f"filters differ from Keras by {quality['envelope_error_db']:.2f} dB on average",
            f"{quality['latency_ms']:.1f} ms late; {quality['cpu_s_per_s']:.3f} s of CPU a second, all of it",
        ]


COMMAND = VoiceCommand()
