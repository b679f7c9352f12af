"""The studio in a real browser, the whole way from a recording to what is heard of it.

Needs Chromium, `pip install playwright` and the extra `studio`; skipped in words without them.
"""

import numpy as np
import pytest

from ddsp_edge.files.audio_file import read_audio
from ddsp_edge.files.audio_writer import write_audio
from tests.device.conftest import RESTORATION, TINY
from tests.device.render.test_render import RATE, phrase
from tests.device.studio.conftest import running
from tests.web.browsing import CHROMIUM, until
from tests.web.studio_page import LOUDEST, choose, drop, nameless, results

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    for name, path in (("tiny", TINY), ("other", TINY), ("hush", RESTORATION)):
        (folder / f"{name}.tflite").write_bytes(path.read_bytes())
    with running(folder, most_bytes=200_000_000) as client:
        yield client


@pytest.fixture
def open_page(browser, studio):
    """Opens the page, as wide and in the colours that a test wants; at the end all is as it was."""
    opened, problems = [], []

    def open_(width=1200, height=900, scheme="light", refused=False, **how):
        def hear(told):
            # A browser tells of each refusal.
            if told.type == "error" and not (refused and "status of 400" in told.text):
                problems.append(told.text)

        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme, **how)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", hear)
        page.goto(f"http://127.0.0.1:{studio.port}/")
        assert until(page, "document.querySelectorAll('#models input').length > 0")
        opened.append(page)
        return page

    yield open_
    for page in opened:
        page.close()
    jobs = studio.json("GET", "/api/state")[1]["jobs"]
    for job in sorted(jobs, key=lambda job: job["what"] == "input"):  # results before what they were made of
        assert studio.ask("DELETE", f"/api/jobs/{job['id']}")[0] == 204
    assert problems == []


def test_a_recording_is_dropped_played_on_an_instrument_and_heard(open_page, sung, tmp_path):
    page = open_page()
    drop(page, sung)
    choose(page, "tiny")
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
    drop(page, sung)
    choose(page, "tiny")
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
    drop(page, sung)
    choose(page, "hush")
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


def in_view(what):
    return f"""(() => {{
        const box = document.querySelector("{what}")?.getBoundingClientRect();
        return box !== undefined && box.top >= 0 && box.top < innerHeight / 2;
    }})()"""


def test_why_nothing_is_begun_is_seen_on_a_phone(open_page, sung):
    page = open_page(390, 844, refused=True, has_touch=True, is_mobile=True, reduced_motion="reduce")
    page.set_input_files("#file", str(sung))
    assert until(page, results(1))
    choose(page, "tiny")
    page.click("#more summary")
    page.fill("#knob-softest_db", "-30")
    with page.expect_response("**/api/jobs"):
        page.click("#go")
    assert until(page, in_view("#status.error"))
    assert page.inner_text("#status").startswith("“Softest, dB” and “Loudest, dB” set a range together")


def test_what_is_focused_is_not_under_the_button(open_page, sung):
    page = open_page(1280, 700)
    drop(page, sung)
    choose(page, "tiny")
    page.click("#more summary")
    page.evaluate("scrollTo(0, 0)")
    page.focus("#more-knobs input")
    covered = []
    for _ in range(page.locator("#desk input:visible").count()):
        page.keyboard.press("Tab")
        covered += page.evaluate(
            """(() => {
                const on = document.activeElement, go = document.getElementById("go");
                const { bottom } = on.getBoundingClientRect();
                const free = on === go || !on.closest("#desk") || bottom <= go.getBoundingClientRect().top;
                return free ? [] : [on.id];
            })()"""
        )
    assert covered == []


def test_a_number_out_of_its_range_is_told_where_it_is_set(open_page, sung):
    page = open_page()
    drop(page, sung)
    choose(page, "tiny")
    assert page.get_attribute("#knob-octaves", "max") == "8"
    page.click("#more summary")
    page.fill("#knob-gate_db", "900")
    page.click("#more summary")  # where nobody sees it
    page.click("#go")
    assert until(page, "document.getElementById('more').open")
    assert page.evaluate("document.activeElement.id") == "knob-gate_db"
    assert page.locator("article").count() == 1


def test_advice_names_knobs_as_they_are_called_here(open_page, sung):
    page = open_page()
    drop(page, sung)
    choose(page, "tiny")
    page.fill("#knob-octaves", "3")
    page.click("#go")
    assert until(page, results(2))
    advice = page.locator("article .warn").all_inner_texts()
    assert any("try “Octaves”: " in line for line in advice), advice
    assert "--" not in page.inner_text("body")


def test_an_instrument_is_chosen_where_nobody_chose(open_page):
    page = open_page()
    assert "instrument, " in page.locator("#models label:has(:checked)").inner_text()


def test_a_reload_keeps_what_is_chosen_and_set(open_page, sung):
    page = open_page()
    drop(page, sung)
    choose(page, "other")
    page.fill("#knob-octaves", "2")
    page.click("#more summary")
    page.check("#knob-gate")
    page.reload()
    assert until(page, results(1))
    assert until(page, "document.getElementById('go').textContent === 'Play it on the instrument'")
    assert page.locator("#models label:has(:checked) b").inner_text() == "other"
    assert page.input_value("#knob-octaves") == "2"
    assert page.is_checked("#knob-gate")
    page.click("#reset")
    assert (page.input_value("#knob-octaves"), page.is_checked("#knob-gate")) == ("0", False)


def test_who_leaves_while_a_recording_runs_is_asked(open_page):
    page = open_page()
    leaves = "dispatchEvent(new Event('beforeunload', { cancelable: true }))"
    assert page.evaluate(leaves)
    page.click("#record")
    assert until(page, "document.getElementById('record').textContent === 'End recording'")
    assert not page.evaluate(leaves)
    page.click("#record")
    assert until(page, results(1))
    assert page.evaluate(leaves)


def test_two_results_of_a_model_have_names_of_their_own(open_page, sung):
    page = open_page()
    drop(page, sung)
    choose(page, "tiny")
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
    drop(page, sung)
    choose(page, "tiny")
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
    drop(page, sung)
    choose(page, "tiny")
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
    assert "30 min" in page.inner_text("#inputs")
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
