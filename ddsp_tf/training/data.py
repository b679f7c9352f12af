"""Whether a dataset holds what a task needs."""

from pathlib import Path

from ddsp_tf.data.records.info import DatasetInfo, check_sample_rate
from ddsp_tf.errors import DdspError
from ddsp_tf.frames import FrameSpec
from ddsp_tf.tasks.task import Task


def check_data(task: Task, data: Path, info: DatasetInfo, spec: FrameSpec) -> None:
    """Refuse a dataset that lacks what the records of a task must hold, or has another sample rate.

    Raises:
        DdspError: Saying what is missing.
    """
    missing = [name for name in task.record_holds if name not in {*info.sounds, *info.features}]
    if missing:
        raise DdspError(
            f"the dataset {data} has no {', '.join(missing)}, which {task.command.noun} is made of; it has "
            f"{', '.join([*info.sounds, *info.features])}: prepare the recordings with the configuration "
            "that is to be trained"
        )
    check_sample_rate(data, info, spec)
