"""Files that somebody gives the page in a real browser: what is taken and refused, what goes on meanwhile.

Needs Chromium and `pip install playwright`; skipped in words without them.
"""

import base64

import numpy as np
import pytest
import soundfile

from ddsp_edge.files.audio_writer import write_audio
from tests.device.conftest import TINY
from tests.device.render.test_midi import off, on, save
from tests.device.render.test_render import RATE, phrase
from tests.web.browsing import CHROMIUM, until
from tests.web.player_page import HEARD, NO_KIND, SILENT, opened, refused

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")

READY = "document.getElementById('status').textContent.endsWith('is ready to be heard.')"


def tune(folder, seconds=0.3, name="tune.mid"):
    return save(folder / name, [on(0, 60), off(round(1000 * seconds), 60)])


def plays(page):
    page.keyboard.down("a")
    heard = until(page, HEARD, seconds=10)
    page.keyboard.up("a")
    return heard and until(page, SILENT, seconds=10)


def drop(page, *files):
    """Files of a name and a type, dropped together."""
    page.evaluate(
        """(files) => {
            const dataTransfer = new DataTransfer();
            for (const [name, type, base64] of files) {
                const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
                dataTransfer.items.add(new File([bytes], name, { type }));
            }
            dispatchEvent(new DragEvent("drop", { dataTransfer, cancelable: true }));
        }""",
        [[name, kind, base64.b64encode(path.read_bytes()).decode()] for name, kind, path in files],
    )


def test_an_instrument_that_is_refused_leaves_the_one_that_plays(page, tmp_path):
    opened(page)
    assert plays(page)
    whole = TINY.read_bytes()
    damaged = tmp_path / "damaged.tflite"
    damaged.write_bytes(whole[:8] + b"\xff" * 392 + whole[400:])
    assert refused(page, damaged).startswith("damaged.tflite cannot be played: it is damaged: ")
    assert TINY.name in page.inner_text("#about")
    assert plays(page)
    page.set_input_files("#file", str(tune(tmp_path)))
    assert until(page, READY)


def test_an_instrument_that_gets_no_audio_thread_leaves_the_one_that_plays(page):
    opened(page)
    page.evaluate(
        "() => { AudioWorklet.prototype.addModule = () => Promise.reject(new Error('not this one')); }"
    )
    assert "not this one" in refused(page, TINY)
    assert plays(page)


@pytest.mark.parametrize(
    ("name", "kind"), [("sung", ""), ("sung.bin", "text/plain"), ("sung.mid", "audio/midi")]
)
def test_a_recording_is_known_by_its_content(page, tmp_path, name, kind):
    opened(page)
    soundfile.write(tmp_path / "sung.flac", phrase(1.0), RATE)
    drop(page, (name, kind, tmp_path / "sung.flac"))
    assert until(page, READY)
    assert page.inner_text("#title") == f"{name}, on tiny instrument"


def test_a_midi_file_is_known_by_its_content(page, tmp_path):
    opened(page)
    drop(page, ("tune.wav", "audio/wav", tune(tmp_path)))
    assert until(page, READY)


def test_what_is_none_of_the_kinds_is_refused_with_what_is_taken(page, tmp_path):
    (tmp_path / "notes.mid").write_bytes(b"no notes at all" * 9)
    write_audio(tmp_path / "empty.wav", np.zeros(0, np.float32), RATE)
    (tmp_path / "nothing.tflite").write_bytes(b"")
    assert refused(page, tmp_path / "notes.mid") == f"notes.mid cannot be played: {NO_KIND}"
    page.set_input_files("#file", str(tmp_path / "empty.wav"))
    assert until(page, "document.getElementById('status').textContent.startsWith('empty.wav cannot')")
    assert page.inner_text("#status") == f"empty.wav cannot be played: {NO_KIND}"
    page.set_input_files("#file", str(tmp_path / "nothing.tflite"))
    assert until(page, "document.getElementById('status').textContent.endsWith('it is empty')")


def test_of_several_files_the_first_is_taken_and_the_page_says_so(page, tmp_path):
    drop(page, ("one.tflite", "", TINY), ("tune.mid", "", tune(tmp_path)))
    assert until(page, "!document.getElementById('desk').hidden")
    assert page.inner_text("#status").endswith("is ready: play. Of 2 files only the first was taken.")


def test_a_recording_has_limits_of_its_own(page, tmp_path):
    opened(page)
    wav = tmp_path / "long.wav"
    with soundfile.SoundFile(wav, "w", 8000, 1, "PCM_U8") as file:
        for _ in range(21):
            file.write(np.zeros(8000 * 60, np.float32))
    words = "long.wav cannot be played: it lasts 21 minutes, and of a recording 20 are played: cut it, or "
    assert refused(page, wav).startswith(words)
    with (tmp_path / "large.wav").open("wb") as file:
        file.truncate(300 << 20)
    page.set_input_files("#file", str(tmp_path / "large.wav"))
    words = "it has 300 MB, and of a recording 256 are read: cut it, or save it as FLAC or MP3"
    assert until(page, f"document.getElementById('status').textContent.endsWith({words!r})")


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (np.zeros(16_000), "it is silent: nothing to follow"),
        (1e-5 * np.sin(0.3 * np.arange(16_000)), "it is silent: nothing to follow"),
        (0.1 * np.ones(50), "it is too short: less than one frame, 128 samples at 16000 Hz"),
    ],
)
def test_a_recording_with_nothing_to_hear_is_refused(page, tmp_path, samples, words):
    opened(page)
    write_audio(tmp_path / "hush.wav", samples.astype(np.float32), RATE)
    assert refused(page, tmp_path / "hush.wav") == f"hush.wav cannot be played: {words}"
    assert page.evaluate("document.getElementById('rendering').hidden")


def test_a_midi_file_that_is_too_long_is_refused_with_its_length(page, tmp_path):
    opened(page)
    words = "it lasts 1 h 15 min, and up to an hour is played here; ddsp-edge play plays all of it"
    assert refused(page, tune(tmp_path, 4500, "long.mid")) == f"long.mid cannot be played: {words}"


def test_a_rendering_can_be_stopped_and_is_named_whatever_is_opened(page, tmp_path):
    opened(page)
    page.set_input_files("#file", str(tune(tmp_path)))
    assert until(page, READY)
    page.set_input_files("#file", str(tune(tmp_path, 3000, "slow.mid")))
    assert until(page, "document.getElementById('progress').value > 0")
    other = tmp_path / "other.tflite"
    other.write_bytes(TINY.read_bytes())
    opened(page, other)
    assert until(page, "document.getElementById('about').textContent.includes('other.tflite')")
    assert page.inner_text("#what") == "slow.mid, on tiny instrument"
    page.get_by_role("button", name="Cancel").click()
    assert page.inner_text("#status") == "slow.mid is played no further; nothing of it was kept."
    assert page.evaluate("document.getElementById('rendering').hidden")
    assert page.is_visible("#audio")
    assert page.inner_text("#title") == "tune.mid, on tiny instrument"


def test_a_file_that_fails_leaves_the_sound_before_it(page, tmp_path):
    opened(page)
    page.set_input_files("#file", str(tune(tmp_path)))
    assert until(page, READY)
    quiet = 2e-5 * np.random.default_rng(1).standard_normal(16_000)
    write_audio(tmp_path / "quiet.wav", quiet.astype(np.float32), RATE)
    assert "is silent" in refused(page, tmp_path / "quiet.wav")
    assert page.is_visible("#audio")
    assert page.get_attribute("#download", "download") == "tune.wav"
