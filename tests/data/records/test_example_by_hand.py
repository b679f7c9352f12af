"""The example that writes records by hand writes what training reads."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from ddsp_tf.data import load_dataset_info, read_passages, training_dataset
from ddsp_tf.frames import FrameSpec

EXAMPLE = Path(__file__).parents[3] / "examples" / "write_records.py"


def test_a_dataset_written_by_hand_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "dataset"
    monkeypatch.setattr(sys, "argv", [str(EXAMPLE), str(out)])
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    info = load_dataset_info(out)
    assert (info.train_seconds, info.validation_seconds) == (12.0, 4.0)
    passages = list(read_passages(out, "train"))
    assert [(p.source, len(p.audio), p.f0_hz[7]) for p in passages] == [
        ("train 0", 64_000, 220.0),
        ("train 1", 64_000, 247.0),
        ("train 2", 64_000, 262.0),
    ]
    t = np.arange(64_000) / 16_000
    wanted = 0.1 * np.sin(2.0 * np.pi * 220.0 * t) + 0.05 * np.sin(4.0 * np.pi * 220.0 * t)
    np.testing.assert_allclose(passages[0].audio, wanted, atol=0.51 / 32768)
    features, audio = next(iter(training_dataset(out, FrameSpec(16_000, 128), batch_size=2, clip_frames=125)))
    assert features["f0_hz"].shape == (2, 125, 1)
    assert audio.shape == (2, 16_000)
