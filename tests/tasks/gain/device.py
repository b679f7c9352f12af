"""Its device side: numpy and what `ddsp_edge` has for every model file, nothing heavy."""

from pathlib import Path

import numpy as np

from ddsp_edge import StepModel
from ddsp_edge.files.audio_file import read_audio
from ddsp_edge.files.audio_writer import write_audio
from ddsp_edge.units import Array
from tests.tasks.gain.level import level_db, scaled


def gains(model: StepModel, audio: Array) -> Array:
    """Gain of each hop, `[frames]`, as a stream would have it."""
    model.reset()
    levels = scaled(level_db(audio, model.spec.hop))
    return np.concatenate([model.step(level_scaled=levels[i : i + 1])["gain"][0] for i in range(len(levels))])


def compress(path: Path, source: Path, out: Path, runtime: str = "auto") -> None:
    """Compress a sound file."""
    model = StepModel(path, runtime)
    audio, _ = read_audio(source, model.spec.sample_rate)
    gain = np.repeat(gains(model, audio), model.spec.hop)
    write_audio(out, audio[: len(gain)] * gain, model.spec.sample_rate)
