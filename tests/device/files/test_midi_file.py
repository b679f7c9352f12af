"""MIDI files are what they hold, and are read as far as they hold it."""

import contextlib
import struct
import time
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from ddsp_edge.errors import DdspError
from ddsp_edge.files.audio_file import AudioReader
from ddsp_edge.files.midi_container import MAX_MIDI_BYTES, is_midi_file
from ddsp_edge.files.midi_file import read_midi_file
from ddsp_edge.render.midi import MidiScore

RATE = 16_000
TICKS = 500  # a beat of half a second: one tick is one millisecond
END = b"\x00\xff\x2f\x00"


def variable(number):
    """A number in groups of seven bits."""
    groups = [number & 127]
    while number := number >> 7:
        groups.insert(0, number & 127 | 128)
    return bytes(groups)


def note(pitch, begin=0, length=200):
    """A note: what it is in a track, after `begin` ticks."""
    return variable(begin) + bytes([0x90, pitch, 100]) + variable(length) + bytes([0x80, pitch, 0])


def chunk(body, name=b"MTrk", size=None):
    return name + struct.pack(">L", len(body) if size is None else size) + body


def header(count, kind=1, division=TICKS, size=6, more=b""):
    return b"MThd" + struct.pack(">LHHH", size, kind, count, division) + more


def notes(content, path):
    """Sample and pitch of the notes struck in a file, and its warnings."""
    path.write_bytes(content)
    score = MidiScore(path, RATE)
    found = [(s, m.note) for s, m in score.events() if m.type == "note_on" and m.velocity]
    return sorted(found), [line.removeprefix(f"{path}: ") for line in score.warnings]


ONE = note(60) + note(62) + END
TWO = note(64, 100) + END
WHOLE = header(2) + chunk(ONE) + chunk(TWO)
PITCHES = [(0, 60), (1600, 64), (3200, 62)]


def rmid(data, size=None, before=b"", after=b""):
    data_chunk = (
        b"data" + struct.pack("<L", len(data) if size is None else size) + data + bytes(len(data) % 2)
    )
    body = b"RMID" + before + data_chunk + after
    return b"RIFF" + struct.pack("<L", len(body)) + body


def info(data):
    return b"LIST" + struct.pack("<L", len(data)) + data + bytes(len(data) % 2)


CONTAINERS = {
    "as it is": WHOLE,
    "RMID": rmid(WHOLE),
    "RMID with a chunk of odd length before": rmid(WHOLE, before=info(b"INFO!")),
    "RMID with a sound font behind": rmid(WHOLE, after=info(bytes(10_000))),
    "RMID of a wrong size": rmid(WHOLE, size=0),
    "RMID of a size never filled in": rmid(WHOLE, size=0xFFFF_FFFF),
    "MacBinary": b"\0\x08tune.mid" + bytes(118) + WHOLE + bytes(50),
}


@pytest.mark.parametrize("name", ["a.mid", "a.kar", "a.rmi", "a.wav", "noending", "a.b.c", "A.MIDI"])
@pytest.mark.parametrize("kind", CONTAINERS)
def test_a_midi_file_is_known_by_what_it_holds(tmp_path, kind, name):
    assert notes(CONTAINERS[kind], tmp_path / name)[0] == PITCHES
    assert is_midi_file(tmp_path / name)
    with pytest.raises(DdspError, match="is a MIDI file, not a recording"):
        AudioReader(tmp_path / name)


@pytest.mark.parametrize("format", ["WAV", "FLAC", "OGG", "AIFF", "AU", "CAF", "MP3", "W64", "RF64"])
def test_a_sound_file_is_none_whatever_it_is_called(tmp_path, format):
    sound = np.random.default_rng(0).normal(size=1600) * 0.1
    soundfile.write(tmp_path / "a.x", sound, RATE, format=format)
    (tmp_path / "a.x").rename(tmp_path / "a.mid")
    assert not is_midi_file(tmp_path / "a.mid")
    with pytest.raises(DdspError, match="sound file of another kind"):
        MidiScore(tmp_path / "a.mid", RATE)


def test_a_wav_that_holds_the_letters_of_midi_is_sound(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.frombuffer(WHOLE * 8, np.int16), RATE)
    assert not is_midi_file(path)


@pytest.mark.parametrize(("name", "midi"), [("a.mid", True), ("a.KAR", True), ("a.wav", False), ("a", False)])
def test_what_is_of_no_known_kind_goes_by_its_name(tmp_path, name, midi):
    assert is_midi_file(tmp_path / name) == midi
    (tmp_path / name).write_bytes(b"la la la")
    assert is_midi_file(tmp_path / name) == midi


