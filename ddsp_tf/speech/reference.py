"""What a run keeps of its data, to compare exported files on: what a network hears of a few clips."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError
from ddsp_tf.speech.examples import SpeechExamples
from ddsp_tf.training.kept import load_kept, save_kept

REFERENCE_NAME = "features.npz"
_CLIPS = 6  # of each split
_SPLITS = {"held_back": "validation", "trained": "train"}

Features = dict[str, Array]
"""What `step` takes of frames that follow each other: `[frames, size]` by name."""


def save_reference(run: Path, examples_of: Callable[[str], SpeechExamples]) -> None:
    """Keep a few clips of each split in a run.

    Args:
        run: The run folder.
        examples_of: Makes the examples of a split, `"train"` or `"validation"`.
    """
    kept = {}
    for name, split in _SPLITS.items():
        examples = examples_of(split)
        count = len(examples.places)
        clips = [examples.place(int(i), 0) for i in np.linspace(0, count - 1, min(_CLIPS, count))]
        for feature, values in examples.stack(clips)[0].items():
            kept[f"{name}_{feature}"] = np.concatenate(values).astype(np.float16)
    save_kept(run / REFERENCE_NAME, kept)


def load_reference(path: Path, names: Sequence[str]) -> dict[str, Features]:
    """Read what a run kept: `held_back` and `trained`, features by name.

    Args:
        path: The file, in its run.
        names: Of the features.

    Raises:
        DdspError: If there is nothing, or it is damaged.
    """
    wanted = [f"{split}_{name}" for split in _SPLITS for name in names]
    stored = load_kept(path, wanted, ": go on with `ddsp-tf train --resume`, which writes it")
    if any(values.ndim != 2 or not np.isfinite(values).all() for values in stored.values()):
        raise DdspError(f"{path} is damaged: it holds no features")
    return {
        split: {name: np.asarray(stored[f"{split}_{name}"], np.float32) for name in names}
        for split in _SPLITS
    }
