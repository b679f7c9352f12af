"""Plots of sounds and controls, as matplotlib figures with axes in units."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ddsp_edge.loudness import hann
from ddsp_edge.units import Array
from ddsp_tf.frames import FrameSpec

WIDTH, HEIGHT = 8.0, 2.4  # inches
DYNAMIC_RANGE_DB = 80.0


def plot_spectrogram(
    audio: Array, sample_rate: int, title: str = "", *, f0: tuple[Array, Array] | None = None
) -> Figure:
    """Spectrogram of a signal `[samples]`: 32 ms Hann windows, dB below the loudest point.

    Args:
        audio: The signal.
        sample_rate: Integer, Hz.
        title: Above the plot.
        f0: Seconds and fundamental frequency in Hz, both `[frames]`, drawn over it; not where that is 0.
    """
    size = 2 * round(0.016 * sample_rate)
    hop = size // 4
    padded = np.pad(audio, size // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    level = 20.0 * np.log10(np.abs(np.fft.rfft(frames * hann(size))).T + 1e-7)
    figure, axes = _figure(title)
    image = axes.imshow(
        level,
        origin="lower",
        aspect="auto",
        cmap="magma",
        vmin=level.max() - DYNAMIC_RANGE_DB,
        vmax=level.max(),
        extent=(0.0, len(audio) / sample_rate, 0.0, sample_rate / 2000.0),
        interpolation="nearest",
    )
    axes.set(xlabel="time, s", ylabel="frequency, kHz")
    if f0 is not None:
        seconds, f0_hz = f0
        axes.plot(seconds, np.where(f0_hz > 0, f0_hz / 1000.0, np.nan), color="cyan", linewidth=1.2)
        axes.set(xlim=(0.0, len(audio) / sample_rate), ylim=(0.0, min(5.0, sample_rate / 2000.0)))
    figure.colorbar(image, ax=axes, label="dB", pad=0.01)
    return figure


def plot_features(tracks: Mapping[str, tuple[Array, Array]], spec: FrameSpec) -> Figure:
    """Fundamental frequency and loudness over time; `tracks` holds (f0_hz, loudness_db) `[frames]` by name.

    Frames without a pitch (0 Hz) are left out of the line.
    """
    figure = Figure(figsize=(WIDTH, 1.6 * HEIGHT), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True)
    for name, (f0_hz, loudness) in tracks.items():
        seconds = np.arange(1, len(f0_hz) + 1) * spec.hop / spec.sample_rate
        upper.plot(seconds, np.where(f0_hz > 0, f0_hz, np.nan), label=name, linewidth=1.0)
        lower.plot(seconds, loudness, label=name, linewidth=1.0)
    upper.set(ylabel="f0, Hz", yscale="log")
    upper.legend(loc="upper right", fontsize="small")
    lower.set(xlabel="time, s", ylabel="loudness, dB")
    for axes in (upper, lower):
        axes.grid(alpha=0.3)
    return figure


def plot_harmonic_distributions(distributions: Mapping[str, Array]) -> Figure:
    """Level of each harmonic in dB below the strongest; distributions `[harmonics]` by name."""
    figure, axes = _figure()
    for name, distribution in distributions.items():
        level = 20.0 * np.log10(np.maximum(distribution, 1e-6) / max(distribution.max(), 1e-6))
        axes.plot(np.arange(1, len(level) + 1), level, marker=".", linewidth=0.8, label=name)
    axes.set(xlabel="harmonic", ylabel="level, dB", ylim=(-80.0, 5.0))
    axes.legend(loc="upper right", fontsize="small")
    axes.grid(alpha=0.3)
    return figure


def plot_impulse_response(response: Array, sample_rate: int) -> Figure:
    """Level of an impulse response `[taps]` over time, dB below the direct path."""
    figure, axes = _figure()
    level = 20.0 * np.log10(np.maximum(np.abs(response), 1e-6))
    axes.plot(np.arange(len(response)) / sample_rate * 1000.0, level, linewidth=0.3)
    axes.set(xlabel="time, ms", ylabel="level, dB", ylim=(-100.0, 5.0))
    axes.grid(alpha=0.3)
    return figure


def plot_loss(log: Sequence[Mapping[str, str]]) -> Figure:
    """Training and validation loss over steps; `log` holds the lines of a run's `log.csv`."""
    figure, axes = _figure()
    steps = [int(row["step"]) for row in log]
    axes.plot(steps, [float(row["loss"]) for row in log], label="training")
    axes.plot(steps, [float(row["val_loss"]) for row in log], label="held back")
    axes.set(xlabel="step", ylabel="multi-scale spectral loss")
    axes.legend(fontsize="small")
    axes.grid(alpha=0.3)
    return figure


def plot_histogram(counts: Array, edges: Array, label: str) -> Figure:
    """Shares of frames in bins; `counts` `[bins]`, `edges` `[bins + 1]`, empty bins at the ends left out."""
    figure, axes = _figure()
    axes.stairs(100.0 * counts / max(1, counts.sum()), edges, fill=True)
    filled = np.flatnonzero(counts)
    if len(filled):
        axes.set_xlim(edges[max(0, filled[0] - 1)], edges[min(len(edges) - 1, filled[-1] + 2)])
    axes.set(xlabel=label, ylabel="frames, %")
    axes.grid(alpha=0.3)
    return figure


def _figure(title: str = "") -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    axes = figure.subplots()
    if title:
        axes.set_title(title, fontsize="medium")
    return figure, axes
