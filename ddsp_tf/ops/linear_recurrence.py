"""A recurrence that is linear in its state, and its gradients, fast on a CPU."""

import tensorflow as tf

from ddsp_tf.ops.compiled import compiled, first_order


def linear_recurrence(keep: tf.Tensor, add: tf.Tensor, state: tf.Tensor) -> tf.Tensor:
    """Run `h' = keep h + add` over a sequence, channel by channel.

    A plain loop: on a CPU it is faster than a scan of logarithmic depth. Its gradient is the same
    recurrence backwards. It has first derivatives only.

    Args:
        keep: float32 `[batch, frames, units]`.
        add: float32 `[batch, frames, units]`.
        state: float32 `[batch, units]`, before the first frame.

    Returns:
        `[batch, frames, units]`, the state after each frame.
    """

    @tf.custom_gradient
    def run(*sources: tf.Tensor) -> tf.Tensor:
        states = _forward(*map(tf.stop_gradient, sources))

        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
            factors, _, first = map(tf.stop_gradient, sources)
            return _backward(upstream, states, factors, first)

        return states, first_order(gradient, *sources)

    return run(keep, add, state)


@compiled
def _forward(keep: tf.Tensor, add: tf.Tensor, state: tf.Tensor) -> tf.Tensor:
    return _scan(tf.transpose(keep, [1, 0, 2]), tf.transpose(add, [1, 0, 2]), state)


@compiled
def _backward(
    upstream: tf.Tensor, states: tf.Tensor, keep: tf.Tensor, state: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Gradients of the three arguments of `linear_recurrence`."""
    later = tf.concat([keep[:, 1:], tf.zeros_like(keep[:, :1])], axis=1)  # what a state's successor keeps
    later, upstream = (tf.transpose(tf.reverse(x, [1]), [1, 0, 2]) for x in (later, upstream))
    by_add = tf.reverse(_scan(later, upstream, tf.zeros_like(state)), [1])
    before = tf.concat([state[:, tf.newaxis], states[:, :-1]], axis=1)
    return by_add * before, by_add, by_add[:, 0] * keep[:, 0]


def _scan(keep: tf.Tensor, add: tf.Tensor, state: tf.Tensor) -> tf.Tensor:
    """The recurrence over `[frames, batch, units]`; returns `[batch, frames, units]`."""
    frames = tf.shape(keep)[0]

    def frame(i: tf.Tensor, h: tf.Tensor, states: tf.TensorArray) -> tuple[tf.Tensor, ...]:
        h = tf.ensure_shape(keep[i] * h + add[i], state.shape)
        return i + 1, h, states.write(i, h)

    array = tf.TensorArray(tf.float32, frames, element_shape=[None, keep.shape[2]])
    _, _, states = tf.while_loop(
        lambda i, *_: i < frames, frame, [0, state, array], maximum_iterations=frames
    )
    return tf.transpose(states.stack(), [1, 0, 2])
