"""Make `tiny-instrument.tflite`, the model file that the device tests play. Needs the training side.

    python tests/device/data/make_tiny_instrument.py

It is trained on the demo recording and exported as any instrument is, so the file is what users get.
"""

import tempfile
from pathlib import Path

from ddsp_export.export import export
from ddsp_tf.config import load_config
from ddsp_tf.data import prepare
from ddsp_tf.training.fit import train

HERE = Path(__file__).parent
RECORDING = HERE.parents[2] / "demo" / "recordings" / "tenor-saxophone.flac"


def main() -> None:
    """Write the file beside this script."""
    config = load_config(HERE / "tiny-instrument.yaml")
    with tempfile.TemporaryDirectory() as folder:
        data, run = Path(folder) / "dataset", Path(folder) / "run"
        prepare([RECORDING], data, config.spec, config.data)
        train(config, data, run)
        card = export(run, HERE / "tiny-instrument.tflite")
    print(card.to_json())


if __name__ == "__main__":
    main()
