"""What is known of a note: from what came before, and in files from what comes."""

import math

import mido
import numpy as np
import pytest

from ddsp_edge.expression.notes import CHORD_S, PHRASE_GAP_S, Phrasing, look_ahead
from ddsp_edge.render.look_ahead import notes_ahead
from ddsp_edge.render.midi import MidiScore

RATE = 16_000
FIELDS = ("duration_s", "gap_s", "interval", "velocity_change", "phrase_s")


def test_a_note_knows_the_one_before_it_and_the_rest_between_them():
    phrasing = Phrasing()
    first = phrasing.press(60, 80, 1.0)
    assert (first.interval, first.velocity_change, first.gap_s, first.phrase_s) == (0.0, 0.0, math.inf, 0.0)
    phrasing.release(1.5)
    second = phrasing.press(67, 70, 1.6)
    assert (second.interval, second.velocity_change) == (7.0, -10.0)
    assert second.gap_s == pytest.approx(0.1)
    assert second.phrase_s == pytest.approx(0.6)
    slurred = phrasing.press(65, 70, 2.0)  # the key before is still down
    assert slurred.gap_s == 0.0
    assert slurred.interval == -2.0


def test_a_rest_begins_a_phrase():
    phrasing = Phrasing()
    phrasing.press(60, 80, 0.0)
    phrasing.release(0.5)
    assert phrasing.press(62, 80, 0.5 + PHRASE_GAP_S).phrase_s == 0.0


def test_notes_of_a_chord_all_follow_what_was_before_it():
    phrasing = Phrasing()
    phrasing.press(50, 80, 0.0)
    phrasing.release(1.0)
    chord = [
        phrasing.press(note, 80, 1.1 + CHORD_S * part) for note, part in ((60, 0.0), (64, 0.4), (67, 0.8))
    ]
    assert [note.interval for note in chord] == [10.0, 14.0, 17.0]
    assert {round(note.gap_s, 6) for note in chord} == {0.1}


def test_what_comes_is_told_of_each_note():
    onsets, offsets = np.array([0.0, 0.5, 1.0, 2.0]), np.array([0.4, 1.0, 1.2, 2.5])
    found = look_ahead(onsets, offsets, np.array([60, 64, 62, 70]), np.array([80, 90, 70, 70]))
    expected = [
        [0.4, 0.1, 4, 10, 0.8],
        [0.5, 0.0, -2, -20, 0.2],
        [0.2, 0.8, 8, 0, 0.0],
        [0.5, np.inf, 0, 0, 0.0],
    ]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_file_tells_it_channel_by_channel_in_the_order_of_its_strikes(tmp_path):
    file, ms = mido.MidiFile(ticks_per_beat=500), []  # one tick is one millisecond
    for channel, note, begins, ends in (
        (0, 60, 0, 400),
        (1, 40, 100, 900),
        (0, 64, 500, 800),
        (0, 65, 2000, 2300),
    ):
        ms.append((begins, mido.Message("note_on", note=note, velocity=80, channel=channel)))
        ms.append((ends, mido.Message("note_off", note=note, channel=channel)))
    track, now = mido.MidiTrack(), 0
    for time, message in sorted(ms, key=lambda event: event[0]):
        track.append(message.copy(time=time - now))
        now = time
    file.tracks.append(track)
    file.save(tmp_path / "a.mid")
    found = list(notes_ahead(MidiScore(tmp_path / "a.mid", RATE), RATE))
    rows = [[getattr(ahead, name) for name in FIELDS] for ahead in found]
    expected = [
        [0.4, 0.1, 4, 0, 0.4],
        [0.8, np.inf, 0, 0, 0.0],
        [0.3, 1.2, 1, 0, 0.0],
        [0.3, np.inf, 0, 0, 0.0],
    ]
    np.testing.assert_allclose(rows, expected, atol=2 / RATE)
