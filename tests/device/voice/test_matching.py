"""How pitch and level of whoever speaks become those of a voice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddsp_edge.card import Range
from ddsp_edge.errors import DdspError
from ddsp_edge.voice.card import VoiceFacts
from ddsp_edge.voice.matching import Shift, VoiceRange, pitch_setting

FACTS = VoiceFacts(5, 60.0, 500.0, Range(150.0, 200.0, 260.0), Range(-50.0, -26.0, -17.0), ("",), 100, 97)


def heard(f0_hz, loudness_db):
    found = VoiceRange()
    found.add(np.asarray(f0_hz, float), np.asarray(loudness_db, float))
    return found


@given(st.lists(st.floats(60.0, 500.0), min_size=60, max_size=400))
def test_the_median_is_that_of_all_frames_to_a_quarter_of_a_semitone(values):
    found = heard(values, np.full(len(values), -20.0)).median_hz
    low, high = np.percentile(values, [50 - 100 / len(values), 50 + 100 / len(values)])
    step = 2.0 ** (1.0 / 48.0)
    assert low / step <= found <= high * step


def test_frames_without_pitch_and_silence_do_not_count():
    found = heard([0.0] * 500 + [100.0] * 100, [-80.0] * 500 + [-30.0] * 100)
    assert found.median_hz == pytest.approx(100.0, rel=0.02)
    assert found.loud_db == pytest.approx(-30.0, abs=1.0)


def test_nothing_is_said_of_somebody_who_was_hardly_heard():
    found = heard([100.0] * 20, [-30.0] * 20)
    assert found.median_hz is None
    assert found.loud_db is None
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
