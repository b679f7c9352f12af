"""The delay line by itself; `tests/layers/test_effects.py` has it against a float64 oracle."""

import re

import numpy as np
import pytest
import tensorflow as tf

from ddsp_tf.errors import DdspError
from ddsp_tf.frames import FrameSpec
from ddsp_tf.ops import fractional_delay
from ddsp_tf.ops.wavetables import wavetable_oscillator


@pytest.mark.parametrize(("interpolation", "degree"), [("linear", 1), ("cubic", 3)])
def test_polynomials_are_delayed_exactly(interpolation, degree):
    n = np.arange(60) / 60.0
    signal = np.polynomial.polynomial.polyval(n, [0.3, -1.0, 0.7, 0.5][: degree + 1])
    delay = np.random.default_rng(0).uniform(1, 9, 60)
    want = np.polynomial.polynomial.polyval(n - delay / 60, [0.3, -1.0, 0.7, 0.5][: degree + 1])
    got, _ = fractional_delay(
        tf.constant(signal[None], tf.float32), tf.constant(delay[None]), 9, interpolation=interpolation
    )
    np.testing.assert_allclose(got[0, 12:], want[12:], atol=1e-6)


def test_a_long_delay_keeps_its_fraction():
    ramp = tf.range(20_000, dtype=tf.float32)[None] / 16.0  # exact in float32
    delay = tf.fill([1, 20_000], tf.constant(15_000.0625, tf.float64))
    got, _ = fractional_delay(ramp, delay, 16_000)
    np.testing.assert_allclose(got[0, 15_001:], (np.arange(15_001, 20_000) - 15_000.0625) / 16, atol=1e-4)


@pytest.mark.parametrize("interpolation", ["linear", "cubic"])
def test_blocks_of_any_size_give_one_piece(interpolation):
    rng = np.random.default_rng(1)
    audio = tf.constant(rng.normal(size=[2, 100]), tf.float32)
    delay = tf.constant(rng.uniform(1, 30, [2, 100]))
    whole, _ = fractional_delay(audio, delay, 30, interpolation=interpolation)
    history, parts = None, []
    for part in (slice(0, 1), slice(1, 40), slice(40, 43), slice(43, 100)):
        out, history = fractional_delay(
            audio[:, part], delay[:, part], 30, history, interpolation=interpolation
        )
        parts.append(out)
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)


@pytest.mark.parametrize(("interpolation", "hint"), [("cubical", " Did you mean 'cubic'?"), (None, "")])
def test_an_interpolation_that_there_is_not_is_refused(interpolation, hint):
    words = f"must be one of 'linear', 'cubic'. Received: interpolation={interpolation!r}.{hint}"
    with pytest.raises(DdspError, match=re.escape(words) + "$"):
        fractional_delay(tf.zeros([1, 8]), tf.ones([1, 8]), 3, interpolation=interpolation)
    with pytest.raises(DdspError, match=re.escape(words) + "$"):
        wavetable_oscillator(tf.ones([1, 2, 1]), tf.ones([1, 2, 8]), FrameSpec(16000, 8), interpolation)
