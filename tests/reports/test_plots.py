"""Plots say with their axes where things are."""

import numpy as np
import pytest

from ddsp_tf.reports.plots import log_spectrogram, plot_pitch_histogram, plot_spectrogram

RATE = 16_000
EDGES_MIDI = np.arange(11.5, 136.5)


@pytest.mark.parametrize("f0_hz", [60.0, 440.0, 3000.0, 7900.0])
@pytest.mark.parametrize("seconds", [0.05, 2.0, 150.0])
def test_a_sine_is_where_and_as_loud_as_it_is(f0_hz: float, seconds: float) -> None:
    audio = 0.5 * np.sin(2.0 * np.pi * f0_hz * np.arange(round(seconds * RATE)) / RATE)
    at, edges_hz, level = log_spectrogram(audio, RATE)
    assert level.shape == (len(edges_hz) - 1, len(at) - 1)
    assert level.shape[1] <= 1501
    middle = level[:, level.shape[1] // 2]
    row = int(np.argmax(middle))
    # Below 650 Hz rows are narrower than bins of 15.6 Hz; a peak is less than one of those off.
    assert edges_hz[row] - 15.7 < f0_hz < edges_hz[row + 1] + 15.7
    if seconds > 1.0:
        assert middle[row] == pytest.approx(-6.0, abs=1.6)  # between two bins a Hann window loses 1.4 dB
        assert at[0] <= 0.0 < seconds <= at[-1] + 0.11


def test_rising_pitch_is_a_line_that_rises_evenly() -> None:
    octaves = np.arange(4 * RATE) / RATE
    audio = np.sin(2.0 * np.pi * np.cumsum(200.0 * 2.0**octaves) / RATE)
    at, edges_hz, level = log_spectrogram(audio, RATE)
    columns = np.arange(20, level.shape[1] - 20)
    rows = level[:, columns].argmax(axis=0)
    found = np.log2(np.sqrt(edges_hz[rows] * edges_hz[rows + 1]) / 200.0)
    # Half a bin is 0.06 octaves at 200 Hz.
    np.testing.assert_allclose(found, (at[columns] + at[columns + 1]) / 2.0, atol=0.08)


def test_axes_of_a_spectrogram_are_seconds_and_log_frequency() -> None:
    figure = plot_spectrogram(np.random.default_rng(0).standard_normal(RATE), RATE, "noise")
    axes = figure.axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_yscale()) == ("time, s", "frequency, Hz", "log")
    marks = {
        label.get_text(): at for label, at in zip(axes.get_yticklabels(), axes.get_yticks(), strict=True)
    }
    assert marks["200"] == 200.0
    assert marks["5k"] == 5000.0
    assert "10k" not in marks


@pytest.mark.parametrize(("low", "high"), [(69, 69), (57, 66), (40, 90), (12, 135)])
def test_notes_are_named(low: int, high: int) -> None:
    counts = np.zeros(len(EDGES_MIDI) - 1, int)
    counts[low - 12 : high - 11] = 5
    axes = plot_pitch_histogram(counts, EDGES_MIDI).axes[0]
    marks = {
        label.get_text(): at for label, at in zip(axes.get_xticklabels(), axes.get_xticks(), strict=True)
    }
    assert 2 <= len(marks) <= 17
    octave = {"A0": 21, "A1": 33, "A2": 45, "A3": 57, "A4": 69, "A5": 81, "A6": 93, "A7": 105, "A8": 117}
    assert any(name in octave for name in marks)
    assert all(marks[name] == midi for name, midi in octave.items() if name in marks)
