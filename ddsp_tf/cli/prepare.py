"""`ddsp-tf prepare`: measure recordings and write them as a dataset to train on."""

import argparse
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ddsp_edge.cli.command import model_argument, path_argument, tell
from ddsp_edge.cli.options import WIDE
from ddsp_tf.cli.quiet import load_tensorflow
from ddsp_tf.errors import DdspError, printable
from ddsp_tf.tasks.command import Command, command_of
from ddsp_tf.tasks.registry import task_names

if TYPE_CHECKING:
    from ddsp_tf.data.prepare.prepare import Recordings
    from ddsp_tf.data.records.info import DatasetInfo
    from ddsp_tf.data.records.parts import FileResult

HELP = "turn recordings into a dataset"

_FILES_SHOWN = 10
_COLUMNS = 88  # of a notice


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.usage = "ddsp-tf prepare [options] RECORDING ... --out DATASET"
    parser.formatter_class = WIDE  # type: ignore[assignment]
    parser.add_argument(
        "recordings",
        nargs="*" if _groups() else "+",
        type=path_argument,
        metavar="RECORDING",
        help="sound file, or folder that holds some",
    )
    for group, text in _groups().items():
        parser.add_argument(
            f"--{group}",
            dest=_option(group),
            nargs="+",
            default=[],
            type=path_argument,
            metavar="FILE",
            help=text,
        )
    parser.add_argument("--out", required=True, type=path_argument, metavar="DATASET", help="folder to write")
    parser.add_argument(
        "--config",
        default="solo_instrument",
        metavar="CONFIG",
        help="YAML file or shipped name (%(default)s)",
    )
    parser.add_argument(
        "--f0", metavar="NAME", help="auto (yin-viterbi), pyin, swift-f0, crepe, harvest, speech"
    )
    parser.add_argument(
        "--crepe-weights", type=path_argument, metavar="FILE", help="weights for --f0 crepe, .h5 or .h5.bz2"
    )
    parser.add_argument(
        "--restore",
        type=model_argument,
        metavar="MODEL",
        help="clean the recordings first: .tflite, or speech",
    )
    parser.add_argument("--jobs", type=int, metavar="N", help="processes (default: one a core, in 1.5 GB)")
    parser.add_argument("--engine", default="local", help="local, or beam: an Apache Beam pipeline")
    parser.add_argument(
        "--beam-option",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="of Beam or its runner, e.g. runner=FlinkRunner",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="begin anew; what is there stays until that is done"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a setting, e.g. data.passage_seconds=5",
    )
    for name in task_names():
        command_of(name).add_prepare_options(parser)


def run(args: argparse.Namespace) -> None:
    """Run the command."""
    from ddsp_tf.config import load_config
    from ddsp_tf.tasks.task import task_named

    overrides = list(args.set)
    if args.f0 is not None:
        overrides.append(f"data.f0={args.f0}")
    config = load_config(args.config, overrides)
    task = task_named(config.task)
    if own := task.command.prepare_overrides(args, config):
        config = load_config(args.config, [*overrides, *own])
    recordings = _recordings(args, task.command)
    if task.needs_tensorflow_to_prepare(config):
        load_tensorflow()  # nothing else here needs it

    from ddsp_tf.cli.progress import Progress
    from ddsp_tf.data.prepare.prepare import check_call, find_sources, prepare_dataset
    from ddsp_tf.data.records.store import REPORT_NAME

    options = [f"--{option.lstrip('-')}" for option in args.beam_option]
    check_call(args.out, args.jobs, args.engine, options)
    find_sources(recordings, args.out)  # what is named is told to be wrong before anything is loaded
    noticed_before: list[str] = []
    if args.restore is not None:
        from ddsp_tf.data.prepare.restored import restore_recordings

        with Progress("restoring") as progress:
            restored = restore_recordings(recordings, args.out, args.restore, progress)
        recordings, noticed_before = restored.recordings, restored.notices
    before = _description(args.out)
    with Progress(task.command.listening) as progress:
        info = prepare_dataset(
            recordings,
            args.out,
            task.preparation(config, args.crepe_weights),
            jobs=args.jobs,
            overwrite=args.overwrite,
            engine=args.engine,
            engine_options=options,
            progress=progress,
        )
    unchanged = " holds all of this already" if _description(args.out) == before else ""
    view = task.look_at(args.out, info)
    notices = [*noticed_before, *view.notices]
    noticed = [line for sentence in notices for line in _wrapped("notice", sentence)]
    listen = []
    if (args.out / REPORT_NAME).is_file():
        listen = _wrapped("report", f"{args.out / REPORT_NAME}, to look at and to listen to")
    tell("\n".join([f"{args.out}:{unchanged}", *summary(info, view.rows), *noticed, *listen]))


