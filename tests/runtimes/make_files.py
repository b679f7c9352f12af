"""Export a small instrument in each way that runtimes tell apart. Needs the training side.

python -m tests.runtimes.make_files FOLDER
"""

import sys
import tempfile
from pathlib import Path

from ddsp_export.export import export
from ddsp_tf.data import prepare
from ddsp_tf.training import train
from tests import tiny
from tests.runtimes.cases import EXPORTS

WIDTH = 64  # matrices of less than 1024 weights are not quantized


def main(folder: Path) -> None:
    """Train on a phrase for two steps, and write the files."""
    data = {**tiny.settings()["data"], "f0": "yin-viterbi"}  # pyin takes longer, and nothing hangs on it
    decoder = {"type": "GruDecoder", "units": WIDTH, "layer_units": WIDTH, "layers": 1}
    config = tiny.config(
        data=data,
        model={**tiny.settings()["model"], "decoder": decoder},
        training={**tiny.settings()["training"], "steps": 2},
    )
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        prepare(
            [tiny.write_phrase(work / "phrase.wav", 20.0)], work / "data", config.spec, config.data, jobs=1
        )
        train(config, work / "data", work / "run", verbose=0)
        for out, options in EXPORTS.items():
            card = export(work / "run", folder / f"{out}.tflite", **options)
            print(f"{out}: {card.quantization}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.runtimes.make_files FOLDER")
    main(Path(sys.argv[1]))
