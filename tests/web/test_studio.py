"""The studio in a real browser, the whole way from a recording to what is heard of it.

Needs Chromium, `pip install playwright` and the extra `studio`; skipped in words without them.
"""

import numpy as np
import pytest

from ddsp_edge.files.audio_file import read_audio
from ddsp_edge.files.audio_writer import write_audio
from tests.device.conftest import TINY
from tests.device.render.test_render import RATE, phrase
from tests.web.browsing import CHROMIUM, until
from tests.web.studio_page import LOUDEST, choose, drop, in_view, nameless, results, set_out

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")


def test_a_recording_is_dropped_played_on_an_instrument_and_heard(open_page, sung, tmp_path):
    page = open_page()
    set_out(page, sung, "tiny")
    page.fill("#knob-octaves", "1")
    page.click("#go")
    assert until(page, results(2))
    assert page.inner_text("#status") == "tiny is ready to be heard."
    assert page.evaluate(LOUDEST, 1) > 0.01
    with page.expect_download() as saving:
        page.click("a[download='sung-tiny.wav']")
    saving.value.save_as(tmp_path / "saved.wav")
    audio, rate = read_audio(tmp_path / "saved.wav")
    assert rate == RATE
    assert np.abs(audio).max() > 0.01


def test_two_instruments_are_compared_at_the_same_place_in_time(open_page, sung):
    page = open_page()
    set_out(page, sung, "tiny")
    page.select_option("#compare", label="other")
    page.click("#go")
    assert until(page, results(3))
    assert page.locator(".hear label").all_inner_texts() == ["as it was", "tiny", "other"]
    # Slowly, so that a busy machine does not come to the end of a sound before the next thing happens.
    page.evaluate("document.querySelectorAll('audio').forEach((audio) => { audio.playbackRate = 0.1; })")
    page.evaluate("void document.querySelectorAll('audio')[0].play().catch(() => {})")
    page.evaluate("document.querySelectorAll('audio')[0].currentTime = 0.8")
    page.locator(".hear label", has_text="other").click()
    assert until(page, "!document.querySelectorAll('audio')[2].paused")
    assert page.evaluate("document.querySelectorAll('audio')[2].currentTime") >= 0.8
    assert until(page, "document.querySelectorAll('audio')[0].paused")  # when it hears that the other began


def test_a_model_says_what_can_be_set(open_page, sung):
    page = open_page()
    set_out(page, sung, "hush")
    assert page.inner_text("#go") == "Take the noise out"
    assert page.locator("#knobs-set .knob").count() == 2
    choose(page, "notes")
    assert page.inner_text("#go") == "Write down its notes"
    page.check("input[value=voice]")
    page.click("#go")
    assert until(page, results(2))
    assert page.locator("canvas.score").count() == 1
    assert "Instruments voice" in page.locator("article").nth(1).inner_text()


def test_the_keyboard_is_enough(open_page, sung):
    page = open_page()
    page.set_input_files("#file", str(sung))
    assert until(page, results(1))

    def tab_to(what, limit=60):
        for _ in range(limit):
            if page.evaluate(f"document.activeElement.matches({what!r})"):
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"{what} is not reached")

    tab_to("#record")
    tab_to("input[name=model]")
    for _ in range(page.locator("input[name=model]").count()):
        if page.evaluate("document.activeElement.closest('label').textContent.startsWith('tiny')"):
            break
        page.keyboard.press("ArrowDown")
        page.wait_for_timeout(100)
    tab_to("#knob-octaves")
    page.keyboard.press("ArrowUp")
    tab_to("#go")
    page.keyboard.press("Enter")
    assert until(page, results(2))
    assert "Octaves 1" in page.locator("article").nth(1).inner_text()
    tab_to("article audio")
    page.keyboard.press("Space")
    assert until(page, "[...document.querySelectorAll('audio')].some((each) => !each.paused)")
    tab_to("article button[aria-label='Remove tiny']")
    page.keyboard.press("Enter")
    assert until(page, results(1))


def test_a_phone_shows_all_of_it(open_page, sung):
    page = open_page(390, 844, has_touch=True, is_mobile=True)
    page.set_input_files("#file", str(sung))
    assert until(page, results(1))
    choose(page, "tiny")
    page.click("#go")
    assert until(page, in_view("article:nth-of-type(2)"))
    assert until(page, results(2))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    small = page.evaluate(
        """[...document.querySelectorAll("button, .button, .choice, .hear label, a, summary")]
            .map((each) => [each.textContent, each.getBoundingClientRect().height])
            .filter(([, height]) => height > 0 && height < 24)"""
    )
    assert small == []  # WCAG 2.2, 2.5.8: 24 px at least


def test_two_results_of_a_model_have_names_of_their_own(open_page, sung):
    page = open_page()
    set_out(page, sung, "tiny")
    for number in (2, 3):
        page.click("#go")
        assert until(page, results(number))
    assert page.locator(".hear label").all_inner_texts() == ["as it was", "tiny", "tiny 2"]
    assert page.locator("a[download='sung-tiny-2.wav']").count() == 1


