"""`ddsp-edge play` and `midi` as a user meets them, on a sound card that a module of the tests pretends."""

import dataclasses
import re
import sys
import threading
import time
import types

import mido
import numpy as np
import pytest

from ddsp_edge.cli.main import main
from ddsp_edge.live import LATENCIES, EffectSettings, KeySettings, LiveEffect, LiveInstrument
from ddsp_edge.live.messages import listening
from ddsp_edge.live.sound_card import SoundCard
from ddsp_edge.ranges import RANGES, check_range
from tests.device.conftest import TINY


class FakeStream:
    """Calls back from a thread of its own, as PortAudio does."""

    def __init__(self, module, callback, **how):
        self.module, self._callback, self.how = module, callback, how
        self.active, self.latency = False, (0.003, 0.004)
        if how["samplerate"] not in module.rates:
            raise module.PortAudioError("Invalid sample rate")
        module.streams.append(self)

    def start(self):
        self.active = True
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        channels = self.how["channels"]
        size = self.how["blocksize"] or 256
        number = 0
        while self.active:
            times = (np.arange(size) + size * number) / self.how["samplerate"]
            heard = (0.3 * np.sin(2 * np.pi * 330 * times)).astype(np.float32)
            out = np.zeros((size, channels[1] if isinstance(channels, tuple) else channels), np.float32)
            status = "output underflow" if number == 3 else ""
            both = (np.repeat(heard[:, None], channels[0], axis=1),) if isinstance(channels, tuple) else ()
            self._callback(*both, out, size, None, status)
            self.module.played.append(out)
            number += 1
            time.sleep(0.001)

    def close(self, ignore_errors=True):
        self.active = False
        self._thread.join(5.0)


@pytest.fixture
def card(monkeypatch):
    module = types.ModuleType("sounddevice")
    module.PortAudioError = type("PortAudioError", (Exception,), {})
    module.rates, module.streams, module.played, module.started = (48_000,), [], [], 0
    description = {
        "name": "USB\x1b[2J audio",
        "max_input_channels": 1,
        "max_output_channels": 2,
        "default_samplerate": 48_000.0,
    }

    def query(device=None, kind=None):
        if device not in (None, 0, "USB"):
            raise ValueError(f"No device matching {device!r}")
        return [description] if kind is None and device is None else description

    def check(device=None, samplerate=None, **_):
        if samplerate not in module.rates:
            raise module.PortAudioError("Invalid sample rate")

    module.query_devices = query
    module.check_output_settings = module.check_input_settings = check
    module.Stream = module.OutputStream = lambda **how: FakeStream(module, **how)
    module._terminate = lambda: None
    module._initialize = lambda: setattr(module, "started", module.started + 1)
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    return module


@pytest.fixture
def ports(monkeypatch):
    """A keyboard that holds a key as soon as it is opened."""
    opened = []

    class Port:
        def __init__(self, callback):
            opened.append(self)
            self.closed = False
            callback(mido.Message("note_on", note=69, velocity=100))

        def close(self):
            self.closed = True

    monkeypatch.setitem(sys.modules, "rtmidi", types.ModuleType("rtmidi"))
    monkeypatch.setattr(mido, "get_input_names", lambda: ["Midi Through:0", "Keys 61:1"], raising=False)
    monkeypatch.setattr(mido, "open_input", lambda name, callback: Port(callback), raising=False)
    return opened


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


@pytest.mark.parametrize("value", ["nan", "loud"])
def test_settings_are_numbers(run, value, capsys):
    with pytest.raises(SystemExit):
        run("play", TINY, "--gain-db", value)
    assert f"a number is wanted. Received: '{value}'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "option", "value", "words"),
    [
        ("play", "--reverb", "7", "reverb must be from 0 to 1. Received: 7.0"),
        ("play", "--noise-db", "-81", "noise_db must be from -80 to 80. Received: -81.0"),
        ("midi", "--sustain-db", "3", "sustain_db must be from -80 to 0. Received: 3.0"),
        ("midi", "--attack-s", "-1", "attack_s must be from 0 to 20. Received: -1.0"),
        ("midi", "--transposition", "100", "transposition must be from -96 to 96. Received: 100.0"),
    ],
)
def test_options_out_of_range_are_refused(run, capsys, command, option, value, words):
    with pytest.raises(SystemExit):
        run(command, TINY, option, value)
    assert words in capsys.readouterr().err


def test_every_number_that_a_player_sets_has_a_range():
    for kind in (EffectSettings, KeySettings):
        defaults = {field.name: field.default for field in dataclasses.fields(kind)}
        numbers = {name: value for name, value in defaults.items() if not isinstance(value, bool)}
        assert numbers
        assert numbers.keys() <= RANGES.keys()
        for name, value in numbers.items():
            if value is not None:  # None is not set
                check_range(name, value)


