"""Look at what a dataset holds."""

from pathlib import Path

from ddsp_tf.data import Passage, read_passages


def passages_by_split(dataset: Path) -> list[tuple[str, Passage]]:
    """All passages with their split, in the order of the recording."""
    pairs = [(split, p) for split in ("train", "validation") for p in read_passages(dataset, split)]
    return sorted(pairs, key=lambda pair: (pair[1].source, pair[1].first_sample))
