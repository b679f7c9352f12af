"""Fixtures of the data tests."""

from pathlib import Path

import pytest

from ddsp_tf.config import DataConfig
from ddsp_tf.data import prepare
from ddsp_tf.frames import FrameSpec
from tests.data.doubles import ConstantEstimator
from tests.data.sounds import swelling, write


@pytest.fixture(scope="session")
def spec() -> FrameSpec:
    """16 kHz, 125 frames a second."""
    return FrameSpec(16_000, 128)


@pytest.fixture(scope="session")
def short() -> DataConfig:
    """Passages of two seconds, a quarter of them held back."""
    return DataConfig(passage_seconds=2.0, validation_share=0.25)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, spec: FrameSpec, short: DataConfig) -> Path:
    """A dataset of two recordings, 20 s and 7 s, that no test may change."""
    folder = tmp_path_factory.mktemp("made")
    files = [
        write(folder / "one.wav", swelling(20.0)),
        write(folder / "two.flac", swelling(7.0, f0_hz=330.0)),
    ]
    prepare(files, folder / "dataset", spec, short, estimator=ConstantEstimator(), jobs=1)
    return folder / "dataset"
