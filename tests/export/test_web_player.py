"""With float32 weights the player in JavaScript gives the samples of the device side (law 1), in Node."""

import numpy as np
import pytest

from tests.web.test_player import NODE, samples_of_both


@pytest.mark.skipif(NODE is None, reason="there is no Node to run JavaScript with")
def test_samples_are_those_of_the_device_side(exported, tmp_path):
    model, _ = exported("float32")
    found, want = samples_of_both(model, tmp_path, 3.0)
    assert np.abs(found - want).max() < 1e-6
