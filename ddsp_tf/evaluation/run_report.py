"""`write_run_report` under the name it has always had; it lives in `ddsp_tf.reports`."""

from ddsp_tf.reports.run import write_run_report

__all__ = ["write_run_report"]
