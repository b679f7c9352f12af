"""What is written is what was read."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from ddsp_edge.files.audio_file import read_audio
from ddsp_edge.files.audio_writer import write_audio


@pytest.mark.parametrize("ending", [".wav", ".flac"])
def test_every_16_bit_number_comes_back_as_it_was(tmp_path: Path, ending: str) -> None:
    numbers = np.arange(-32768, 32768).astype(np.int16)
    first, again = tmp_path / f"first{ending}", tmp_path / f"again{ending}"
    soundfile.write(first, numbers, 16_000, subtype="PCM_16")
    audio, rate = read_audio(first)
    write_audio(again, audio, rate)
    np.testing.assert_array_equal(soundfile.read(again, dtype="int16")[0], numbers)


def test_what_is_beyond_full_scale_is_clipped_and_does_not_wrap(tmp_path: Path) -> None:
    path = tmp_path / "loud.wav"
    write_audio(path, np.array([1.0, 1.5, 100.0, -1.0, -1.5, -100.0], np.float32), 16_000)
    found = soundfile.read(path, dtype="int16")[0]
    np.testing.assert_array_equal(found, [32767, 32767, 32767, -32768, -32768, -32768])
