"""Keras metrics of sound."""

import numpy as np
import pytest

from ddsp_edge.features.loudness import loudness_db
from ddsp_edge.units import Array
from ddsp_tf.frames import FrameSpec
from ddsp_tf.losses import MultiScaleSpectralLoss
from ddsp_tf.metrics import LoudnessL1, MultiScaleSpectralDistance


def _sounds(batch: int, n: int = 2000) -> tuple[Array, Array]:
    rng = np.random.default_rng(5)
    return (0.1 * rng.standard_normal((2, batch, n))).astype(np.float32)


def test_distance_is_the_mean_over_all_examples_of_uneven_batches() -> None:
    y_true, y_pred = _sounds(5)
    metric = MultiScaleSpectralDistance((256, 64))
    metric.update_state(y_true[:3], y_pred[:3])
    metric.update_state(y_true[3:], 0.5 * y_pred[3:])
    scaled = np.concatenate([y_pred[:3], 0.5 * y_pred[3:]])
    # The loss itself is held to a float64 oracle elsewhere; this is about the mean. float32 sums.
    assert float(metric.result()) == pytest.approx(
        float(MultiScaleSpectralLoss((256, 64))(y_true, scaled)), rel=1e-5
    )
    metric.reset_state()
    assert float(metric.result()) == 0.0


def test_halving_the_amplitude_is_six_decibels() -> None:
    y_true, _ = _sounds(2)
    metric = LoudnessL1(16_000, 64)
    metric.update_state(y_true, 0.5 * y_true)
    # The floor of -80 dB moves a sound at -20 dB by less than a hundredth.
    assert float(metric.result()) == pytest.approx(20.0 * np.log10(2.0), abs=0.01)


def test_only_frames_with_a_loud_reference_count_if_asked() -> None:
    y_true, y_pred = _sounds(1, 4000)
    y_true[:, 2000:] = 0.0
    spec = FrameSpec(16_000, 50)
    reference, estimate = loudness_db(y_true[0], spec), loudness_db(y_pred[0], spec)
    difference = np.abs(reference - estimate)
    for limit, expected in ((None, np.mean(difference)), (-70.0, np.mean(difference[reference > -70.0]))):
        metric = LoudnessL1(16_000, 50, reference_above_db=limit)
        metric.update_state(y_true, y_pred)
        assert float(metric.result()) == pytest.approx(
            expected, abs=2e-3
        )  # the bound between both loudnesses


def test_sample_weights_choose_examples() -> None:
    y_true, y_pred = _sounds(2)
    metric, alone = LoudnessL1(16_000, 64), LoudnessL1(16_000, 64)
    metric.update_state(y_true, y_pred, sample_weight=np.array([0.0, 1.0], np.float32))
    alone.update_state(y_true[1:], y_pred[1:])
    assert float(metric.result()) == pytest.approx(float(alone.result()), rel=1e-5)


def test_configurations_are_complete() -> None:
    for metric in (MultiScaleSpectralDistance((128, 64), name="d"), LoudnessL1(8_000, 40, -60.0, name="l")):
        again = type(metric).from_config(metric.get_config())
        assert again.get_config() == metric.get_config()
