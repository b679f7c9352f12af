"""The gallery: a folder that any web server can show."""

import importlib.util
import re
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
import soundfile

from ddsp_edge.errors import DdspError
from ddsp_edge.files.audio_writer import write_audio
from tests.device.conftest import TINY
from tests.device.expression.conftest import random_arrays, with_arrays
from tests.device.render.test_midi import off, on, save
from tests.device.render.test_render import phrase

SCRIPT = Path(__file__).parents[1] / "docs" / "gallery.py"


@pytest.fixture(scope="module")
def gallery():
    spec = importlib.util.spec_from_file_location("gallery", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def expressive(tmp_path_factory):
    return with_arrays(tmp_path_factory.mktemp("expression") / "expressive.tflite", random_arrays(1))


def test_an_instrument_plays_its_own_recording_singing_and_midi(gallery, tmp_path):
    given = tmp_path / "given"
    given.mkdir()
    for name, f0_hz in (("tiny-instrument", 330.0), ("singing & all", 220.0), ("another", 440.0)):
        write_audio(given / f"{name}.wav", phrase(f0_hz=f0_hz), 16_000)
    save(given / "song.mid", [on(0, 64), off(400, 64)])
    out = tmp_path / "gallery"
    gallery.make(out, [TINY], gallery.sources(given))
    page = (out / "index.html").read_text()
    links = [
        unescape(link) for link in re.findall(r'(?:src|href)="([^"]+)"', page) if not link.startswith("data:")
    ]
    assert len(links) == 2 + 5
    for link in links:
        assert (out / unquote(urlsplit(link).path)).is_file(), link
        if asked := urlsplit(link).query:
            named = unquote(asked.removeprefix("instrument="))
            assert (out / "player" / named).resolve().read_bytes() == TINY.read_bytes()
    assert not (out / "sounds" / "another.flac").exists()
    for name in ("tiny-instrument-tiny-instrument", "tiny-instrument-singing & all", "tiny-instrument-song"):
        sound, rate = soundfile.read(out / "sounds" / f"{name}.flac")
        assert rate == 16_000
        assert np.abs(sound).max() > 0.01
    assert page.count("data:image/png") == 5


def test_midi_is_heard_as_written_and_as_played(gallery, expressive, tmp_path):
    given = tmp_path / "given"
    given.mkdir()
    save(given / "song.mid", [on(0, 64), off(400, 64)])
    gallery.make(tmp_path / "gallery", [expressive], gallery.sources(given))
    written, played = (
        soundfile.read(tmp_path / "gallery" / "sounds" / f"expressive-song{end}.flac")[0]
        for end in ("-as-written", "")
    )
    n = min(len(written), len(played))
    assert np.abs(written[:n] - played[:n]).max() > 0.01


def test_a_folder_that_holds_something_is_left_as_it_is(gallery, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(DdspError, match="is not empty"):
        gallery.make(tmp_path, [TINY], {})
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_gallery_is_made_anew_whole_or_not_at_all(gallery, tmp_path, capsys):
    given = tmp_path / "given"
    given.mkdir()
    save(given / "song.mid", [on(0, 64), off(400, 64)])
    out = tmp_path / "gallery"
    gallery.make(out, [TINY], gallery.sources(given))
    assert "there is no singing in it" in capsys.readouterr().out
    (given / "broken.mid").write_bytes(b"MThd, and no more")
    before = sorted((path, path.stat().st_mtime_ns) for path in out.rglob("*"))
    with pytest.raises(DdspError):
        gallery.make(out, [TINY], gallery.sources(given))
    assert sorted((path, path.stat().st_mtime_ns) for path in out.rglob("*")) == before
    with pytest.raises(DdspError, match="no such file"):
        gallery.make(tmp_path / "new", [TINY], {"gone": given / "gone.wav"})
    (given / "broken.mid").unlink()
    (given / "song.mid").rename(given / "another.mid")
    gallery.make(out, [TINY], gallery.sources(given))
    assert [path.name for path in (out / "sounds").iterdir()] == ["tiny-instrument-another.flac"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gallery", "given"]
    (out / "notes.txt").write_text("mine")
    with pytest.raises(DdspError, match="is not empty"):
        gallery.make(out, [TINY], gallery.sources(given))
