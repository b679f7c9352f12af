"""From frames to samples, against plain loops and scipy."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from scipy.interpolate import CubicHermiteSpline

from ddsp_tf.errors import DdspError
from ddsp_tf.ops import crossfade, frames_to_samples, resampling_delay, stream_frames_to_samples

METHODS = ["nearest", "linear", "cubic", "window"]
HOPS = [1, 2, 3, 64, 80, 441]
FRAMES = np.random.default_rng(0).normal(size=[2, 9, 3])


def resample(frames, hop, method):
    """frames [frames] -> [frames * hop]; frame i is sample (i + 1) * hop, frame 0 lasts back to sample 0."""
    times = np.arange(len(frames) + 1) * hop
    values = np.concatenate([frames[:1], frames])
    samples = np.arange(len(frames) * hop)
    if method == "linear":
        return np.interp(samples, times, values)
    if method == "cubic":  # slopes: half the difference of the neighbours, held at both ends
        around = np.concatenate([values[:1], values, values[-1:]])
        return CubicHermiteSpline(times, values, (around[2:] - around[:-2]) / (2 * hop))(samples)
    if method == "window":  # overlap-add of Hann windows of two hops, the ends held
        out = np.zeros((len(frames) + 2) * hop)
        hann = 0.5 - 0.5 * np.cos(np.pi * np.arange(2 * hop) / hop)
        for i, value in enumerate(values):
            out[i * hop : (i + 2) * hop] += value * hann
        return out[hop : (len(frames) + 1) * hop]
    return np.array([values[int(np.floor(n / hop + 0.5))] for n in samples])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("hop", HOPS)
def test_resampling_equals_float64_oracle(hop, method):
    got = frames_to_samples(tf.constant(FRAMES, tf.float32), hop, method)
    assert got.shape == (2, 9 * hop, 3)
    want = np.apply_along_axis(resample, 1, FRAMES, hop, method)
    np.testing.assert_allclose(got, want, atol=2e-6)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("hop", [1, 7, 64])
def test_blocks_of_any_size_give_the_samples_of_one_piece_late_by_the_declared_delay(hop, method):
    frames = tf.constant(FRAMES, tf.float32)
    delay = resampling_delay(method) * hop
    whole = frames_to_samples(frames, hop, method).numpy()
    for cuts in ([], [1], [1, 2, 3], [4, 5], [1, 2, 3, 4, 5, 6, 7, 8]):
        state, parts = None, []
        for start, stop in itertools.pairwise([0, *cuts, 9]):
            part, state = stream_frames_to_samples(frames[:, start:stop], hop, method, state)
            parts.append(part)
        got = np.concatenate(parts, axis=1)
        np.testing.assert_allclose(got[:, delay:], whole[:, : 9 * hop - delay], atol=1e-6)


def test_window_is_the_crossfade_of_the_processors():
    frames = tf.constant(FRAMES[..., :1], tf.float32)
    want = crossfade(frames[..., 0], None, 50)
    np.testing.assert_allclose(frames_to_samples(frames, 50)[..., 0], want, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_constants_stay_and_frames_sit_on_their_samples(method):
    hop = 16
    constant = frames_to_samples(tf.fill([1, 5, 1], 0.7), hop, method)
    np.testing.assert_allclose(constant, 0.7, atol=1e-6)
    frames = tf.constant(FRAMES, tf.float32)
    samples = frames_to_samples(frames, hop, method)
    np.testing.assert_allclose(samples[:, hop::hop], frames[:, :-1], atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_symbolic_shapes_and_gradients(method):
    @tf.function(input_signature=[tf.TensorSpec([None, None, 2])])
    def gradient(frames):
        with tf.GradientTape() as tape:
            tape.watch(frames)
            total = tf.reduce_sum(frames_to_samples(frames, 8, method))
        return tape.gradient(total, frames)

    for frames in (1, 2, 6):
        got = gradient(tf.ones([3, frames, 2]))
        assert got.shape == (3, frames, 2)
        # Weights sum to one at every sample.
        np.testing.assert_allclose(tf.reduce_sum(got, axis=1), frames * 8, rtol=1e-5)


@pytest.mark.parametrize(
    ("hop", "method", "words"),
    [(4, "lineer", "Did you mean 'linear'"), (0, "linear", "hop=0"), (2.0, "cubic", r"hop=2\.0")],
)
def test_impossible_arguments_are_refused(hop, method, words):
    with pytest.raises(DdspError, match=words):
        frames_to_samples(tf.ones([1, 2, 1]), hop, method)
