"""The page in a real browser: the same samples, and notes that are heard.

Needs Chromium and `pip install playwright`; skipped in words without them.
"""

import numpy as np
import pytest

from ddsp_edge.expression.network import PREFIX
from ddsp_edge.files.audio_writer import write_audio
from tests.device.conftest import TINY
from tests.device.expression.conftest import random_arrays, with_arrays
from tests.device.render.test_midi import off, on, save
from tests.device.render.test_render import phrase
from tests.web.browsing import CHROMIUM, until
from tests.web.player_page import NO_KIND, PLAYER, nameless, opened, samples_here_and_there

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")


def test_a_browser_plays_the_samples_of_the_device_side(page):
    found, want = samples_here_and_there(page)
    assert np.abs(found - want).max() < 0.01  # 8-bit weights


def test_a_key_of_the_page_is_heard_and_let_go(page):
    opened(page)
    assert "ready: play" in page.inner_text("#status")
    key = page.locator("#keys button[data-note='60']")
    box = key.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 0.9 * box["height"])
    page.mouse.down()
    assert until(page, "document.getElementById('meter').value > 0.005")
    page.mouse.up()
    assert until(page, "document.getElementById('meter').value < 0.001")


def test_the_computers_keys_play_and_knobs_are_heard(page):
    opened(page)
    page.locator("#knobs input[name='gain_db']").fill("-40")
    page.locator("body").press("Escape")
    page.keyboard.down("a")
    page.wait_for_timeout(400)
    soft = page.evaluate("document.getElementById('meter').value")
    page.locator("#knobs input[name='gain_db']").fill("0")
    assert until(page, f"document.getElementById('meter').value > {max(20 * soft, 0.005)}")
    page.keyboard.up("a")
    assert until(page, "document.getElementById('meter').value < 0.001")


def test_what_a_microphone_hears_is_played_and_its_latency_told(page):
    opened(page)
    page.click("#microphone")
    # Chromium's own microphone beeps once a second.
    assert until(page, "document.getElementById('meter').value > 0.005")
    assert page.get_attribute("#microphone", "aria-pressed") == "true"
    assert page.inner_text("#latency").startswith("20 ms of the instrument, ")
    page.click("#microphone")
    assert until(page, "document.getElementById('microphone').getAttribute('aria-pressed') === 'false'")
    assert until(page, "document.getElementById('meter').value < 0.001")
    page.locator("body").press("Escape")
    page.keyboard.down("a")  # and notes are played again
    assert until(page, "document.getElementById('meter').value > 0.005")
    page.keyboard.up("a")


def test_the_spectrum_runs_and_shows_the_note_that_is_played(page):
    opened(page)
    page.keyboard.down("a")
    bright = """(() => {
        const canvas = document.getElementById("spectrogram"), at = canvas.width - 3;
        const column = canvas.getContext("2d").getImageData(at, 0, 1, canvas.height).data;
        return Math.max(...column.filter((_, i) => i % 4 === 1));
    })()"""
    assert until(page, f"{bright} > 100")
    page.keyboard.up("a")
    assert until(page, f"{bright} < 60")


def test_knobs_that_nobody_turned_stand_where_an_instrument_has_them(page, tmp_path):
    knobs = "[...document.querySelectorAll('#knobs input')]"
    stands = f"Object.fromEntries({knobs}.map(({{ name, value }}) => [name, value]))"
    opened(page)
    before = page.evaluate(stands)
    assert before["expression"] == "1"
    page.locator("#knobs input[name='release_s']").fill("0.5")
    expressive = with_arrays(tmp_path / "expressive.tflite", random_arrays(1))
    opened(page, expressive)
    assert until(page, "document.getElementById('about').textContent.includes('expressive.tflite')")
    assert page.evaluate(stands) == {**before, "attack_s": "0.01", "release_s": "0.5"}
    page.keyboard.down("a")
    assert until(page, "document.getElementById('meter').value > 0.001")
    page.keyboard.up("a")
    arrays = {**random_arrays(1), f"{PREFIX}_2_bias": np.zeros(3, np.float32)}
    wrong = with_arrays(tmp_path / "wrong.tflite", arrays)
    page.set_input_files("#file", str(wrong))
    assert until(page, "document.getElementById('status').classList.contains('error')")
    assert page.inner_text("#status").startswith("wrong.tflite cannot be played: its arrays expression_2_")