def test_all_is_removed_by_one_button(open_page, sung):
    page = open_page()
    assert not page.is_visible("#remove-all")
    drop(page, sung)
    page.click("#remove-all")  # who is asked, and says no, loses nothing
    assert page.locator("article").count() == 1
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("#remove-all")
    assert until(page, "document.querySelectorAll('article').length === 0")
    assert page.is_visible("#empty")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_what_is_behind_them(open_page, sung, scheme):
    page = open_page(scheme=scheme)
    set_out(page, sung, "tiny")
    poor = page.evaluate(
        """() => {
            const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
            const light = ([r, g, b]) => {
                const line = [r, g, b].map((c) => c / 255)
                    .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
                return 0.2126 * line[0] + 0.7152 * line[1] + 0.0722 * line[2];
            };
            const behind = (each) => {
                for (; each; each = each.parentElement) {
                    const found = numbers(getComputedStyle(each).backgroundColor);
                    if (found.length === 3 || found[3] === 1) return found;
                }
                return [255, 255, 255];
            };
            const found = [];
            const all = "h1, h2, h3, p, label, small, button, legend, b, figcaption, a";
            for (const each of document.querySelectorAll(all)) {
                if (!each.textContent.trim() || !each.getClientRects().length) continue;
                const a = light(numbers(getComputedStyle(each).color)), b = light(behind(each));
                const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
                if (ratio < 4.5) found.push([each.tagName, each.textContent.slice(0, 30), ratio]);
            }
            return found;
        }"""
    )
    assert poor == []  # WCAG 2.2, 1.4.3
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, ground[4:-1].split(","))) > 384) == (scheme == "light")


def test_a_job_is_cancelled_on_the_page(open_page, studio, tmp_path):
    write_audio(tmp_path / "long.wav", np.tile(phrase(2.0), 150), RATE)
    page = open_page()
    page.set_input_files("#file", str(tmp_path / "long.wav"))
    assert until(page, results(1))
    choose(page, "tiny")
    page.click("#go")
    cancel = page.locator("article button[aria-label='Cancel tiny']")
    cancel.wait_for()
    assert until(page, "document.querySelectorAll('article')[1].querySelector('progress').value > 0")
    cancel.click()
    assert until(page, "document.querySelectorAll('article')[1].dataset.state === 'cancelled'")
    assert "cancelled" in page.inner_text("#status")


def test_a_file_that_is_being_sent_shows_how_far_it_is_and_is_cancelled(open_page, studio, tmp_path):
    write_audio(tmp_path / "long.wav", np.tile(phrase(2.0), 60), RATE)
    page = open_page()
    before = set(studio.keep.folder.iterdir())
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 300_000}
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", slow)
    page.set_input_files("#file", str(tmp_path / "long.wav"))
    assert until(page, "document.querySelector('#uploads progress')?.value > 0.02")
    page.click("button[aria-label='Cancel sending long.wav']")
    assert until(page, "document.getElementById('status').textContent === 'long.wav: cancelled'")
    assert page.locator("#uploads progress").count() == 0
    for _ in range(100):  # the server hears of it a moment later
        if set(studio.keep.folder.iterdir()) == before:
            break
        page.wait_for_timeout(50)
    assert set(studio.keep.folder.iterdir()) == before


def test_a_reload_loses_nothing(open_page, studio, tmp_path):
    write_audio(tmp_path / "some.wav", np.tile(phrase(2.0), 15), RATE)
    page = open_page()
    page.set_input_files("#file", str(tmp_path / "some.wav"))
    assert until(page, results(1))
    choose(page, "tiny")
    page.click("#go")
    assert until(page, "document.querySelectorAll('article').length === 2")
    page.reload()
    assert until(page, results(2))
    assert page.locator("article").nth(1).locator("canvas").count() == 3


def test_what_a_microphone_hears_is_recorded(open_page):
    page = open_page()
    page.click("#record")
    assert until(page, "document.getElementById('level').value > 0.01")
    page.wait_for_timeout(800)
    page.click("#record")
    assert until(page, results(1))
    assert "recording 1.wav" in page.inner_text("#inputs")
    assert page.evaluate(LOUDEST, 0) > 0.01


def test_what_is_no_sound_is_told_on_the_page(open_page, tmp_path):
    (tmp_path / "letter.wav").write_bytes(b"Dear Sir or Madam, " * 40)
    page = open_page()
    page.set_input_files("#file", str(tmp_path / "letter.wav"))
    assert until(page, "document.getElementById('status').classList.contains('error')")
    assert page.inner_text("#status").startswith("letter.wav is not a readable sound file")
    assert page.inner_text("#status").count("letter.wav") == 1


def test_a_model_that_is_none_is_told_with_its_name_once(open_page, tmp_path):
    (tmp_path / "cut.tflite").write_bytes(TINY.read_bytes()[:4000])
    page = open_page(refused=True)
    page.set_input_files("#model-file", str(tmp_path / "cut.tflite"))
    assert until(page, "document.getElementById('status').classList.contains('error')")
    assert page.inner_text("#status").count("cut.tflite") == 1


def test_every_control_and_every_picture_has_a_name(open_page, sung):
    page = open_page()
    set_out(page, sung, "tiny")
    page.click("#more summary")
    page.check("#knob-stems")
    page.click("#go")
    assert until(page, results(2))
    assert nameless(page) == []


@pytest.mark.slow
def test_half_an_hour_is_sent_with_progress_worked_on_and_cancelled(open_page, tmp_path):
    write_audio(tmp_path / "long.wav", np.tile(phrase(2.0), 900), RATE)
    page = open_page()
    page.set_input_files("#file", str(tmp_path / "long.wav"))
    assert until(page, results(1), 120.0)
    assert "30:00 min" in page.inner_text("#inputs")
    choose(page, "tiny")
    page.click("#go")
    assert until(
        page, "document.querySelectorAll('article')[1]?.querySelector('progress').value > 0.02", 60.0
    )
    page.locator("article button[aria-label='Cancel tiny']").click()
    assert until(page, "document.querySelectorAll('article')[1].dataset.state === 'cancelled'")
    choose(page, "hush")
    page.click("#go")
    assert until(page, results(2), 240.0)
