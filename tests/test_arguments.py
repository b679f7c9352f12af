"""Numbers are numbers, wherever they come from."""

import json

import numpy as np
import pytest
import yaml

from ddsp_tf.arguments import check_above, check_boolean, check_choice, check_integer, check_number
from ddsp_tf.config import Config
from ddsp_tf.errors import DdspError
from ddsp_tf.frames import FrameSpec
from ddsp_tf.models import Autoencoder
from tests import tiny


@pytest.mark.parametrize("kind", [int, np.int64, np.uint8, np.int16, np.array])
def test_integers_of_numpy_become_those_of_python(kind):
    for value in (check_integer("x", "n", kind(3), 1, 9), check_choice("x", "n", kind(3), (2, 3))):
        assert type(value) is int
        assert value == 3
    assert type(check_number("x", "n", kind(3), 0.0, 9.0)) is float
    spec = FrameSpec(kind(100), kind(20))
    assert json.dumps([spec.sample_rate, spec.hop]) == "[100, 20]"
    assert FrameSpec.from_frame_rate(kind(100), kind(5)) == spec


@pytest.mark.parametrize("kind", [float, np.float64, np.float32, np.float16, np.array])
def test_numbers_of_numpy_become_those_of_python(kind):
    for value in (check_number("x", "n", kind(0.5), 0.0, 1.0), check_above("x", "n", kind(0.5), 0.0)):
        assert type(value) is float
        assert value == 0.5
    assert FrameSpec(100, 20).frames_for(kind(0.5)) == 2
    with pytest.raises(DdspError, match="must be an integer within 0 to 9"):
        check_integer("x", "n", kind(3.0), 0, 9)


@pytest.mark.parametrize("value", ["3", None, True, np.True_, [3], np.array([3]), 3j])
def test_what_is_no_number_is_refused(value):
    for check in (
        lambda: check_integer("x", "n", value, 0, 9),
        lambda: check_number("x", "n", value, 0.0, 9.0),
        lambda: check_above("x", "n", value, 0.0),
        lambda: FrameSpec(value, 1),
    ):
        with pytest.raises(DdspError, match="Received: "):
            check()


def test_truth_is_that_of_numpy_too_and_choices_are_of_one_kind():
    assert check_boolean("x", "n", np.True_) is True
    with pytest.raises(DdspError, match="must be True or False"):
        check_boolean("x", "n", 1)
    for value in (True, 2.0, "two"):
        with pytest.raises(DdspError, match="must be one of 1, 2"):
            check_choice("x", "n", value, (1, 2))


def of_numpy(value):
    """A configuration whose numbers are those of numpy."""
    if isinstance(value, dict):
        return {key: of_numpy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [of_numpy(item) for item in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return np.int64(value) if isinstance(value, int) else np.float64(value)


def test_a_configuration_of_numpys_numbers_is_that_of_pythons():
    want, got = Config.from_dict(tiny.settings()), Config.from_dict(of_numpy(tiny.settings()))
    assert got == want
    assert json.dumps(got.to_dict()) == json.dumps(want.to_dict())
    assert yaml.safe_load(yaml.safe_dump(got.to_dict())) == want.to_dict()
    models = [Autoencoder.from_experiment(config) for config in (want, got)]
    assert json.dumps(models[1].get_config()) == json.dumps(models[0].get_config())
