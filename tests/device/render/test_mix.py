"""A MIDI file of several parts: each on its own instrument, in its place, and all together."""

import dataclasses

import mido
import numpy as np
import pytest
import soundfile

from ddsp_edge import shipped
from ddsp_edge.cli.main import main
from ddsp_edge.errors import DdspError
from ddsp_edge.files.midi_parts import parts_of
from ddsp_edge.live.offline import OfflineInstrument
from ddsp_edge.live.settings import KeySettings
from ddsp_edge.model.file import read_model_file, write_model_file
from ddsp_edge.render.midi import MidiScore, play
from ddsp_edge.render.midi_score import open_midi
from ddsp_edge.render.mix import Player, render_mix
from ddsp_edge.synthesis.reverb import Reverb
from tests.device.conftest import TINY
from tests.device.render.test_midi import RATE, control, off, on, save


def name(text):
    return 0, mido.MetaMessage("track_name", name=text)


def program(number, channel):
    return 0, mido.Message("program_change", program=number, channel=channel)


@pytest.fixture
def song(tmp_path):
    """A tempo alone, a violin, two instruments in one track, and drums."""
    return save(
        tmp_path / "song.mid",
        [(0, mido.MetaMessage("set_tempo", tempo=500_000))],
        [name("Violin I"), program(40, 0), control(0, 10, 0), on(0, 69), off(400, 69)],
        [
            name("Winds"),
            program(73, 1),
            on(100, 76, channel=1),
            off(300, 76, channel=1),
            on(500, 57, channel=2),
            off(700, 57, channel=2),
        ],
        [name("Kit"), on(0, 36, channel=9), on(200, 38, channel=9)],
    )


def players(song, **each):
    return [Player(part, TINY, **each) for part in parts_of(open_midi(song)[0])[0]]


def alone(song, place, reverb=1.0, seed=0):
    """A part as one instrument plays it."""
    instrument = OfflineInstrument(TINY, 4, KeySettings(reverb=reverb), seed)
    return np.concatenate([audio for audio, _ in play(MidiScore(song, RATE, place), instrument)])


def sound(path):
    return soundfile.read(path, dtype="float32", always_2d=True)[0]


def test_parts_are_found_with_their_names_programs_and_places(song):
    parts, drums = parts_of(open_midi(song)[0])
    assert [(p.place, p.name, p.program, p.notes) for p in parts] == [
        ((1, 0), "Violin I", 40, 1),
        ((2, 1), "Winds", 73, 1),
        ((2, 2), "Winds", None, 1),
    ]
    assert [p.pan for p in parts] == [-1.0, None, None]
    assert drums == 2


def test_the_mix_is_the_sum_of_what_each_plays_alone(song, tmp_path):
    render_mix(song, tmp_path / "mix.wav", players(song), stems=True, seed=0)
    found = sound(tmp_path / "mix.wav")
    want = np.zeros_like(found)
    for number, player in enumerate(players(song)):
        part = alone(song, player.part.place, seed=1000 * number)
        want[: len(part)] += part[:, None] * np.float32(np.sqrt(0.5))
    assert 0.01 < np.abs(want).max() < 0.99
    np.testing.assert_allclose(found, want, atol=2.0 / 32768)
    stems = [sound(tmp_path / f"mix-{n}.wav") for n in (1, 2, 3)]
    np.testing.assert_allclose(sum(stems), found, atol=4.0 / 32768)


def test_each_part_stands_where_it_is_put(song, tmp_path):
    left, right, _ = players(song)
    both = [dataclasses.replace(left, pan=-1.0), dataclasses.replace(right, pan=1.0, level_db=-6.0)]
    render_mix(song, tmp_path / "mix.wav", both, seed=0)
    found = sound(tmp_path / "mix.wav")
    for side, (player, gain, seed) in enumerate(((left, 1.0, 0), (right, 10.0 ** (-6.0 / 20.0), 1000))):
        part = gain * alone(song, player.part.place, seed=seed)
        np.testing.assert_allclose(found[: len(part), side], part, atol=2.0 / 32768)


