"""Ratios and distances of restored sound, against their definitions in float64."""

import keras
import numpy as np
import pytest

from ddsp_tf.errors import DdspError
from ddsp_tf.metrics import LogSpectralDistance, SiSdr
from ddsp_tf.metrics.distortion import log_spectral_distance_db, si_sdr_db


def pair(seed=0, noise=0.1):
    rng = np.random.default_rng(seed)
    target = rng.standard_normal((3, 4_000)).astype(np.float32) * 0.1
    return target, (target + noise * 0.1 * rng.standard_normal(target.shape)).astype(np.float32)


def test_si_sdr_is_its_definition():
    target, estimate = pair()
    for s, y, found in zip(
        *(x.astype(np.float64) for x in (target, estimate)), si_sdr_db(target, estimate), strict=True
    ):
        s, y = s - s.mean(), y - y.mean()
        along = (s @ y) / (s @ s) * s
        wanted = 10.0 * np.log10(np.sum(along**2) / np.sum((y - along) ** 2))
        assert float(found) == pytest.approx(wanted, abs=1e-3)


def test_si_sdr_does_not_care_about_level_and_is_finite_in_silence():
    target, estimate = pair()
    np.testing.assert_allclose(si_sdr_db(target, estimate), si_sdr_db(target, 0.3 * estimate), atol=1e-3)
    np.testing.assert_allclose(si_sdr_db(target, estimate), si_sdr_db(5.0 * target, estimate), atol=1e-3)
    assert np.isfinite(si_sdr_db(np.zeros_like(target), estimate)).all()
    assert np.isfinite(si_sdr_db(target, np.zeros_like(target))).all()
    assert np.min(si_sdr_db(target, target)) > 60.0


def test_log_spectral_distance_is_its_definition():
    target, estimate = pair(noise=0.5)
    estimate *= 3.0  # levels are brought together
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(512) / 512)
    for s, y, found in zip(target, estimate, log_spectral_distance_db(target, estimate), strict=True):
        y = y * np.sqrt(np.sum(s**2, dtype=np.float64) / np.sum(y**2, dtype=np.float64))
        starts = range(0, len(s) - 511, 128)
        a, b = (np.abs(np.array([np.fft.rfft(x[i : i + 512] * window) for i in starts])) for x in (s, y))
        floor = a.max() * 1e-3
        level = 20.0 * np.log10(np.maximum(a, floor) / np.maximum(b, floor))
        assert float(found) == pytest.approx(np.sqrt((level**2).mean(axis=1)).mean(), rel=1e-3)


@pytest.mark.parametrize(
    ("metric", "figure"), [(SiSdr, si_sdr_db), (LogSpectralDistance, log_spectral_distance_db)]
)
def test_metrics_are_means_over_all_examples_and_keras_knows_them(metric, figure):
    one, other = pair(1), pair(2, 0.5)
    measured = metric()
    measured.update_state(*one)
    measured.update_state(*other, sample_weight=[1.0, 1.0, 1.0])
    wanted = np.mean([figure(*one), figure(*other)])
    assert float(measured.result()) == pytest.approx(wanted, rel=1e-4)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(measured))
    assert again.name == measured.name
    with pytest.raises(DdspError, match="Received"):
        measured.update_state(one[0], other[0][:, :100])