def settings_file(folder, text):
    path = folder / "settings.toml"
    path.write_text(text)
    return path


def test_settings_come_from_a_file_and_the_command_line_goes_first(run, card, ports, tmp_path):
    (tmp_path / "tiny.tflite").write_bytes(TINY.read_bytes())
    text = 'instrument = "tiny.tflite"\noutput = 0\nblock = 512\nseconds = 0.4\nvoices = 1\ngain-db = -80\n'
    path = settings_file(tmp_path, text)
    assert run("midi", "--settings", path)[0] == 0
    assert (card.streams[0].how["blocksize"], card.streams[0].how["device"]) == (512, 0)
    soft = np.abs(np.concatenate(card.played)).max()
    card.played.clear()
    assert run("midi", "--settings", path, "--block", "256", "--gain-db", "0")[0] == 0
    assert card.streams[1].how["blocksize"] == 256
    loud = np.abs(np.concatenate(card.played)).max()
    assert loud > 100 * soft


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gian-db = 3", "gian-db is no option here. Did you mean 'gain_db'?"),
        ("list-devices = true", "is no option here"),
        ("gate = 1", "gate must be true or false. Received: 1"),
        ("block = 3", "block: a block has 16 to 8192 samples. Received: '3'"),
        ("gain-db = nan", "a number is wanted"),
        ("gain-db = 1e9", "gain_db must be from -80 to 80. Received: 1000000000.0"),
        ("reverb = [1]", "reverb must be a number or a text"),
        ('latency = "none"', "latency must be one of low, middle, full. Received: 'none'"),
        ("voices = 2.5", "voices must be a whole number from 1 to 32. Received: '2.5'"),
        ("voices = 99", "voices must be a whole number from 1 to 32. Received: '99'"),
        ("osc = 99999", "a port is from 1 to 65535. Received: '99999'"),
        ("block =", "is not valid TOML"),
    ],
)
def test_settings_that_cannot_be_are_refused(run, tmp_path, text, words):
    command = "midi" if "voices" in text else "play"
    status, _, err = run(command, TINY, "--settings", settings_file(tmp_path, text))
    assert status == 1
    assert words in err
    assert "settings.toml" in err


def test_a_service_is_written_and_names_whole_paths(run, tmp_path, monkeypatch):
    folder = tmp_path / 'of 100 % "mine"'
    folder.mkdir()
    (folder / "tiny.tflite").write_bytes(TINY.read_bytes())
    settings = settings_file(folder, 'instrument = "tiny.tflite"\nvoices = 2')
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    (tmp_path / "ddsp-edge").touch()
    status, out, err = run("install-service", "midi", settings, "--folder", tmp_path / "units")
    assert (status, err) == (0, "")
    assert "systemctl --user enable --now ddsp-edge.service" in out
    unit = (tmp_path / "units" / "ddsp-edge.service").read_text()
    quoted = str(settings.resolve()).replace("%", "%%").replace('"', '\\"')
    assert f'ExecStart="{tmp_path}/ddsp-edge" midi --settings "{quoted}"\n' in unit
    assert "Restart=always" in unit
    assert "takes the place" not in out
    assert (
        "takes the place" not in run("install-service", "midi", settings, "--folder", tmp_path / "units")[1]
    )
    settings = settings_file(folder, 'instrument = "tiny.tflite"')
    _, out, _ = run("install-service", "play", settings, "--folder", tmp_path / "units")
    assert "takes the place of the one that ran" in out
    assert "midi --settings" in out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "settings.toml: no such file"),
        ("voices = 2", "voices is no option here"),
        ("gain-db = 0", "settings.toml names no instrument"),
        ("loudest-db = -20", "softest-db and loudest-db set a range together"),
        ('instrument = "none.tflite"', "none.tflite: no such file"),
        ('instrument = "settings.toml"', "settings.toml is not a TFLite file"),
    ],
)
def test_a_service_that_would_not_start_is_refused(run, tmp_path, text, words):
    settings = tmp_path / "settings.toml" if text is None else settings_file(tmp_path, text)
    status, _, err = run("install-service", "play", settings, "--folder", tmp_path)
    assert status == 1
    assert words in err
    assert not (tmp_path / "ddsp-edge.service").exists()


@pytest.mark.parametrize(("command", "settings"), [("play", EffectSettings), ("midi", KeySettings)])
def test_every_setting_is_an_option(capsys, command, settings):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    told = capsys.readouterr().out
    for field in dataclasses.fields(settings):
        assert "--" + field.name.replace("_", "-") in told


def test_the_latencies_of_the_command_are_those_of_the_effect(capsys):
    with pytest.raises(SystemExit):
        main(["play", str(TINY), "--latency", "soon"])
    told = capsys.readouterr().err
    assert all(name in told for name in LATENCIES)
