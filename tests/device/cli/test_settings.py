"""Settings of live players: options, and the file that holds them."""

import dataclasses

import numpy as np
import pytest

from ddsp_edge.cli.main import main
from ddsp_edge.live import LATENCIES, EffectSettings, KeySettings
from ddsp_edge.ranges import RANGES, check_range
from tests.device.cli.conftest import settings_file
from tests.device.conftest import TINY


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
