"""`ddsp-tf export`: write an instrument as one file that a device can play."""

import argparse
import sys

from ddsp_edge.command import path_argument, tell
from ddsp_tf.cli.quiet import load_tensorflow
from ddsp_tf.errors import printable

HELP = "write an instrument as a .tflite for devices"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument("run", type=path_argument, metavar="RUN", help="run folder from train")
    parser.add_argument(
        "--out", required=True, type=path_argument, metavar="INSTRUMENT.tflite", help="file to write"
    )
    parser.add_argument(
        "--quantize",
        choices=("int8", "float16", "float32"),
        default="int8",
        help="how weights are stored (default: int8)",
    )


def run(args: argparse.Namespace) -> None:
    """Run the command."""
    load_tensorflow()

    from ddsp_export.export import export

    card = export(
        args.run,
        args.out,
        args.quantize,
        progress=lambda text: print(f"{text} ...", file=sys.stderr),
    )
    quality = card.quality
    tell(
        f"{printable(args.out)}: {args.out.stat().st_size / 1000:.0f} kB, {card.quantization}, "
        "builtin operators only\n"
        f"  verified without TensorFlow on {quality['seconds_verified']:.1f} s held back\n"
        f"  harmonic levels off by {quality['harmonic_level_error_db_mean']:.3f} dB (mean)\n"
        f"  spectral distance to the recording {quality['spectral_distance_file']:.3f} "
        f"(Keras {quality['spectral_distance_keras']:.3f})\n"
        f"  synthesis equal to Keras within {quality['synthesis_error_peak']:.1e} of full scale\n"
        f"  {quality['network_us_per_frame']:.0f} us a frame in the network, "
        f"{quality['real_time_factor_by_hops']:.0f} times faster than real time on one thread"
    )
