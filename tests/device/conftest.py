"""Fixtures of the device tests, which pass without TensorFlow.

With `DDSP_BLOCK_TENSORFLOW=1` an import of anything heavy fails, as it would on a device.
"""

import os
import sys
from pathlib import Path

import pytest

HEAVY = ("tensorflow", "keras", "librosa", "scipy")

if os.environ.get("DDSP_BLOCK_TENSORFLOW") == "1":
    sys.modules.update(dict.fromkeys(HEAVY))  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def tiny() -> Path:
    """A small instrument: 16 kHz, hop 128, harmonics, noise and a short room."""
    return Path(__file__).parent / "data" / "tiny-instrument.tflite"
