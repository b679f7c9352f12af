"""Plots of sounds and controls, as matplotlib figures with axes in units."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ddsp_edge.fourier import hann
from ddsp_edge.units import Array, midi_to_hz, note_name
from ddsp_tf.frames import FrameSpec

WIDTH, HEIGHT = 8.0, 2.4  # inches
_LOWEST_HZ = 40.0
_MARKS_HZ = (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)
_MOST_COLUMNS = 1500  # more than a picture has pixels
_MOST_NOTES = 16  # that are named on an axis
DYNAMIC_RANGE_DB = 80.0


def plot_spectrogram(
    audio: Array, sample_rate: int, title: str = "", *, f0: tuple[Array, Array] | None = None
) -> Figure:
    """Spectrogram of a signal `[samples]` over log frequency: 64 ms Hann windows, dB re full scale.

    Rows are a third of a semitone apart; each shows the largest of the bins in it, or what lies between two
    bins where they are wider apart.

    Args:
        audio: The signal.
        sample_rate: Integer, Hz.
        title: Above the plot.
        f0: Seconds and fundamental frequency in Hz, both `[frames]`, drawn over it; not where that is 0.
    """
    seconds, edges_hz, level = log_spectrogram(audio, sample_rate)
    figure, axes = _figure(title)
    image = axes.pcolormesh(
        seconds,
        edges_hz,
        level,
        cmap="magma",
        vmin=level.max() - DYNAMIC_RANGE_DB,
        vmax=level.max(),
        rasterized=True,
    )
    axes.set(xlabel="time, s", ylabel="frequency, Hz", yscale="log")
    marks = [f for f in _MARKS_HZ if edges_hz[0] <= f <= edges_hz[-1]]
    axes.set_yticks(marks, [f"{f:g}" if f < 1000 else f"{f / 1000:g}k" for f in marks])
    axes.minorticks_off()
    if f0 is not None:
        at, f0_hz = f0
        axes.plot(at, np.where(f0_hz > 0, f0_hz, np.nan), color="cyan", linewidth=1.2)
    axes.set(xlim=(0.0, len(audio) / sample_rate), ylim=(edges_hz[0], edges_hz[-1]))
    figure.colorbar(image, ax=axes, label="dB", pad=0.01)
    return figure


def log_spectrogram(audio: Array, sample_rate: int) -> tuple[Array, Array, Array]:
    """Levels of a signal `[samples]` over time and log frequency; see `plot_spectrogram`.

    Returns:
        Edges of the columns in seconds `[columns + 1]`, edges of the rows in Hz `[rows + 1]` from 40 Hz to
        half the sample rate, and levels in dB `[rows, columns]`, 0 for a sine of full scale.
    """
    size = 2 * round(0.032 * sample_rate)
    hop = max(size // 4, -(-len(audio) // _MOST_COLUMNS))
    padded = np.pad(audio, size // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    window = hann(size)
    level = 20.0 * np.log10(2.0 / window.sum() * np.abs(np.fft.rfft(frames * window)).T + 1e-7)
    top = sample_rate / 2.0
    rows = max(1, round(36.0 * np.log2(top / _LOWEST_HZ)))
    edges_hz = np.geomspace(_LOWEST_HZ, top, rows + 1)
    edges = edges_hz * size / sample_rate  # in bins
    picture = np.empty((rows, level.shape[1]))
    for row, (low, high) in enumerate(pairwise(edges)):
        first, last = int(np.ceil(low)), int(np.floor(high))
        if first <= last:
            picture[row] = level[first : last + 1].max(axis=0)
        else:
            below, share = int(low), (low + high) / 2.0 - int(low)
            picture[row] = (1.0 - share) * level[below] + share * level[below + 1]
    seconds = (np.arange(level.shape[1] + 1) - 0.5) * hop / sample_rate
    return seconds, edges_hz, picture


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


def plot_gains(gains: Array, hop_seconds: float, hz: Array, title: str = "") -> Figure:
    """Gains `[frames, bins]`, linear, 0 to 1, over time and over frequency `hz` `[bins]`."""
    figure, axes = _figure(title)
    step = max(1, -(-len(gains) // _MOST_COLUMNS))
    shown = np.maximum.reduceat(gains, np.arange(0, len(gains), step), axis=0)
    seconds = np.arange(len(shown)) * step * hop_seconds
    image = axes.pcolormesh(
        seconds, hz / 1000.0, shown.T, cmap="magma", vmin=0.0, vmax=1.0, shading="nearest", rasterized=True
    )
    axes.set(xlabel="time, s", ylabel="frequency, kHz")
    figure.colorbar(image, ax=axes, label="gain", pad=0.01)
    return figure


def plot_loss(log: Sequence[Mapping[str, str]]) -> Figure:
    """Training and validation loss over steps; `log` holds the lines of a run's `log.csv`."""
    figure, axes = _figure()
    steps = [int(row["step"]) for row in log]
    axes.plot(steps, [float(row["loss"]) for row in log], label="training")
    axes.plot(steps, [float(row["val_loss"]) for row in log], label="held back")
    axes.set(xlabel="step", ylabel="loss")
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


def plot_pitch_histogram(counts: Array, edges_midi: Array) -> Figure:
    """As `plot_histogram`, over notes: `edges_midi` are MIDI numbers `[bins + 1]`, and the axis has names."""
    figure = plot_histogram(counts, edges_midi, "pitch, nearest note")
    axes = figure.axes[0]
    low, high = axes.get_xlim()
    step = next(step for step in (1, 2, 3, 6, 12) if step == 12 or (high - low) / step <= _MOST_NOTES)
    marks = [midi for midi in range(int(np.ceil(low)), int(high) + 1) if (midi - 69) % step == 0]  # A4 is one
    axes.set_xticks(marks, [note_name(float(midi_to_hz(midi))) for midi in marks])
    return figure


def _figure(title: str = "") -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    axes = figure.subplots()
    if title:
        axes.set_title(title, fontsize="medium")
    return figure, axes
