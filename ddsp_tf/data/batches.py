"""Batches of a `tf.data` pipeline, whatever an example is made of.

Example number `i` of a seed, and how it is changed at random, depends on nothing but `i` and the seed: a run
that goes on where it stopped sees exactly the examples that it would have seen.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError

Shape = tuple[int | None, ...]
Shapes = tuple[dict[str, Shape], Any]
"""Of the inputs of a model by name, and of its target or targets, without the batch; all float32."""


class Examples(Protocol):
    """The examples that can be made of one split of a dataset."""

    @property
    def shapes(self) -> Shapes:
        """Shapes of the inputs and of the target of one example."""
        ...

    def fitting(self) -> Array:
        """How many examples fit side by side into each passage, `[passages]`."""
        ...

    def draw(self, passage: int, seed: int, number: int) -> Any:
        """Choose an example of a passage at random: one that depends on seed and number alone."""
        ...

    def place(self, passage: int, part: int) -> Any:
        """The example number `part` of those that fit into a passage, as it is."""
        ...

    def stack(self, examples: Sequence[Any]) -> tuple[dict[str, Array], Any]:
        """Make a batch of examples: inputs by name, and the target or targets, float32 `[batch, ...]`."""
        ...


def training_batches(examples: Examples, *, batch_size: int, seed: int = 0, skip_batches: int = 0) -> Any:
    """Build the endless stream of training batches.

    Each pass over the data visits every passage as often as examples fit into it, in a new order.

    Args:
        examples: What a batch is made of.
        batch_size: Integer > 0, examples a batch.
        seed: Integer >= 0.
        skip_batches: Integer >= 0, batches of the stream to leave out at its beginning; costs nothing.

    Returns:
        A `tf.data.Dataset` of inputs by name and target, float32 `[batch_size, ...]`.
    """
    require_positive(batch_size=batch_size)
    slots = np.repeat(np.arange(len(examples.fitting())), examples.fitting())

    @lru_cache(maxsize=4)  # a batch may straddle two passes, and batches are read in parallel
    def order(pass_number: int) -> Array:
        return np.asarray(np.random.default_rng([seed, pass_number]).permutation(slots))

    def choose(number: int) -> Any:
        pass_number, at = divmod(number, len(slots))
        return examples.draw(int(order(pass_number)[at]), seed, number)

    def batch(number: int) -> list[Array]:
        first = int(number) * batch_size
        return _flat(examples.stack([choose(i) for i in range(first, first + batch_size)]))

    import tensorflow as tf

    numbers = tf.data.Dataset.range(skip_batches, np.iinfo(np.int64).max)
    endless = tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
    return _batches(numbers, batch, examples.shapes, batch_size).apply(endless)


def validation_batches(examples: Examples, *, batch_size: int) -> Any:
    """Build the validation batches: examples that follow each other without overlap, always the same.

    The last batch may be smaller. Arguments and result are those of `training_batches`.
    """
    require_positive(batch_size=batch_size)
    chosen = [
        examples.place(passage, part)
        for passage, count in enumerate(examples.fitting())
        for part in range(int(count))
    ]

    def batch(number: int) -> list[Array]:
        return _flat(examples.stack(chosen[int(number) * batch_size : (int(number) + 1) * batch_size]))

    import tensorflow as tf

    return _batches(tf.data.Dataset.range(-(-len(chosen) // batch_size)), batch, examples.shapes, None)


def require_positive(**values: int) -> None:
    """Refuse numbers below 1, by name.

    Raises:
        DdspError: If one is.
    """
    for name, value in values.items():
        if value < 1:
            raise DdspError(f"{name} must be at least 1. Received: {value}")


def _flat(batch: tuple[dict[str, Array], Any]) -> list[Array]:
    """Inputs and targets in the order of their names, or the one target last."""
    inputs, target = batch
    targets = [target[name] for name in sorted(target)] if isinstance(target, dict) else [target]
    return [np.asarray(value, np.float32) for value in (*(inputs[name] for name in sorted(inputs)), *targets)]


def _batches(numbers: Any, batch: Any, shapes: Shapes, batch_size: int | None) -> Any:
    """Turn a dataset of batch numbers into one of batches."""
    import tensorflow as tf

    inputs, target = shapes
    names = sorted(inputs)
    targets = sorted(target) if isinstance(target, dict) else []
    flat = [inputs[name] for name in names] + ([target[name] for name in targets] or [target])

    def load(number: Any) -> Any:
        values = tf.numpy_function(batch, [number], [tf.float32] * len(flat))
        values = [
            tf.ensure_shape(value, [batch_size, *shape]) for value, shape in zip(values, flat, strict=True)
        ]
        given, wanted = values[: len(names)], values[len(names) :]
        return dict(zip(names, given, strict=True)), (
            dict(zip(targets, wanted, strict=True)) if targets else wanted[0]
        )

    # Two at once hide the disk; more would only queue for the interpreter's lock.
    return numbers.map(load, num_parallel_calls=2, deterministic=True).prefetch(2)
