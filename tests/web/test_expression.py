"""Notes on the player in JavaScript are played as the device side plays them (law 1), in Node."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from ddsp_edge import KeySettings, LiveInstrument
from ddsp_edge.expression.network import LATE
from ddsp_edge.live.offline import OfflineInstrument
from ddsp_edge.render.midi import MidiScore, play
from ddsp_edge.shipped import shipped_models
from tests.device.conftest import TINY
from tests.device.expression.conftest import WRONG, random_arrays, with_arrays
from tests.device.render.test_midi import bend, control, off, on, save, tempo
from tests.web.test_player import NODE

EXPRESSION = Path(__file__).with_name("expression.mjs")
SHIPPED = ("violin", "flute")
SHARES = (0.0, 0.5, 1.0)

pytestmark = pytest.mark.skipif(NODE is None, reason="there is no Node to run JavaScript with")

# Frame, what happens, and to which key: slurred, detached, repeated and short notes, chords, pedal and bend.
EVENTS = [
    (0, "on", 69, 90),
    (50, "on", 72, 60),
    (52, "off", 69),
    (90, "off", 72),
    (96, "on", 76, 120),
    (100, "off", 76),
    (101, "on", 76, 40),
    (105, "bend", 0.5),
    (115, "off", 76),
    (115, "on", 76, 100),
    (130, "off", 76),
    (131, "bend", 0.0),
    (170, "on", 64, 100),
    (170, "on", 68, 50),
    (172, "on", 71, 80),
    (190, "pedal", True),
    (200, "off", 68),
    (205, "off", 71),
    (210, "off", 64),
    (230, "pedal", False),
    (245, "on", 60, 1),
    (290, "off", 60),
    (450, "on", 62, 127),  # after voices fell asleep
    (500, "off", 62),
]
FRAMES = 560
# One voice: what a pedal does to a slur is the keyboard's business, not the expression's.
LEGATO = [event for event in EVENTS if event[1] != "pedal"]


def javascript(model, folder, score, voices=4, **settings):
    """What it tells the voices, `[frames, voices, 2]`, and the sound."""
    told = {"voices": voices, "settings": {"voices": voices, **settings}, **score}
    (folder / "score.json").write_text(json.dumps(told))
    files = [folder / name for name in ("score.json", "out.f64", "out.f32")]
    command = [str(NODE), str(EXPRESSION), str(model), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return np.fromfile(files[1]).reshape(-1, voices, 2), np.fromfile(files[2], np.float32)


def in_javascript(events):
    names = {"on": "noteOn", "off": "noteOff", "pedal": "sustain", "bend": "bendTo"}
    semitones = 2.0  # of a full bend
    return [
        [at, names[name], semitones * first if name == "bend" else first, *more]
        for at, name, first, *more in events
    ]


def listened(player):
    """Have a player keep what it tells its voices; returns where: frame, voice -> f0 and loudness."""
    told, bank = {}, player._bank
    plays = bank.play_voices

    def play_voices(numbers, f0_hz, loudness_db, settings):
        for number, f0, loudness in zip(numbers, f0_hz, loudness_db, strict=True):
            told[player._frames, number] = f0, loudness
        return plays(numbers, f0_hz, loudness_db, settings)

    bank.play_voices = play_voices
    return told


def as_array(told, frames, voices):
    found = np.full((frames, voices, 2), np.nan)
    for (frame, voice), values in told.items():
        if frame < frames:
            found[frame, voice] = values
    return found


def on_the_device(model, events, frames, voices=4, **settings):
    """The same of the device side."""
    player = LiveInstrument(model, voices, KeySettings(**settings), seed=1, backend="numpy")
    told, hop = listened(player), player.spec.hop
    for at, name, first, *more in events:
        offset = (at + 1) * hop  # the sample that the frame stands for
        if name == "on":
            player.note_on(first, *more, offset=offset)
        elif name == "off":
            player.note_off(first, offset=offset)
        elif name == "bend":
            player.pitch_bend(first, offset=offset)
        else:
            player.control_change(64, 127 if first else 0, offset=offset)
    sound = player.render((frames + 1) * hop)[hop:]
    return as_array(told, frames, voices), sound


def assert_same(found, want):
    """Within 1e-3 cents and 1e-3 dB, and the same voices compute at the same time."""
    frames = min(len(found), len(want))
    np.testing.assert_array_equal(np.isnan(found[:frames]), np.isnan(want[:frames]))
    cents = 1200.0 * np.log2(found[:frames, :, 0] / want[:frames, :, 0])
    assert np.nanmax(np.abs(cents)) < 1e-3
    assert np.nanmax(np.abs(found[:frames, :, 1] - want[:frames, :, 1])) < 1e-3


@pytest.fixture(params=SHIPPED)
def shipped(request):
    return shipped_models()[request.param]


@pytest.mark.parametrize("expression", SHARES)
@pytest.mark.parametrize("voices", [1, 4])
def test_live_notes_are_played_as_on_the_device_side(shipped, tmp_path, voices, expression):
    events = LEGATO if voices == 1 else EVENTS
    score = {"hops": FRAMES, "events": in_javascript(events)}
    found, _ = javascript(shipped, tmp_path, score, voices, expression=expression)
    want, _ = on_the_device(shipped, events, FRAMES, voices, expression=expression)
    assert_same(found, want)


def test_it_is_played_unless_the_knob_is_turned_down(shipped, tmp_path):
    score = {"hops": 200, "events": in_javascript(EVENTS)}
    usual, none = (javascript(shipped, tmp_path, score, **more)[0] for more in ({}, {"expression": 0.0}))
    np.testing.assert_array_equal(usual, javascript(shipped, tmp_path, score, expression=1.0)[0])
    assert np.nanmax(np.abs(usual - none)[..., 1]) > 3.0  # dB


@pytest.mark.parametrize("seed", range(3))
def test_whatever_the_network_says_both_sides_do(tmp_path, seed):
    model = with_arrays(tmp_path / "wild.tflite", random_arrays(seed, 2.0))
    settings = {"attack_s": 0.07, "release_s": 0.4, "glide_s": 0.05, "loudness_shift_db": -4.0}
    for voices, events in ((1, LEGATO), (3, EVENTS)):
        score = {"hops": FRAMES, "events": in_javascript(events)}
        found, _ = javascript(model, tmp_path, score, voices, **settings)
        assert_same(found, on_the_device(model, events, FRAMES, voices, **settings)[0])


@pytest.mark.parametrize("seed", range(3))
def test_voices_are_taken_as_on_the_device_side(tmp_path, seed):
    """Keys at random, more of them than voices; a frame has either keys that go down or keys that come up."""
    random, events, down = np.random.default_rng(seed), [], set()
    steps = random.choice([1, 2, 5, 20, 160], size=60, p=[0.3, 0.3, 0.2, 0.15, 0.05])
    for frame in np.cumsum(steps).tolist():
        if len(down) == 8 or (down and random.random() < 0.5):
            events.append((frame, "off", random.choice(sorted(down)).item()))
            down.remove(events[-1][2])
        else:
            note = random.choice(sorted({*range(55, 70)} - down)).item()
            events.append((frame, "on", note, random.integers(1, 128).item()))
            down.add(note)
    model, frames = with_arrays(tmp_path / "wild.tflite", random_arrays(seed)), frame + 20
    for voices in (1, 3):
        found, _ = javascript(model, tmp_path, {"hops": frames, "events": in_javascript(events)}, voices)
        assert_same(found, on_the_device(model, events, frames, voices)[0])


@pytest.fixture
def song(tmp_path):
    """Two channels that play at once, each with phrases of its own, and changes of tempo."""
    return save(
        tmp_path / "song.mid",
        [tempo(0, 400_000), tempo(600, 700_000)],
        [on(0, 69, 80), off(400, 69), on(400, 72, 100), off(650, 72), on(700, 71, 40), off(760, 71)],
        [on(1400, 67, 90), on(1400, 71, 90), off(1900, 71), off(1900, 67), on(2000, 67, 20), off(2400, 67)],
        [on(100, 76, 70, channel=1), off(800, 76, channel=1), on(800, 72, 120, channel=1)],
        [control(900, 64, 127, channel=1), off(950, 72, channel=1), control(1300, 64, 0, channel=1)],
        [on(500, 36, channel=9), bend(2450, 0)],
    )


@pytest.mark.parametrize("expression", SHARES)
def test_a_midi_file_is_played_as_on_the_device_side(shipped, song, tmp_path, expression):
    found, _ = javascript(shipped, tmp_path, {"song": str(song)}, expression=expression)
    player = OfflineInstrument(shipped, 4, KeySettings(expression=expression), seed=1)
    told = listened(player)
    score = MidiScore(song, player.spec.sample_rate)
    for _ in play(score, player):
        pass
    frames = score.n_samples // player.spec.hop + 1
    assert len(found) >= frames
    assert_same(found, as_array(told, frames, 4))


def test_the_sound_is_that_of_the_device_side(shipped, tmp_path):
    """8-bit weights: values that differ in their last bit are rounded to other steps now and then."""
    score = {"hops": FRAMES, "events": in_javascript(EVENTS)}
    quiet = {"noise_db": -80.0}  # it is drawn anew each time
    _, found = javascript(shipped, tmp_path, score, **quiet)
    _, want = on_the_device(shipped, EVENTS, FRAMES, **quiet)
    assert np.abs(want).max() > 0.01
    assert np.abs(found - want).max() < 0.01
    assert np.sqrt(np.mean((found - want) ** 2)) < 1e-3 * np.sqrt(np.mean(want**2)) + 1e-4


@pytest.mark.parametrize("change", [*WRONG, lambda arrays: arrays.update({LATE: np.zeros((64, 2), "f4")})])
def test_arrays_that_do_not_fit_are_refused_in_words(tmp_path, change):
    arrays = random_arrays(0)
    change(arrays)
    model = with_arrays(tmp_path / "wrong.tflite", arrays)
    (tmp_path / "score.json").write_text('{"voices": 1, "settings": {}, "hops": 0, "events": []}')
    command = [str(NODE), str(EXPRESSION), str(model), str(tmp_path / "score.json"), str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("PlayerError: its array")


def test_a_file_without_an_expression_has_no_use_for_the_knob(tmp_path):
    score = {"hops": 150, "events": in_javascript(EVENTS)}
    none, full = (javascript(TINY, tmp_path, score, expression=e)[0] for e in (0.0, 1.0))
    np.testing.assert_array_equal(none, full)
