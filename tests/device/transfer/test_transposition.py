"""Advice on octaves: which one brings what was played to where the instrument was trained."""

import numpy as np
import pytest

from ddsp_edge.card import Range
from ddsp_edge.transfer.transposition import PlayedPitches

TRAINED = Range(200.0, 300.0, 500.0)
NARROW = Range(290.0, 300.0, 310.0)


@pytest.mark.parametrize(
    ("f0_hz", "trained", "octaves", "words"),
    [
        (300.0, TRAINED, 0, None),
        (100.0, TRAINED, 0, "; try --octaves 1"),
        (1500.0, TRAINED, 0, "; try --octaves -2"),
        (600.0, TRAINED, -2, "; try --octaves -1"),  # of an octave too many
        (100.0, NARROW, 0, "; try --octaves 2, which comes nearest"),  # 400 Hz is nearer than 200 Hz
        (420.0, NARROW, 0, "(290 to 310 Hz)"),  # no octave is nearer
    ],
)
def test_the_octave_that_fits_or_comes_nearest_is_advised(f0_hz, trained, octaves, words):
    pitches = PlayedPitches()
    pitches.add(np.full(50, f0_hz, np.float32))
    advice = pitches.advice(trained, octaves)
    if words is None:
        assert advice == []
    else:
        assert advice[0].endswith(words)


@pytest.mark.parametrize(
    ("low_notes", "words"),
    [(10, None), (22, "22 % of the pitch played"), (80, "try --octaves 1")],
)
def test_what_counts_is_how_many_frames_lie_outside(low_notes, words):
    """A singer whose middle fits, and who has some low notes that the instrument does not."""
    pitches = PlayedPitches()
    pitches.add(np.repeat(np.float32([130.0, 240.0]), [low_notes, 100 - low_notes]))
    advice = pitches.advice(TRAINED, 0)
    assert len(advice) == (words is not None)
    assert words is None or words in advice[0]


def test_no_octave_is_advised_that_brings_more_frames_outside():
    pitches = PlayedPitches()
    pitches.add(np.repeat(np.float32([150.0, 490.0]), [30, 70]))
    (advice,) = pitches.advice(TRAINED, 0)
    assert "--octaves" not in advice


def test_silence_is_told():
    assert "no pitch was found" in PlayedPitches().advice(TRAINED, 0)[0]
