"""Sizes that follow from the sample rate."""

import itertools

import pytest

from ddsp_tf.config import Config, load_config
from ddsp_tf.errors import DdspError
from ddsp_tf.losses.spectral import FFT_SIZES
from ddsp_tf.rates import fft_sizes_for, n_bands_for, n_harmonics_for, resolved
from tests import tiny

RATES = {"solo_instrument": 16_000, "solo_24k": 24_000, "solo_44k": 44_100, "solo_48k": 48_000}


def sizes_of(config):
    """What a configuration leaves to the rate, by name."""
    nodes = {node["type"]: node["config"] for node in config.model.processors.nodes if "config" in node}
    return {**nodes["Harmonic"], **nodes["FilteredNoise"], **nodes["Room"], "fft": config.loss.fft_sizes}


def test_at_16_khz_sizes_are_those_that_they_always_were():
    expected = {"n_harmonics": 60, "n_bands": 65, "length_samples": 16_000, "fft": FFT_SIZES}
    assert sizes_of(load_config("solo_instrument")) == expected
    assert sizes_of(load_config("demo")) == expected


@pytest.mark.parametrize(("name", "rate"), RATES.items())
def test_shipped_configurations_keep_hertz_and_seconds(name, rate):
    config = load_config(name)
    sizes = sizes_of(config)
    assert config.sample_rate == rate
    assert sizes["length_samples"] == rate
    bands_hz = rate / 2 / (sizes["n_bands"] - 1)
    assert bands_hz == pytest.approx(125.0, rel=0.005)
    reach_hz = 133.0 * sizes["n_harmonics"]
    assert min(rate / 2, 16_000) - 133.0 <= reach_hz <= min(rate / 2, 16_000)
    assert 0.064 < max(sizes["fft"]) / rate <= 0.128
    assert 0.002 < min(sizes["fft"]) / rate <= 0.004
    assert config.spec.frame_rate == pytest.approx(125.0, rel=0.01)


def test_one_configuration_serves_any_rate():
    for name, rate in RATES.items():
        frames = load_config(name).frame_rate
        overrides = [f"sample_rate={rate}", f"frame_rate={frames}"]
        assert load_config("solo_instrument", overrides).model == load_config(name).model


@pytest.mark.parametrize("rate", [4_000, 8_000, 11_025, 22_050, 32_000, 96_000, 192_000, 768_000])
def test_any_rate_has_sizes_that_are_allowed(rate):
    sizes = fft_sizes_for(rate)
    assert all(16 <= size <= 65_536 * 2 and size % 4 == 0 for size in sizes)
    assert all(a == 2 * b for a, b in itertools.pairwise(sizes))
    assert 1 <= n_harmonics_for(rate) <= 120
    assert n_bands_for(rate) >= 17


def test_numbers_that_are_given_stay_and_the_run_holds_numbers():
    values = tiny.settings()
    assert resolved(values)["model"] == values["model"]
    del values["loss"]["fft_sizes"]
    assert Config.from_dict(values).loss.fft_sizes == FFT_SIZES
    assert "auto" not in Config.from_dict(values).to_yaml().replace("f0: auto", "")


@pytest.mark.parametrize(
    "broken",
    [
        {"sample_rate": "x"},
        {"sample_rate": 16_000, "loss": 3},
        {"sample_rate": 16_000, "model": {"processors": 3}},
    ],
)
def test_what_is_wrong_is_left_to_be_refused(broken):
    with pytest.raises(DdspError):
        Config.from_dict(broken)


def test_auto_where_it_means_nothing_is_refused():
    with pytest.raises(DdspError, match=r"loss\.magnitude_weight must be a number\. Received: 'auto'"):
        load_config("solo_instrument", ["loss.magnitude_weight=auto"])
