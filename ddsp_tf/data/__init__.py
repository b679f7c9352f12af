"""From recordings to batches: `prepare` writes a dataset, the rest reads it.

Nothing here imports TensorFlow until it is used.
"""

from ddsp_tf.data.dataset import training_dataset, validation_dataset
from ddsp_tf.data.prepare.pitched import feature_grid, prepare
from ddsp_tf.data.reading import Passage, read_passages
from ddsp_tf.data.records.info import DatasetInfo, load_dataset_info
from ddsp_tf.data.records.parts import FileResult, Shard

__all__ = [
    "DatasetInfo",
    "FileResult",
    "Passage",
    "Shard",
    "feature_grid",
    "load_dataset_info",
    "prepare",
    "read_passages",
    "training_dataset",
    "validation_dataset",
]
