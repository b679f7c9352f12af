"""Notes as an instrument knows them to be played: live keys and files."""

import dataclasses

import mido
import numpy as np
import pytest

from ddsp_edge import DdspError, KeySettings, LiveInstrument
from ddsp_edge.expression.network import (
    DEEPEST_DB,
    LATE,
    LOUDEST_DB,
    MOST_CENTS,
    N_OUTPUTS,
    PREFIX,
    RELEASE_DB_PER_S,
    ExpressionNetwork,
    course_of,
)
from ddsp_edge.expression.note_player import NotePlayer
from ddsp_edge.expression.notes import Ahead, NoteContext
from ddsp_edge.files.audio_file import AudioReader
from ddsp_edge.frames import FrameSpec
from ddsp_edge.live.keyboard import Keyboard
from ddsp_edge.live.offline import OfflineInstrument
from ddsp_edge.model.file import read_instrument_file
from ddsp_edge.render.midi import MidiScore, play
from ddsp_edge.render.render import render_midi
from ddsp_edge.units import LOUDNESS_FLOOR_DB
from tests.device.conftest import TINY
from tests.device.expression.conftest import WRONG, random_arrays, with_arrays

SPEC = FrameSpec(16_000, 128)  # 8 ms a frame
FRAME_S = 0.008
RANGE = read_instrument_file(TINY).card.loudness_db_range


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    """Notes that are slurred, detached and struck together, with a bend and a pedal."""
    track = mido.MidiTrack()
    for ticks, name, *values in (
        (0, "note_on", 69, 90),
        (300, "note_on", 72, 60),
        (10, "note_off", 69, 0),
        (250, "note_off", 72, 0),
        (100, "note_on", 64, 110),
        (0, "note_on", 60, 110),
        (200, "note_off", 64, 0),
        (100, "note_off", 60, 0),
    ):
        track.append(mido.Message(name, note=values[0], velocity=values[1], time=ticks))
    track.insert(2, mido.Message("pitchwheel", pitch=2000, time=50))
    file = mido.MidiFile(ticks_per_beat=500)
    file.tracks.append(track)
    path = tmp_path_factory.mktemp("song") / "song.mid"
    file.save(path)
    return path


def rendered(instrument, song, out, voices=4, **settings):
    render_midi(instrument, song, out, voices, KeySettings(**settings), seed=1)
    with AudioReader(out) as reader:
        return np.concatenate(list(reader.blocks()))


@pytest.mark.parametrize("voices", [1, 4])
def test_without_expression_all_sounds_as_if_the_file_had_none_to_the_sample(
    expressive, song, tmp_path, voices
):
    plain = rendered(TINY, song, tmp_path / "plain.wav", voices)
    none = rendered(expressive, song, tmp_path / "none.wav", voices, expression=0.0)
    n = min(len(plain), len(none))
    np.testing.assert_array_equal(plain[:n], none[:n])
    assert not none[n:].any()
    assert not plain[n:].any()
    full = rendered(expressive, song, tmp_path / "full.wav", voices)
    assert np.abs(full[: len(plain)] - plain[: len(full)]).max() > 0.01


def test_a_file_without_an_expression_has_no_use_for_the_setting(song, tmp_path):
    plain = rendered(TINY, song, tmp_path / "plain.wav", expression=0.0)
    np.testing.assert_array_equal(rendered(TINY, song, tmp_path / "full.wav", expression=1.0), plain)


@pytest.mark.parametrize("late", [np.zeros(5), np.full(128, 0.2), np.full(128, np.nan)])
def test_seconds_that_no_note_takes_to_speak_are_refused(late):
    with pytest.raises(DdspError, match=r"must be 128 numbers from -0\.1 to 0\.1"):
        ExpressionNetwork({**random_arrays(1), LATE: late})


def contour(network, frames, events, settings=None, voices=1):
    """Pitch and loudness `[frames, 2]` of the first voice; events are (frame, note, velocity or 0)."""
    settings = KeySettings() if settings is None else settings
    keyboard, found = Keyboard(SPEC, RANGE, voices, settings, network), []
    for frame in range(frames):
        for at, note, velocity in events:
            if at == frame and velocity:
                keyboard.press(note, velocity)
            elif at == frame:
                keyboard.release(note, False)
        keyboard.settle()
        found.append(keyboard.voices[0].frame(0.0, settings))
        keyboard.tick()
    return np.array(found)


@pytest.mark.parametrize("seed", range(3))
def test_live_nothing_depends_on_what_comes(seed):
    network = ExpressionNetwork(random_arrays(seed))
    events = [(0, 60, 80), (40, 60, 0), (45, 67, 110)]
    long = contour(network, 120, [*events, (100, 67, 0)])
    short = contour(network, 120, [*events, (60, 67, 0), (70, 50, 20)])
    np.testing.assert_array_equal(long[:60], short[:60])
    assert np.abs(long[60:] - short[60:]).max() > 0.1


@pytest.mark.parametrize("seed", range(3))
def test_live_keys_are_heard_as_soon_as_without_expression(seed):
    plain = contour(None, 30, [(10, 60, 100)])
    played = contour(ExpressionNetwork(random_arrays(seed)), 30, [(10, 60, 100)])
    first = [int(np.argmax(c[:, 1] > LOUDNESS_FLOOR_DB)) for c in (plain, played)]
    assert first == [10, 10]


def test_the_latency_is_that_of_an_instrument_without(expressive):
    assert LiveInstrument(expressive).latency_samples == LiveInstrument(TINY).latency_samples


