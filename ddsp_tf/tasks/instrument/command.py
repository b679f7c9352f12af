"""The command lines of an instrument: `ddsp-tf transfer`, and what it adds to `ddsp-tf export`."""

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from ddsp_edge.cli.command import path_argument, tell
from ddsp_edge.cli.options import WIDE, add_transfer_options, transfer_changes
from ddsp_tf.cli.quiet import load_tensorflow
from ddsp_tf.errors import DdspError, printable
from ddsp_tf.tasks.command import Column, Command, ExportTable, Target
from ddsp_tf.tasks.instrument.controls_commands import ControlsCommand, PlotCommand, RenderCommand
from ddsp_tf.tasks.instrument.expression_command import ExpressionCommand
from ddsp_tf.tasks.instrument.import_command import ImportCommand
from ddsp_tf.tasks.instrument.playing_options import add_playing_options, instrument_and_estimator


def _check_export_for_vst(args: argparse.Namespace) -> None:
    """Refuse what the command line alone shows to be wrong with an export for DDSP-VST."""
    from ddsp_export.runtimes import check_vst_quantization

    if args.dry or not args.play or args.runtime != "current":
        raise DdspError("--dry, --no-play and --runtime say nothing of a file for ddsp-vst: leave them out")
    check_vst_quantization(args.quantize or "float32")


def _export_for_vst(args: argparse.Namespace, progress: Callable[[str], None]) -> str:
    """Write a file for the plug-in DDSP-VST; return what is to be told of it."""
    from ddsp_tf.tasks.instrument.export.export_vst import export_vst

    quantize = args.quantize or "float32"
    metadata = export_vst(args.run, args.out, quantize, instrument=args.instrument, progress=progress)
    known = metadata["ddsp_tf"]
    return (
        f"{printable(args.out)}: {args.out.stat().st_size / 1000:.0f} kB, {known['quantization']}, "
        "for DDSP-VST\n"
        f"  controls equal to Keras within {known['quality']['control_error_max']:.1e} over "
        f"{known['quality']['seconds_verified']:.0f} s\n"
        "  it goes into Documents/Magenta/DDSP/Models, where the plug-in lists it by its file name\n"
        f"  {_heard(known['config']['model'].get('level'), known['power_map']['residual_db'])}"
    )


def _heard(level: str | None, residual_db: float) -> str:
    if level == "power":
        return "trained on the plug-in's power: it hears what it was trained on"
    return (
        f"loudness is reckoned from the plug-in's power, which misses it by {residual_db:.1f} dB (standard "
        "deviation on the training data): train with configs/ddsp_vst.yaml, which hears power"
    )


class InstrumentCommand(Command):
    """See `ddsp_tf.tasks.command.Command`."""

    noun = "an instrument"
    others = (ControlsCommand(), RenderCommand(), PlotCommand(), ExpressionCommand(), ImportCommand())
    word = "transfer"
    help = "render a recording through an instrument"
    listening = "listening for pitch"
    targets: ClassVar[Mapping[str, Target]] = {"ddsp-vst": Target(_check_export_for_vst, _export_for_vst)}
    export_table = ExportTable(
        (
            Column("control_error_max", "control", ".2g"),
            Column("harmonic_level_error_db_mean", "level dB", ".3f"),
            Column("spectral_distance_keras", "", ".3f"),
            Column("spectral_distance_file", "distance", ".3f"),
            Column("spectral_distance_change_percent", "change %", "+.2f"),
            Column("network_us_per_frame", "us/frame", ".0f"),
            Column("play_us_per_frame", "us play", ".0f"),
        ),
        "errors from Keras: control, the largest; level, the mean of harmonics; us, CPU time of a frame",
        before="spectral_distance_keras",
        compared="spectral_distance_file",
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command line."""
        parser.usage = "ddsp-tf transfer [options] RUN INPUT OUTPUT"
        parser.formatter_class = WIDE  # type: ignore[assignment]
        parser.add_argument("run", type=path_argument, metavar="RUN", help="run folder from train")
        parser.add_argument("input", type=path_argument, metavar="INPUT", help="monophonic sound file")
        parser.add_argument("output", type=path_argument, metavar="OUTPUT", help=".wav or .flac to write")
        add_transfer_options(parser)
        add_playing_options(parser)

    def run(self, args: argparse.Namespace) -> None:
        """Run the command."""
        load_tensorflow()

        from ddsp_tf.cli.progress import Progress
        from ddsp_tf.tasks.instrument.transfer import transfer

        model, estimator = instrument_and_estimator(args)
        with Progress("transfer", quiet=args.quiet) as progress:
            result = transfer(
                model,
                estimator,
                args.input,
                args.output,
                progress=progress,
                stems=bool(args.stems),
                seed=args.seed,
                **transfer_changes(args),
            )
        for line in result.advice:
            print(f"ddsp-tf: note: {printable(line)}", file=sys.stderr)
        if not args.quiet:
            tell(f"{printable(args.output)}: {result.seconds:.1f} s, pitch from {estimator.name}")

    def add_export_options(self, parser: argparse._ArgumentGroup) -> None:
        """Declare what `ddsp-tf export` can be told of an instrument."""
        parser.add_argument(
            "--play",
            action=argparse.BooleanOptionalAction,
            default=True,
            help="put the synthesizer into the model too, for hosts that have nothing but LiteRT (default)",
        )
        parser.add_argument(
            "--instrument",
            metavar="MIX",
            help="of a model that plays several: one of them (flute), or a mix (flute=0.5,violin=0.5)",
        )
        parser.add_argument("--dry", action="store_true", help="leave out the room: every Reverb")

    def export_options(self, args: argparse.Namespace) -> dict[str, Any]:
        """`instrument`, `play` and `dry`, see `ddsp_tf.tasks.instrument.export.exportable`."""
        return {"instrument": args.instrument, "play": args.play, "dry": args.dry}

    def told_of(self, quality: Mapping[str, Any]) -> list[str]:
        """What `ddsp-tf export` tells of an instrument's file, a line each."""
        told = [
            f"synthesis equal to Keras within {quality['synthesis_error_peak']:.1e} of full scale, "
            f"{quality['real_time_factor_by_hops']:.0f} times faster than real time in numpy"
        ]
        if "play_error_peak" in quality:
            told.append(
                f"`play` does all in one call, {quality['play_real_time_factor']:.0f} times faster than real "
                f"time, within {quality['play_error_peak']:.1e} of full scale"
            )
        return told


COMMAND = InstrumentCommand()
