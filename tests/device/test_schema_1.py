"""Files of schema 1 sound as they did: today's code against samples of the code before schema 2.

`data/schema_1/make_files.py` says how they were made.
"""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from ddsp_edge import Instrument, StepModel
from tests.device.conftest import TINY

FOLDER = Path(__file__).parent / "data" / "schema_1"
FILES = (TINY, FOLDER / "dry-24k.tflite", FOLDER / "mix-48k.tflite")
CASES = [(path, backend) for path in FILES for backend in np.load(FOLDER / f"{path.stem}.npz")]
CASES = [(path, backend) for path, backend in CASES if backend in ("play", "step", "numpy")]

# On the machine that made them samples are the same bit for bit. Another processor sums in another order, and
# where weights have 8 bits, activations that differ in their last bit may round to the next of 256 steps.
BOUND = {"tiny-instrument": 3e-3, "dry-24k": 1e-6, "mix-48k": 3e-3}


def test_they_are_files_of_schema_1():
    for path in FILES:
        with zipfile.ZipFile(path) as archive:
            assert b'"schema_version": 1' in archive.read("metadata.json")
        assert path.stat().st_size < 150_000
    assert len(CASES) == 3 + 2 + 2


@pytest.mark.parametrize(("path", "backend"), CASES, ids=lambda value: getattr(value, "stem", value))
def test_they_sound_as_before(path, backend):
    before = np.load(FOLDER / f"{path.stem}.npz")
    instrument = Instrument(path, seed=7, backend=backend)
    found = instrument.process(before["f0_hz"], before["loudness_db"])
    found = np.concatenate([found, instrument.flush()])
    assert np.abs(before[backend]).max() > 1e-3
    np.testing.assert_allclose(found, before[backend], atol=BOUND[path.stem], rtol=0)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_their_networks_run_by_the_card(path):
    model = StepModel(path)
    outputs = model.process(f0_scaled=np.full([3, 1], 0.5), loudness_scaled=np.full([3, 1], 0.6))
    assert "harmonic_distribution" in outputs
