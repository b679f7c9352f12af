"""`ddsp-tf transfer`: render any monophonic recording through an instrument."""

import argparse
import sys
from pathlib import Path

from ddsp_tf.cli.quiet import load_tensorflow

HELP = "render a recording through an instrument"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument("run", type=Path, metavar="RUN", help="run folder from train")
    parser.add_argument("input", type=Path, metavar="INPUT", help="monophonic sound file")
    parser.add_argument("output", type=Path, metavar="OUTPUT", help=".wav or .flac to write")
    parser.add_argument("--octaves", type=int, default=0, metavar="N", help="transpose by N octaves")
    parser.add_argument(
        "--loudness-shift-db", type=float, default=0.0, metavar="DB", help="play louder by so many dB"
    )
    parser.add_argument(
        "--f0", choices=("auto", "pyin", "crepe"), default="auto", help="pitch estimator (default: auto)"
    )
    parser.add_argument("--crepe-weights", type=Path, metavar="FILE", help="published CREPE weights (HDF5)")


def run(args: argparse.Namespace) -> None:
    """Run the command."""
    load_tensorflow()

    from ddsp_tf.cli.progress import Progress
    from ddsp_tf.evaluation.transfer import transfer
    from ddsp_tf.features.f0 import make_f0_estimator
    from ddsp_tf.training.run import load_config_of_run, load_model_of_run

    data = load_config_of_run(args.run).data
    estimator = make_f0_estimator(
        args.f0, f0_min_hz=data.f0_min_hz, f0_max_hz=data.f0_max_hz, crepe_weights=args.crepe_weights
    )
    model = load_model_of_run(args.run)
    with Progress("transfer") as progress:
        result = transfer(
            model,
            estimator,
            args.input,
            args.output,
            octaves=args.octaves,
            loudness_shift_db=args.loudness_shift_db,
            progress=progress,
        )
    if result.advice:
        print(f"ddsp-tf: note: {result.advice}", file=sys.stderr)
    print(f"{args.output}: {result.seconds:.1f} s, pitch from {estimator.name}")
