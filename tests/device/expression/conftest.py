"""An instrument with an expression, of weights drawn at random: what holds of it holds of any."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from ddsp_edge.expression.network import LATE, LAYERS, MOST_LATE_S, N_INPUTS, N_OUTPUTS, PREFIX
from ddsp_edge.model.file import read_instrument_file, write_model_file
from tests.device.conftest import TINY

UNITS = 8


WRONG = [
    lambda arrays: arrays.pop(f"{PREFIX}_1_bias"),
    lambda arrays: arrays.update({f"{PREFIX}_0_weights": np.zeros((N_INPUTS + 1, 8), np.float32)}),
    lambda arrays: arrays.update({f"{PREFIX}_2_bias": np.zeros(N_OUTPUTS + 1, np.float32)}),
    lambda arrays: arrays.update({f"{PREFIX}_1_weights": np.zeros(8, np.float32)}),
]
"""What makes arrays that do not fit each other of those that do."""


def random_arrays(seed, size=1.0):
    """Arrays of an expression; `size` is how large its weights are."""
    random = np.random.default_rng(seed)
    sizes = [N_INPUTS, *[UNITS] * (LAYERS - 1), N_OUTPUTS]
    arrays = {}
    for number, shape in enumerate(pairwise(sizes)):
        arrays[f"{PREFIX}_{number}_weights"] = (size * random.normal(size=shape)).astype(np.float32)
        arrays[f"{PREFIX}_{number}_bias"] = (size * random.normal(size=shape[1])).astype(np.float32)
    arrays[LATE] = random.uniform(-MOST_LATE_S, MOST_LATE_S, 128).astype(np.float16).astype(np.float32)
    return arrays


def with_arrays(path, arrays):
    """Write the small instrument with further arrays."""
    file = read_instrument_file(TINY)
    write_model_file(path, file.model, dataclasses.replace(file.card), {**file.arrays, **arrays})
    return path


@pytest.fixture(scope="session")
def expressive(tmp_path_factory):
    """The small instrument with an expression."""
    return with_arrays(tmp_path_factory.mktemp("expression") / "expressive.tflite", random_arrays(1))
