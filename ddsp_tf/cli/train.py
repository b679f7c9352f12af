"""`ddsp-tf train`: fit a model to a dataset."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ddsp_edge.cli.command import path_argument, tell
from ddsp_tf.cli.quiet import load_tensorflow
from ddsp_tf.errors import DdspError, printable
from ddsp_tf.training.files import CONFIG_NAME, model_path

if TYPE_CHECKING:
    from ddsp_tf.config import Config

HELP = "train a model on a dataset"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument(
        "config", type=path_argument, metavar="CONFIG", help="YAML file, or name of a shipped configuration"
    )
    parser.add_argument(
        "--data", required=True, type=path_argument, metavar="DATASET", help="folder from prepare"
    )
    parser.add_argument("--out", required=True, type=path_argument, metavar="RUN", help="run folder to write")
    parser.add_argument("--steps", type=int, metavar="N", help="training steps (training.steps)")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a setting, e.g. training.batch_size=4",
    )
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint of RUN")
    parser.add_argument(
        "--from",
        dest="start_from",
        type=path_argument,
        metavar="RUN",
        help="begin with the weights of another run",
    )
    parser.add_argument(
        "--skip-damaged", action="store_true", help="leave damaged records out, and say which"
    )
    parser.add_argument(
        "--tensorboard", action="store_true", help="write TensorBoard logs to RUN/tensorboard"
    )
    parser.add_argument(
        "--sounds",
        action="store_true",
        help="write what it sounds like, every epoch, to RUN/sounds",
    )
    parser.add_argument(
        "--crepe-weights",
        type=path_argument,
        metavar="FILE",
        help="weights of CREPE, for loss.perceptual_weight",
    )
    parser.add_argument(
        "--strategy",
        choices=("mirrored", "multi_worker"),
        help="train on all GPUs of this machine, or with the workers that TF_CONFIG names",
    )
    parser.add_argument("--no-report", action="store_true", help="write no RUN/report.html at the end")


def run(args: argparse.Namespace) -> None:
    """Run the command."""
    from ddsp_tf.config import load_config

    overrides = list(args.set)
    if args.steps is not None:
        overrides.append(f"training.steps={args.steps}")
    config = load_config(args.config, overrides)
    _refuse_overwriting(args.config, config, args.out)
    if args.resume and not args.out.exists():  # told before TensorFlow is loaded, which takes a while
        raise DdspError(f"{args.out}: no such run folder; leave out --resume to begin a run")
    load_tensorflow()

    from ddsp_tf.tasks.task import task_named
    from ddsp_tf.training.callbacks import read_log
    from ddsp_tf.training.fit import train
    from ddsp_tf.training.workers import writes_run

    task_named(config.task).check(config, str(args.config))
    model = train(
        config,
        args.data,
        args.out,
        resume=args.resume,
        start_from=args.start_from,
        tensorboard=args.tensorboard,
        sounds=args.sounds,
        crepe_weights=args.crepe_weights,
        strategy=args.strategy,
        on_damage=_once_each() if args.skip_damaged else None,
        verbose="auto" if sys.stdout.isatty() else 2,  # a line an epoch, where no bar can move
        progress=lambda text: print(text, file=sys.stderr),
    )
    if not args.no_report and writes_run(args.strategy):
        _write_report(args.out, args.data)
    done = max([config.training.steps, *(int(row["step"]) for row in read_log(args.out))])
    tell(f"{printable(args.out)}: {done} steps, {model.count_params():,} weights")


def _write_report(run: Path, data: Path) -> None:
    """Write RUN/report.html; the run is as good without it."""
    from ddsp_tf.reports.run import REPORT_NAME, write_run_report

    try:
        report = write_run_report(run, data)
    except (DdspError, OSError) as error:
        print(f"{REPORT_NAME} was not written: {printable(error)}", file=sys.stderr)
    else:
        print(f"{printable(report)}: open it in a browser", file=sys.stderr)


def _refuse_overwriting(path: Path, config: "Config", out: Path) -> None:
    """Refuse to replace the user's own configuration, with its comments, by the complete one of the run."""
    own = out / CONFIG_NAME
    if not (path.is_file() and own.is_file() and own.samefile(path)):
        return
    if own.read_text(encoding="utf-8") != config.to_yaml() and not model_path(out, config.task).exists():
        raise DdspError(
            f"{path} would be overwritten by the run's complete configuration; name another folder for --out"
        )


def _once_each() -> Callable[[str], None]:
    """Print sentences on stderr, each the first time only: a dataset is opened more than once."""
    told: set[str] = set()

    def tell(sentence: str) -> None:
        if sentence not in told:
            told.add(sentence)
            print(f"left out: {printable(sentence)}", file=sys.stderr)

    return tell