def _recordings(args: argparse.Namespace, command: Command) -> "Recordings":
    """The recordings by group, or those of the only group."""
    named = {group: getattr(args, _option(group)) for group in _groups()}
    wrong = [f"--{group}" for group, paths in named.items() if paths and group not in command.groups]
    if args.recordings and "" not in command.groups:
        wrong.append(str(args.recordings[0]))
    if wrong or not (args.recordings or any(named.values())):
        wanted = ", ".join(f"--{group}" for group in command.groups if group) or "recordings by their paths"
        received = ", ".join(wrong) or "none"
        raise DdspError(f"{command.noun} is prepared from {wanted}. Received: {received}")
    if tuple(command.groups) == ("",):
        return list(args.recordings)
    given = {group: args.recordings if not group else named[group] for group in command.groups}
    return {group: paths for group, paths in given.items() if paths}


def _groups() -> dict[str, str]:
    """The groups of recordings that have a name, of all tasks, and what each is."""
    return {group: text for name in task_names() for group, text in command_of(name).groups.items() if group}


def _option(group: str) -> str:
    return f"group_{group}"


def _description(folder: Path) -> bytes:
    path = folder / "dataset.json"
    return path.read_bytes() if path.is_file() else b""


def summary(info: "DatasetInfo", rows: Sequence[tuple[str, str]]) -> list[str]:
    """Say what a dataset holds, in a few lines for people; `rows` are the task's own."""
    from ddsp_edge.units import minutes

    used = [file for file in info.files if file.status == "used"]
    skipped = [file for file in info.files if file.status != "used"]
    silent = sum(file.silent_seconds for file in info.files)
    dropped = [f"{minutes(silent)} of silence"] * bool(silent) + [_files(len(skipped))] * bool(skipped)
    rows = [
        ("kept", f"{minutes(info.train_seconds + info.validation_seconds)} of {_files(len(used))}"),
        ("dropped", ", and ".join(dropped) or "nothing"),
        (
            "split",
            f"{minutes(info.train_seconds)} to train on, {minutes(info.validation_seconds)} held back",
        ),
        *rows,
    ]
    lines = [f"  {name:<9} {value}" for name, value in rows]
    lines += _told("clipped", [(file.name, _clipping(file)) for file in used if file.clipped_samples])
    lines += _told("used", [(file.name, file.reason) for file in used if file.reason])
    return lines + _told("skipped", [(file.name, file.reason) for file in skipped])


def _told(word: str, files: list[tuple[str, str]]) -> list[str]:
    """A line for each of the first files, and what there is to say of it."""
    lines = [f"  {word:<9} {printable(f'{name}: {text}')}" for name, text in files[:_FILES_SHOWN]]
    if len(files) > _FILES_SHOWN:
        lines.append(f"  {word:<9} {len(files) - _FILES_SHOWN} more; dataset.json names them all")
    return lines


def _wrapped(word: str, text: str) -> list[str]:
    """A sentence in lines of a terminal's width, the first with a word before it."""
    lines = textwrap.wrap(printable(text), _COLUMNS, break_long_words=False, break_on_hyphens=False)
    return [f"  {word if i == 0 else '':<9} {line}" for i, line in enumerate(lines)]


def _clipping(file: "FileResult") -> str:
    return f"{file.clipped_samples} samples at full scale in runs; record it again at a lower level"


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"
