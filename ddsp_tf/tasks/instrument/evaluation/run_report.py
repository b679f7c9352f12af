"""The report of a run, written when training ends: `RUN/report.html`."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from ddsp_tf.data.reading import read_passages
from ddsp_tf.errors import DdspError
from ddsp_tf.layers.branches import branch_kinds
from ddsp_tf.reports import plots
from ddsp_tf.reports.html import Page
from ddsp_tf.tasks.instrument.evaluation.evaluate import load_evaluation
from ddsp_tf.tasks.instrument.evaluation.report import add_learned, add_resynthesis, add_scores
from ddsp_tf.training.callbacks import COLUMNS, read_log
from ddsp_tf.training.observed import RECORDING, level_name
from ddsp_tf.training.run import load_config_of_run, load_model_of_run
from ddsp_tf.training.watch import SPEED, branch_warnings

REPORT_NAME = "report.html"


def write_run_report(run: Path, data: Path) -> Path:
    """Write one HTML file that shows what a run has come to: sound, curves, levels, what was learned.

    Args:
        run: The run folder.
        data: The dataset it was trained on.

    Returns:
        The path of the file.

    Raises:
        DdspError: If run or dataset is damaged, or nothing is held back.
    """
    model, log = load_model_of_run(run), read_log(run)
    passage = next(iter(read_passages(data, "validation", model.spec)), None)
    if passage is None or not log:
        raise DdspError(f"{data} holds nothing back for validation, or {run} has no log: nothing to report")
    page = Page(f"{load_config_of_run(run).name}: {log[-1]['step']} steps of training")
    page.table(["", ""], list(_summary(log).items()))
    kinds = branch_kinds(model.processors)
    levels = {name: value for name, value in _numbers(log[-1]).items() if name.endswith("_db")}
    if RECORDING in levels:
        for warning in branch_warnings(kinds, levels).values():
            page.text(f"Warning: {warning}.")
    if load_evaluation(run):
        add_scores(page, run, data)
    else:
        page.text("Not measured against baselines yet: `ddsp-tf evaluate` does that.")
    add_resynthesis(page, model, passage)
    page.heading("Training")
    page.figure(plots.plot_loss(log), "Loss a step, on clips for training and held back")
    terms = _columns(log, [f"{prefix}{name}" for prefix in ("", "val_") for name in _term_names(log, kinds)])
    if terms:
        page.figure(plot_columns(log, terms, "weighted term of the loss"), "Terms of the loss")
    tracks = _columns(log, [RECORDING, *(level_name(name) for name in kinds)])
    if tracks:
        page.figure(plot_columns(log, tracks, "level, dB", low=-100.0), "How loud each branch is")
    add_learned(page, model, data, passage)
    page.code(model.processors.table())
    page.write(run / REPORT_NAME)
    return run / REPORT_NAME


def plot_columns(
    log: Sequence[Mapping[str, str]], columns: Sequence[str], label: str, low: float | None = None
) -> Figure:
    """Columns of a run's log over steps, in one plot; `low` is the lowest value that is worth showing."""
    figure = Figure(figsize=(plots.WIDTH, plots.HEIGHT), layout="constrained")
    axes = figure.subplots()
    steps = [int(row["step"]) for row in log]
    for name in columns:
        values = [float(row.get(name, "nan")) for row in log]
        shown = [value if low is None or value >= low else math.nan for value in values]
        axes.plot(steps, shown, label=name, linestyle="--" if name.startswith("val_") else "-")
    axes.set(xlabel="step", ylabel=label)
    axes.legend(fontsize="small")
    axes.grid(alpha=0.3)
    return figure


def _summary(log: Sequence[Mapping[str, str]]) -> dict[str, str]:
    last = _numbers(log[-1])
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


def _numbers(row: Mapping[str, str]) -> dict[str, float]:
    return {name: float(value) for name, value in row.items()}


def _term_names(log: Sequence[Mapping[str, str]], kinds: Mapping[str, str]) -> list[str]:
    known = {*COLUMNS, SPEED, RECORDING, *(level_name(name) for name in kinds)}
    return [name for name in log[-1] if name not in known and not name.startswith("val_")]


def _columns(log: Sequence[Mapping[str, str]], names: Sequence[str]) -> list[str]:
    return [name for name in names if name in log[-1]]
