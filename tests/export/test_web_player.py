"""With float32 weights the player in JavaScript gives the samples of the device side (law 1), in Node."""

import numpy as np
import pytest

from ddsp_edge import Instrument
from ddsp_edge.model.file import read_instrument_file, write_model_file
from tests.device.expression.conftest import random_arrays
from tests.web.test_expression import EVENTS, FRAMES, in_javascript, javascript, on_the_device
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


@pytest.mark.skipif(NODE is None, reason="there is no Node to run JavaScript with")
@pytest.mark.parametrize("expression", [0.0, 0.5, 1.0])
def test_notes_that_are_played_are_those_of_the_device_side(exported, tmp_path, expression):
    file = read_instrument_file(exported("float32")[0])
    model = tmp_path / "expressive.tflite"
    write_model_file(model, file.model, file.card, {**file.arrays, **random_arrays(1)})
    settings = {"expression": expression, "noise_db": -80.0}  # noise is drawn anew each time
    score = {"hops": FRAMES, "events": in_javascript(EVENTS)}
    _, found = javascript(model, tmp_path, score, **settings)
    _, want = on_the_device(model, EVENTS, FRAMES, **settings)
    assert np.abs(want).max() > 0.01
    assert np.abs(found - want).max() < 1e-4
