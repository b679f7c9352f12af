"""The report of a run, written when training ends: `RUN/report.html`."""

import math
from collections.abc import Sequence
from pathlib import Path

from ddsp_tf.errors import DdspError
from ddsp_tf.reports import plots
from ddsp_tf.reports.html import Page
from ddsp_tf.reports.log import numbers, plot_columns
from ddsp_tf.tasks.task import Log, task_named
from ddsp_tf.training.callbacks import COLUMNS, read_log
from ddsp_tf.training.files import REPORT_NAME
from ddsp_tf.training.run import load_config_of_run, load_model_of_run
from ddsp_tf.training.watch import SPEED


def write_run_report(run: Path, data: Path) -> Path:
    """Write one HTML file that shows what a run has come to: results, curves, what was learned.

    Args:
        run: The run folder.
        data: The dataset it was trained on.

    Returns:
        The path of the file.

    Raises:
        DdspError: If run or dataset is damaged, or nothing is held back.
    """
    config, model, log = load_config_of_run(run), load_model_of_run(run), read_log(run)
    task = task_named(config.task)
    if not log:
        raise DdspError(f"{run} has no log: nothing to report")
    page = Page(f"{config.name}: {log[-1]['step']} steps of training")
    page.table(["", ""], list(_summary(log).items()))
    task.show_results(page, run, model, data, log)
    page.heading("Training")
    page.figure(plots.plot_loss(log), "Loss a step, on clips for training and held back")
    curves = task.curves(model)
    known = {*COLUMNS, SPEED, *(column for curve in curves for column in curve.columns)}
    terms = [name for name in log[-1] if name not in known and not name.startswith("val_")]
    shown = _columns(log, [f"{prefix}{name}" for prefix in ("", "val_") for name in terms])
    if shown:
        page.figure(plot_columns(log, shown, "weighted term of the loss"), "Terms of the loss")
    for curve in curves:
        if columns := _columns(log, curve.columns):
            page.figure(plot_columns(log, columns, curve.label, curve.low), curve.title)
    task.show_model(page, model, data)
    page.write(run / REPORT_NAME)
    return run / REPORT_NAME


def _summary(log: Log) -> dict[str, str]:
    last = numbers(log[-1])
    best = min(log, key=lambda row: float(row["val_loss"]))
    facts = {
        "loss, training": f"{last['loss']:.3f}",
        "loss, held back": f"{last['val_loss']:.3f}",
        "lowest loss, held back": f"{float(best['val_loss']):.3f} at step {best['step']}",
        "minutes": f"{last['seconds'] / 60.0:.1f}",
    }
    if math.isfinite(last.get(SPEED, math.nan)):
        facts["seconds of audio trained a second"] = f"{last[SPEED]:.1f}"
    return facts


def _columns(log: Log, names: Sequence[str]) -> list[str]:
    return [name for name in names if name in log[-1]]
