"""Files that hold less sound than they say."""

import os
import struct
import time

import numpy as np
import pytest
import soundfile

from ddsp_edge import DdspError, Instrument
from ddsp_edge.files.audio_file import AudioReader
from ddsp_edge.files.sound_ending import ending_of
from ddsp_edge.render.render import render_audio
from tests.device.render.test_render import phrase

RATE = 44_100
KINDS = {
    "wav": {},
    "rf64": {"format": "RF64"},
    "w64": {"format": "W64"},
    "aiff": {},
    "au": {},
    "mp3": {},
    "ogg": {},
    "opus": {"format": "OGG", "subtype": "OPUS"},
}


def noise(seconds):
    return 0.1 * np.random.default_rng(0).standard_normal(round(seconds * 48_000))


def told(path):
    with AudioReader(path) as reader:
        samples = sum(len(block) for block in reader.blocks())
        return samples / reader.file_sample_rate, reader.stored.broken_off()


def write(path, kind, seconds=4.0):
    rate = 48_000 if kind == "opus" else RATE
    soundfile.write(path, noise(seconds)[: round(seconds * rate)], rate, **KINDS[kind])
    return path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seconds", [0.5, 4.0])
def test_a_whole_file_is_whole(tmp_path, kind, seconds):
    path = write(tmp_path / f"a.{kind}", kind, seconds)
    assert told(path)[1] == ""
    tags = {"wav": b"LIST\x04\0\0\0INFO", "mp3": b"TAG" + bytes(125)}
    if kind in tags:  # what comes behind the sound may be as long as it likes
        with path.open("ab") as file:
            file.write(tags[kind])
        assert told(path)[1] == ""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
def test_a_file_that_breaks_off_says_how_much_is_there(tmp_path, kind, share):
    path = write(tmp_path / f"a.{kind}", kind)
    os.truncate(path, round(share * path.stat().st_size))
    seconds, text = told(path)
    assert seconds == pytest.approx(4.0 * share, abs=1.1)  # a page of Opus holds a second
    assert text.startswith(f"{path} breaks off: ")
    assert f"{seconds:.1f} s are there" in text
    assert ("its header says 4.0 s" in text) == (kind not in ("ogg", "opus"))


@pytest.mark.parametrize("length", [0, 0x7FFF_FFFF, 0xFFFF_FFFF, 0x7FFF_F024])
def test_a_length_that_was_not_known_when_it_was_written_is_no_promise(tmp_path, length):
    path = write(tmp_path / "a.wav", "wav")
    data = bytearray(path.read_bytes())
    data[40:44] = struct.pack("<I", length)
    path.write_bytes(data)
    assert told(path)[1] == ""


def test_an_mp3_without_a_header_of_its_length_says_nothing(tmp_path):
    path = write(tmp_path / "a.mp3", "mp3")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"Xing", bytes(4), 1).replace(b"Info", bytes(4), 1)[: len(data) // 2])
    assert told(path)[1] == ""


def test_an_mp3_behind_a_tag_is_looked_at_too(tmp_path):
    path = write(tmp_path / "a.mp3", "mp3")
    data = b"ID3\x04\0\0\0\0\x02\0" + bytes(256) + path.read_bytes()
    path.write_bytes(data)
    assert told(path)[1] == ""
    path.write_bytes(data[: len(data) // 2])
    assert "its header says 4.0 s, " in told(path)[1]


@pytest.mark.parametrize(
    "start", [b"RIFF\0\0\0\0WAVE", b"riff\x2e\x91\xcf\x11" + bytes(32), b"FORM\0\0\0\0AIFF"]
)
def test_a_file_of_empty_chunks_takes_no_time(tmp_path, start):
    with (tmp_path / "a.wav").open("wb") as file:
        file.write(start)
        file.truncate(1 << 30)
    began = time.monotonic()
    assert ending_of(tmp_path / "a.wav").share is None
    assert time.monotonic() - began < 1.0


@pytest.mark.parametrize("kind", KINDS)
def test_any_beginning_of_a_file_is_read_or_refused(tmp_path, kind):
    whole = write(tmp_path / f"whole.{kind}", kind, 0.2).read_bytes()
    path = tmp_path / f"a.{kind}"
    for end in (1, 3, 4, 11, 12, 20, 27, 40, 41, 60, 100, 200):
        path.write_bytes(whole[:end])
        try:
            told(path)
        except DdspError as error:
            assert str(path) in str(error)  # noqa: PT017


def test_what_libmpg123_says_is_not_shown(tmp_path, capfd):
    path = write(tmp_path / "a.mp3", "mp3")
    os.truncate(path, path.stat().st_size // 2)
    told(path)
    assert capfd.readouterr().err == ""


def test_render_plays_what_is_there_and_says_so(tiny, tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, phrase(3.0, rate=RATE), RATE)
    os.truncate(path, path.stat().st_size // 2)
    report = render_audio(Instrument(tiny, seed=1), path, tmp_path / "out.wav")
    assert f"{path} breaks off: its header says 3.0 s, 1.5 s are there" in report.warnings


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.wav")
    with pytest.raises(DdspError, match=r"a\.wav is a pipe or a device; name a file"):
        AudioReader(tmp_path / "a.wav")


def test_a_name_need_not_be_text(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, phrase(1.0), 16_000)
    odd = os.fsencode(tmp_path) + b"/not \xfe utf-8.wav"
    try:
        path.rename(os.fsdecode(odd))
    except OSError:
        pytest.skip("this disk takes no such names")
    seconds, text = told(os.fsdecode(odd))
    assert (seconds, text) == (1.0, "")


def test_sound_from_a_phone_is_told_how_it_can_be_used(tmp_path):
    path = tmp_path / "memo.m4a"
    path.write_bytes(b"\0\0\0\x1cftypM4A \0\0\0\0M4A mp42isom" + bytes(1000))
    with pytest.raises(DdspError, match=r"memo\.m4a: .* convert it to WAV or FLAC"):
        AudioReader(path)
