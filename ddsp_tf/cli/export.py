"""`ddsp-tf export`: write an instrument as one file that a device can play."""

import argparse
import sys
from typing import Any

from ddsp_edge.cli.command import path_argument, tell
from ddsp_tf.cli.quiet import load_tensorflow
from ddsp_tf.errors import DdspError, printable

COLUMNS = (
    "control_error_max",
    "harmonic_level_error_db_mean",
    "spectral_distance_file",
    "spectral_distance_change_percent",
    "network_us_per_frame",
    "play_us_per_frame",
)
FORMS = (".2g", ".3f", ".3f", "+.2f", ".0f", ".0f")

HELP = "write an instrument as a .tflite for devices"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument("run", type=path_argument, metavar="RUN", help="run folder from train")
    parser.add_argument(
        "--out", required=True, type=path_argument, metavar="INSTRUMENT.tflite", help="file to write"
    )
    parser.add_argument(
        "--quantize",
        choices=("auto", "int8", "int8-layers", "int8-weights", "float16", "float32", "int8-full"),
        metavar="HOW",
        help="how weights are stored: int8 (default), int8-layers, int8-weights, float16, float32, "
        "int8-full, or auto: measure all and take the smallest that sounds the same",
    )
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
    parser.add_argument(
        "--runtime",
        choices=("current", "2.14"),
        default="current",
        metavar="VERSION",
        help="oldest runtime that is to load the file: current (default), or 2.14, tflite-runtime's last",
    )
    parser.add_argument(
        "--target",
        choices=("litert", "ddsp-vst"),
        default="litert",
        metavar="HOST",
        help="who loads the file: litert (default), or ddsp-vst, the plug-in of 2022",
    )


def run(args: argparse.Namespace) -> None:
    """Run the command."""
    _check(args)
    load_tensorflow()

    if args.target == "ddsp-vst":
        _run_vst(args)
        return

    from ddsp_export.export import export

    card = export(
        args.run,
        args.out,
        args.quantize or "int8",
        instrument=args.instrument,
        play=args.play,
        dry=args.dry,
        runtime=args.runtime,
        progress=_progress,
    )
    quality = card.quality
    tell(table_of_recipes(quality["recipes"]))
    tell(
        f"{printable(args.out)}: {args.out.stat().st_size / 1000:.0f} kB, {card.quantization}, "
        "builtin operators only\n"
        f"  verified without TensorFlow on {quality['seconds_verified']:.1f} s held back, timed on one "
        f"thread of {printable(quality['measured_on'])}\n"
        f"  synthesis equal to Keras within {quality['synthesis_error_peak']:.1e} of full scale, "
        f"{quality['real_time_factor_by_hops']:.0f} times faster than real time in numpy"
    )
    if "play_error_peak" in quality:
        tell(
            f"  `play` does all in one call, {quality['play_real_time_factor']:.0f} times faster than real "
            f"time, within {quality['play_error_peak']:.1e} of full scale"
        )


def _check(args: argparse.Namespace) -> None:
    """Refuse what can be seen from the command line alone, before TensorFlow takes its seconds to start."""
    from ddsp_export.candidate import check_out
    from ddsp_export.runtimes import check_vst_quantization, quantization_for

    if args.target == "ddsp-vst":
        if args.dry or not args.play or args.runtime != "current":
            raise DdspError(
                "--dry, --no-play and --runtime say nothing of a file for ddsp-vst: leave them out"
            )
        check_vst_quantization(args.quantize or "float32")
    else:
        quantization_for(args.runtime, args.quantize or "int8")
    check_out(args.out)


def _run_vst(args: argparse.Namespace) -> None:
    """Write a file for the plug-in."""
    from ddsp_tf.tasks.instrument.export.export_vst import export_vst

    quantize = args.quantize or "float32"
    metadata = export_vst(args.run, args.out, quantize, instrument=args.instrument, progress=_progress)
    known = metadata["ddsp_tf"]
    tell(
        f"{printable(args.out)}: {args.out.stat().st_size / 1000:.0f} kB, {known['quantization']}, "
        "for DDSP-VST\n"
        f"  controls equal to Keras within {known['quality']['control_error_max']:.1e} over "
        f"{known['quality']['seconds_verified']:.0f} s\n"
        f"  {_heard(known['config']['model'].get('level'), known['power_map']['residual_db'])}"
    )


def _heard(level: str | None, residual_db: float) -> str:
    if level == "power":
        return "trained on the plug-in's power: it hears what it was trained on"
    return (
        f"loudness is reckoned from the plug-in's power, which misses it by {residual_db:.1f} dB (standard "
        "deviation on the training data): train with configs/ddsp_vst.yaml, which hears power"
    )


def _progress(text: str) -> None:
    print(f"{text} ...", file=sys.stderr)


def table_of_recipes(recipes: dict[str, dict[str, Any]]) -> str:
    """What was measured of each way to store the weights, a line each, below the model itself."""
    lines = [
        "errors from Keras: control, the largest; level, the mean of harmonics; us, CPU time of a frame",
        f"{'weights':<20} {'kB':>7} {'operators':>9} {'control':>9} {'level dB':>9} {'distance':>9} "
        f"{'change %':>9} {'us/frame':>9} {'us play':>9}",
    ]
    before = {row["spectral_distance_keras"] for row in recipes.values()} - {None}
    lines += [f"{'Keras, before':<20} {'':>37} {value:>9.3f}" for value in sorted(before)]
    for name, row in recipes.items():
        values = [row[key] for key in COLUMNS]
        figures = " ".join(
            f"{'-' if value is None else format(value, form):>9}"
            for value, form in zip(values, FORMS, strict=True)
        )
        lines.append(f"{name:<20} {row['bytes'] / 1e3:>7.0f} {row['operators']:>9} {figures}")
        if row["refused"]:
            lines.append(f"  refused: {printable(row['refused'])}")
    return "\n".join(lines)
