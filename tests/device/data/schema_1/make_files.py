"""Make the model files of schema 1, and what they sounded like, with the code of before schema 2.

    git worktree add ../before 105428b
    cp tests/device/data/schema_1/make_files.py ../before/
    cd ../before && PYTHONPATH=.:export python make_files.py ../THIS_CHECKOUT/tests/device/data/schema_1

in an environment of that commit (`make test-library` makes one), on x86-64. No test runs this: they hold
the code of today to the files that it left (`tests/device/test_schema_1.py`). The third file is
`tiny-instrument.tflite` beside this folder; its samples alone are written.

- `dry-24k.tflite`: float32, no room, no synthesizer in the file, MinGruDecoder, 24 kHz.
- `mix-48k.tflite`: int8, a mix of two instruments, ConvDecoder, no synthesizer in the file, 48 kHz.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from ddsp_edge import Instrument
from ddsp_export.export import export
from ddsp_tf.data import prepare
from ddsp_tf.training import train
from tests import tiny

FRAMES = 18
DATA = {"f0": "yin-viterbi"}
FILES = {
    "dry-24k": (
        {"sample_rate": 24_000, "frame_rate": 125},
        {"decoder": {"type": "MinGruDecoder", "units": 16, "depth": 2, "layer_units": 16, "layers": 1}},
        {"quantize": "float32", "play": False, "dry": True},
    ),
    "mix-48k": (
        {"sample_rate": 48_000, "frame_rate": 125},
        {
            "decoder": {"type": "ConvDecoder", "units": 32, "depth": 2, "layer_units": 32, "layers": 1},
            "instruments": {"one": "one*", "two": "two*"},
            "instrument_size": 4,
        },
        {"quantize": "int8", "play": False, "instrument": "one=1,two=3"},
    ),
}


def make(name: str, folder: Path) -> Path:
    """Train for a few steps and export."""
    grid, model, options = FILES[name]
    config = tiny.config(data=DATA, model={**tiny.settings()["model"], **model}, **grid)
    path = folder / f"{name}.tflite"
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        lengths_s = {"one.wav": 16.0, "two.wav": 17.0}  # the same again would be left out
        sounds = [tiny.write_phrase(work / n, s, config.sample_rate) for n, s in lengths_s.items()]
        prepare(sounds, work / "data", config.spec, config.data, jobs=1)
        train(config, work / "data", work / "run", verbose=0)
        export(work / "run", path, **options)
    return path


def play(path: Path) -> dict[str, np.ndarray]:
    """Features with gaps in the pitch, and the samples of every backend that the file has."""
    at = np.arange(FRAMES)
    f0_hz = 260.0 * np.exp2(np.sin(at / 3.0) / 5.0)
    f0_hz[(at < 2) | ((at > 9) & (at < 13))] = 0.0
    loudness_db = -25.0 + 15.0 * np.sin(at / 4.0)
    played = {"f0_hz": f0_hz, "loudness_db": loudness_db}
    has_play = bool(Instrument(path).card.synthesis_state_shapes)
    for backend in ("play", "step", "numpy") if has_play else ("step", "numpy"):
        instrument = Instrument(path, seed=7, backend=backend)
        audio = instrument.process(f0_hz, loudness_db)
        played[backend] = np.concatenate([audio, instrument.flush()])
    return played


def main(folder: Path) -> None:
    """Write files and samples."""
    paths = [make(name, folder) for name in FILES]
    for path in [folder.parent / "tiny-instrument.tflite", *paths]:
        np.savez_compressed(folder / f"{path.stem}.npz", **play(path))
        print(path.name, path.stat().st_size, (folder / f"{path.stem}.npz").stat().st_size)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python make_files.py FOLDER")
    main(Path(sys.argv[1]))
