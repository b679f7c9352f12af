"""`ddsp-tf evaluate`: measure a trained model on what it was not trained on."""

import argparse
import sys

from ddsp_edge.cli.command import path_argument, tell
from ddsp_tf.cli.quiet import load_tensorflow

HELP = "measure a trained model on held-back passages"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument("run", type=path_argument, metavar="RUN", help="run folder from train")
    parser.add_argument(
        "--data", required=True, type=path_argument, metavar="DATASET", help="folder from prepare"
    )
    parser.add_argument(
        "--crepe-weights",
        type=path_argument,
        metavar="FILE",
        help="weights for CREPE, if the dataset is by it",
    )


def run(args: argparse.Namespace) -> None:
    """Run the command."""
    load_tensorflow()

    from ddsp_tf.training.evaluation import evaluate

    result = evaluate(
        args.run,
        args.data,
        crepe_weights=args.crepe_weights,
        progress=lambda text: print(f"measuring {text} ...", file=sys.stderr),
    )
    tell(result.table())
