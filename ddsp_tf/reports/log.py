"""The lines of a run's log as numbers and as plots."""

import math
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from ddsp_tf.reports import plots


def numbers(row: Mapping[str, str]) -> dict[str, float]:
    """A line of a log as numbers."""
    return {name: float(value) for name, value in row.items()}


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
