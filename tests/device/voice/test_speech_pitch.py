"""The network that hears the pitch of speech: exact in any cut, in time, right on what has a known pitch."""

import dataclasses
import time

import numpy as np
import pytest

from ddsp_edge.errors import DdspError
from ddsp_edge.features.log_mel import N_MELS
from ddsp_edge.features.pitch import VOICED, PitchTracker
from ddsp_edge.features.repetition import pitches_hz
from ddsp_edge.frames import FrameSpec
from ddsp_edge.model.file import read_model_file
from ddsp_edge.shipped import shipped_models
from ddsp_edge.voice.card import facts_of
from ddsp_edge.voice.speech_pitch import TASK, SpeechPitch, open_speech_pitch, read_pitches
from ddsp_edge.voice.tracking import tracker_for

PATH = shipped_models()["pitch"]
GRID_HZ = pitches_hz(60.0, 500.0)


def follow(tracker, sound, cuts=()):
    tracker.reset()
    parts = [tracker.push(part) for part in np.split(sound, list(cuts))]
    f0_hz, voicing = (np.concatenate(columns) for columns in zip(*parts, tracker.flush(), strict=True))
    return f0_hz, voicing


def vowel(f0_hz):
    """An open vowel that follows a pitch `[samples]`, in a quiet room."""
    phase = 2.0 * np.pi * np.cumsum(f0_hz) / 16_000
    k = np.arange(1, 40)[:, np.newaxis]
    partials = k * f0_hz
    gains = 1.0 / (1.0 + ((partials - 700.0) / 200.0) ** 2) + 0.5 / (1.0 + ((partials - 1200.0) / 200.0) ** 2)
    gains = gains * (partials < 7_600.0)
    hiss = 3e-4 * np.random.default_rng(0).standard_normal(len(f0_hz))
    return (0.05 * np.sum(gains * np.sin(k * phase), axis=0) + hiss).astype(np.float32)


def test_the_file_is_small_and_told_of():
    assert PATH.stat().st_size <= 160_000
    file = read_model_file(PATH)
    assert file.card.task == TASK
    assert file.card.quality["same_pitch"] >= 0.95
    page = PATH.with_suffix(".md").read_text(encoding="utf-8")
    for told in ("licence", "ddsp-tf train pitch", "harvest", "voicing recall"):
        assert told in page, told


def test_logits_are_read_between_the_pitches_of_the_grid():
    place = 60.4
    logits = np.full((3, len(GRID_HZ) + 1), -20.0)
    logits[0, :-1] = -0.5 * (np.arange(len(GRID_HZ)) - place) ** 2
    logits[1, -1] = 5.0
    logits[1, 20] = 0.0
    logits[2, 0] = 3.0  # at the end of the grid
    f0_hz, voicing = read_pitches(logits, GRID_HZ)
    assert f0_hz[0] == pytest.approx(60.0 * 2.0 ** (place / 48.0), rel=1e-3)
    assert voicing[0] > 0.99
    assert voicing[1] == pytest.approx(1.0 / (1.0 + np.exp(5.0) / 1.5), abs=1e-4)
    assert f0_hz[1] == pytest.approx(GRID_HZ[20], rel=1e-4)
    assert f0_hz[2] == pytest.approx(60.0, rel=1e-4)
    nothing = read_pitches(np.zeros((0, len(GRID_HZ) + 1)), GRID_HZ)
    assert [len(column) for column in nothing] == [0, 0]


def test_a_pitch_is_read_where_there_is_surely_none():
    logits = np.zeros((1, len(GRID_HZ) + 1), np.float32)
    logits[0, 30], logits[0, -1] = 9.0, 500.0
    f0_hz, voicing = read_pitches(logits, GRID_HZ)
    assert f0_hz[0] == pytest.approx(GRID_HZ[30], rel=0.01)
    assert 0.0 <= voicing[0] < 1e-6


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"about": {"lookahead_frames": -1}}, "lookahead_frames must be 0 to 50"),
        ({"about": {"lookahead_frames": 3.0}}, "lookahead_frames must be 0 to 50"),
        ({"extractors": {}}, "repetition must be measured as Repetition"),
        ({"limits": (10**400, 500.0)}, "must lie within 31.25 to 2000 Hz"),
        ({"limits": (60.0, float("inf"))}, "must lie within"),
        ({"limits": (1e-300, 500.0)}, "must lie within"),
        ({"limits": (100.0, 100.0000001)}, "must span an octave"),
        ({"limits": (60.0, 400.0)}, r"repetition \[1, 266\]"),
        ({"outputs": {}}, r"give pitches \[1, 149\]"),
    ],
)
def test_a_card_that_cannot_be_right_is_refused(change, words):
    file = read_model_file(PATH)
    card = file.card
    if "limits" in change:
        limits = dict(zip(("f0_min_hz", "f0_max_hz"), change["limits"], strict=True))
        own = {**card.extractors["repetition"], **limits}
        change = {"extractors": {**card.extractors, "repetition": own}}
    wrong = dataclasses.replace(file, card=dataclasses.replace(card, **change))
    with pytest.raises(DdspError, match=words):
        open_speech_pitch(wrong)


