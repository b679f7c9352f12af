"""`survey_dataset` under the name it has always had; it lives in `ddsp_tf.data.quality`."""

from ddsp_tf.data.quality.survey import survey_dataset

__all__ = ["survey_dataset"]
