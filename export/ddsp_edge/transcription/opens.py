"""Whether a transcriber's file can be used: `python -m ddsp_edge.transcription.opens FILE` hears a chord."""

import sys
from pathlib import Path

import numpy as np

from ddsp_edge.errors import DdspError
from ddsp_edge.model.file import read_model_file
from ddsp_edge.model.step_model import StepModel
from ddsp_edge.transcription.transcriber import Transcriber


def main(path: Path) -> None:
    """Hear a chord through a file.

    Raises:
        DdspError: If it cannot be used.
    """
    file = read_model_file(path)
    transcriber = Transcriber.of_card(StepModel(file), file.card)
    rate = file.card.sample_rate
    seconds = np.arange(rate // 2) / rate
    chord = sum(np.sin(2.0 * np.pi * hz * seconds) for hz in (220.0, 277.2, 329.6)) * 0.1
    transcriber.push(chord)
    transcriber.flush()


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except DdspError as error:
        sys.exit(f"error: {error}")
