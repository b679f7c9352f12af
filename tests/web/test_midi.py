"""MIDI files on the player in JavaScript: the same notes at the same times as on the device side."""

import json
import shutil
import subprocess
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile

from ddsp_edge.render.midi import MidiScore
from tests.device.conftest import TINY
from tests.device.render.test_midi import RATE, bend, control, off, on, save, tempo

MIDI = Path(__file__).with_name("midi.mjs")
NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(NODE is None, reason="there is no Node to run JavaScript with")


def run(*arguments):
    return subprocess.run(
        [str(NODE), str(MIDI), *map(str, arguments)], capture_output=True, text=True, timeout=120
    )


@pytest.fixture
def song(tmp_path):
    return save(
        tmp_path / "song.mid",
        [tempo(0, 400_000), tempo(600, 700_000)],
        [on(0, 60), off(500, 60), on(500, 62), off(900, 62), control(100, 64, 127), control(950, 64, 0)],
        [bend(50, 4096, channel=1), on(500, 67, channel=1), off(1000, 67, channel=1), on(0, 36, channel=9)],
    )


def test_notes_are_where_the_device_side_has_them(song):
    found = json.loads(run(song).stdout)
    events = [e for e in found["events"] if e["name"] in ("noteOn", "noteOff")]
    want = [(s / RATE, m) for s, m in MidiScore(song, RATE).events() if m.type in ("note_on", "note_off")]
    assert len(events) == len(want) == 6
    heard = sorted((round(e["time"], 3), e["name"], e["given"][0]) for e in events)
    wanted = sorted(
        (round(time, 3), "noteOn" if m.type == "note_on" and m.velocity else "noteOff", m.note)
        for time, m in want
    )
    for (time, *rest), (wanted_time, *wanted_rest) in zip(heard, wanted, strict=True):
        assert rest == wanted_rest
        assert time == pytest.approx(wanted_time, abs=2.0 / RATE + 1e-3)
    others = {e["name"]: e["given"] for e in found["events"] if e not in events}
    assert others["bendTo"] == [1.0]
    assert others["sustain"] == [False]


def test_a_note_that_follows_at_the_same_tick_in_another_track_is_not_lost(tmp_path):
    song = save(
        tmp_path / "a.mid", [on(0, 60), off(500, 60)], [on(500, 60, channel=1), off(900, 60, channel=1)]
    )
    events = json.loads(run(song).stdout)["events"]
    assert [e["name"] for e in events] == ["noteOn", "noteOff", "noteOn", "noteOff"]


def test_a_song_becomes_a_sound_file(song, tmp_path):
    done = run(song, TINY, tmp_path / "out.wav")
    assert done.returncode == 0, done.stderr
    sound, rate = soundfile.read(tmp_path / "out.wav")
    assert rate == RATE
    assert 0.9 < len(sound) / rate < 4.0
    assert np.abs(sound).max() > 0.01
    assert not sound[-RATE // 20 :].any()  # it has rung out


def test_a_file_that_breaks_off_is_played_as_far_as_it_goes(song, tmp_path):
    cut = tmp_path / "cut.mid"
    cut.write_bytes(song.read_bytes()[:-9])
    assert json.loads(run(cut).stdout)["events"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is not a MIDI file"),
        (b"RIFF" * 10, "it is not a MIDI file"),
        (b"MThd\0\0\0\6\0\1\0\1\1\xe0MTrk\0\0\0\2\0\x40", "a data byte stands where a message should begin"),
        (b"MThd\0\0\0\6\0\1\0\0\1\xe0", "it holds no notes"),
    ],
)
def test_what_is_none_is_refused_in_words(tmp_path, content, words):
    (tmp_path / "x.mid").write_bytes(content)
    done = run(tmp_path / "x.mid")
    assert done.returncode == 1
    assert done.stderr.startswith(f"PlayerError: {words}")


def test_what_is_longer_than_an_hour_is_refused_with_its_length(tmp_path):
    save(tmp_path / "a.mid", [on(0, 60), off(4_500_000, 60)])
    assert json.loads(run(tmp_path / "a.mid").stdout)["seconds"] == pytest.approx(4500.0)
    done = run(tmp_path / "a.mid", TINY, tmp_path / "out.wav")
    assert done.returncode == 1
    assert done.stderr.startswith("PlayerError: it lasts 1 h 15 min, and up to an hour is played here")


def test_every_message_that_mido_writes_is_passed_over_or_heard(tmp_path):
    kinds = ("program_change", "aftertouch", "polytouch", "sysex")
    others = [(10 * i, mido.Message(kind)) for i, kind in enumerate(kinds)]
    song = save(tmp_path / "a.mid", [*others, on(100, 60), off(200, 60)])
    assert [e["name"] for e in json.loads(run(song).stdout)["events"]] == ["noteOn", "noteOff"]
