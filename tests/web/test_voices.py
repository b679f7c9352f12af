"""Notes on the player in JavaScript: several at once, let go, and never beyond full scale."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from ddsp_edge.further import FURTHER
from tests.device.conftest import BRIGHT, TINY

KEYS = Path(__file__).with_name("keys.mjs")
NODE = shutil.which("node")
HOP, RATE = 128, 16_000
QUIET = {"noise_db": -200.0}  # noise is drawn anew each time

pytestmark = pytest.mark.skipif(NODE is None, reason="there is no Node to run JavaScript with")


@pytest.fixture
def play(tmp_path):
    def play(events, seconds=1.0, settings=QUIET, model=TINY, **more):
        score, out = tmp_path / "score.json", tmp_path / "out.f32"
        hops = round(seconds * RATE / HOP)
        score.write_text(json.dumps({"hops": hops, "settings": settings, "events": events, **more}))
        command = [str(NODE), str(KEYS), str(model), str(score), str(out)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return np.fromfile(out, np.float32)

    return play


def test_a_chord_is_the_sum_of_its_notes(play):
    low, high = [[0, "noteOn", 60, 70]], [[10, "noteOn", 67, 90]]
    both = play(low + high)
    assert 0.01 < np.abs(both).max() < 1.0  # the limiter has nothing to do
    np.testing.assert_allclose(both, play(low) + play(high), atol=1e-5)


def test_a_note_has_the_pitch_of_its_key(play):
    sound = play([[0, "noteOn", 69, 100]])[RATE // 4 : RATE // 2]
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    strongest = np.argmax(spectrum) * RATE / len(sound)
    assert strongest / 440.0 == pytest.approx(round(strongest / 440.0), abs=0.02)


def test_the_knob_of_brightness_is_heard_and_monotone(play):
    def centroid_hz(octaves):
        settings = {**QUIET, "reverb": 0, "brightness": octaves}
        sound = play([[0, "noteOn", 57, 80]], settings=settings, model=BRIGHT)[RATE // 4 : RATE // 2]
        power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
        return float((power @ np.arange(len(power))) / power.sum() * RATE / len(sound))

    found = [centroid_hz(octaves) for octaves in (-1.0, 0.0, 1.0)]
    assert found[0] < 0.97 * found[1] < 0.94 * found[2]


def test_further_features_are_those_of_the_device():
    module = (KEYS.parents[2] / "export/web/player/instrument.js").as_uri()
    told = f"import {{ FURTHER }} from {json.dumps(module)}; console.log(JSON.stringify(FURTHER));"
    command = [str(NODE), "--input-type=module", "--eval", told]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    wanted = {name: [f.unit, f.low, f.high, f.an_octave] for name, f in FURTHER.items()}
    assert json.loads(done.stdout) == wanted


def pitch_at(sound, seconds):
    part = sound[round(seconds * RATE) : round(seconds * RATE) + RATE // 10]
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), 8 * len(part)))
    lowest = round(150 * 8 * len(part) / RATE)
    strong = np.flatnonzero(spectrum[lowest:] > 0.3 * spectrum[lowest:].max())[0] + lowest
    peak = strong + np.argmax(spectrum[strong : strong + 20])
    return peak * RATE / (8 * len(part))


def test_one_voice_slurs_to_the_next_key_and_back(play):
    legato = {**QUIET, "voices": 1, "glide_s": 0.2}
    events = [[0, "noteOn", 60, 100], [40, "noteOn", 67, 100], [90, "noteOff", 67], [130, "noteOff", 60]]
    sound = play(events, seconds=1.6, settings=legato)
    hz = {note: 440.0 * 2.0 ** ((note - 69) / 12) for note in (60, 67)}
    assert pitch_at(sound, 0.15) == pytest.approx(hz[60], rel=0.01)
    on_the_way = pitch_at(sound, 40 * HOP / RATE + 0.05)
    assert hz[60] * 1.05 < on_the_way < hz[67] / 1.05
    assert pitch_at(sound, 0.6) == pytest.approx(hz[67], rel=0.01)
    assert pitch_at(sound, 0.93) == pytest.approx(hz[60], rel=0.01)  # the key that was still down
    assert np.abs(sound[-RATE // 5 :]).max() < 1e-3
    # One attack: where it slurs it is as loud as before.
    level = lambda s: np.sqrt(np.mean(sound[round(s * RATE) : round(s * RATE) + 800] ** 2))  # noqa: E731
    assert level(0.33) > 0.3 * level(0.25)


def test_what_is_let_go_falls_silent(play):
    sound = play([[0, "noteOn", 64, 100], [40, "noteOff", 64]], seconds=1.5)
    assert np.abs(sound[: 40 * HOP]).max() > 0.01
    assert np.abs(sound[-RATE // 4 :]).max() < 1e-4


def test_the_pedal_holds_what_is_let_go(play):
    events = [[0, "noteOn", 64, 100], [5, "sustain", True], [40, "noteOff", 64]]
    held = play(events)
    assert np.abs(held[-RATE // 10 :]).max() > 0.01
    assert np.abs(play([*events, [60, "sustain", False]], seconds=1.5)[-RATE // 10 :]).max() < 1e-4


def test_more_notes_than_voices_take_the_oldest(play):
    events = [[0, "noteOn", 60, 90], [10, "noteOn", 64, 90], [20, "noteOn", 67, 90]]
    sound = play(events, voices=2)[RATE // 2 :]
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))

    def level(midi):
        place = 440.0 * 2.0 ** ((midi - 69) / 12) * len(sound) / RATE
        return spectrum[round(place) - 2 : round(place) + 3].max()

    assert level(60) < 0.05 * level(67)
    assert level(64) > 0.05 * level(67)


def test_nothing_exceeds_full_scale(play):
    events = [[0, "noteOn", note, 127] for note in (48, 55, 60, 64)]
    sound = play(events, settings={"gain_db": 40.0})
    assert np.abs(sound).max() <= 1.0
    assert np.isfinite(sound).all()


def test_dry_and_transposed(play):
    wet = play([[0, "noteOn", 60, 90]])
    dry = play([[0, "noteOn", 60, 90]], settings={**QUIET, "reverb": 0.0})
    assert not np.allclose(wet, dry, atol=1e-3)
    moved = play([[0, "noteOn", 60, 90]], settings={**QUIET, "transposition": 7})
    np.testing.assert_allclose(moved, play([[0, "noteOn", 67, 90]]), atol=1e-5)