LENGTH = "has another length than the {} bytes that it says"
OFF = "breaks off: what is there is played"
EXTRA = b"\x00\xff\x2f"  # the end of a track, but for its last byte
ODD = {
    "more tracks than counted": (
        header(1) + chunk(ONE) + chunk(TWO),
        "its header counts 1 tracks, 2 are there",
    ),
    "fewer tracks than counted": (
        header(9) + chunk(ONE) + chunk(TWO),
        "its header counts 9 tracks, 2 are there",
    ),
    "no track counted": (header(0) + chunk(ONE) + chunk(TWO), "its header counts 0 tracks, 2 are there"),
    "a track of length 0": (header(2) + chunk(ONE, size=0) + chunk(TWO), f"track 1 {LENGTH.format(0)}"),
    "a track too short": (header(2) + chunk(ONE, size=9) + chunk(TWO), f"track 1 {LENGTH.format(9)}"),
    "the last track too short": (header(2) + chunk(ONE) + chunk(TWO, size=9), f"track 2 {LENGTH.format(9)}"),
    "a track too long": (header(2) + chunk(ONE, size=30) + chunk(TWO), f"track 1 {LENGTH.format(30)}"),
    "a length never filled in": (
        header(2) + chunk(ONE, size=0xFFFF_FFFF) + chunk(TWO),
        f"track 1 {LENGTH.format(0xFFFF_FFFF)}",
    ),
    "a track that swallows the next": (
        header(2) + chunk(ONE, size=len(ONE + chunk(TWO))) + chunk(TWO),
        f"track 1 {LENGTH.format(len(ONE + chunk(TWO)))}",
    ),
    "no end and a wrong length": (
        header(2) + chunk(ONE[:-4], size=99) + chunk(TWO),
        f"track 1 {LENGTH.format(99)}",
    ),
    "broken off": (WHOLE[:-1], f"track 2 {OFF}"),
    "broken off between two events": (WHOLE[:-4], f"track 2 {OFF}"),
    "broken off within its length": (header(2) + chunk(ONE[:-1]) + chunk(TWO), f"track 1 {OFF}"),
    "bytes after the end of a track": (
        header(2) + chunk(ONE + b"junk") + chunk(TWO),
        "track 1 goes on for 4 bytes after its end, which are left out",
    ),
    "a header that is too long": (
        header(2, size=400) + chunk(ONE) + chunk(TWO),
        "its header has another length than the 400 bytes that it says",
    ),
    "a header that is longer": (header(2, size=8, more=b"??") + chunk(ONE) + chunk(TWO), None),
    "a header of length 0": (
        header(2, size=0) + chunk(ONE) + chunk(TWO),
        "its header has another length than the 0 bytes that it says",
    ),
    "a type that does not exist": (
        header(2, kind=7) + chunk(ONE) + chunk(TWO),
        "it says that it is of type 7, which does not exist, and is read as type 1",
    ),
    "type 0 with two tracks": (header(2, kind=0) + chunk(ONE) + chunk(TWO), None),
    "no end of track": (header(2) + chunk(ONE[:-4]) + chunk(TWO[:-4]), None),
    "chunks that nobody knows": (
        header(2) + chunk(b"abc", b"XFIH") + chunk(ONE) + chunk(b"MTrkMTrk", b"XFKM") + chunk(TWO),
        None,
    ),
    "zeros in a track after its end": (header(2) + chunk(ONE + bytes(9)) + chunk(TWO), None),
    "bytes after the last track": (WHOLE + b"TAG and whatever else stands there", None),
    "bytes between tracks": (header(2) + chunk(ONE) + b"\0\0\0" + chunk(TWO), None),
    "a second file behind": (WHOLE + WHOLE, "a second file follows in it, and is left out"),
    "a status that runs on across meta events": (
        header(2)
        + chunk(
            b"\x00\x90\x3c\x64\x00\xff\x01\x01x\x81\x48\x3c\x00"
            + b"\x00\xf0\x02\x7e\xf7\x00\x3e\x64\x81\x48\x3e\x00"
        )
        + chunk(TWO),
        None,
    ),
    "a tempo of 0": (
        header(2) + chunk(b"\x00\xff\x51\x03\x00\x00\x00" + ONE) + chunk(TWO),
        "a tempo of 0 microseconds a beat, which cannot be, is passed over",
    ),
    "a track that is empty": (header(3) + chunk(b"") + chunk(ONE) + chunk(TWO), None),
}