def test_a_midi_file_is_rendered_to_be_heard_and_kept(page, tmp_path):
    opened(page)
    song = save(tmp_path / "tune.mid", [on(0, 60), off(300, 60), on(300, 64), off(600, 64)])
    page.set_input_files("#file", str(song))
    assert until(page, "!document.getElementById('audio').hidden")
    assert until(page, "document.getElementById('audio').duration > 0.5")
    assert page.get_attribute("#download", "download") == "tune.wav"
    assert page.inner_text("#status") == "tune.mid is ready to be heard."


def test_a_recording_is_rendered_to_be_heard_and_kept(page, tmp_path):
    opened(page)
    write_audio(tmp_path / "sung.wav", phrase(1.5), 16_000)
    page.set_input_files("#file", str(tmp_path / "sung.wav"))
    assert until(page, "!document.getElementById('audio').hidden")
    assert until(page, "document.getElementById('audio').duration > 1.4")
    assert page.get_attribute("#download", "download") == "sung.wav"
    (tmp_path / "letter.wav").write_bytes(b"Dear Sir or Madam, " * 40)
    page.set_input_files("#file", str(tmp_path / "letter.wav"))
    assert until(page, "document.getElementById('status').classList.contains('error')")
    assert page.inner_text("#status") == f"letter.wav cannot be played: {NO_KIND}"


def test_a_file_of_another_kind_is_refused_in_words(page, tmp_path):
    other = tmp_path / "song.tflite"
    other.write_bytes(b"RIFF....WAVE" * 20)
    page.set_input_files("#file", str(other))
    assert until(page, "document.getElementById('status').classList.contains('error')")
    assert page.inner_text("#status") == f"song.tflite cannot be played: {NO_KIND}"


def test_the_address_can_name_an_instrument_of_the_same_server(page, address):
    page.goto(f"{address}/index.html?instrument=tiny.tflite")
    assert until(page, "!document.getElementById('desk').hidden")
    assert "tiny.tflite" in page.inner_text("#about")


def test_an_instrument_of_another_server_is_not_fetched(browser, address):
    other = browser.new_page()
    asked = []
    other.on("request", lambda request: asked.append(request.url))
    other.goto(f"{address}/index.html?instrument=http://localhost:{address.rpartition(':')[2]}/tiny.tflite")
    assert until(other, "document.getElementById('status').classList.contains('error')")
    assert other.inner_text("#status") == "tiny.tflite cannot be played: it cannot be fetched"
    other.close()
    assert not [url for url in asked if "//localhost" in url.partition("?")[0]]


def test_every_control_has_a_name(page, tmp_path):
    opened(page)
    page.set_input_files("#file", str(save(tmp_path / "tune.mid", [on(0, 60), off(100, 60)])))
    assert until(page, "!document.getElementById('audio').hidden")
    found, bare = nameless(page)
    assert found["slider"] >= 14
    assert found["button"] >= 41  # with 37 of the piano
    assert bare == []
    knob = page.get_by_role("slider", name="Transposition", exact=True)
    assert knob.get_attribute("aria-valuetext") == "0 semitones"


def test_long_names_of_files_stay_within_a_narrow_page(page, tmp_path):
    page.set_viewport_size({"width": 375, "height": 700})
    long = tmp_path / ("instrument" * 15 + ".tflite")
    long.write_bytes(TINY.read_bytes())
    opened(page, long)
    song = save(tmp_path / ("tune" * 30 + ".mid"), [on(0, 60), off(100, 60)])
    page.set_input_files("#file", str(song))
    assert until(page, "!document.getElementById('audio').hidden")
    assert page.evaluate("document.documentElement.scrollWidth") == 375


def test_a_page_without_a_server_says_what_it_needs(browser, page):
    assert page.locator("#served").count() == 0
    dead = browser.new_page()
    dead.goto((PLAYER / "index.html").as_uri())
    dead.get_by_text("python -m http.server --bind 127.0.0.1 --directory").wait_for()
    dead.close()


@pytest.mark.parametrize(
    ("lacks", "where", "words"),
    [
        ("Navigator.prototype, 'requestMIDIAccess'", "#midi", "this browser has no Web MIDI"),
        ("BaseAudioContext.prototype, 'audioWorklet'", "#status", "pages from https:// or from this machine"),
    ],
)
def test_what_a_browser_lacks_is_told(page, lacks, where, words):
    page.add_init_script(f"Object.defineProperty({lacks}, {{ get: () => undefined }})")
    page.reload()
    page.set_input_files("#file", str(TINY))
    assert until(page, f"document.querySelector('{where}').textContent.includes('{words}')")
