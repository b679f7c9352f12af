"""The picture and the sounds of the README, from what `make demo` wrote.

    make demo
    .venv/bin/python docs/images/make.py

A flute, and what the trained saxophone made of it (`ddsp-tf transfer`), their first seconds: as one picture
here, and as two sound files in `docs/sounds/`.
"""

import argparse
import io
from pathlib import Path

import numpy as np
import soundfile
from matplotlib.figure import Figure
from PIL import Image

from ddsp_edge.units import Array
from ddsp_tf.reports.plots import log_spectrogram

HERE = Path(__file__).parent
DEMO = HERE.parents[1] / "demo"
SECONDS = 7.2
FADE_SECONDS = 0.2  # where the sound is cut
LOWEST_HZ, RANGE_DB = 150.0, 70.0  # nothing of the flute is below
COLOURS = 64  # of the picture: half the bytes, and no difference to be seen
MP3_QUALITY = 0.5  # soundfile's, 0 the largest files


def main() -> None:
    """Write `flute-to-saxophone.png`, and an MP3 of each sound."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--demo", type=Path, default=DEMO, metavar="FOLDER", help="where the demo ran (demo/)"
    )
    demo = parser.parse_args().demo
    paths = {
        "flute": demo / "recordings" / "flute-phrase.flac",
        "flute-as-saxophone": demo / "output" / "flute-as-saxophone.wav",
    }
    sounds = {name: beginning(path) for name, path in paths.items()}
    for name, (audio, rate) in sounds.items():
        soundfile.write(
            HERE.parent / "sounds" / f"{name}.mp3", audio, rate, format="MP3", compression_level=MP3_QUALITY
        )
    titles = ("what goes in: a flute", "what comes out: the same melody, played by the trained saxophone")
    write_picture(HERE / "flute-to-saxophone.png", dict(zip(titles, sounds.values(), strict=True)))


def beginning(path: Path) -> tuple[Array, int]:
    """The first seconds of a sound file, faded out, and its sample rate."""
    audio, rate = soundfile.read(path, dtype="float32")
    audio = audio[: int(SECONDS * rate)]
    fade = int(FADE_SECONDS * rate)
    audio[-fade:] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
    return audio, rate


def write_picture(path: Path, sounds: dict[str, tuple[Array, int]]) -> None:
    """Write spectrograms of sounds, one above the other, by their titles."""
    figure = Figure(figsize=(8.0, 4.6), layout="constrained")
    plots = figure.subplots(len(sounds), 1, sharex=True)
    for axes, (title, (audio, rate)) in zip(plots, sounds.items(), strict=True):
        seconds, edges_hz, level = log_spectrogram(audio, rate)
        level = level - level.max()
        image = axes.pcolormesh(seconds, edges_hz, level, cmap="magma", vmin=-RANGE_DB, vmax=0.0)
        axes.set(yscale="log", ylim=(LOWEST_HZ, rate / 2), xlim=(0.0, len(audio) / rate))
        axes.set(ylabel="frequency, Hz", title=title)
        axes.set_yticks([200, 500, 1000, 2000, 5000], ["200", "500", "1k", "2k", "5k"])
        axes.minorticks_off()
    plots[-1].set(xlabel="time, s")
    figure.colorbar(image, ax=plots, label="level, dB re the loudest", pad=0.01)
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=100)
    picture = Image.open(buffer).convert("RGB").quantize(COLOURS)
    picture.save(path, optimize=True)


if __name__ == "__main__":
    main()
