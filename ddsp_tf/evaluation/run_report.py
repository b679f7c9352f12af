"""`write_run_report` under the name it has always had; it lives in `ddsp_tf.tasks.instrument`."""

from ddsp_tf.tasks.instrument.evaluation.run_report import write_run_report

__all__ = ["write_run_report"]
