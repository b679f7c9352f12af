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


def test_silence_is_told():
    assert "no pitch was found" in PlayedPitches().advice(TRAINED, 0)[0]