def test_all_play_in_one_room(song, tmp_path):
    render_mix(song, tmp_path / "mix.wav", players(song), room=TINY, seed=0)
    found = sound(tmp_path / "mix.wav")
    dry = np.zeros(len(found) // 128 * 128, np.float32)
    for number, player in enumerate(players(song)):
        part = alone(song, player.part.place, 0.0, 1000 * number)
        dry[: len(part)] += part * np.float32(np.sqrt(0.5))
    file = read_model_file(TINY)
    (response,) = file.arrays.values()
    want = Reverb(file.card.spec, response).process(audio=dry)
    np.testing.assert_allclose(found[: len(want), 0], want, atol=2.0 / 32768)


def test_instruments_of_other_rates_play_in_time(song, tmp_path):
    """At half the rate the same notes begin at the same time, and the mix has the higher rate."""
    file = read_model_file(TINY)
    slow = tmp_path / "slow.tflite"
    write_model_file(slow, file.model, dataclasses.replace(file.card, sample_rate=RATE // 2), file.arrays)
    first, _, third = players(song)
    others = [dataclasses.replace(first, pan=-1.0), dataclasses.replace(first, instrument=slow, pan=1.0)]
    render_mix(song, tmp_path / "mix.wav", [*others, dataclasses.replace(third, level_db=-80.0)], room="dry")
    found = sound(tmp_path / "mix.wav")
    assert soundfile.info(tmp_path / "mix.wav").samplerate == RATE
    loud = np.sqrt([np.convolve(found[:, side] ** 2, np.full(320, 1 / 320), "same") for side in (0, 1)])
    begins = [int(np.argmax(level > 0.1 * level.max())) / RATE for level in loud]
    assert begins[0] == pytest.approx(begins[1], abs=0.03)  # a frame of the slow one is 16 ms


def test_what_is_beyond_full_scale_is_held_on_both_sides_alike(song, tmp_path):
    loud = [dataclasses.replace(player, level_db=30.0, pan=0.5) for player in players(song)]
    report = render_mix(song, tmp_path / "mix.wav", loud, seed=0)
    found = sound(tmp_path / "mix.wav")
    assert report.peak > 1.0
    assert "over full scale, where the limiter held it" in report.warnings[-1]
    heard = np.abs(found[:, 0]) > 0.01
    ratio = found[heard, 1] / found[heard, 0]
    np.testing.assert_allclose(ratio, np.tan(0.75 * np.pi / 2), rtol=0.01)


def test_the_command_lists_and_plays(song, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(shipped, "FOLDER", tmp_path / "nothing")
    assert main(["mix", str(song), "--list"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "1: Violin I, channel 1, program 40, 1 note"
    given = ["mix", str(song), str(tmp_path / "mix.wav"), "--map", f"violin={TINY}", "--map", "3=none"]
    assert main(given) == 1
    assert "nobody plays part 2 (Winds, channel 2, program 73, 1 note)" in capsys.readouterr().err
    assert main([*given, "--map", f"*={TINY}", "--pan", "program:73=0.5", "--level", "*=-3"]) == 0
    captured = capsys.readouterr()
    assert "2 of 3 parts" in captured.out
    assert "drums and left out: 2" in captured.err


def test_an_instrument_that_comes_with_the_package_plays_the_parts_that_call_for_it(song, tmp_path, capsys):
    assert main(["mix", str(song), str(tmp_path / "mix.wav"), "--map", "3=none"]) == 0  # a violin, a flute
    assert "2 of 3 parts" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--map", "oboe=x.tflite"], "no part has this number, name or program"),
        (["--map", f"*={TINY}", "--pan", "1=2"], "--pan must be from -1 to 1. Received: '2'"),
        (["--map", "*=kazoo"], "no model of that name"),
        (["--map", f"*={TINY}", "--room", "nowhere.tflite"], "nowhere.tflite"),
    ],
)
def test_what_cannot_be_is_refused_in_words(song, tmp_path, capsys, options, words):
    assert main(["mix", str(song), str(tmp_path / "mix.wav"), *options]) == 1
    assert words in capsys.readouterr().err
    assert not (tmp_path / "mix.wav").exists()


def test_the_song_is_not_overwritten(song):
    with pytest.raises(DdspError, match="overwritten"):
        render_mix(song, song.with_suffix(".wav").with_name("song.mid"), players(song))
    with pytest.raises(DdspError, match="nobody plays"):
        render_mix(song, song.with_name("mix.wav"), [])
