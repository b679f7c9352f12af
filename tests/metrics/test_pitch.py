"""Metrics of pitch tracks, counted by hand."""

import math

import numpy as np
import pytest

from ddsp_tf.errors import DdspError
from ddsp_tf.metrics.pitch import (
    octave_error_rate,
    raw_chroma_accuracy,
    raw_pitch_accuracy,
    voicing_false_alarm,
    voicing_recall,
)

# right, 40 cents off, 60 cents off, octave up, two octaves down, missed; then two unvoiced frames
REFERENCE = np.array([200.0, 200.0, 200.0, 200.0, 200.0, 200.0, 0.0, 0.0])
ESTIMATE = np.array([200.0, 200.0 * 2 ** (40 / 1200), 200.0 * 2 ** (60 / 1200), 400.0, 50.5, 0.0, 0.0, 90.0])


def test_counts_made_by_hand() -> None:
    assert raw_pitch_accuracy(REFERENCE, ESTIMATE) == pytest.approx(2 / 6)
    assert raw_pitch_accuracy(REFERENCE, ESTIMATE, cents=70.0) == pytest.approx(3 / 6)
    assert raw_chroma_accuracy(REFERENCE, ESTIMATE) == pytest.approx(4 / 6)
    assert octave_error_rate(REFERENCE, ESTIMATE) == pytest.approx(2 / 5)
    assert voicing_recall(REFERENCE, ESTIMATE) == pytest.approx(5 / 6)
    assert voicing_false_alarm(REFERENCE, ESTIMATE) == pytest.approx(1 / 2)


def test_a_perfect_track_is_perfect() -> None:
    assert raw_pitch_accuracy(REFERENCE, REFERENCE) == raw_chroma_accuracy(REFERENCE, REFERENCE) == 1.0
    assert octave_error_rate(REFERENCE, REFERENCE) == voicing_false_alarm(REFERENCE, REFERENCE) == 0.0


def test_nothing_to_count_is_not_a_number() -> None:
    silence = np.zeros(4)
    assert math.isnan(raw_pitch_accuracy(silence, silence))
    assert math.isnan(octave_error_rate(silence, silence))
    assert math.isnan(voicing_false_alarm(np.ones(4), silence))


def test_tracks_of_different_length_are_refused() -> None:
    with pytest.raises(DdspError, match=r"\(3,\) and \(4,\)"):
        raw_pitch_accuracy(np.ones(3), np.ones(4))