def test_a_voice_is_heard_by_what_its_card_names():
    voice = read_model_file(shipped_models()["allison"])
    facts = facts_of(voice.card, "allison")
    spec = voice.card.spec
    assert isinstance(tracker_for(facts, spec), SpeechPitch)
    before = tracker_for(dataclasses.replace(facts, pitch="PitchTracker"), spec)
    assert isinstance(before, PitchTracker)
    assert before.f0_max_hz == facts.f0_max_hz
    with pytest.raises(DdspError, match="16000 Hz in hops of 128"):
        tracker_for(facts, FrameSpec(16_000, 64))
    named = {**voice.card.extractors, "f0_hz": {**voice.card.extractors["f0_hz"], "name": "else"}}
    with pytest.raises(DdspError, match="Received: 'else'"):
        facts_of(dataclasses.replace(voice.card, extractors=named), "allison")


def test_a_file_of_that_name_beside_is_not_taken_for_it(tmp_path, monkeypatch):
    (tmp_path / "pitch").write_text("no model")
    monkeypatch.chdir(tmp_path)
    voice = read_model_file(shipped_models()["allison"])
    assert tracker_for(facts_of(voice.card, "allison"), voice.card.spec).latency_samples > 0


@pytest.mark.parametrize("middle_hz", [90.0, 130.0, 210.0, 300.0])
def test_a_melody_is_followed(middle_hz):
    t = np.arange(40_000) / 16_000
    truth = middle_hz * 2.0 ** (0.3 * np.sin(2.0 * np.pi * 0.6 * t))
    f0_hz, voicing = follow(open_speech_pitch(PATH), vowel(truth))
    wanted = truth[(np.arange(len(f0_hz)) + 1) * 128 - 1]
    inside = slice(20, len(f0_hz) - 10)
    assert np.mean(voicing[inside] >= VOICED) > 0.95
    cents = 1200.0 * np.abs(np.log2(f0_hz / wanted))[inside]
    assert np.mean(cents < 50.0) > 0.9
    assert np.median(cents) < 15.0


def test_vibrato_keeps_its_depth():
    t = np.arange(48_000) / 16_000
    truth = 220.0 * 2.0 ** (50.0 / 1200.0 * np.sin(2.0 * np.pi * 5.5 * t))
    f0_hz, _ = follow(open_speech_pitch(PATH), vowel(truth))
    cents = 1200.0 * np.log2(f0_hz[60:-20] / 220.0)
    frames = (np.arange(len(cents)) + 61) * 128 / 16_000
    wave = np.exp(-2j * np.pi * 5.5 * frames)
    depth = 2.0 * np.abs(np.mean((cents - cents.mean()) * wave))
    assert depth == pytest.approx(50.0, rel=0.25)


@pytest.mark.parametrize("noise", [0.0, 1e-4, 0.03])
def test_silence_and_hiss_have_no_pitch(noise):
    sound = noise * np.random.default_rng(1).standard_normal(32_000).astype(np.float32)
    _, voicing = follow(open_speech_pitch(PATH), sound)
    assert np.mean(voicing >= VOICED) < 0.05


def test_any_cut_of_a_stream_gives_the_same():
    tracker = open_speech_pitch(PATH)
    sound = vowel(np.linspace(100.0, 180.0, 24_000))
    whole = follow(tracker, sound)
    assert len(whole[0]) == 24_000 // 128
    for cuts in ([1, 2, 300], range(100, 24_000, 100), [23_999]):
        for found, wanted in zip(follow(tracker, sound, cuts), whole, strict=True):
            np.testing.assert_array_equal(found, wanted)


def test_numpy_hears_what_litert_does():
    sound = vowel(np.linspace(100.0, 180.0, 12_000))
    tracks = [follow(open_speech_pitch(PATH, runtime), sound) for runtime in ("auto", "numpy")]
    voiced = [voicing >= VOICED for _, voicing in tracks]
    assert np.mean(voiced[0] == voiced[1]) > 0.97
    both = voiced[0] & voiced[1]
    assert np.mean(np.abs(np.log2(tracks[0][0] / tracks[1][0]))[both] < 25.0 / 1200.0) > 0.97


def test_a_frame_is_known_when_its_latency_is_over():
    tracker, sound = open_speech_pitch(PATH), vowel(np.full(4_000, 120.0))
    assert tracker.latency_samples <= 0.064 * 16_000
    known = sum(len(tracker.push(sound[i : i + 1])[0]) for i in range(len(sound)))
    assert known == (len(sound) - tracker.latency_samples) // 128


def test_frames_of_nothing_are_dropped_and_bands_wait_for_the_longer_window():
    class Echo:
        """Says the pitch whose number is the number of the frame, as a network that is three frames late."""

        def reset(self):
            self.count = 0

        def process(self, repetition, log_mel):
            assert repetition.shape == (len(log_mel), 2 * len(GRID_HZ))
            assert log_mel.shape[1] == N_MELS
            logits = np.full((len(log_mel), len(GRID_HZ) + 1), -30.0)
            for row in logits:
                row[max(0, self.count - 3)] = 0.0
                self.count += 1
            return {"pitches": logits}

    tracker = SpeechPitch(Echo(), read_model_file(PATH).card.spec, 60.0, 500.0, 3)
    f0_hz, _ = follow(tracker, np.zeros(128 * 50 + 17, np.float32), [900, 1000])
    np.testing.assert_allclose(f0_hz, GRID_HZ[:50], rtol=1e-5)


def test_it_costs_a_small_part_of_a_core():
    tracker, sound = open_speech_pitch(PATH), vowel(np.full(32_000, 120.0))
    began = time.process_time()
    follow(tracker, sound, range(160, 32_000, 160))
    assert time.process_time() - began < 2.0 * 0.25  # 0.02 is the aim; machines that test are slow and busy
