"""What an instrument plays where a player has no pitch."""

import numpy as np
import pytest

from ddsp_edge import FrameSpec, LoudnessMeter
from ddsp_edge.synthesis.filtered_noise import FilteredNoise
from ddsp_edge.synthesis.harmonic import Harmonic
from ddsp_edge.transfer.consonants import without_pitch

SPEC, FRAMES = FrameSpec(16_000, 128), 500
TYPES = {"tone": "Harmonic", "breath": "FilteredNoise", "room": "Reverb"}


@pytest.fixture
def controls():
    """A tone of eight harmonics, and noise 20 dB and more below it."""
    shares = np.repeat(np.float32([[0.4, 0.2, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05]]), FRAMES, axis=0)
    tone = {"amplitude": np.full((FRAMES, 1), 0.3, np.float32), "distribution": shares}
    tone["f0_hz"] = np.full((FRAMES, 1), 440.0)
    magnitudes = np.repeat(np.geomspace(0.02, 0.002, 33, dtype=np.float32)[None], FRAMES, axis=0)
    return {"tone": tone, "breath": {"magnitudes": magnitudes}, "room": {}}


def levels(found):
    return found["tone"]["amplitude"][:, 0], found["breath"]["magnitudes"]


def test_frames_with_a_pitch_stay_as_they_are(controls):
    for way in ("hold", "noise", "mute"):
        found = without_pitch(controls, TYPES, np.ones(FRAMES, bool), way, SPEC.sample_rate)
        for node, values in controls.items():
            assert found[node].keys() == values.keys()
            for name, value in values.items():
                np.testing.assert_array_equal(found[node][name], value)


def test_hold_changes_nothing_and_mute_silences(controls):
    pitched = np.arange(FRAMES) < 200
    held = without_pitch(controls, TYPES, pitched, "hold", SPEC.sample_rate)
    np.testing.assert_array_equal(levels(held)[0], levels(controls)[0])
    amplitude, magnitudes = levels(without_pitch(controls, TYPES, pitched, "mute", SPEC.sample_rate))
    assert (amplitude[~pitched] == 0.0).all()
    assert (magnitudes[~pitched] == 0.0).all()
    np.testing.assert_array_equal(amplitude[pitched], levels(controls)[0][pitched])


def test_noise_is_as_loud_as_the_sound_was(controls):
    """As the loudness meter hears both; noise flutters by about a dB in its windows of 32 ms."""

    def loudness(given):
        tone = Harmonic(SPEC, 8).process(**given["tone"])
        breath = FilteredNoise(SPEC, 33, 0).process(**given["breath"])
        meter = LoudnessMeter(SPEC)
        return float(np.median(np.concatenate([meter.push(tone + breath), meter.flush()])[20:-20]))

    found = without_pitch(controls, TYPES, np.zeros(FRAMES, bool), "noise", SPEC.sample_rate)
    assert (levels(found)[0] == 0.0).all()
    assert loudness(found) == pytest.approx(loudness(controls), abs=1.0)
    assert loudness({**controls, "tone": found["tone"]}) < loudness(controls) - 15.0


def test_an_instrument_with_hardly_any_noise_is_not_blown_up(controls):
    controls["breath"]["magnitudes"] = controls["breath"]["magnitudes"] * np.float32(1e-6)
    found = without_pitch(controls, TYPES, np.zeros(FRAMES, bool), "noise", SPEC.sample_rate)
    raised = levels(found)[1] / levels(controls)[1]
    np.testing.assert_allclose(raised, 10.0**1.5, rtol=1e-5)
