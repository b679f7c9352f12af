"""Measuring the model of a run on what training has not seen, whatever its task: `RUN/evaluation.json`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ddsp_edge.atomic import written_whole
from ddsp_tf.data.records.info import SPLITS, load_dataset_info
from ddsp_tf.data.records.shards import read_records
from ddsp_tf.errors import DdspError
from ddsp_tf.tasks.task import Evaluation, task_named
from ddsp_tf.training.data import check_data
from ddsp_tf.training.files import EVALUATION_NAME, model_path
from ddsp_tf.training.run import load_config_of_run, load_model_of_run


def evaluate(
    run: Path,
    data: Path,
    *,
    crepe_weights: Path | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> Evaluation:
    """Measure the model of a run on the held-back passages of a dataset; write `RUN/evaluation.json`.

    Args:
        run: The run folder.
        data: A dataset folder made by `prepare`.
        crepe_weights: Weights of CREPE, where the task needs them.
        progress: Called with a few words before each stage.

    Returns:
        The scores of the model, and of what it has to beat.

    Raises:
        DdspError: If run and dataset do not fit, or one of them is damaged.
    """
    config = load_config_of_run(run)
    task = task_named(config.task)
    model = load_model_of_run(run)
    info = load_dataset_info(data)
    check_data(task, data, info, config.spec)
    if not info.validation_seconds:
        raise DdspError(f"{data} holds nothing back for validation")
    for split in SPLITS:
        for _ in read_records(data, info, split):
            pass  # a damaged record is named before the work starts
    result = task.evaluate(model, config, data, crepe_weights=crepe_weights, progress=progress)
    with written_whole(run / EVALUATION_NAME) as beside:
        beside.write_text(json.dumps(result.to_dict(), indent=1) + "\n", encoding="utf-8")
    return result


def load_evaluation(run: Path) -> dict[str, Any]:
    """Read what `evaluate` wrote; empty if it never ran, or if the model was trained on since."""
    path = run / EVALUATION_NAME
    if not path.is_file():
        return {}
    model = model_path(run, load_config_of_run(run).task)
    if path.stat().st_mtime < model.stat().st_mtime:
        return {}
    try:
        scores = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DdspError(f"{path} is damaged: run `ddsp-tf evaluate` again") from error
    return dict(scores)
