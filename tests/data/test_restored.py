"""Recordings are restored once, before they are measured, and what cannot be is left to be named."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from ddsp_tf.data.prepare.restored import restore_recordings
from ddsp_tf.errors import DdspError

DATA = Path(__file__).parents[1] / "device" / "data"
MODEL = DATA / "tiny-restoration.tflite"


@pytest.fixture
def recordings(tmp_path):
    folder = tmp_path / "takes"
    folder.mkdir()
    audio = np.random.default_rng(1).standard_normal(20_000) * 0.1
    soundfile.write(folder / "one.wav", audio, 22_050)
    (folder / "two.wav").write_bytes(b"RIFF nothing")
    return folder


def test_recordings_are_restored_beside_the_dataset_and_once(recordings, tmp_path):
    told = []
    found = restore_recordings([recordings], tmp_path / "data", MODEL, lambda *x: told.append(x))
    [restored, broken] = found.recordings
    assert broken == recordings / "two.wav"
    assert any("two.wav was not restored and is taken as it is" in line for line in found.notices)
    assert Path(restored).is_relative_to(tmp_path / "data-restored")
    info = soundfile.info(restored)
    assert (info.frames, info.samplerate) == (20_000, 22_050)
    assert told[-1][0] == pytest.approx(20_000 / 22_050)
    assert "listen to them before you train" in found.notices[0]
    changed = Path(restored).stat().st_mtime_ns
    again = restore_recordings({"clean": [recordings]}, tmp_path / "data", MODEL)
    assert list(again.recordings) == ["clean"]
    restore_recordings([recordings], tmp_path / "data", MODEL)
    assert Path(restored).stat().st_mtime_ns == changed


def test_a_model_of_another_task_is_refused(recordings, tmp_path):
    with pytest.raises(DdspError, match="not a restoration"):
        restore_recordings([recordings], tmp_path / "data", DATA / "tiny-instrument.tflite")
