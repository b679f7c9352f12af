"""What a sound card calls, without one: latency, failures, a card that goes and comes back, keys."""

import mido
import numpy as np
import pytest

from ddsp_edge import DdspError, FrameSpec, LoudnessMeter
from ddsp_edge.live import LATENCIES, LiveEffect, LiveInstrument
from ddsp_edge.live.block_player import BlockPlayer
from ddsp_edge.live.messages import ComputerKeys, hear
from ddsp_edge.live.session import Session
from ddsp_edge.live.stream import LiveStream
from tests.device.conftest import TINY
from tests.device.live.simulated_card import SimulatedCard

RATE, HOP = 16_000, 128


class Echo(BlockPlayer):
    """A player that gives what it gets, 100 samples later."""

    def __init__(self):
        self.spec = FrameSpec(RATE, HOP)
        self.latency_samples = 100
        self.reset()

    def reset(self):
        self._line = np.zeros(100, np.float32)

    def process(self, block):
        self._line = np.concatenate([self._line, block])
        out, self._line = self._line[: len(block)], self._line[len(block) :]
        return out

    def _advance(self, part):
        raise AssertionError


def through(stream, sound, size):
    """Send a sound through a card's callback in blocks."""
    out = np.zeros((len(sound), 2), np.float32)
    for start in range(0, len(sound), size):
        part = slice(start, start + size)
        stream.callback(sound[part, None], out[part])
    return out


@pytest.mark.parametrize("size", [32, 100, 256, 1024])
@pytest.mark.parametrize("rate", [16_000, 48_000, 44_100, 8_000])
def test_the_way_through_the_card_takes_as_long_as_declared(rate, size):
    stream = LiveStream(Echo(), rate)
    at = 3000
    time = (np.arange(12_000) - at) / rate
    click = (0.5 * np.sinc(time * 4000.0) * np.exp(-((time * 500.0) ** 2))).astype(np.float32)
    out = through(stream, click, size)
    assert (out[:, 0] == out[:, 1]).all()
    peak = int(np.argmax(np.abs(out[:, 0])))
    assert abs(peak - at - stream.latency_samples) <= 1  # a sample of the card's
    want = click[at - 200 : at + 200]
    found = out[peak - 200 : peak + 200, 0]
    np.testing.assert_allclose(found, want, atol=0.05 if rate != RATE else 1e-7, rtol=0)


@pytest.mark.parametrize("size", [32, 64, 128, 256, 512, 1024])
def test_an_onset_through_a_card_at_another_rate_comes_after_the_declared_latency(size):
    live = LiveEffect(TINY, seed=1, **LATENCIES["low"])
    stream = LiveStream(live, 48_000)
    start = 12_000
    time = np.arange(36_000) / 48_000
    sound = np.where(time >= start / 48_000, 0.3 * np.sin(2 * np.pi * 330 * time), 0.0).astype(np.float32)
    out = through(stream, sound, size)[:, 0]
    fine = FrameSpec(48_000, 48)
    before, after = (LoudnessMeter(fine).push(x) for x in (sound, out))
    rise = [int(np.argmax(x > (x[100:200].max() + x[-100:].max()) / 2)) for x in (before, after)]
    # The measure counts in milliseconds; the input of the network lies on a grid of hops (8 ms).
    assert abs((rise[1] - rise[0]) * 48 - stream.latency_samples) <= 3 * HOP


def test_a_failing_player_gives_silence_and_goes_on(monkeypatch):
    stream = LiveStream(Echo(), RATE)
    sound = np.ones(64, np.float32)
    good = stream._player.process
    monkeypatch.setattr(stream._player, "process", lambda block: 1 / 0)
    assert not through(stream, sound, 64).any()
    assert stream.failures == 1
    assert "ZeroDivisionError" in stream.last_failure
    monkeypatch.setattr(stream._player, "process", good)
    assert through(stream, np.ones(300, np.float32), 64)[-1, 0] == 1.0


def test_a_rate_that_cannot_be_is_refused():
    with pytest.raises(DdspError, match="Received: 100"):
        LiveStream(Echo(), 100)


def test_a_card_that_goes_is_waited_for_and_may_come_back_at_another_rate():
    card = SimulatedCard(np.random.default_rng(0), (48_000, 44_100), faults=False)
    said = []

    def sleep(_):
        card.play(0.1)
        if card.opened == 1 and card.seconds > 0.3:
            card.unplug()

    session = Session(card, Echo(), said.append, sleep)
    session.run(lambda: card.seconds > 1.0)
    assert session.reopened == 1
    assert said == ["the sound card is gone; waiting for it", "the sound card is back, at 44100 Hz"]
    assert not card.running


def test_health_is_told_every_so_often():
    card = SimulatedCard(np.random.default_rng(0), (16_000,), faults=False)
    said = []
    session = Session(card, Echo(), said.append, lambda _: card.play(0.25), health_s=0.5)
    session.run(lambda: card.seconds >= 2.0)
    assert len(said) == 4
    for number, line in enumerate(said, 1):
        # 0.5 s of blocks of 480 samples; each turn of the card ends with a shorter one
        assert line.startswith(
            f"playing: {2 * 9 * number} blocks at 16000 Hz, 0 xruns, the slowest block took "
        )


def test_a_card_that_is_not_there_at_the_start_is_an_error():
    card = SimulatedCard(np.random.default_rng(0))
    card.opened = 1  # and refused never: it answers as one that is not found
    with pytest.raises(DdspError, match="no such sound card"):
        Session(card, Echo(), print, lambda _: None).run(lambda: True)


@pytest.fixture(scope="module")
def keys():
    return LiveInstrument(TINY, voices=2, seed=1)


def test_messages_of_a_port_are_heard(keys):
    keys.reset()
    for message in (
        mido.Message("note_on", note=60, velocity=90),
        mido.Message("note_on", note=64, velocity=90),
        mido.Message("note_off", note=60),
        mido.Message("pitchwheel", pitch=-8192),
        mido.Message("control_change", control=64, value=127),
        mido.Message("aftertouch", value=3),
        mido.Message("clock"),
    ):
        hear(keys, message)
    keys.render(2 * HOP)
    assert keys.notes == [64]
    hear(keys, mido.Message("note_on", note=64, velocity=0))
    keys.render(2 * HOP)
    assert keys.notes == [64]  # the pedal
    hear(keys, mido.Message("reset"))
    keys.render(2 * HOP)
    assert keys.notes == []


def test_a_computer_plays_one_note_after_another(keys):
    keys.reset()
    typed = ComputerKeys(keys)

    def after(text):
        for character in text:
            typed.press(character)
        keys.render(2 * HOP)
        return keys.notes

    assert after("a") == [60]
    assert after("aa1") == [60]  # a key that is held repeats; others mean nothing
    assert after("d") == [64]
    assert after("xa") == [72]
    assert after("zzzzzzzzzzzza") == [12]
    assert after(" ") == []
    assert after("s") == [14]
    assert after("\x1b") == []
