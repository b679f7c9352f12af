"""`ddsp-tf export`: write a trained model as one file that a device can use."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from ddsp_edge.cli.command import path_argument, tell
from ddsp_tf.cli.quiet import load_tensorflow
from ddsp_tf.errors import DdspError, printable
from ddsp_tf.tasks.command import Column, ExportTable, Target, command_of
from ddsp_tf.tasks.registry import task_names

HELP = "write a trained model as a .tflite for devices"
LITERT = "litert"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument("run", type=path_argument, metavar="RUN", help="run folder from train")
    parser.add_argument(
        "--out", required=True, type=path_argument, metavar="FILE.tflite", help="file to write"
    )
    parser.add_argument(
        "--quantize",
        choices=("auto", "int8", "int8-layers", "int8-weights", "float16", "float32", "int8-full"),
        metavar="HOW",
        help="how weights are stored: int8 (default), int8-layers, int8-weights, float16, float32, "
        "int8-full, or auto: measure all and take the smallest that sounds the same",
    )
    targets = _targets()
    parser.add_argument(
        "--runtime",
        choices=("current", "2.14"),
        default="current",
        metavar="VERSION",
        help="oldest runtime that is to load the file: current (default), or 2.14, tflite-runtime's last",
    )
    parser.add_argument(
        "--target",
        choices=(LITERT, *targets),
        default=LITERT,
        metavar="HOST",
        help=f"who loads the file: litert (default), or {', '.join(targets)}",
    )
    for name in task_names():
        command = command_of(name)
        command.add_export_options(parser.add_argument_group(f"of {command.noun}"))


def run(args: argparse.Namespace) -> None:
    """Run the command."""
    from ddsp_export.candidate import check_out
    from ddsp_export.runtimes import quantization_for

    # What can be seen to be wrong is told before TensorFlow takes its seconds to start.
    if args.target == LITERT:
        quantization_for(args.runtime, args.quantize or "int8")
    else:
        _targets()[args.target].check(args)
    check_out(args.out)
    load_tensorflow()

    from ddsp_tf.training.run import task_of_run

    command = task_of_run(args.run).command
    if args.target != LITERT:
        if args.target not in command.targets:
            raise DdspError(f"{args.run} holds {command.noun}: there is no --target {args.target} for it")
        tell(command.targets[args.target].write(args, _progress))
        return

    from ddsp_export.export import export

    card = export(
        args.run,
        args.out,
        args.quantize or "int8",
        runtime=args.runtime,
        progress=_progress,
        **command.export_options(args),
    )
    tell(table_of_recipes(card.quality["recipes"], command.export_table))
    told = [
        f"{printable(args.out)}: {args.out.stat().st_size / 1000:.0f} kB, {card.quantization}, "
        "builtin operators only",
        f"verified without TensorFlow on {card.quality['seconds_verified']:.1f} s held back, timed on one "
        f"thread of {printable(card.quality['measured_on'])}",
        *command.told_of(card.quality),
    ]
    tell("\n  ".join(told))


def _progress(text: str) -> None:
    print(f"{text} ...", file=sys.stderr)


def _targets() -> dict[str, Target]:
    """Hosts other than LiteRT, of all tasks, by name."""
    return {name: target for task in task_names() for name, target in command_of(task).targets.items()}


def table_of_recipes(recipes: Mapping[str, Mapping[str, Any]], table: ExportTable) -> str:
    """What was measured of each way to store the weights, a line each, below the model itself."""
    columns = [column for column in table.columns if column.key != table.before]
    heads = " ".join(f"{column.heading:>9}" for column in columns)
    lines = [table.legend, f"{'weights':<20} {'kB':>7} {'operators':>9} {heads}"]
    lines += _before(recipes, table, columns)
    for name, row in recipes.items():
        figures = " ".join(f"{_shown(row[column.key], column.form):>9}" for column in columns)
        lines.append(f"{name:<20} {row['bytes'] / 1e3:>7.0f} {row['operators']:>9} {figures}")
        if row["refused"]:
            lines.append(f"  refused: {printable(row['refused'])}")
    return "\n".join(lines)


def _before(
    recipes: Mapping[str, Mapping[str, Any]], table: ExportTable, columns: Sequence[Column]
) -> list[str]:
    """The line of the model before it is exported, its figure below the column that it is compared in."""
    if not table.before:
        return []
    form = next(column.form for column in table.columns if column.key == table.before)
    place = [column.key for column in columns].index(table.compared)
    values = {row[table.before] for row in recipes.values()} - {None}
    gap = " " * (18 + 10 * place)
    return [f"{'Keras, before':<20}{gap} {format(value, form):>9}" for value in sorted(values)]


def _shown(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
