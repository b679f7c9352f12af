"""`ddsp-tf transfer`: render any monophonic recording through an instrument."""

import argparse
import sys

from ddsp_edge.cli.command import path_argument, tell
from ddsp_tf.cli.quiet import load_tensorflow
from ddsp_tf.errors import printable

HELP = "render a recording through an instrument"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument("run", type=path_argument, metavar="RUN", help="run folder from train")
    parser.add_argument("input", type=path_argument, metavar="INPUT", help="monophonic sound file")
    parser.add_argument("output", type=path_argument, metavar="OUTPUT", help=".wav or .flac to write")
    parser.add_argument("--octaves", type=int, default=0, metavar="N", help="transpose by N octaves")
    parser.add_argument(
        "--loudness-shift-db", type=float, default=0.0, metavar="DB", help="play louder by so many dB"
    )
    parser.add_argument(
        "--instrument",
        metavar="MIX",
        help="of a model that plays several: one of them (flute), or a mix (flute=0.5,violin=0.5)",
    )
    parser.add_argument(
        "--f0",
        choices=("yin-viterbi", "pyin", "crepe"),
        help="pitch estimator (default: as the instrument was trained)",
    )
    parser.add_argument(
        "--crepe-weights", type=path_argument, metavar="FILE", help="weights for CREPE, .h5 or .h5.bz2"
    )


def run(args: argparse.Namespace) -> None:
    """Run the command."""
    load_tensorflow()

    from ddsp_tf.cli.progress import Progress
    from ddsp_tf.data.instruments import parse_mix
    from ddsp_tf.features.f0_estimators import f0_estimator_as_recorded
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
    for line in result.advice:
        print(f"ddsp-tf: note: {printable(line)}", file=sys.stderr)
    tell(f"{printable(args.output)}: {result.seconds:.1f} s, pitch from {estimator.name}")
