"""Which files are taken for recordings."""

from pathlib import Path

import pytest

from ddsp_tf.data.sources import find_recordings
from ddsp_tf.errors import DdspError


def _touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_folders_are_searched_in_order_without_hidden_files(tmp_path: Path) -> None:
    _touch(
        tmp_path, "b.wav", "a/2.FLAC", "a/1.mp3", ".hidden.wav", ".git/x.wav", "a/notes.txt", "Übung 1.ogg"
    )
    found = find_recordings([tmp_path])
    assert [s.name for s in found.recordings] == ["b.wav", "Übung 1.ogg", "a/1.mp3", "a/2.FLAC"]
    assert found.strays == ("a/notes.txt",)


def test_a_named_file_is_tried_whatever_its_ending(tmp_path: Path) -> None:
    _touch(tmp_path, "take.raw")
    assert [s.name for s in find_recordings([tmp_path / "take.raw"]).recordings] == ["take.raw"]


def test_a_file_reached_twice_is_taken_once(tmp_path: Path) -> None:
    _touch(tmp_path, "a.wav", "b.wav")
    found = find_recordings([tmp_path / "b.wav", tmp_path, tmp_path / "a.wav"])
    assert [s.name for s in found.recordings] == ["b.wav", "a.wav"]


def test_files_of_the_same_name_get_different_names(tmp_path: Path) -> None:
    _touch(tmp_path, "x/a.wav", "y/a.wav")
    names = [s.name for s in find_recordings([tmp_path / "x", tmp_path / "y"]).recordings]
    assert names == ["a.wav", (tmp_path / "y" / "a.wav").as_posix()]


def test_the_dataset_itself_is_not_looked_at(tmp_path: Path) -> None:
    _touch(tmp_path, "a.wav", "data/dataset.json", "data/x.wav", "data2/b.wav")
    found = find_recordings([tmp_path], leave_out=tmp_path / "data")
    assert [s.name for s in found.recordings] == ["a.wav", "data2/b.wav"]
    assert found.strays == ()


def test_nothing_given_is_refused() -> None:
    with pytest.raises(DdspError, match="no recordings given"):
        find_recordings([])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DdspError, match=r"gone\.wav: no such file"):
        find_recordings([tmp_path / "gone.wav"])


def test_a_folder_without_sound_is_refused(tmp_path: Path) -> None:
    _touch(tmp_path, "readme.txt")
    with pytest.raises(DdspError, match=r"no sound files.*\.flac"):
        find_recordings([tmp_path])
