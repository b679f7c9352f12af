"""Measuring and using trained instruments."""

from ddsp_tf.evaluation.evaluate import Evaluation, Scores, evaluate
from ddsp_tf.evaluation.transfer import Transfer, transfer

__all__ = ["Evaluation", "Scores", "Transfer", "evaluate", "transfer"]
