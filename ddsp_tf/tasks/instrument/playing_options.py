"""What commands have in common that play a recording on a run: the instrument, and what tracks the pitch."""

import argparse
import sys
from typing import TYPE_CHECKING

from ddsp_edge.cli.command import path_argument

if TYPE_CHECKING:
    from ddsp_tf.features.f0 import F0Estimator
    from ddsp_tf.tasks.instrument.model.autoencoder import Autoencoder


def add_playing_options(parser: argparse.ArgumentParser) -> None:
    """Add them to a command line that has the argument `run`."""
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


def instrument_and_estimator(args: argparse.Namespace) -> "tuple[Autoencoder, F0Estimator]":
    """The model that is asked for, and what tracks pitch for it.

    Raises:
        DdspError: If the run has no instrument, or none of the name.
    """
    from ddsp_tf.data.instruments import parse_mix
    from ddsp_tf.features.f0_estimators import f0_estimator_as_recorded
    from ddsp_tf.tasks.instrument.model.load import load_instrument

    model = load_instrument(args.run)
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
    return model, estimator
