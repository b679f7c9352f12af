"""How pitch and level of whoever speaks become those of a voice."""

import numpy as np
import pytest

from ddsp_edge.card import Range
from ddsp_edge.errors import DdspError
from ddsp_edge.voice.card import VoiceFacts
from ddsp_edge.voice.matching import Shift, pitch_setting
from ddsp_edge.voice.voice_range import VoiceRange

FACTS = VoiceFacts(
    5, "PitchTracker", 60.0, 500.0, Range(150.0, 200.0, 260.0), Range(-50.0, -26.0, -17.0), ("",), 100, 97
)


def heard(f0_hz, loudness_db):
    found = VoiceRange()
    found.add(np.asarray(f0_hz, float), np.asarray(loudness_db, float))
    return found


def test_nothing_is_done_to_somebody_who_was_hardly_heard():
    found = heard([100.0] * 20, [-30.0] * 20)
    assert Shift.towards(FACTS, found, "match") == Shift(0.0, 0.0)


def test_median_pitch_and_loud_level_are_matched():
    found = heard([100.0] * 200, [-40.0] * 200)
    shift = Shift.towards(FACTS, found, "match")
    assert shift.semitones == pytest.approx(12.0, abs=0.3)
    assert shift.loudness_db == pytest.approx(-17.0 + 40.0, abs=1.0)
    assert Shift.towards(FACTS, found, "keep").semitones == 0.0
    assert Shift.towards(FACTS, found, -3.5).semitones == -3.5


@pytest.mark.parametrize(
    ("text", "value"), [("keep", "keep"), ("match", "match"), ("-3", -3.0), ("1.5", 1.5)]
)
def test_settings_of_pitch_are_read(text, value):
    assert pitch_setting(text) == value


@pytest.mark.parametrize("text", ["up", "", "nan", "100", "-inf"])
def test_other_settings_of_pitch_are_refused_with_what_would_do(text):
    with pytest.raises(DdspError, match="keep, match, or semitones from -48 to 48"):
        pitch_setting(text)
