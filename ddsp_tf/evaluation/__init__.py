"""Measuring and using instruments under the names they have always had; see `ddsp_tf.tasks.instrument`."""

from ddsp_tf.tasks.instrument.evaluation.evaluate import Evaluation, Scores, evaluate
from ddsp_tf.tasks.instrument.transfer import Transfer, transfer

__all__ = ["Evaluation", "Scores", "Transfer", "evaluate", "transfer"]
