"""Whether a voice's file can be used: `python -m ddsp_edge.voice.opens FILE` converts a tone."""

import sys
from pathlib import Path

import numpy as np

from ddsp_edge.errors import DdspError
from ddsp_edge.voice.converter import open_converter


def main(path: Path) -> None:
    """Convert a tone by a file.

    Raises:
        DdspError: If it cannot be used, or gives no sound.
    """
    converter = open_converter(path, seed=0)
    seconds = np.arange(converter.spec.sample_rate // 2) / converter.spec.sample_rate
    k = np.arange(1, 20)[:, np.newaxis]
    tone = 0.1 * np.sum(np.sin(2.0 * np.pi * 150.0 * k * seconds) / k, axis=0)
    sound = np.concatenate([converter.push(tone), converter.flush()])
    if len(sound) < len(tone) or not np.isfinite(sound).all():
        raise DdspError(f"{path} gives no sound")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except DdspError as error:
        sys.exit(f"error: {error}")