@pytest.mark.parametrize("seed", range(5))
def test_every_note_ends(seed):
    # The loudest note falls to the floor by what no network can hold up.
    longest_s = (LOUDEST_DB + RANGE.high - LOUDNESS_FLOOR_DB) / RELEASE_DB_PER_S
    network = ExpressionNetwork(random_arrays(seed, 4.0))
    frames = 50 + round(longest_s / FRAME_S) + 2
    assert contour(network, frames, [(0, 60, 127), (50, 60, 0)])[-1, 1] == LOUDNESS_FLOOR_DB


@pytest.mark.parametrize("seed", range(3))
def test_loudness_rises_and_falls_no_faster_than_attack_and_release(seed):
    settings = KeySettings(attack_s=0.2, release_s=0.5)
    network = ExpressionNetwork(random_arrays(seed, 4.0))
    found = contour(network, 300, [(0, 60, 127), (80, 60, 0), (90, 71, 30), (150, 71, 0)], settings)
    steps = np.diff(np.append(LOUDNESS_FLOOR_DB, found[:, 1]))
    assert steps.max() <= 80.0 * FRAME_S / 0.2 + 1e-9
    assert steps.min() >= -80.0 * FRAME_S / 0.5 - 1e-9


def test_half_of_it_is_half_way_in_pitch_and_loudness():
    network, events = ExpressionNetwork(random_arrays(2)), [(0, 60, 100), (60, 60, 0)]
    none, half, full = (contour(network, 100, events, KeySettings(expression=e)) for e in (0.0, 0.5, 1.0))
    np.testing.assert_allclose(half, (none + full) / 2.0, atol=1e-9)


def test_a_vibrato_swings_at_its_rate_as_far_as_the_network_says():
    arrays = {name: np.zeros_like(value) for name, value in random_arrays(0).items()}
    arrays[f"{PREFIX}_2_bias"] = np.array([0.0, 0.0, 2.0, 0.5], np.float32)  # 20 cents at 6 Hz
    player = NotePlayer(ExpressionNetwork(arrays), FRAME_S)
    player.press(NoteContext(60, 80))
    cents = np.array([player.frame()[0] for _ in range(1000)])
    spectrum = np.abs(np.fft.rfft(cents))
    assert np.argmax(spectrum) / (1000 * FRAME_S) == pytest.approx(6.0, abs=0.2)
    assert np.abs(cents).max() == pytest.approx(20.0, abs=0.1)


def test_whatever_the_network_says_stays_in_range():
    wild = np.random.default_rng(0).normal(size=(1000, N_OUTPUTS)) * 1e6
    loudness, cents, depth, rate = np.array([course_of(outputs, -1.0) for outputs in wild.tolist()]).T
    assert loudness.min() >= DEEPEST_DB
    assert loudness.max() <= LOUDEST_DB
    assert np.abs(cents).max() <= MOST_CENTS
    assert depth.min() >= 0.0
    assert depth.max() <= MOST_CENTS
    assert rate.min() >= 4.0
    assert rate.max() <= 8.0


def test_what_comes_is_heard_in_files(expressive, song):
    player = OfflineInstrument(expressive, 1, seed=1)
    heard, press = list[Ahead | None](), player._keyboard.press

    def listening(note, velocity, channel=0, ahead=None):
        heard.append(ahead)
        press(note, velocity, channel, ahead)

    player._keyboard.press = listening
    for _ in play(MidiScore(song, player.spec.sample_rate), player):
        pass
    assert [ahead.duration_s for ahead in heard] == pytest.approx([0.36, 0.31, 0.2, 0.3], abs=1e-3)
    assert [ahead.interval for ahead in heard] == [3.0, -8.0, 0.0, 0.0]


@pytest.mark.parametrize("change", WRONG)
def test_arrays_that_do_not_fit_are_refused_in_words(tmp_path, change):
    arrays = random_arrays(0)
    change(arrays)
    path = with_arrays(tmp_path / "wrong.tflite", arrays)
    with pytest.raises(DdspError, match=r"wrong\.tflite: arrays expression_\d.*ddsp-tf expression"):
        LiveInstrument(path)


def test_settings_beyond_the_range_are_held_to_it():
    network, events = ExpressionNetwork(random_arrays(2)), [(0, 60, 100)]
    beyond, full = (contour(network, 40, events, KeySettings(expression=e)) for e in (7.0, 1.0))
    np.testing.assert_array_equal(beyond, full)
    assert dataclasses.asdict(KeySettings())["expression"] == 1.0


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("held_s", [0.03, 0.5])
def test_a_note_that_was_let_go_and_fades_does_not_come_back(seed, held_s):
    """Whatever the network says of long rests, of which recordings tell it little."""
    settings = KeySettings()
    keyboard = Keyboard(SPEC, RANGE, 1, settings, ExpressionNetwork(random_arrays(seed)))
    keyboard.press(69, 90)
    keyboard.settle()
    levels = []
    for frame in range(200):
        if frame == round(held_s / FRAME_S):
            keyboard.release(69, False)
            released = frame
        levels.append(keyboard.voices[0].frame(0.0, settings)[1])
        keyboard.tick()
    after = np.diff(levels[released - 1 :])
    falls = np.flatnonzero(after < 0.0)
    assert len(falls)
    assert (after[falls[0] :] <= 1e-9).all()
    assert levels[-1] == LOUDNESS_FLOOR_DB
