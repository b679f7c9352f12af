"""Which files are taken for recordings."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ddsp_tf.data.prepare.sources import Stray, find_recordings
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
    assert found.strays == (Stray("a/notes.txt", "not the ending of a sound file"),)


def test_notes_belong_to_the_recording_beside_them(tmp_path: Path) -> None:
    _touch(
        tmp_path, "a.wav", "a.notes.csv", "a.mid", "b.notes.csv", "in/a.MP3", "in/a.midi", "in/c.mid", "a.csv"
    )
    found = find_recordings([tmp_path])
    assert [s.name for s in found.recordings] == ["a.wav", "in/a.MP3"]
    assert [stray.name for stray in found.strays] == ["a.csv", "b.notes.csv", "in/c.mid"]


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


def _reasons(folder: Path) -> dict[str, str]:
    """Why each of the strays of a folder, in which `a.wav` is a recording, is none."""
    found = find_recordings([folder])
    assert [s.name for s in found.recordings] == ["a.wav"]
    return {stray.name: stray.reason for stray in found.strays}


def test_links_that_lead_nowhere_are_reported(tmp_path: Path) -> None:
    _touch(tmp_path, "a.wav")
    (tmp_path / "loop.wav").symlink_to("loop.wav")
    (tmp_path / "gone.wav").symlink_to("nothing.wav")
    reasons = _reasons(tmp_path)
    assert reasons["gone.wav"] == "a link to what is not there"
    assert reasons["loop.wav"].startswith("cannot be reached: Too many levels")
    for name, words in (("gone.wav", "a link to what is not there"), ("loop.wav", "cannot be reached")):
        with pytest.raises(DdspError, match=rf"{name}: {words}"):
            find_recordings([tmp_path / name])


def test_a_link_to_a_folder_is_reported_and_not_followed(tmp_path: Path) -> None:
    _touch(tmp_path, "here/a.wav", "elsewhere/b.wav")
    (tmp_path / "here" / "link").symlink_to(tmp_path / "elsewhere")
    assert "is not followed: name the folder too" in _reasons(tmp_path / "here")["link"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipes_and_sockets_are_reported_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _touch(tmp_path, "a.wav")
    os.mkfifo(tmp_path / "pipe.wav")
    monkeypatch.chdir(tmp_path)  # the path of a socket is short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.flac")
        reasons = _reasons(tmp_path)
    assert set(reasons) == {"pipe.wav", "socket.flac"}
    assert set(reasons.values()) == {"a pipe, socket or device, not a file"}
    with pytest.raises(DdspError, match=r"pipe\.wav: a pipe, socket or device"):
        find_recordings([tmp_path / "pipe.wav"])


def test_a_folder_that_cannot_be_listed_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _touch(tmp_path, "a.wav", "locked/b.wav")
    listed = os.scandir

    def scandir(
        path: str,
    ) -> Iterator[os.DirEntry[str]]:  # root may list anything, so permissions will not do
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert _reasons(tmp_path) == {"locked": "a folder that cannot be listed: Permission denied"}


@pytest.mark.parametrize("ending", ["m4a", "AAC", "wma", "mp4", "amr"])
def test_sound_from_a_phone_is_told_from_what_is_no_sound(tmp_path: Path, ending: str) -> None:
    _touch(tmp_path, "a.wav", f"memo.{ending}")
    assert _reasons(tmp_path)[f"memo.{ending}"].endswith("convert it to WAV or FLAC")
    (tmp_path / "a.wav").unlink()
    with pytest.raises(DdspError, match=rf"no sound files.* memo\.{ending}: .*convert it to WAV or FLAC"):
        find_recordings([tmp_path])


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_names_of_any_bytes_become_text(tmp_path: Path) -> None:
    names = [b"not \xfe utf-8.wav", b"not \xff utf-8.wav"]
    try:
        for name in names:
            (tmp_path / os.fsdecode(name)).write_bytes(b"x")
    except OSError:
        pytest.skip("this disk takes no such names")
    found = find_recordings([tmp_path]).recordings
    assert [os.fsencode(s.path.name) for s in found] == names
    assert found[0].name == "not \N{REPLACEMENT CHARACTER} utf-8.wav"
    assert len({s.name.encode() for s in found}) == 2


def test_an_empty_name_is_no_folder() -> None:
    with pytest.raises(DdspError, match="a recording has an empty name"):
        find_recordings([""])