@pytest.mark.parametrize("name", ODD)
def test_all_notes_of_a_file_with_wrong_counts_are_read_with_a_warning(tmp_path, name):
    content, warning = ODD[name]
    found, warnings = notes(content, tmp_path / "a.mid")
    assert found == PITCHES
    assert warnings == ([] if warning is None else [warning])


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 65535))
def test_no_length_of_tracks_loses_a_note(first, second, count):
    content = header(count) + chunk(ONE, size=first) + chunk(TWO, size=second)
    messages = read_midi_file(content).messages()
    found = {m.note for _, m in messages if m.type == "note_on"}
    assert found >= {60, 62, 64} or first <= len(ONE + chunk(TWO))  # a length may point into a track


@pytest.mark.parametrize(
    ("division", "seconds", "odd"),
    [
        (0xE728, Fraction(1, 1000), False),  # 25 frames of 40 ticks
        (0xE808, Fraction(1, 192), False),
        (0xE250, Fraction(1, 2400), False),
        (0xE350, Fraction(1001, 30_000 * 80), False),  # drop frame
        (0xE700, Fraction(1, 1000), True),
        (0x9D0A, Fraction(1, 990), True),
        (0, Fraction(1, 960), True),
        (1, Fraction(1, 2), False),
        (0x7FFF, Fraction(1, 2 * 0x7FFF), False),
    ],
)
def test_time_is_counted_in_beats_or_in_frames(tmp_path, division, seconds, odd):
    track = note(60, 300, 200) + note(62, 4000, 5000) + END
    found, warnings = notes(header(1, division=division) + chunk(track), tmp_path / "a.mid")
    ticks = (300, 4500)
    assert found == [(-int(-tick * seconds * RATE // 1), n) for tick, n in zip(ticks, (60, 62), strict=True)]
    assert bool(warnings) == odd


def test_frames_pass_over_tempi(tmp_path):
    tempo = b"\x00\xff\x51\x03\x01\x00\x00"
    frames = header(1, division=0xE728) + chunk(tempo + note(60, 300) + END)
    assert notes(frames, tmp_path / "a.mid") == ([(4800, 60)], [])


def test_patterns_of_type_2_follow_each_other_each_with_its_own_tempo(tmp_path):
    slow = b"\x00\xff\x51\x03\x0f\x42\x40"  # a million microseconds
    tracks = (
        chunk(slow + note(60, 100, 300) + b"\x64\xff\x2f\x00"),
        chunk(note(62, 100) + b"\x00\x90\x40\x64" + END),
    )
    found, warnings = notes(header(3, kind=2) + b"".join(tracks) + chunk(TWO), tmp_path / "a.mid")
    # 500 ticks of 2 ms; a pattern of 300 ms, in which a key is never let go; another.
    assert found == [(3200, 60), (16_000 + 1600, 62), (16_000 + 4800, 64), (16_000 + 4800 + 1600, 64)]
    assert warnings == [
        "notes that are never let go: 1; each ends where its key is struck again, or with the piece"
    ]


def test_drums_that_are_left_out_are_told(tmp_path):
    drums = b"\x00\x99\x24\x64\x00\x89\x24\x00"
    found, warnings = notes(header(1) + chunk(drums + ONE), tmp_path / "a.mid")
    assert [n for _, n in found] == [60, 62]
    assert warnings == ["notes of channel 10, which are drums and left out: 1"]


HOSTILE = {
    "empty tracks": header(65535) + chunk(b"") * 300_000,
    "tracks": header(65535) + chunk(b"\x00\x90\x3c\x64") * 60_000,
    "unknown chunks": header(1) + chunk(b"", b"ABCD") * 400_000 + chunk(ONE),
    "keys struck at once": header(1) + chunk(b"\x00\x90\x3c\x64" + b"\x00\x3c\x64" * 100_000),
    "lengths": header(65535) + b"MTrk\xff\xff\xff\xff" * 200_000,
    "tracks that swallow each other": header(65535)
    + b"".join(chunk(END, size=12 * (60_000 - number) - 8) for number in range(60_000)),
    "a meta event of 256 MB": header(1) + chunk(b"\x00\xff\x01\xff\xff\xff\x7f"),
    "RMID of chunks": b"RIFF\xff\xff\xff\xffRMID" + b"LIST\0\0\0\0" * 300_000,
    "nothing but headers": b"MThd" * 900_000,
    "too large": WHOLE + bytes(MAX_MIDI_BYTES),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_take_bounded_time_and_memory(tmp_path, name):
    (tmp_path / "a.mid").write_bytes(HOSTILE[name])
    begun = time.process_time()
    tracemalloc.start()
    with contextlib.suppress(DdspError):
        MidiScore(tmp_path / "a.mid", RATE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100e6
    assert time.process_time() - begun < 120  # of a machine of any age, and traced
