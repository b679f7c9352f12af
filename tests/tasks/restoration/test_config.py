"""What is wrong in a configuration of the task is named before any work starts."""

import pytest

from ddsp_tf.config.sections import Config
from ddsp_tf.errors import DdspError
from tests.tasks.restoration import sounds


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"mixtures": {"snr_min_db": 30.0}}, "snr_min_db must not be above"),
        ({"mixtures": {"clean_share": 0.8, "noise_share": 0.4}}, "clean_share"),
        ({"mixtures": {"hum": 1}}, r"unknown key 'mixtures\.hum'"),
        ({"data": {"together": "("}}, "data.together is no regular expression"),
        ({"network": {"low_bins": 250}}, "must not be more than the 257 bins"),
        ({"loss": {"fft_sizes": [100, 100]}}, "loss.fft_sizes must be one or more different"),
        ({"training": {"precision": "bfloat16"}}, "training.precision must be float32"),
    ],
)
def test_what_is_wrong_in_a_configuration_is_named(section, words):
    values = sounds.settings()
    for name, changes in section.items():
        values[name] = {**values.get(name, {}), **changes}
    with pytest.raises(DdspError, match=words):
        Config.from_dict(values)
