"""Notes as trained instruments play them, by the instrument that the other device tests play."""

import numpy as np
import pytest

from ddsp_edge.files.audio_file import read_audio
from ddsp_edge.transcription.note import Note
from ddsp_edge.transcription.performance import write_performance
from ddsp_edge.transcription.resynthesis import played

NOTES = [Note(0.2, 0.7, 60, 100, "violin"), Note(0.9, 1.4, 64, 100, "oboe")]


def test_without_a_trained_instrument_notes_are_plain_harmonics(tmp_path):
    assert write_performance(tmp_path / "out.wav", NOTES, 2.0, {}, 16_000) == []
    audio, rate = read_audio(tmp_path / "out.wav")
    assert rate == 16_000
    np.testing.assert_allclose(audio, played(NOTES, 16_000, 32_000), atol=1e-4)


def test_a_trained_instrument_plays_its_part_and_harmonics_the_rest(tmp_path, tiny):
    out = tmp_path / "out.wav"
    assert write_performance(out, NOTES, 2.0, {"violin": tiny}, 16_000) == ["violin"]
    audio, rate = read_audio(out)
    assert len(audio) == 2 * rate  # as long as the recording
    plain = played(NOTES[1:], rate, 2 * rate)
    trained = audio - plain
    assert np.abs(trained[: int(0.18 * rate)]).max() < 1e-3
    assert np.sqrt(np.mean(trained[int(0.3 * rate) : int(0.7 * rate)] ** 2)) > 1e-4
    assert np.abs(plain[int(0.2 * rate) : int(0.8 * rate)]).max() == 0.0


@pytest.mark.parametrize("seconds", [0.5, 4.0])
def test_it_is_as_long_as_the_recording(tmp_path, tiny, seconds):
    write_performance(tmp_path / "out.wav", NOTES[:1], seconds, {"violin": tiny}, 16_000)
    audio, rate = read_audio(tmp_path / "out.wav")
    assert len(audio) == round(seconds * rate)
