"""Play model files in every way, as the exporter does, and keep what came out or what was said.

    python -m tests.runtimes.play_files OUT FILE...

writes `OUT/NAME.npz` for each file that plays and `OUT/NAME.txt` for each that is refused.
"""

import json
import sys
import zipfile
from pathlib import Path

import numpy as np

from ddsp_edge.errors import DdspError
from ddsp_tf.tasks.instrument.export.play import main as play

FRAMES = 100


def main(out: Path, files: list[Path]) -> None:
    """Play each file with the same phrase and noise."""
    out.mkdir(parents=True, exist_ok=True)
    at = np.arange(FRAMES)
    f0_hz = 300.0 * np.exp2(np.sin(at / 10.0) / 6.0)
    loudness_db = -25.0 + 15.0 * np.sin(at / 20.0)
    for file in files:
        with zipfile.ZipFile(file) as archive:
            hop = json.loads(archive.read("metadata.json"))["hop"]
        noise = np.random.default_rng(0).uniform(-1.0, 1.0, FRAMES * hop)
        phrase = {"f0_hz": f0_hz, "loudness_db": loudness_db, "noise_noise": noise}
        given = out / "given.npz"
        np.savez(given, **{name: values.astype(np.float32) for name, values in phrase.items()})
        try:
            play(str(file), str(given), str(out / f"{file.stem}.npz"))
        except DdspError as error:
            (out / f"{file.stem}.txt").write_text(str(error), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: python -m tests.runtimes.play_files OUT FILE...")
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
