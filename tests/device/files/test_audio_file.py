"""Sound files are read as a stream: the same samples whatever the blocks."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ddsp_edge.files.audio_file import AudioReader, read_audio

RATE = 44_100


def _sound(seconds: float) -> np.ndarray:
    t = np.arange(round(seconds * RATE)) / RATE
    return 0.3 * np.sin(2.0 * np.pi * 220.0 * t) * (0.6 + 0.4 * np.sin(3.0 * t))


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3"])
def test_blocks_join_to_what_is_read_at_once(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    soundfile.write(path, _sound(6.0), RATE)
    at_once, _ = soundfile.read(path, dtype="float32")
    joined, rate = read_audio(path)
    assert rate == RATE
    # What libsndfile hands out at once and in parts may be rounded differently: one step of float32.
    np.testing.assert_allclose(joined, at_once, atol=1e-6)


def test_clipped_samples_are_counted_near_where_they_are(tmp_path: Path) -> None:
    sound = _sound(10.0)
    loud = slice(4 * RATE, 5 * RATE)
    sound[loud] = np.clip(8.0 * sound[loud], -1.0, 1.0)
    soundfile.write(tmp_path / "a.wav", sound, RATE)
    with AudioReader(tmp_path / "a.wav", 16_000, locate_clipping=True) as reader:
        for _ in reader.blocks():
            pass
        counts = [reader.clipped_between(16_000 * s, 16_000 * (s + 1)) for s in range(10)]
        total = reader.clipped_samples
    assert total > 1000
    assert counts[4] == pytest.approx(total, rel=0.25)  # a stretch may count on both sides
    assert not any(counts[:3] + counts[6:])


@pytest.mark.parametrize("locate", [False, True])
def test_memory_does_not_grow_with_what_is_clipped(tmp_path: Path, locate: bool) -> None:
    minute = np.ones(60 * 8_000, np.float32)
    held = {}
    for minutes in (1, 10):
        path = tmp_path / f"{minutes}.wav"
        with soundfile.SoundFile(path, "w", 8_000, 1) as file:
            for _ in range(minutes):
                file.write(minute)
        tracemalloc.start()
        with AudioReader(path, locate_clipping=locate) as reader:
            position = counted = 0
            for block in reader.blocks():
                if locate:
                    counted += reader.clipped_between(position, position + len(block))
                position += len(block)
            held[minutes], _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert reader.clipped_samples == position == minutes * len(minute)
        assert counted >= position * locate
    # A line for each stretch of 8192 samples would be 100 bytes and more: 527 more of them in ten minutes.
    assert held[10] < held[1] + 20_000


def test_where_samples_are_clipped_is_told_only_if_it_was_asked_for(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", _sound(1.0), RATE)
    with AudioReader(tmp_path / "a.wav") as reader, pytest.raises(RuntimeError, match="locate_clipping"):
        reader.clipped_between(0, RATE)


def test_many_channels_are_averaged_and_that_is_said(tmp_path: Path) -> None:
    channels = np.stack([(k == 2) * _sound(2.0) for k in range(6)], axis=1)
    soundfile.write(tmp_path / "six.wav", channels, RATE)
    with AudioReader(tmp_path / "six.wav") as reader:
        audio = np.concatenate(list(reader.blocks()))
        assert reader.averaged().startswith("its 6 channels were averaged; where they are several")
    np.testing.assert_allclose(audio, _sound(2.0) / 6.0, atol=2 / 32768)  # rounded to 16 bits
