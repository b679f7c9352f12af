"""Several processes, on one machine or many, that train one model on shares of one batch.

Every process runs plain `keras.Model.fit` on a model of its own; what makes them one is that gradients and
the terms of the loss are averaged over all of them before the optimizer sees them. TensorFlow's
`MultiWorkerMirroredStrategy` carries the averages, and notices when a worker goes (decision 0012).
"""

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from ddsp_tf.errors import DdspError

GONE = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError, tf.errors.InternalError)
"""What TensorFlow raises where another worker is missed."""


class Workers:
    """The workers of a run, seen from one of them.

    Args:
        strategy: The strategy that joins them.
        index: Integer, the number of this one; 0 is the chief, which writes the run.
        count: Integer, how many there are.
    """

    def __init__(self, strategy: tf.distribute.Strategy, index: int, count: int) -> None:
        self.strategy, self.index, self.count = strategy, index, count

    @property
    def is_chief(self) -> bool:
        """Whether this one writes the run."""
        return self.index == 0

    def mean(self, values: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """Average tensors of float32 over all workers, which have to call this together; in one message."""
        flat = tf.concat([tf.reshape(value, [-1]) for value in values], axis=0)

        def reduce(own: tf.Tensor) -> tf.Tensor:
            own = tf.identity(own)  # TensorFlow asks on which device a value is, and inputs are on none
            return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.MEAN, own)

        joined = self.strategy.run(reduce, args=(flat,))
        parts = tf.split(joined, [tf.size(value) for value in values])
        return [tf.reshape(part, tf.shape(value)) for part, value in zip(parts, values, strict=True)]

    def share(self, batches: Any, batch_size: int) -> Any:
        """The part of each batch of a dataset that this worker trains on."""
        each = batch_size // self.count
        part = slice(self.index * each, (self.index + 1) * each)
        return batches.map(lambda *batch: tf.nest.map_structure(lambda x: x[part], batch))

    def wait(self) -> None:
        """Wait until all workers are here; one that leaves early looks like one that was killed."""
        tf.function(self.mean, autograph=False)([tf.zeros([1])])

    def agree_on(self, step: int, run: Any) -> None:
        """Raise `DdspError` unless all workers begin at the same step."""
        mean = float(tf.function(self.mean, autograph=False)([tf.constant([float(step)])])[0][0])
        if mean != step:
            raise DdspError(
                f"worker {self.index} found {run} at step {step}, others at another: the run has to be one "
                "folder that all workers see"
            )


def join_workers(batch_size: int, environment: Mapping[str, str] = os.environ) -> Workers:
    """Join the workers that `TF_CONFIG` names; waits until all are there.

    Nothing may have been computed by TensorFlow before in this process.

    Args:
        batch_size: Integer, clips a step, of all workers together.
        environment: Where `TF_CONFIG` stands: JSON, `{"cluster": {"worker": ["host:port", ...]}, "task":
            {"type": "worker", "index": 0}}`.

    Raises:
        DdspError: If it is missing or wrong, or the batch cannot be shared evenly.
    """
    index, count = parse_tf_config(environment.get("TF_CONFIG"))
    if batch_size % count:
        raise DdspError(
            f"training.batch_size ({batch_size}) must be a multiple of the number of workers ({count})"
        )
    return Workers(tf.distribute.MultiWorkerMirroredStrategy(), index, count)


def writes_run(strategy: str | None, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this process is the one that writes the run."""
    return strategy != "multi_worker" or parse_tf_config(environment.get("TF_CONFIG"))[0] == 0


def parse_tf_config(text: str | None) -> tuple[int, int]:
    """Read the number of this worker, and of all, from `TF_CONFIG`.

    Raises:
        DdspError: If it is missing or wrong.
    """
    form = '{"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}'
    if text is None:
        raise DdspError(f"--strategy multi_worker needs the environment variable TF_CONFIG: {form}")
    try:
        values = json.loads(text)
        hosts, task = values["cluster"]["worker"], values["task"]
        index, count = int(task["index"]), len(hosts)
        valid = task["type"] == "worker" and 0 <= index < count
    except (KeyError, TypeError, ValueError):
        valid = False
    if not valid:
        raise DdspError(f"TF_CONFIG must be {form}. Received: {text[:200]!r}")
    return index, count
