"""The linear recurrence against a loop in float64, and its gradients against TensorFlow's of that loop."""

import numpy as np
import pytest
import tensorflow as tf

from ddsp_tf.ops.linear_recurrence import linear_recurrence


@pytest.mark.parametrize("frames", [1, 2, 60])
def test_states_and_all_gradients_are_those_of_the_loop(frames):
    rng = np.random.default_rng(frames)
    keep, add, state = (
        rng.uniform(size=[2, frames, 3]),
        rng.normal(size=[2, frames, 3]),
        rng.normal(size=[2, 3]),
    )

    def loop(keep, add, state):
        states = []
        for t in range(frames):
            state = keep[:, t] * state + add[:, t]
            states.append(state)
        return tf.stack(states, axis=1)

    results = []
    for function, dtype in ((loop, tf.float64), (linear_recurrence, tf.float32)):
        sources = [tf.constant(x, dtype) for x in (keep, add, state)]
        with tf.GradientTape() as tape:
            tape.watch(sources)
            states = function(*sources)
            value = tf.reduce_sum(tf.sin(states))
        results.append([states, *tape.gradient(value, sources)])
    for expected, received in zip(*results, strict=True):
        np.testing.assert_allclose(received, expected, atol=1e-5)  # float32, values of a few units
