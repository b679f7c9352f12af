"""Controls as a picture."""

import numpy as np
from matplotlib.figure import Figure

from ddsp_edge.units import Array
from ddsp_tf.reports.plots import HEIGHT, WIDTH
from ddsp_tf.tasks.instrument.controls.controls import F0, Controls

_RANGE_DB = 80.0  # of pictures, below the strongest
_FLOOR_DB = -100.0


def plot_controls(controls: Controls) -> Figure:
    """Each control over time: one channel as a line, several as a picture of levels in dB.

    Args:
        controls: The controls.
    """
    rows = ["loudness_db", *controls.frames]
    figure = Figure(figsize=(WIDTH, 0.8 * HEIGHT * len(rows)), layout="constrained")
    seconds = np.arange(1, controls.n_frames + 1) / float(controls.spec.frame_rate)
    all_axes = np.atleast_1d(figure.subplots(len(rows), 1, sharex=True))
    for axes, name in zip(all_axes, rows, strict=True):
        if name == "loudness_db":
            axes.plot(seconds, controls.loudness_db, linewidth=1.0)
            axes.set(ylabel="loudness, dB")
        elif controls.frames[name].shape[1] > 1:
            level = _decibels(controls.frames[name]).T
            top = float(level.max(initial=_FLOOR_DB))
            edges = np.concatenate([[0.0], seconds])
            channels = np.arange(len(level) + 1) + 0.5
            picture = axes.pcolormesh(edges, channels, level, vmin=top - _RANGE_DB, vmax=top, rasterized=True)
            figure.colorbar(picture, ax=axes, label="dB")
            axes.set(ylabel=f"{name}\nchannel")
        elif name.endswith(f".{F0}"):
            axes.plot(seconds, controls.frames[name][:, 0], linewidth=1.0)
            axes.set(ylabel=f"{name}\nHz", yscale="log")
        else:
            axes.plot(seconds, _decibels(controls.frames[name][:, 0]), linewidth=1.0)
            axes.set(ylabel=f"{name}\ndB")
        axes.grid(alpha=0.3)
    all_axes[-1].set(xlabel="time, s")
    return figure


def _decibels(values: Array) -> Array:
    return np.asarray(20.0 * np.log10(np.maximum(np.abs(values), 10.0 ** (_FLOOR_DB / 20.0))))
