"""Controls that can be rendered: finite, and not so large that their products overflow."""

import tensorflow as tf

from ddsp_tf.errors import DdspError

LARGEST_CONTROL = 1e10
"""Magnitude up to which a control is rendered: 200 dB above full scale. Products of such numbers, and sums of
the products, still fit into float32, so what comes out is finite."""

Tensors = dict[str, tf.Tensor]


def finite_controls(owner: str, values: Tensors) -> Tensors:
    """Return the controls, which cannot be used before they were checked.

    A sum of squares that is small enough clears them all; only where it is not, each value is looked
    at. Gradients pass by the check: loss scaling finds its scale by gradients that are not finite.

    Args:
        owner: Name of the layer, for errors.
        values: Controls by name, float32.

    Raises:
        DdspError: If one is not finite, or too large; in a graph TensorFlow's `InvalidArgumentError` in the
            same words.
    """
    if not values:
        return values
    energy = tf.add_n([tf.nn.l2_loss(tf.stop_gradient(value)) for value in values.values()])
    clear = energy <= LARGEST_CONTROL**2 / 2.0  # not so where a number is none
    if tf.executing_eagerly():
        if not clear:
            _refuse_by_value(owner, values)
        return values
    checked = tf.cond(clear, lambda: True, lambda: _refuse_by_value(owner, values))
    with tf.control_dependencies([checked]):
        return {name: tf.identity(value) for name, value in values.items()}


def _refuse_by_value(owner: str, values: Tensors) -> tf.Tensor:
    """Raise for the first control that is not finite or too large."""
    checks: list[tf.Tensor] = []  # one after the other, so that the first that fails is always the same
    for name, value in values.items():
        rule = f"{owner}: control {name!r} must be finite, at most {LARGEST_CONTROL:g} in magnitude"
        # What is too large overflows here, and is found with the rest; a little less, for the rounding.
        scaled = tf.stop_gradient(value) * (0.99999 * tf.float32.max / LARGEST_CONTROL)
        try:
            with tf.control_dependencies(checks):
                checks.append(tf.debugging.check_numerics(scaled, rule))
        except tf.errors.InvalidArgumentError:  # eager
            raise DdspError(f"{rule}. Received: {_first_refused(value)}") from None
    with tf.control_dependencies(checks):
        return tf.constant(True)


def _first_refused(value: tf.Tensor) -> str:
    """What is wrong with a control, and where."""
    places = tf.where(~(tf.abs(value) <= LARGEST_CONTROL))
    place = places[0].numpy().tolist()
    return f"{value[tuple(place)].numpy()} at {place}, {len(places)} of {value.shape.num_elements()} values"
