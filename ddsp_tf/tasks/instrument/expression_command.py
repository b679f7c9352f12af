"""`ddsp-tf expression`: learn how an instrument is played from recordings with their notes."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddsp_edge.cli.command import path_argument, tell
from ddsp_edge.cli.options import WIDE, seed
from ddsp_tf.cli.quiet import load_tensorflow
from ddsp_tf.errors import DdspError, printable

if TYPE_CHECKING:
    from ddsp_edge.card import Range
    from ddsp_tf.frames import FrameSpec


class ExpressionCommand:
    """See `ddsp_tf.tasks.command.Word`."""

    word = "expression"
    help = "learn how notes are played, from recordings with their notes"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command line."""
        parser.usage = "ddsp-tf expression [options] INSTRUMENT RECORDINGS..."
        parser.formatter_class = WIDE  # type: ignore[assignment]
        parser.description = (
            "Learn from recordings of an instrument, each with its notes beside it (NAME.notes.csv or "
            "NAME.mid), how notes are played: attacks, vibrato, phrasing, releases. INSTRUMENT is a run, "
            "whose exports will have it, or a finished .tflite, which gets it."
        )
        parser.add_argument("instrument", type=path_argument, metavar="INSTRUMENT", help="run, or .tflite")
        parser.add_argument(
            "recordings",
            type=path_argument,
            nargs="+",
            metavar="RECORDINGS",
            help="files, or folders of them",
        )
        parser.add_argument(
            "--out", type=path_argument, metavar="FILE.tflite", help="another file for the finished .tflite"
        )
        parser.add_argument("--seed", metavar="N", type=seed, default=0, help="same seed, same result (0)")
        parser.add_argument("--quiet", action="store_true", help="no progress, no summary")

    def run(self, args: argparse.Namespace) -> None:
        """Run the command."""
        if args.instrument.is_dir() and args.out is not None:
            raise DdspError(
                f"--out is for a finished .tflite, and {args.instrument} is a run: it keeps its expression, "
                "and what is exported from it has it"
            )
        load_tensorflow()

        from ddsp_tf.features.f0_estimators import f0_estimator_as_recorded
        from ddsp_tf.tasks.instrument.expression.learn import (
            learn_expression,
            read_performances,
            recordings_with_notes,
        )
        from ddsp_tf.tasks.instrument.expression.store import add_to_file, save_expression

        recordings, without = recordings_with_notes(args.recordings)
        spec, estimator, loudness, level = _known(args.instrument)
        if without:
            print(f"ddsp-tf: note: {without} recordings have no notes beside them", file=sys.stderr)

        def show(what: str) -> Any:
            def progress(done: int, total: int) -> None:
                if not args.quiet and (done == total or done % 10 == 0):
                    print(f"{what}: {done} of {total} ...", file=sys.stderr)

            return progress

        performances = read_performances(
            recordings, spec, f0_estimator_as_recorded(estimator), loudness, show("recordings"), level
        )
        learned = learn_expression(performances, loudness, seed=args.seed, progress=show("epochs"))
        if args.instrument.is_dir():
            written = save_expression(args.instrument, learned)
        else:
            written = args.instrument if args.out is None else args.out
            add_to_file(args.instrument, written, learned)
        if not args.quiet:
            tell("\n  ".join([f"{printable(written)}: {_summary(learned.about)}", *_table(learned.about)]))


def _known(instrument: Path) -> "tuple[FrameSpec, dict[str, Any], Range, str]":
    """Frame grid, pitch estimator, range of the level, and what that is, of a run or a file."""
    if not instrument.is_dir():
        from ddsp_edge.model.file import read_instrument_file

        card = read_instrument_file(instrument).card
        return card.spec, card.f0_estimator, card.loudness_db_range, card.level
    from ddsp_edge.card import Range
    from ddsp_tf.tasks.instrument.model.load import load_instrument

    model = load_instrument(instrument)
    level = model.level_db_range
    if level is None:
        raise DdspError(f"{instrument} does not know how loud it plays: train it with `ddsp-tf train`")
    return model.spec, model.instrument["f0_estimator"], Range(**level), model.level


def _summary(about: dict[str, Any]) -> str:
    return f"learned from {about['notes']} notes of {about['recordings']} recordings"


def _table(about: dict[str, Any]) -> list[str]:
    """What is played, beside the notes that were held back."""
    lines = [f"{'on held-back notes':<22} {'loudness':>9} {'pitch':>10} {'onsets':>8} {'vibrato':>20}"]
    for way, name in (
        ("plain", "plain envelope"),
        ("live", "expression, live"),
        ("file", "expression, file"),
    ):
        row = {
            key: float("nan") if value is None else value for key, value in about["held_back"][way].items()
        }
        lines.append(
            f"{name:<22} {row['loudness_db']:>6.2f} dB {row['cents']:>4.1f} cents {row['onset_ms']:>5.1f} ms "
            f"{row['depth_cents']:>5.1f} cents {row['vibrato_hz']:>4.1f} Hz"
        )
    row = about["held_back"]["file"]
    depth, rate = (
        float("nan") if row[key] is None else row[key]
        for key in ("recorded_depth_cents", "recorded_vibrato_hz")
    )
    return [*lines, f"{'recordings':<52} {depth:>5.1f} cents {rate:>4.1f} Hz"]
