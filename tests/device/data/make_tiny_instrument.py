"""Make the instruments that the device tests play, of the configurations beside it. Needs the training side.

    python -m tests.device.data.make_tiny_instrument [NAME ...]

`tiny-instrument` is trained on the demo recording, `tiny-bright`, which takes all further features, on
notes whose overtones come and go. They are exported as any instrument is, so the files are what users get.
"""

import sys
import tempfile
from pathlib import Path

import soundfile

from ddsp_export.export import export
from ddsp_tf.config import load_config
from ddsp_tf.data import prepare
from ddsp_tf.training.fit import train
from tests import tiny

HERE = Path(__file__).parent
RECORDING = HERE.parents[2] / "demo" / "recordings" / "tenor-saxophone.flac"


def make(name: str) -> None:
    """Write the file of a configuration beside it."""
    config = load_config(HERE / f"{name}.yaml")
    with tempfile.TemporaryDirectory() as folder:
        recording, data, run = RECORDING, Path(folder) / "dataset", Path(folder) / "run"
        if name == "tiny-bright":
            recording = Path(folder) / "swelling.flac"
            soundfile.write(recording, tiny.swelling_phrase(60.0), tiny.RATE)
        prepare([recording], data, config.spec, config.data)
        train(config, data, run)
        card = export(run, HERE / f"{name}.tflite")
    print(card.to_json())


if __name__ == "__main__":
    for given in sys.argv[1:] or ("tiny-instrument", "tiny-bright"):
        make(given)
