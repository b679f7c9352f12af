"""What a header says is a hint: sound is read where it is, and what is wrong is told."""

import os
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ddsp_edge import DdspError
from ddsp_edge.files.audio_file import AudioReader, read_audio

RATE = 16_000
SECONDS = 4.0
FORMATS = {
    "wav": ("WAV", "PCM_16"),
    "aiff": ("AIFF", "PCM_16"),
    "au": ("AU", "PCM_16"),
    "caf": ("CAF", "PCM_16"),
    "w64": ("W64", "PCM_16"),
    "rf64": ("RF64", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", None),
}
EXACT = ("wav", "aiff", "au", "caf", "w64", "rf64", "flac")
PCM = ("wav", "aiff", "au", "w64", "rf64")


def tone(hertz: float, seconds: float = SECONDS) -> np.ndarray:
    return 0.3 * np.sin(2.0 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)


def encoded(folder: Path, ending: str, audio: np.ndarray, rate: int = RATE) -> bytes:
    form, subtype = FORMATS[ending]
    path = folder / f"whole.{ending}"
    soundfile.write(path, audio, rate, format=form, subtype=subtype)
    return path.read_bytes()


def read(folder: Path, ending: str, data: bytes) -> tuple[np.ndarray, str]:
    """What is read of these bytes, and what is told of them."""
    path = folder / f"made.{ending}"
    path.write_bytes(data)
    with AudioReader(path) as reader:
        audio = np.concatenate(list(reader.blocks()))
        assert reader.file_samples == len(audio)  # progress and workers rest on it
        return audio, reader.stored.mended() + reader.stored.broken_off()


def with_bytes(data: bytes, place: int, right: bytes) -> bytes:
    return data[:place] + right + data[place + len(right) :]


@pytest.mark.parametrize("ending", FORMATS)
def test_files_joined_end_to_end_are_read_to_their_end(tmp_path, ending):
    low, high = (encoded(tmp_path, ending, tone(hertz)) for hertz in (220.0, 330.0))
    audio, told = read(tmp_path, ending, low + high)
    assert len(audio) == 2 * SECONDS * RATE
    assert "2 sound files are joined" in told
    apart = np.concatenate([read(tmp_path, ending, data)[0] for data in (low, high)])
    np.testing.assert_array_equal(audio, apart)


@pytest.mark.parametrize("ending", ["wav", "flac", "mp3"])
def test_what_follows_with_another_rate_is_left_out_and_told(tmp_path, ending):
    first, other = encoded(tmp_path, ending, tone(220.0)), encoded(tmp_path, ending, tone(220.0), 8000)
    path = tmp_path / f"made.{ending}"
    path.write_bytes(first + other)
    with AudioReader(path) as reader:
        assert sum(map(len, reader.blocks())) == SECONDS * RATE
        assert "8000 Hz" in reader.stored.mended()
        assert "left out" in reader.stored.mended()


ID3V1 = b"TAG" + b"title".ljust(124, b"\0") + b"\xff"
APE = struct.pack("<8sIIII8x", b"APETAGEX", 2000, 52, 1, 1 << 31) + b"z" * 20
APE += struct.pack("<8sIIII8x", b"APETAGEX", 2000, 52, 1, 1 << 31)
LYRICS = b"LYRICSBEGIN" + b"la" * 50 + b"000111LYRICS200"
ID3V2 = b"ID3\x04\0\0" + bytes([0, 0, 7, 104]) + b"\0" * 1000


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize(
    ("front", "behind"),
    [(b"", ID3V1), (b"", APE), (b"", LYRICS + ID3V1), (b"", APE + ID3V1), (ID3V2, b""), (ID3V2, ID3V1)],
)
def test_tags_are_no_sound_wherever_they_are(tmp_path, ending, front, behind):
    data = encoded(tmp_path, ending, tone(220.0))
    plain, _ = read(tmp_path, ending, data)
    audio, told = read(tmp_path, ending, front + data + behind)
    np.testing.assert_array_equal(audio, plain)
    assert told == ""


def lengths(ending: str, data: bytes, declared: int) -> bytes:
    """The same with another length in its header: bytes of sound, samples, or frames of MP3."""
    if ending == "wav":
        return with_bytes(
            with_bytes(data, 4, struct.pack("<I", declared and declared + 36)),
            40,
            struct.pack("<I", declared),
        )
    if ending == "rf64":
        at = data.index(b"ds64") + 8
        return with_bytes(data, at, struct.pack("<QQQ", 0, declared, declared // 2))
    if ending == "au":
        return with_bytes(data, 8, struct.pack(">I", declared))
    if ending == "caf":
        return with_bytes(data, data.index(b"data", 8) + 4, struct.pack(">q", declared))
    if ending == "w64":
        return with_bytes(data, data.index(b"data\xf3") + 16, struct.pack("<Q", declared + 24))
    if ending == "aiff":
        at = data.index(b"COMM")
        data = with_bytes(data, at + 10, struct.pack(">I", declared // 2))
        return with_bytes(data, data.index(b"SSND") + 4, struct.pack(">I", declared and declared + 8))
    if ending == "flac":
        samples = declared // 2
        high = bytes([data[21] & 0xF0 | samples >> 32 & 15])
        return with_bytes(data, 21, high + struct.pack(">I", samples & 0xFFFF_FFFF))
    at = max(data.find(b"Info"), data.find(b"Xing"))
    return with_bytes(data, at + 8, struct.pack(">I", declared // 2 // 576))


@pytest.mark.parametrize("ending", ["wav", "rf64", "au", "caf", "w64", "aiff", "flac", "mp3"])
@pytest.mark.parametrize("declared", [0, 32_000], ids=["never filled in", "of a while ago"])
def test_a_length_that_was_never_filled_in_is_not_believed(tmp_path, ending, declared):
    if declared and ending in ("caf", "w64", "aiff", "rf64"):
        pytest.skip("what lies behind the sound of such a file may be anything")
    data = encoded(tmp_path, ending, tone(220.0))
    audio, _ = read(tmp_path, ending, data)
    assert len(audio) == SECONDS * RATE
    again, told = read(tmp_path, ending, lengths(ending, data, declared))
    np.testing.assert_array_equal(again, audio)
    if declared:
        assert "its header says" in told


@pytest.mark.parametrize("ending", PCM)
def test_what_is_no_sound_behind_a_sound_is_left_out_and_told(tmp_path, ending):
    data = encoded(tmp_path, ending, tone(220.0))
    junk = np.random.default_rng(0).integers(0, 256, 5000, np.uint8).tobytes()
    audio, told = read(tmp_path, ending, data + junk)
    assert len(audio) == SECONDS * RATE
    assert "5000 bytes behind the sound are no sound" in told


def test_chunks_behind_the_sound_are_chunks(tmp_path):
    data = encoded(tmp_path, "wav", tone(220.0))
    plain, _ = read(tmp_path, "wav", data)
    for behind in (b"LIST" + struct.pack("<I", 6) + b"INFOxy", b"bext" + struct.pack("<I", 5) + b"abcde\0"):
        audio, told = read(tmp_path, "wav", data + behind)
        np.testing.assert_array_equal(audio, plain)
        assert told == ""
    empty = data[:40] + struct.pack("<I", 0) + b"LIST" + struct.pack("<I", 6) + b"INFOxy"
    path = tmp_path / "empty.wav"
    path.write_bytes(empty)
    with pytest.raises(DdspError, match="holds no samples"):
        read_audio(path)


def test_flac_of_unknown_length_in_blocks_of_any_size(tmp_path):
    rng = np.random.default_rng(0)
    for seconds in (0.01, 0.3, 1.0, 3.21):
        sound = tone(220.0, seconds) + 0.01 * rng.normal(size=round(seconds * RATE))
        data = encoded(tmp_path, "flac", sound)
        audio, _ = read(tmp_path, "flac", lengths("flac", data, 0))
        np.testing.assert_array_equal(audio, read(tmp_path, "flac", data)[0])


def test_flac_that_breaks_off_is_read_to_its_last_whole_frame(tmp_path):
    data = encoded(tmp_path, "flac", tone(220.0))
    whole, _ = read(tmp_path, "flac", data)
    for share in (0.3, 0.5, 0.9, 0.999):
        path = tmp_path / "short.flac"
        path.write_bytes(data[: int(share * len(data))])
        with AudioReader(path) as reader:
            audio = np.concatenate(list(reader.blocks()))
            assert "its header says 4.0 s" in reader.stored.mended()
        assert 0 <= share * len(whole) - len(audio) < 3 * 4096
        np.testing.assert_array_equal(audio, whole[: len(audio)])


def refusal(path):
    """Why a file cannot be read, up to a hundred blocks of it; empty where it can."""
    try:
        with AudioReader(path) as reader:
            for _ in zip(reader.blocks(), range(100), strict=False):
                pass
    except DdspError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("ending", FORMATS)
def test_bytes_of_chance_behind_a_header_end_in_words_and_take_no_memory(tmp_path, ending):
    """Whatever a hostile header says, nothing is made that large."""
    data = encoded(tmp_path, ending, tone(220.0, 0.5))
    rng = np.random.default_rng(7)
    path = tmp_path / f"made.{ending}"
    for _ in range(40):
        broken = bytearray(data)
        for place in rng.integers(4, min(len(broken), 120), 6):
            broken[place] = rng.integers(256)
        path.write_bytes(bytes(broken))
        tracemalloc.start()
        refused = refusal(path)
        assert not refused or str(path) in refused
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
        tracemalloc.stop()


def test_a_name_of_bytes_that_are_no_text_is_read(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.wav"))
    path.write_bytes(lengths("wav", encoded(tmp_path, "wav", tone(220.0)), 0))
    assert len(read_audio(path)[0]) == SECONDS * RATE


def test_coded_sound_that_looks_like_the_head_of_a_frame_is_no_frame(tmp_path: Path) -> None:
    """Noise at full scale is stored as it is; three of its samples are made the head of a first frame."""
    rng = np.random.default_rng(0)
    noise = rng.integers(-(2**15), 2**15, 100_000).astype(np.int16)
    head = bytes([0xFF, 0xF8, 0xC9, 0x08, 0x00])
    checksum = 0
    for byte in head:
        checksum ^= byte
        for _ in range(8):
            checksum = (checksum << 1 ^ 0x07 if checksum & 0x80 else checksum << 1) & 0xFF
    noise[-40:-37] = np.frombuffer(bytes([*head, checksum]), ">i2")
    path = tmp_path / "noise.flac"
    soundfile.write(path, noise, 44_100, subtype="PCM_16")
    assert bytes([*head, checksum]) in path.read_bytes()
    with AudioReader(path) as reader:
        read = sum(len(block) for block in reader.blocks())
        assert (read, reader.remarks()) == (len(noise), [])


@pytest.mark.parametrize(
    "data", [b"fLaC", b"fLaC\0\0\0\x22", b"ID3ab", b"ID3", b"RIFF", b"OggS", b"\xff\xfb"]
)
@pytest.mark.parametrize("ending", ["flac", "mp3", "wav"])
def test_a_few_bytes_are_no_sound_file(tmp_path: Path, data: bytes, ending: str) -> None:
    path = tmp_path / f"few.{ending}"
    path.write_bytes(data)
    with pytest.raises(DdspError):
        AudioReader(path)
