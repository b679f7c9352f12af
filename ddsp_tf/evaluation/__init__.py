"""Measuring and using models under the names they have always had."""

from ddsp_tf.tasks.instrument.evaluation.evaluate import Evaluation, Scores
from ddsp_tf.tasks.instrument.transfer import Transfer, transfer
from ddsp_tf.training.evaluation import evaluate

__all__ = ["Evaluation", "Scores", "Transfer", "evaluate", "transfer"]
