"""Operations with gradients of their own have first derivatives, and say so; and what they share."""

import numpy as np
import pytest
import tensorflow as tf

from ddsp_tf.errors import DdspError
from ddsp_tf.frames import FrameSpec
from ddsp_tf.ops import fft_size, filter_frames, harmonic_oscillator, sinusoidal_oscillator
from ddsp_tf.ops.frames import cut_windows, overlap_add

SPEC = FrameSpec(16000, 64)
OPERATIONS = {
    "harmonics": (lambda f, a: harmonic_oscillator(f[..., :1], a, SPEC)[0], 3),
    "sinusoids": (lambda f, a: sinusoidal_oscillator(f, a, SPEC)[0], 3),
    "filters": (lambda f, a: filter_frames(tf.reshape(f, [1, -1])[:, :256], a, 64)[0], 64),
}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("by", [0, 1])
def test_a_second_derivative_is_refused(name, by):
    operation, channels = OPERATIONS[name]
    values = [tf.fill([1, 4, channels], 300.0), tf.fill([1, 4, channels], 0.5)]
    with tf.GradientTape() as outer:
        outer.watch(values)
        with tf.GradientTape() as inner:
            inner.watch(values)
            value = tf.reduce_sum(operation(*values) ** 2)
        gradient = inner.gradient(value, values[by])
    with pytest.raises(DdspError, match="first derivatives only"):
        outer.gradient(gradient, values[by])


def test_sizes_of_transforms_are_the_smallest_of_small_factors():
    def is_smooth(n):
        for factor in (2, 3, 5, 7):
            while n % factor == 0:
                n //= factor
        return n == 1

    smooth = [n for n in range(1, 4000) if is_smooth(n)]
    for at_least in [*range(1, 700), 1009, 2999]:
        assert fft_size(at_least) == next(n for n in smooth if n >= at_least)


@pytest.mark.parametrize(
    ("length", "hop"), [(5, 2), (191, 64), (192, 64), (64, 64), (3, 8), (300, 7), (8, 1)]
)
def test_windows_are_those_of_tensorflow_and_add_up_as_its(length, hop):
    """Few windows that overlap and many, whole hops and odd lengths."""
    audio = tf.random.stateless_normal([2, 1000], [1, 2])
    windows = tf.signal.frame(audio, length, hop)
    np.testing.assert_array_equal(cut_windows(audio, length, hop), windows)
    if length < hop:
        return
    want = tf.signal.overlap_and_add(windows, hop)
    np.testing.assert_allclose(overlap_add(windows, hop), want, atol=1e-5)  # of up to 43 terms
