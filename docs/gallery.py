"""A folder to look at and to listen to: the instruments that come along, and the player.

    python docs/gallery.py gallery [--recordings FOLDER] [--instruments FILE.tflite ...]
    python -m http.server --bind 127.0.0.1 --directory gallery

`make gallery` makes it. Each instrument plays the recording that is named after it (`FOLDER/saxophone.flac`,
beside what was recorded), those whose name begins with `singing`, and every MIDI file, ten seconds of each;
MIDI as it is written too, where the instrument knows how notes are played.
Without a folder that is what the demo has, which has no singing. Any web server can show it; nothing comes
from elsewhere. A gallery that is there already is replaced when the new one is whole.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import numpy as np
import soundfile

from ddsp_edge.atomic import written_whole
from ddsp_edge.errors import DdspError
from ddsp_edge.expression.network import has_expression
from ddsp_edge.files.audio_file import AudioReader
from ddsp_edge.live.settings import KeySettings
from ddsp_edge.model.file import read_model_file
from ddsp_edge.render.render import MIDI_ENDINGS, instrument_for_files, render_audio, render_midi
from ddsp_edge.shipped import shipped_models
from ddsp_tf.reports.html import Page
from ddsp_tf.reports.plots import plot_spectrogram

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "demo" / "recordings"
PLAYER = ROOT / "export" / "web" / "player"
SECONDS = 10.0
FADE_SECONDS = 0.3  # where the sound is cut
SEED = 0  # of the noise: made again, the page has the same sounds
TITLE = "Instruments"
PARTS = {"index.html", "sounds", "instruments", "player"}
"""What a gallery is, by which it is known."""


def main() -> None:
    """Make it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, metavar="OUT", help="a folder: a new or empty one, or a gallery")
    parser.add_argument("--recordings", type=Path, metavar="FOLDER")
    parser.add_argument("--instruments", type=Path, nargs="+", metavar="FILE", default=instruments())
    given = parser.parse_args()
    try:
        make(given.out, given.instruments, sources(given.recordings))
    except DdspError as error:
        sys.exit(f"gallery: {error}")


def instruments() -> list[Path]:
    """Those that come along."""
    return [path for path in shipped_models().values() if read_model_file(path).card.task == "instrument"]


def sources(folder: Path | None) -> dict[str, Path]:
    """What is played, by name."""
    if folder is None:
        names = {"saxophone": "tenor-saxophone.flac", "flute": "flute-phrase.flac", "melody": "melody.mid"}
        return {name: DEMO / file for name, file in names.items()}
    if not folder.is_dir():
        raise DdspError(f"{folder} is no folder of recordings")
    return {path.stem: path for path in sorted(folder.iterdir()) if path.is_file() and path.name[0] != "."}


def make(out: Path, models: list[Path], played: dict[str, Path]) -> None:
    """Write the folder, all of it or nothing."""
    for path in models:
        read_model_file(path)
    for source in played.values():
        if not source.is_file():
            raise DdspError(f"{source}: no such file")
    with replaced(out) as beside:
        fill(beside, models, played)
    if not any(map(is_sung, played)):
        print("there is no singing in it: that is FOLDER/singing-anything.flac, with --recordings FOLDER")
        print("(make gallery DATA=FOLDER)")
    print(f"{out}/index.html: python -m http.server --bind 127.0.0.1 --directory {out}")


@contextmanager
def replaced(out: Path) -> Iterator[Path]:
    """A folder beside `out` that takes its place at the end of a `with`; it is removed where that fails."""
    if out.exists() and not out.is_dir():
        raise DdspError(f"{out} is no folder")
    if out.exists() and any(out.iterdir()) and not is_gallery(out):
        raise DdspError(f"{out} is not empty, and no gallery: name another folder, or remove it")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as scratch:
        beside = Path(scratch) / "gallery"
        beside.mkdir()
        yield beside
        if out.exists():
            out.rename(Path(scratch) / "before")
        beside.rename(out)


def is_gallery(folder: Path) -> bool:
    """Whether a folder was made by this, and holds nothing else."""
    page = folder / "index.html"
    return {path.name for path in folder.iterdir()} == PARTS and f"<title>{TITLE}</title>" in page.read_text(
        encoding="utf-8", errors="replace"
    )


def fill(out: Path, models: list[Path], played: dict[str, Path]) -> None:
    """Write what a gallery has into an empty folder."""
    (out / "sounds").mkdir()
    (out / "instruments").mkdir()
    shutil.copytree(PLAYER, out / "player")
    page = Page(TITLE)
    page.text("Each is one file of less than 700 kB. What it played here is what it plays on a device.")
    for title in filter(is_sung, played):
        listen(page, out, title, played[title], f"{title}, for all to play")
    for path in models:
        shutil.copy(path, out / "instruments" / path.name)
        if (about := path.with_suffix(".md")).is_file():
            shutil.copy(about, out / "instruments" / about.name)
        show(page, out, path, played)
    page.write(out / "index.html")


def is_sung(title: str) -> bool:
    """Whether a recording is for every instrument."""
    return title.startswith("singing")


def show(page: Page, out: Path, path: Path, played: dict[str, Path]) -> None:
    """Add an instrument."""
    name = path.stem
    page.heading(name)
    page.link(
        f"player/index.html?instrument=../instruments/{quote(path.name)}", f"Play {name} in this browser"
    )
    page.link(f"instruments/{quote(path.name)}", f"{path.name}, {path.stat().st_size / 1e3:.0f} kB")
    if path.with_suffix(".md").is_file():
        page.link(f"instruments/{quote(name)}.md", "What it was made from, and how well it does")
    for title, source in played.items():
        midi = source.suffix.lower() in MIDI_ENDINGS
        if not (midi or title == name or is_sung(title)):
            continue
        print(f"{name}: {source.name}", flush=True)
        with tempfile.TemporaryDirectory() as scratch:
            made = Path(scratch) / "sound.wav"
            if midi:
                if has_expression(read_model_file(path).arrays):
                    render_midi(path, source, made, settings=KeySettings(expression=0.0), seed=SEED)
                    listen(page, out, f"{name}-{title}-as-written", made, f"{title}, as it is written")
                render_midi(path, source, made, seed=SEED)
            else:
                if title == name:
                    listen(page, out, title, source, f"{title}: the recording")
                changes = {} if title == name else {"match_octave": True, "match_loudness": True}
                render_audio(instrument_for_files(path, SEED), source, made, **changes)
            listen(
                page,
                out,
                f"{name}-{title}",
                made,
                f"{title}, played by {name}" if title != name else f"{name} plays it",
            )


def listen(page: Page, out: Path, name: str, source: Path, caption: str) -> None:
    """Add the beginning of a sound, with its spectrogram."""
    with AudioReader(source) as reader:
        rate, blocks = reader.sample_rate, reader.blocks(round(SECONDS * reader.sample_rate))
        audio = next(blocks, np.zeros(0, np.float32))
        whole = next(blocks, None) is None
    if not whole:
        fade = round(FADE_SECONDS * rate)
        audio[-fade:] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
    file = out / "sounds" / f"{name}.flac"
    with written_whole(file) as beside:
        soundfile.write(beside, np.clip(audio, -1.0, 1.0), rate, format="FLAC", subtype="PCM_16")
    page.figure(plot_spectrogram(audio, rate), caption)
    page.sound_file(f"sounds/{quote(file.name)}", caption)


if __name__ == "__main__":
    main()
