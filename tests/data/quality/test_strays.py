"""Few pitches beyond the last note of an instrument are suspect, and are told."""

import numpy as np
import pytest

from ddsp_tf.data.quality.advice import advice
from ddsp_tf.data.quality.survey import PITCH_EDGES_MIDI, RecordingSurvey, Survey

LOWEST, HIGHEST = 55, 88  # of a violin in first positions: G3 to E6


def survey_of(notes, voiced_seconds=100.0):
    """A survey of frames by MIDI note."""
    pitch = np.histogram(notes, PITCH_EDGES_MIDI)[0]
    recording = RecordingSurvey(seconds=900.0, voiced_seconds=voiced_seconds)
    return Survey({"violin.wav": recording}, pitch=pitch, measured=True)


def violin(frames=100_000):
    rng = np.random.default_rng(0)
    notes = np.round(rng.normal(70.0, 7.0, 2 * frames))
    notes = notes[(notes >= LOWEST) & (notes <= HIGHEST)][: frames - frames // 50]
    return np.concatenate([notes, np.full(frames // 50, LOWEST)])  # open strings are played often


def test_nothing_is_suspect_of_what_an_instrument_has():
    assert survey_of(violin()).strays() == []
    assert survey_of(np.round(np.random.default_rng(1).normal(60.0, 5.0, 100_000))).strays() == []
    assert survey_of([]).strays() == []


def test_frames_below_the_lowest_string_are_suspect():
    """An octave too low for a fifth of a second, between A2 and F3."""
    notes = np.concatenate([violin(), np.repeat([45, 48, 53], [80, 80, 40])])
    (found,) = survey_of(notes).strays()
    assert (found.low, found.high, found.edge) == (45, 53, LOWEST)
    assert found.seconds == pytest.approx(100.0 * 200 / len(notes))
    (told,) = [line for line in advice(survey_of(notes)) if "octave errors" in line]
    assert told.startswith("For 0.2 s the pitch seems to be A2 to F3, below all other notes")
    assert "the instrument ends at G3. Set data.f0_min_hz to 190" in told


def test_frames_above_the_highest_note_are_suspect():
    played = violin()
    notes = np.concatenate([played, np.full(1000, HIGHEST), [100, 100, 103]])
    (found,) = survey_of(notes).strays()
    assert (found.low, found.high, found.edge) == (100, 103, HIGHEST)
    assert any("Set data.f0_max_hz to" in line for line in advice(survey_of(notes)))


def test_notes_that_are_rare_in_the_middle_are_none():
    notes = np.concatenate([np.repeat([60, 62, 64, 67], 1000), [65]])
    assert survey_of(notes).strays() == []
