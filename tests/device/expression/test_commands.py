"""`--expression` on the commands that play notes."""

import mido
import numpy as np
import pytest

from ddsp_edge.cli.main import main
from ddsp_edge.files.audio_file import AudioReader


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    """One note of half a second."""
    file = mido.MidiFile(ticks_per_beat=500)
    on, off = (
        mido.Message(f"note_{part}", note=64, velocity=90, time=500 * (part == "off"))
        for part in ("on", "off")
    )
    file.tracks.append(mido.MidiTrack([on, off]))
    path = tmp_path_factory.mktemp("song") / "song.mid"
    file.save(path)
    return path


def heard(path):
    with AudioReader(path) as reader:
        return np.concatenate(list(reader.blocks()))


@pytest.mark.parametrize("command", ["render", "mix"])
def test_notes_are_played_as_the_file_knows_unless_told_otherwise(expressive, song, tmp_path, command):
    sounds = {}
    for name, options in (("usual", []), ("full", ["--expression", "1"]), ("none", ["--expression", "0"])):
        out = tmp_path / f"{name}.wav"
        given = ["--map", f"1={expressive}", str(song)] if command == "mix" else [str(expressive), str(song)]
        assert main([command, *options, "--seed", "1", "--quiet", *given, str(out)]) == 0
        sounds[name] = heard(out)
    np.testing.assert_array_equal(sounds["usual"], sounds["full"])
    n = min(map(len, sounds.values()))
    assert np.abs(sounds["none"][:n] - sounds["full"][:n]).max() > 0.01


def test_a_settings_file_tells_it_too(expressive, song, tmp_path):
    (tmp_path / "a.toml").write_text("expression = 0.0\n")
    for name, options in (("a", ["--settings", str(tmp_path / "a.toml")]), ("b", ["--expression", "0"])):
        out = tmp_path / f"{name}.wav"
        assert main(["render", *options, "--seed", "1", "--quiet", str(expressive), str(song), str(out)]) == 0
    np.testing.assert_array_equal(heard(tmp_path / "a.wav"), heard(tmp_path / "b.wav"))


def test_it_is_for_midi_and_from_0_to_1(expressive, song, tmp_path, capsys):
    sound = tmp_path / "a.wav"
    assert main(["render", "--seed", "1", "--quiet", str(expressive), str(song), str(sound)]) == 0
    assert main(["render", "--expression", "1", str(expressive), str(sound), str(tmp_path / "b.wav")]) == 1
    assert "--expression is for MIDI files" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["render", "--expression", "1.5", str(expressive), str(song), str(tmp_path / "b.wav")])
    assert "from 0 to 1" in capsys.readouterr().err


def test_info_tells_of_it(expressive, capsys):
    assert main(["info", str(expressive)]) == 0
    assert "how notes are played" in capsys.readouterr().out
