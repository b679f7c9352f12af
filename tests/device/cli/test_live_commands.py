"""`ddsp-edge play` and `midi` as a user meets them, on a sound card that a module of the tests pretends."""

import re
import sys
import time
import types

import mido
import numpy as np
import pytest

from ddsp_edge.live import LiveEffect, LiveInstrument
from ddsp_edge.live.messages import listening
from ddsp_edge.live.sound_card import SoundCard
from tests.device.conftest import TINY


def test_play_sounds_at_the_rate_of_the_card_and_counts_xruns(run, card):
    status, out, err = run("play", TINY, "--seconds", "0.6", "--block", "480", "--octaves", "1")
    assert (status, out) == (0, "1 xruns, 0 times reopened\n")
    assert "48000 Hz, latency 2" in err  # 20 ms, and those of the resamplers
    assert "7.0 ms of the sound card" in err
    how = card.streams[0].how
    assert (how["channels"], how["device"], how["blocksize"]) == ((1, 2), (None, None), 480)
    assert 0.01 < np.abs(np.concatenate(card.played)).max() <= 1.0


def test_play_ends_with_the_range_it_learned(run, card, monkeypatch):
    status, out, _ = run("play", TINY, "--seconds", "0.2", "--match-loudness")
    assert (status, "you played" in out) == (0, False)  # too short a time to learn
    monkeypatch.setattr("ddsp_edge.transfer.matching._PRIOR_S", 0.1)
    status, out, _ = run("play", TINY, "--seconds", "1", "--match-loudness")
    assert status == 0
    words = r"you played from (-\d+) to (-\d+) dB: --softest-db \1 --loudest-db \2 sets that range\n$"
    told = re.search(words, out)
    assert told
    assert int(told[1]) < int(told[2])  # though one tone was played
    players, made = [], LiveEffect.__init__

    def make(player, *args, **kwargs):
        made(player, *args, **kwargs)
        players.append(player)

    monkeypatch.setattr(LiveEffect, "__init__", make)
    set_ends = ("--softest-db", told[1], "--loudest-db", told[2])
    status, out, _ = run("play", TINY, "--seconds", "0.2", *set_ends)
    assert (status, "you played" in out) == (0, False)
    [player] = players
    assert player.settings.match_loudness  # what else would a range be for
    assert player.settings.played_range() == (float(told[1]), float(told[2]))


def test_half_a_range_is_refused(run, card):
    for ends in (
        ("--loudest-db", "-20"),
        ("--softest-db", "-60"),
        ("--softest-db", "-20", "--loudest-db", "-20"),
    ):
        status, _, err = run("play", TINY, *ends)
        assert status == 1
        assert "softest-db and loudest-db set a range together, the first below the second" in err


def test_midi_sounds_and_closes_its_port(run, card, ports):
    card.rates = (16_000, 48_000)
    status, _, err = run("midi", TINY, "--seconds", "0.6", "--voices", "2", "--output", "0")
    assert status == 0
    assert "playing from Keys 61:1" in err
    assert "16000 Hz, latency 8.0 ms" in err  # the instrument's own rate, one hop
    assert card.streams[0].how["device"] == 0
    assert np.abs(np.concatenate(card.played)).max() > 0.01
    assert ports[0].closed


def test_devices_are_listed(run, card, ports):
    status, out, _ = run("play", "--list-devices")
    assert status == 0
    assert out == "  0  USB?[2J audio: 1 in, 2 out, 48000 Hz\nMIDI: Midi Through:0, Keys 61:1\n"


@pytest.mark.parametrize("command", ["play", "midi"])
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Name an instrument"),
        (["missing.tflite"], "no such file"),
        ([TINY, "--octaves", "99"], "octaves must be from -8 to 8"),
        ([TINY, "--output", "Scarlett"], "No device matching 'Scarlett'"),
        ([TINY, "--rate", "12345"], "Invalid sample rate"),
        ([TINY, "--rate", "1"], "must be from 4000"),
    ],
)
def test_what_cannot_be_is_said_in_words(run, card, ports, command, arguments, words):
    status, out, err = run(command, *arguments)
    assert (status, out) == (1, "")
    assert words in err.splitlines()[-1]
    assert "Traceback" not in err
    assert "unexpected" not in err


def test_without_a_port_of_that_name_nothing_is_played(run, card, ports):
    status, _, err = run("midi", TINY, "--port", "Organ")
    assert status == 1
    assert "no MIDI port is called 'Organ'. MIDI ports: Midi Through:0, Keys 61:1" in err


def test_a_keyboard_that_was_unplugged_is_heard_again(ports, monkeypatch):
    keys = LiveInstrument(TINY, voices=2, seed=1)

    def until(there):
        end = time.monotonic() + 10.0
        while not there() and time.monotonic() < end:
            time.sleep(0.005)
        assert there()

    with listening(keys, look_s=0.01) as name:
        assert name == "Keys 61:1"
        keys.render(300)
        assert keys.notes == [69]
        monkeypatch.setattr(mido, "get_input_names", lambda: ["Midi Through:0"])
        until(lambda: ports[0].closed)
        until(lambda: keys.render(300) is not None and keys.notes == [])
        monkeypatch.setattr(mido, "get_input_names", lambda: ["Midi Through:0", "Keys 61:2"])
        until(lambda: len(ports) == 2)
        until(lambda: keys.render(300) is not None and keys.notes == [69])
    assert [port.closed for port in ports] == [True, True]


def test_without_a_keyboard_and_a_terminal_it_is_said(run, card, ports, monkeypatch):
    monkeypatch.setattr(mido, "get_input_names", list)
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(isatty=lambda: False))
    status, _, err = run("midi", TINY)
    assert status == 1
    assert "no MIDI keyboard was found" in err
    assert "no terminal" in err


@pytest.mark.parametrize("missing", [None, OSError("PortAudio library not found")])
def test_without_the_extra_or_portaudio_it_is_said(run, monkeypatch, missing):
    if missing is None:
        monkeypatch.setitem(sys.modules, "sounddevice", None)
        words = "pip install 'ddsp-tf[live]'"
    else:

        class Finder:
            def find_spec(self, name, path=None, target=None):
                if name == "sounddevice":
                    raise missing

        monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
        monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
        words = "apt install libportaudio2"
    for command in ("play", TINY), ("play", "--list-devices"):
        status, _, err = run(*command)
        assert status == 1
        assert words in err


def test_without_rtmidi_a_named_port_cannot_be_opened(run, card, monkeypatch):
    monkeypatch.setitem(sys.modules, "rtmidi", None)
    status, _, err = run("midi", TINY, "--port", "Keys")
    assert status == 1
    assert "python-rtmidi" in err


def test_a_card_that_was_opened_once_looks_for_devices_again(card):
    player = LiveInstrument(TINY, seed=1)
    device = SoundCard(False)
    for started in (0, 1):
        device.open(player)
        assert card.started == started
        assert device.running
        card.streams[-1].active = False
        assert not device.running
        device.close()
