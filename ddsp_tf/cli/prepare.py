"""`ddsp-tf prepare`: measure recordings and write them as a dataset to train on."""

import argparse
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from ddsp_edge.cli.command import path_argument, tell
from ddsp_edge.units import note_name
from ddsp_tf.cli.quiet import load_tensorflow
from ddsp_tf.errors import printable

if TYPE_CHECKING:
    from ddsp_tf.data.records.info import DatasetInfo, FileResult

HELP = "turn recordings into a dataset"

_FILES_SHOWN = 10
_COLUMNS = 88  # of a notice


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument(
        "recordings",
        nargs="+",
        type=path_argument,
        metavar="RECORDING",
        help="sound file, or folder that holds some",
    )
    parser.add_argument("--out", required=True, type=path_argument, metavar="DATASET", help="folder to write")
    parser.add_argument(
        "--config",
        default="solo_instrument",
        metavar="CONFIG",
        help="YAML file or shipped name (%(default)s)",
    )
    parser.add_argument(
        "--f0", metavar="NAME", help="pitch estimator: auto (yin-viterbi), pyin, swift-f0 or crepe (data.f0)"
    )
    parser.add_argument(
        "--crepe-weights", type=path_argument, metavar="FILE", help="weights for --f0 crepe, .h5 or .h5.bz2"
    )
    parser.add_argument("--jobs", type=int, metavar="N", help="processes (default: one a core, in 1.5 GB)")
    parser.add_argument("--engine", default="local", help="local, or beam: an Apache Beam pipeline")
    parser.add_argument(
        "--beam-option",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="option of Beam or its runner, e.g. runner=FlinkRunner",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="begin anew; what is there stays until the new is complete"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a setting, e.g. data.passage_seconds=5",
    )


def run(args: argparse.Namespace) -> None:
    """Run the command."""
    from ddsp_tf.config import load_config

    overrides = list(args.set)
    if args.f0 is not None:
        overrides.append(f"data.f0={args.f0}")
    config = load_config(args.config, overrides)
    if config.data.f0 == "crepe" or config.data.f0_smoothing != "none":
        load_tensorflow()  # nothing else here needs it

    from ddsp_tf.cli.progress import Progress
    from ddsp_tf.data.prepare.prepare import feature_grid, prepare

    before = _description(args.out)
    with Progress("listening for pitch") as progress:
        info = prepare(
            args.recordings,
            args.out,
            feature_grid(config.sample_rate),
            config.data,
            crepe_weights=args.crepe_weights,
            jobs=args.jobs,
            overwrite=args.overwrite,
            engine=args.engine,
            engine_options=[f"--{option.lstrip('-')}" for option in args.beam_option],
            progress=progress,
        )
    unchanged = " holds all of this already" if _description(args.out) == before else ""

    from ddsp_tf.data.quality.advice import advice
    from ddsp_tf.data.quality.report import report_is_of, write_dataset_report
    from ddsp_tf.data.quality.survey import survey_dataset

    survey = survey_dataset(args.out, info)
    if not report_is_of(args.out):
        write_dataset_report(args.out, info, survey)
    noticed = [line for sentence in advice(survey) for line in _wrapped("notice", sentence)]
    listen = _wrapped("report", f"{args.out / 'report.html'}, to look at and to listen to")
    tell("\n".join([f"{args.out}:{unchanged}", *summary(info), *noticed, *listen]))


def _description(folder: Path) -> bytes:
    path = folder / "dataset.json"
    return path.read_bytes() if path.is_file() else b""


def summary(info: "DatasetInfo") -> list[str]:
    """Say what a dataset holds, in a few lines for people."""
    used = [file for file in info.files if file.status == "used"]
    skipped = [file for file in info.files if file.status != "used"]
    silent = sum(file.silent_seconds for file in info.files)
    dropped = [f"{_minutes(silent)} of silence"] * bool(silent) + [_files(len(skipped))] * bool(skipped)
    f0, loudness = info.f0_hz_range, info.loudness_db_range
    rows = [
        ("kept", f"{_minutes(info.train_seconds + info.validation_seconds)} of {_files(len(used))}"),
        ("dropped", ", and ".join(dropped) or "nothing"),
        (
            "split",
            f"{_minutes(info.train_seconds)} to train on, {_minutes(info.validation_seconds)} held back",
        ),
        ("pitch", f"{note_name(f0.low)} to {note_name(f0.high)} ({f0.low:.0f} to {f0.high:.0f} Hz)"),
        ("voiced", f"{info.voiced_share:.0%} of the frames, by {info.f0_estimator['name']}"),
        ("loudness", f"{loudness.low:.0f} to {loudness.high:.0f} dB, median {loudness.median:.0f}"),
        ("stored", f"{info.audio} at {info.sample_rate} Hz, features every {info.hop} samples"),
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


def _minutes(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d} min"


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"
