"""What a run has come to, to be compared with another."""

import numpy as np
import pytest

from ddsp_tf.training import load_model_of_run
from ddsp_tf.training.callbacks import read_log


def state_of(run):
    """Weights, noise and optimizer of the checkpoint of a run, by name."""
    model = load_model_of_run(run, to_train=True)
    noise = model.processors.processors["noise"].seed_generator.state
    variables = [*model.trainable_variables, noise, *model.optimizer.variables]
    return {f"{i}:{v.path}": np.asarray(v) for i, v in enumerate(variables)}


def losses(run):
    """The log without its clock."""
    clocks = ("seconds", "audio_s_per_s")
    return [{k: float(v) for k, v in row.items() if k not in clocks} for row in read_log(run)]


def assert_same_run(one, two):
    assert [row["step"] for row in losses(one)] == [row["step"] for row in losses(two)]
    for a, b in zip(losses(one), losses(two), strict=True):
        assert a == pytest.approx(b, rel=1e-6)  # float32 rounding
    for (name, value), other in zip(state_of(one).items(), state_of(two).values(), strict=True):
        np.testing.assert_allclose(other, value, rtol=1e-5, atol=1e-7, err_msg=name)
