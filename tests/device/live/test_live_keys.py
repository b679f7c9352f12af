"""The live instrument: MIDI, voices, latency, panic."""

import dataclasses

import numpy as np
import pytest

from ddsp_edge import DdspError, FrameSpec, Instrument
from ddsp_edge.live import KeySettings, LiveInstrument
from ddsp_edge.live.keyboard import Keyboard
from ddsp_edge.synthesis.limiter import Limiter
from tests.device.conftest import TINY

RATE, HOP = 16_000, 128


@pytest.fixture(scope="module")
def keys():
    return LiveInstrument(TINY, seed=1)


@pytest.fixture(scope="module")
def chords():
    return LiveInstrument(TINY, voices=3, seed=1)


# Sample, method, arguments: a slur, a repeated note, bend, expression and a rest.
TUNE = [
    (130, "note_on", 60, 100),
    (3000, "control_change", 11, 80),
    (4001, "note_on", 67, 60),
    (5000, "pitch_bend", 0.5),
    (6000, "note_off", 60),
    (8000, "note_off", 67),
    (8000, "note_on", 62, 127),
    (9999, "note_off", 62),
]


def play(player, tune, n_samples, size):
    """Play a tune in blocks, each event sent before the block it falls into."""
    player.reset()
    waiting, parts = list(tune), []
    for start in range(0, n_samples, size):
        n = min(size, n_samples - start)
        while waiting and waiting[0][0] < start + n:
            at, name, *arguments = waiting.pop(0)
            getattr(player, name)(*arguments, offset=at - start)
        parts.append(player.render(n))
    return np.concatenate(parts)


@pytest.mark.parametrize("size", [1, 17, 32, 64, 100, 256, 1024])
@pytest.mark.parametrize("name", ["keys", "chords"])
def test_any_blocks_give_the_samples_of_one_call(name, size, request):
    player = request.getfixturevalue(name)
    want = play(player, TUNE, 12_000, 12_000)
    assert 0.01 < np.abs(want).max() <= 1.0
    np.testing.assert_allclose(play(player, TUNE, 12_000, size), want, atol=1e-5, rtol=0)


