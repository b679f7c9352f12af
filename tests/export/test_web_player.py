"""With float32 weights the player in JavaScript gives the samples of the device side (law 1), in Node."""

import numpy as np
import pytest

from ddsp_edge import Instrument
from tests.web.test_player import NODE, expected, features, played, white


@pytest.mark.skipif(NODE is None, reason="there is no Node to run JavaScript with")
def test_samples_are_those_of_the_device_side(exported, tmp_path):
    model, _ = exported("float32")
    instrument = Instrument(model, backend="numpy")
    f0_hz, loudness_db = features(instrument, 3.0)
    noise = white(instrument, len(f0_hz))
    want = expected(model, f0_hz, loudness_db, noise)
    found = played(model, tmp_path, f0_hz, loudness_db, noise)
    assert np.abs(want).max() > 0.01
    assert np.abs(found - want).max() < 1e-6
