"""Files get their name when they are whole, whoever else writes them."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
import soundfile

from ddsp_edge.atomic import name_beside, renaming_in, written_whole
from ddsp_edge.errors import DdspError
from ddsp_edge.files.audio_writer import AudioWriter, check_output
from ddsp_edge.files.sound_with_stems import SoundWriter
from ddsp_edge.synthesis.stems import Stems

RATE = 16_000
NODES = [
    {"name": "one", "type": "Harmonic", "inputs": {}},
    {"name": "two", "type": "FilteredNoise", "inputs": {}},
]


def test_a_file_replaces_the_old_one_when_it_is_whole(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with written_whole(path) as beside:
        beside.write_text("new")
        assert path.read_text() == "old"
        assert (beside.parent, beside.suffix) == (tmp_path, ".txt")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("stop", [OSError, KeyboardInterrupt])
def test_a_file_that_is_given_up_leaves_the_old_one_and_nothing_else(tmp_path, stop):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def give_up():
        with written_whole(path) as beside:
            beside.write_text("half")
            raise stop

    with pytest.raises(stop):
        give_up()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_two_that_write_one_file_do_not_meet(tmp_path):
    path = tmp_path / "a.txt"
    with written_whole(path) as first, written_whole(path) as second:
        first.write_text("first")
        second.write_text("second")
        assert (first.read_text(), second.read_text()) == ("first", "second")
    assert path.read_text() == "first"  # which was complete last
    assert list(tmp_path.iterdir()) == [path]


def longest_name(ending, unit="n"):
    """A name that has as many bytes as file systems take."""
    return unit * ((255 - len(ending)) // len(unit.encode())) + ending


@pytest.mark.parametrize("unit", ["n", "ü", "🎻"])
def test_names_may_be_as_long_as_the_file_system_takes(tmp_path, unit):
    path = tmp_path / longest_name(".wav", unit)
    with AudioWriter(path, RATE) as writer:
        writer.write(np.zeros(100))
    with written_whole(tmp_path / longest_name(".txt", unit)) as beside:
        beside.write_text("text")
    assert sorted(len(os.fsencode(p.name)) for p in tmp_path.iterdir()) == [len(os.fsencode(path.name))] * 2
    with written_whole(tmp_path / f"a.{unit * (250 // len(unit.encode()))}") as beside:
        beside.write_text("text")
    assert soundfile.info(path).frames == 100


def test_a_longer_name_is_refused_in_words_before_anything_is_written(tmp_path):
    for call in (check_output, lambda path, _: AudioWriter(path, RATE)):
        with pytest.raises(DdspError, match=r"cannot be written: File name too long"):
            call(tmp_path / ("n" + longest_name(".wav")), {})
    with pytest.raises(DdspError, match="File name too long"):  # it is the name of a stem that is too long
        SoundWriter(tmp_path / longest_name(".wav"), RATE, {}, Stems(NODES))
    assert list(tmp_path.iterdir()) == []


LEAVE = """
import os, sys
from pathlib import Path
from ddsp_edge.atomic import written_whole
with written_whole(Path(sys.argv[1])) as beside:
    beside.write_text("half")
    print(beside.name, flush=True)
    if sys.argv[2] == "die":
        os._exit(1)
    sys.stdin.read()
"""


def test_what_a_killed_run_left_is_removed_by_the_next_that_writes_the_file(tmp_path):
    path, other = tmp_path / "a.txt", tmp_path / "b.txt"
    for name in (path, other):
        subprocess.run([sys.executable, "-c", LEAVE, name, "die"], stdout=subprocess.PIPE, check=False)
    assert len(list(tmp_path.iterdir())) == 2
    (tmp_path / ".a.part.txt").write_text("of somebody else")
    with written_whole(path) as beside:
        beside.write_text("new")
    left = {p.name for p in tmp_path.iterdir()}
    assert {"a.txt", ".a.part.txt"} < left
    assert len(left) == 3  # that of the other file may be wanted by nobody, but this run does not know it


def test_what_a_run_that_goes_on_writes_is_left_alone(tmp_path):
    path = tmp_path / "a.txt"
    command = [sys.executable, "-c", LEAVE, path, "wait"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        name = process.stdout.readline().strip()
        with written_whole(path) as beside:
            beside.write_text("new")
        assert (tmp_path / name).read_text() == "half"
        process.communicate("")
    assert path.read_text() == "half"
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_beside_is_hidden_and_given_once(tmp_path):
    names = {name_beside(tmp_path / "a.wav").name for _ in range(100)}
    assert len(names) == 100
    assert all(name.startswith(".") and name.endswith(".part.wav") for name in names)


def test_a_sound_and_its_stems_are_of_one_run(tmp_path):
    """Each of some threads writes all three files, full of its own number, again and again."""

    def write(value):
        for _ in range(20):
            with SoundWriter(tmp_path / "out.wav", RATE, {}, Stems(NODES)) as writer:
                sound = np.full(64, value, np.float32)
                writer.write(sound, sound, {"one": sound, "two": sound})
            with renaming_in(tmp_path):
                found = {p.name: float(soundfile.read(p)[0][0]) for p in tmp_path.glob("out*.wav")}
                assert len(found) == 3
                mixed.extend([found] if len(set(found.values())) > 1 else [])

    mixed = []
    threads = [threading.Thread(target=write, args=(value,)) for value in (0.125, 0.25, 0.5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert mixed == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out-harmonic.wav", "out-noise.wav", "out.wav"]
