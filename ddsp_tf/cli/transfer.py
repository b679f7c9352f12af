"""`ddsp-tf transfer`: render any monophonic recording through an instrument.

For matching, the recording is heard to its end before it is rendered.
"""

import argparse
import sys

from ddsp_edge.cli.command import path_argument, tell
from ddsp_edge.cli.options import WIDE, add_transfer_options, transfer_changes
from ddsp_tf.cli.quiet import load_tensorflow
from ddsp_tf.errors import printable

HELP = "render a recording through an instrument"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.usage = "ddsp-tf transfer [options] RUN INPUT OUTPUT"
    parser.formatter_class = WIDE  # type: ignore[assignment]
    parser.add_argument("run", type=path_argument, metavar="RUN", help="run folder from train")
    parser.add_argument("input", type=path_argument, metavar="INPUT", help="monophonic sound file")
    parser.add_argument("output", type=path_argument, metavar="OUTPUT", help=".wav or .flac to write")
    add_transfer_options(parser)
    parser.add_argument("--instrument", metavar="MIX", help="of several: flute, or flute=0.5,violin=0.5")
    parser.add_argument(
        "--f0",
        choices=("yin-viterbi", "pyin", "crepe"),
        metavar="NAME",
        help="yin-viterbi, pyin or crepe (as it was trained)",
    )
    parser.add_argument(
        "--crepe-weights", type=path_argument, metavar="FILE", help="weights for CREPE, .h5 or .h5.bz2"
    )


def run(args: argparse.Namespace) -> None:
    """Run the command."""
    load_tensorflow()

    from ddsp_tf.cli.progress import Progress
    from ddsp_tf.features.f0_estimators import f0_estimator_as_recorded
    from ddsp_tf.tasks.instrument.instruments import parse_mix
    from ddsp_tf.tasks.instrument.transfer import transfer
    from ddsp_tf.training.run import load_model_of_run

    model = load_model_of_run(args.run)
    if args.instrument is not None:
        model = model.playing(parse_mix(args.instrument, model.instrument_names))
    trained_on = model.instrument.get("f0_estimator", {})
    wanted = {**trained_on, "name": args.f0, "implementation": ""} if args.f0 else trained_on
    estimator = f0_estimator_as_recorded(wanted, args.crepe_weights)
    if estimator.name != trained_on.get("name"):
        print(
            f"ddsp-tf: note: pitch is tracked by {estimator.name}, but the instrument was trained on "
            f"{trained_on.get('name')}: they may differ in octaves (see --f0 and --crepe-weights)",
            file=sys.stderr,
        )
    with Progress("transfer", quiet=args.quiet) as progress:
        result = transfer(
            model,
            estimator,
            args.input,
            args.output,
            progress=progress,
            stems=args.stems,
            seed=args.seed,
            **transfer_changes(args),
        )
    for line in result.advice:
        print(f"ddsp-tf: note: {printable(line)}", file=sys.stderr)
    if not args.quiet:
        tell(f"{printable(args.output)}: {result.seconds:.1f} s, pitch from {estimator.name}")