def test_one_voice_is_an_instrument_given_its_pitch_and_loudness_one_hop_later(keys, monkeypatch):
    given, play_voices = [], keys._bank.play_voices

    def spy(numbers, f0_hz, loudness_db, settings):
        given.append((f0_hz[0], loudness_db[0]))
        return play_voices(numbers, f0_hz, loudness_db, settings)

    monkeypatch.setattr(keys._bank, "play_voices", spy)
    found = play(keys, TUNE, 10_000 // HOP * HOP, 100)
    assert keys.latency_samples == HOP
    assert not found[: 2 * HOP].any()  # the latency, and a hop before the first key
    # A voice that wakes hears one frame before its first, and the hop of that is silent.
    want = Instrument(TINY, seed=1).process(*zip(*given, strict=True))[HOP:]
    assert np.abs(want).max() > 0.05
    np.testing.assert_allclose(found[2 * HOP :], want, atol=1e-4, rtol=0)


def test_an_onset_is_heard_after_the_declared_latency(chords):
    for at in (HOP, HOP + 1, 1000, 1024):
        out = play(chords, [(at, "note_on", 69, 127)], 4096, 50)
        # The event is heard by the frame at the end of its hop; what moves towards it begins, one hop late,
        # with that hop, so that the first sample is within a hop before the event plus the latency.
        start = -(-at // HOP) * HOP - HOP + chords.latency_samples
        assert not out[:start].any()
        assert start <= int(np.argmax(out != 0.0)) <= start + 2
        assert np.abs(out[start : start + 4 * HOP]).max() > 1e-3


def test_panic_leaves_nothing_sounding(chords):
    for stop in (lambda: chords.panic(), lambda: chords.control_change(120, 0)):
        chords.reset()
        chords.control_change(64, 127)
        for note in range(50, 60):
            chords.note_on(note)
        assert np.abs(chords.render(4000)).max() > 0.01
        stop()
        chords.render(3 * HOP)
        assert chords.notes == []
        assert not chords.render(4000).any()
        chords.note_on(60)
        assert np.abs(chords.render(4000)).max() > 0.01


def test_all_notes_off_leaves_to_the_pedal_what_it_holds(chords):
    chords.reset()
    chords.control_change(64, 127)
    chords.note_on(60)
    chords.render(2000)
    chords.control_change(123, 0)
    chords.render(2000)
    assert chords.notes == [60]
    chords.control_change(64, 0)
    chords.render(RATE * 2)
    assert chords.notes == []
    assert not chords.render(1000).any()


def test_the_pedal_holds_and_lets_go(chords):
    chords.reset()
    chords.note_on(60)
    chords.control_change(64, 127)
    chords.note_off(60)
    chords.render(1000)
    assert chords.notes == [60]
    chords.control_change(64, 0)
    chords.render(1000)
    assert chords.notes == []


def test_channels_have_keys_wheels_and_pedals_of_their_own(chords):
    """Each of two channels is bent, made softer, sustained and cut as it would be alone."""

    def play_channels(*channels):
        chords.reset()
        heard = []
        for channel in channels:
            chords.note_on(60, 100, channel=channel)
        chords.pitch_bend(1.0, channel=1)
        chords.control_change(7, 40, channel=1)
        chords.control_change(64, 127, channel=2)
        for channel in channels:
            chords.note_off(60, offset=2000, channel=channel)
        chords.render(1900)
        levels = {voice.channel: voice.loudness_db for voice in chords._keyboard.voices if voice.keyed}
        chords.render(RATE)
        heard.append(chords.notes)
        chords.control_change(120, 0, channel=1)
        chords.render(HOP)
        heard.append(chords.notes)
        chords.control_change(120, 0, channel=2)
        chords.render(HOP)
        return levels, [*heard, chords.notes]

    both, held = play_channels(1, 2)
    assert both == {**play_channels(1)[0], **play_channels(2)[0]}
    assert both[2] - both[1] == pytest.approx(40 * np.log10(100 / 40))
    assert held == [[60], [60], []]


def test_sound_off_of_a_channel_that_did_not_play_leaves_the_room_ringing(chords):
    def ending(channel=None):
        chords.reset()
        chords.note_on(60, 127)
        chords.note_off(60, offset=4000)
        if channel is not None:
            chords.control_change(120, 0, faded, channel)
        return chords.render(8000)

    faded = 4000 + 11 * HOP  # 88 ms, of which the release takes 80
    plain = ending()
    assert np.abs(plain[faded + 2 * HOP :]).max() > 1e-5
    for channel, same in ((5, True), (0, False)):
        assert np.array_equal(ending(channel), plain) == same


def test_a_bend_moves_its_channel_alone(chords):
    def pitch_of(channel):
        chords.reset()
        chords.note_on(69, 127, channel=3)
        chords.pitch_bend(1.0, channel=channel)
        spectrum = np.abs(np.fft.rfft(chords.render(RATE)[-8000:] * np.hanning(8000)))
        return 2.0 * np.argmax(spectrum[200:260]) + 400

    assert pitch_of(2) == pytest.approx(440, abs=2)
    assert pitch_of(3) == pytest.approx(440 * 2 ** (2 / 12), abs=2)


def test_numbers_out_of_range_are_refused(keys):
    for call in (
        lambda: keys.note_on(128),
        lambda: keys.note_on(60, -1),
        lambda: keys.pitch_bend(float("nan")),
        lambda: keys.control_change(1, 200),
        lambda: keys.note_on(60, offset=-1),
        lambda: keys.note_on(60, offset=float("nan")),
        lambda: keys.note_on(60, offset=1.5),
        lambda: keys.pitch_bend("up"),
        lambda: keys.note_on(60, channel=16),
        lambda: LiveInstrument(TINY, voices=0),
    ):
        with pytest.raises(DdspError, match="Received"):
            call()


def test_messages_that_nobody_hears_are_bounded_and_leave_no_note(keys):
    keys.reset()
    for i in range(10_000):
        keys.note_on(i % 128)
    keys.render(2 * HOP)
    assert keys.notes == []


def board(voices):
    return Keyboard(FrameSpec(RATE, HOP), Instrument(TINY).card.loudness_db_range, voices, KeySettings())


def test_the_voice_let_go_longest_ago_is_taken_then_the_oldest():
    keyboard = board(3)
    for note in (60, 61, 62):
        keyboard.press(note, 100)
        for voice in keyboard.voices:
            voice.frame(0.0, KeySettings())
        keyboard.tick()
    keyboard.release(61, sustained=False)
    keyboard.press(63, 100)
    assert [voice.note for voice in keyboard.voices] == [60, 63, 62]
    keyboard.press(64, 100)
    keyboard.settle()
    assert [voice.note for voice in keyboard.voices] == [64, 63, 62]
    keyboard.release(60, sustained=False)  # its voice was taken
    assert [voice.keyed for voice in keyboard.voices] == [True] * 3


def test_the_limiter_keeps_full_scale_and_leaves_the_rest_alone():
    limiter = Limiter(FrameSpec(RATE, HOP))
    soft = np.random.default_rng(0).uniform(-1, 1, 20 * HOP).astype(np.float32)
    np.testing.assert_array_equal(limiter.process(soft), soft)
    loud = limiter.process(soft * np.float32(1e6))
    assert 0.9 < np.abs(loud).max() <= 1.0


NONSENSE = ["loud", None, [], -(10**400), float("nan"), "3"]


@pytest.mark.parametrize("value", NONSENSE, ids=lambda value: type(value).__name__)
def test_whatever_is_assigned_to_a_setting_the_sound_goes_on(value):
    keys = LiveInstrument(TINY, seed=1)
    keys.note_on(60)
    for field in dataclasses.fields(keys.settings):
        setattr(keys.settings, field.name, value)
    assert np.isfinite(keys.render(2000)).all()


def test_numbers_of_numpy_are_numbers():
    keys, same = LiveInstrument(TINY, seed=1), LiveInstrument(TINY, seed=1)
    keys.note_on(np.int64(60), np.int64(90), np.int64(10))
    same.note_on(60, 90, 10)
    np.testing.assert_array_equal(keys.render(2000), same.render(2000))
