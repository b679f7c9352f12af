"""The loop of a gated recurrent unit and its gradients, fast on a CPU."""

import tensorflow as tf

from ddsp_tf.ops.compiled import compiled, first_order


def gated_recurrence(
    gates: tf.Tensor, recurrent_kernel: tf.Tensor, recurrent_bias: tf.Tensor, state: tf.Tensor
) -> tf.Tensor:
    """Run a gated recurrent unit over a sequence whose inputs were multiplied by the kernel before.

    With `r = recurrent_kernel`, and `a = h r + recurrent_bias` split like the gates:

        z = sigmoid(gates_z + a_z),  r = sigmoid(gates_r + a_r),  c = tanh(gates_h + r a_h)
        h' = z h + (1 - z) c

    Only what depends on the frame before is in the loop, there and back; the gradient of the recurrent
    kernel is one matrix product after it. Gradients reach all four arguments.

    Args:
        gates: float32 `[batch, frames, 3 * units]`, in Keras' order: update, reset, candidate.
        recurrent_kernel: float32 `[units, 3 * units]`.
        recurrent_bias: float32 `[3 * units]`.
        state: float32 `[batch, units]`, before the first frame.

    Returns:
        `[batch, frames, units]`, the state after each frame.
    """

    units = recurrent_kernel.shape[0]

    @tf.custom_gradient
    def run(*sources: tf.Tensor) -> tf.Tensor:
        outputs, kept = _forward(*map(tf.stop_gradient, sources), units=units)

        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
            _, kernel, _, first = map(tf.stop_gradient, sources)
            return _backward(upstream, outputs, kept, kernel, first, units=units)

        return outputs, first_order(gradient, *sources)

    return run(gates, recurrent_kernel, recurrent_bias, state)


@compiled
def _forward(
    gates: tf.Tensor,
    recurrent_kernel: tf.Tensor,
    recurrent_bias: tf.Tensor,
    state: tf.Tensor,
    units: int,
) -> tuple[tf.Tensor, tf.Tensor]:
    """States `[batch, frames, units]`; update, reset, candidate and `a_h` for the gradient, by frame."""
    frames = tf.shape(gates)[1]
    inputs = tf.transpose(gates, [1, 0, 2])

    def frame(i: tf.Tensor, h: tf.Tensor, states: tf.Tensor, kept: tf.Tensor) -> tuple[tf.Tensor, ...]:
        own = inputs[i]
        recurrent = tf.matmul(h, recurrent_kernel) + recurrent_bias
        both = tf.sigmoid(own[:, : 2 * units] + recurrent[:, : 2 * units])
        update, reset = both[:, :units], both[:, units:]
        before_reset = recurrent[:, 2 * units :]
        candidate = tf.tanh(own[:, 2 * units :] + reset * before_reset)
        h = tf.ensure_shape(update * h + (1.0 - update) * candidate, state.shape)
        kept = kept.write(i, tf.concat([both, candidate, before_reset], axis=1))
        return i + 1, h, states.write(i, h), kept

    _, _, states, kept = tf.while_loop(
        lambda i, *_: i < frames,
        frame,
        [0, state, _array(frames, units), _array(frames, 4 * units)],
        maximum_iterations=frames,
    )
    return tf.transpose(states.stack(), [1, 0, 2]), kept.stack()


@compiled
def _backward(
    upstream: tf.Tensor,
    outputs: tf.Tensor,
    kept: tf.Tensor,
    recurrent_kernel: tf.Tensor,
    state: tf.Tensor,
    units: int,
) -> tuple[tf.Tensor, ...]:
    """Gradients of the four arguments of `gated_recurrence`."""
    frames = tf.shape(kept)[0]
    update, reset, candidate, before_reset = tf.split(kept, 4, axis=2)
    earlier = tf.concat([state[tf.newaxis], tf.transpose(outputs[:, :-1], [1, 0, 2])], axis=0)
    # What the gradient of a state is multiplied by to reach the sums inside the gates.
    to_candidate = (1.0 - update) * (1.0 - candidate * candidate)
    to_update = (earlier - candidate) * update * (1.0 - update)
    to_reset = to_candidate * before_reset * reset * (1.0 - reset)
    factors = tf.concat([to_update, to_reset, to_candidate * reset], axis=2)
    wanted = tf.transpose(upstream, [1, 0, 2])
    transposed = tf.transpose(recurrent_kernel)

    def frame(i: tf.Tensor, by_state: tf.Tensor, by_states: tf.Tensor) -> tuple[tf.Tensor, ...]:
        t = frames - 1 - i
        by_state += wanted[t]
        by_sums = factors[t] * tf.tile(by_state, [1, 3])
        before = by_state * update[t] + tf.matmul(by_sums, transposed)
        before = tf.ensure_shape(before, state.shape)
        return i + 1, before, by_states.write(t, by_state)

    _, by_first, by_states = tf.while_loop(
        lambda i, *_: i < frames,
        frame,
        [0, tf.zeros_like(state), _array(frames, units)],
        maximum_iterations=frames,
    )
    by_states = by_states.stack()
    by_sums = factors * tf.tile(by_states, [1, 1, 3])
    by_gates = tf.concat([by_sums[:, :, : 2 * units], to_candidate * by_states], axis=2)
    flat = tf.reshape(by_sums, [-1, 3 * units])
    by_kernel = tf.matmul(tf.reshape(earlier, [-1, units]), flat, transpose_a=True)
    return tf.transpose(by_gates, [1, 0, 2]), by_kernel, tf.reduce_sum(flat, axis=0), by_first


def _array(frames: tf.Tensor, channels: int) -> tf.TensorArray:
    return tf.TensorArray(tf.float32, frames, element_shape=[None, channels])
