"""What is said of a dataset of speech of which no speakers are held back."""

from ddsp_tf.data.records.info import DatasetInfo
from ddsp_tf.tasks.task import DatasetView


def look_at_held_back(info: DatasetInfo) -> DatasetView:
    """Say where passages are held back at random."""
    if info.settings.get("data.held_back"):
        return DatasetView()
    return DatasetView(
        notices=[
            "passages are held back at random: scores on them say little of other speakers. "
            "data.held_back names recordings, such as all of some speakers, to hold back"
        ]
    )
