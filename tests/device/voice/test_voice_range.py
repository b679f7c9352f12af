"""Who speaks: medians and levels, and mains hum is nobody."""

from functools import partial

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from ddsp_edge.model.file import read_model_file
from ddsp_edge.shipped import shipped_models
from ddsp_edge.voice.card import facts_of
from ddsp_edge.voice.converter import open_converter
from ddsp_edge.voice.files import convert_file, range_of_file
from ddsp_edge.voice.live import LiveConverter
from ddsp_edge.voice.voice_range import VoiceRange


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


@pytest.mark.parametrize("hum_db", [-62.0, -56.0, -48.0])
def test_hum_in_pauses_is_not_the_pitch_of_whoever_speaks(hum_db):
    f0 = np.array([60.0] * 900 + [210.0] * 300)
    level = np.array([hum_db] * 900 + [-26.0] * 300)
    found = heard(f0, level)
    assert found.median_hz == pytest.approx(210.0, rel=0.02)
    belongs = found.belongs(
        np.array([60.0, 210.0, 210.0, 0.0, 120.0]), np.array([hum_db, -26.0, -65.0, -26.0, -40.0])
    )
    np.testing.assert_array_equal(belongs, [False, True, False, False, True])


def test_what_is_louder_than_anything_before_is_believed_wherever_it_lies():
    found = heard([100.0] * 300, [-30.0] * 300)
    np.testing.assert_array_equal(
        found.belongs(np.array([400.0, 400.0]), np.array([-20.0, -30.0])), [True, False]
    )


def test_after_minutes_of_hum_speech_is_heard_and_becomes_what_is_usual():
    found = heard([60.0] * 9000, [-58.0] * 9000)
    speech = np.full(1000, 220.0), np.full(1000, -25.0)
    assert found.belongs(*speech).all()
    found.add(*speech)
    assert found.median_hz == pytest.approx(220.0, rel=0.02)
    assert not found.belongs(np.array([60.0]), np.array([-58.0])).any()


def test_another_speaker_becomes_what_is_usual():
    found = heard([100.0] * 14_000, [-30.0] * 14_000)
    for _ in range(20):
        found.add(np.full(1000, 300.0), np.full(1000, -30.0))
    assert found.median_hz == pytest.approx(300.0, rel=0.02)


def test_a_very_soft_recording_has_a_pitch():
    assert heard([150.0] * 300, [-70.0] * 300).median_hz == pytest.approx(150.0, rel=0.02)


def test_every_pitch_does_before_enough_was_heard():
    found = heard([100.0] * 20, [-30.0] * 20)
    np.testing.assert_array_equal(found.belongs(np.array([60.0, 0.0]), np.array([-75.0, -30.0])), [1, 0])


def spoken_over_hum(seconds):
    """Half a second of a vowel, half a second of nothing, and mains hum."""
    rate = 16_000
    time = np.arange(seconds * rate) / rate
    word = sum(np.sin(2 * np.pi * 210.0 * k * time) / k for k in range(1, 12)) * (time % 1.0 < 0.5) * 0.1
    hum = sum(np.sin(2 * np.pi * 60.0 * k * time) / k for k in range(1, 9)) * 0.01
    return (word + hum).astype(np.float32)


def assert_hum_is_not_spoken(sound, first):
    """From second `first` on, pauses are far softer than words."""
    rate = 16_000
    starts = range(first, len(sound) // rate - 1)
    gaps = np.concatenate([sound[int((s + 0.75) * rate) : int((s + 0.95) * rate)] for s in starts])
    words = np.concatenate([sound[int((s + 0.2) * rate) : int((s + 0.4) * rate)] for s in starts])
    assert np.sqrt(np.mean(gaps**2)) < 0.03 * np.sqrt(np.mean(words**2))  # voiced they are 0.2


@pytest.mark.parametrize("pitch", ["match", "keep"])
def test_hum_between_words_is_not_voiced_in_a_file(tmp_path, pitch):
    source, out = tmp_path / "hum.wav", tmp_path / "out.wav"
    soundfile.write(source, spoken_over_hum(6), 16_000)
    path = next(path for path in shipped_models().values() if path.stem == "allison")
    file = read_model_file(path)
    facts = facts_of(file.card, "allison")
    assert range_of_file(source, file.card.spec, facts).median_hz == pytest.approx(210.0, rel=0.02)
    convert_file(partial(open_converter, file, seed=0), file.card.spec, facts, source, out, pitch=pitch)
    assert_hum_is_not_spoken(soundfile.read(out)[0], first=1)


def test_hum_between_words_is_not_voiced_live_once_somebody_was_heard():
    path = next(path for path in shipped_models().values() if path.stem == "allison")
    live = LiveConverter(path, seed=0)
    sound = spoken_over_hum(8)
    played = np.concatenate([live.process(part) for part in sound.reshape(-1, 160)])
    assert_hum_is_not_spoken(played[live.latency_samples :], first=3)
