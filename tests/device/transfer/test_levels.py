"""Advice on loudness: what would bring what was played to where the instrument was trained."""

import re

import numpy as np
import pytest

from ddsp_edge.card import Range
from ddsp_edge.transfer.levels import PlayedLevels
from ddsp_edge.transfer.settings import TransferSettings

TRAINED = Range(-50.0, -35.0, -25.0)


@pytest.mark.parametrize(
    ("levels_db", "shift_db", "words"),
    [
        ([-50.0, -35.0, -25.0], 0.0, None),
        ([-54.0, -40.0, -24.0, -30.0, -35.0], 0.0, None),  # a fifth is softer, as in every fade
        ([-20.0, -12.0, -5.0], 0.0, "is louder than .*; try --loudness-shift-db -2[34], or --match-loudness"),
        ([-70.0, -65.0, -60.0], 0.0, "is softer than .*; try --loudness-shift-db (29|30), or"),
        ([-20.0, -12.0, -5.0], 12.0, "try --loudness-shift-db -1[12], or"),  # what it was shifted by counts
    ],
)
def test_the_shift_that_fits_is_advised(levels_db, shift_db, words):
    levels = PlayedLevels()
    levels.add(np.repeat(np.float32(levels_db), 100))
    advice = levels.advice(TRAINED, TransferSettings(loudness_shift_db=shift_db))
    if words is None:
        assert advice == []
    else:
        (line,) = advice
        assert re.search(words, line), line


def test_a_shift_on_top_of_matching_is_what_is_wrong():
    levels = PlayedLevels()
    levels.add(np.full(100, -10.0, np.float32))
    (advice,) = levels.advice(TRAINED, TransferSettings(match_loudness=True, loudness_shift_db=25.0))
    assert advice.endswith("try without the shift")


def test_of_nothing_nothing_is_said():
    assert PlayedLevels().advice(TRAINED, TransferSettings()) == []
