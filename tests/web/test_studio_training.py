"""Trainings on the page of the studio in a real browser, by commands that pretend.

Needs Chromium, `pip install playwright` and the extra `studio`; skipped in words without them.
"""

import pytest

from tests.device.studio.conftest import running
from tests.device.studio.test_training import pretend
from tests.web.browsing import CHROMIUM, until
from tests.web.studio_page import LOUDEST, choose, drop, nameless, results

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")


@pytest.fixture
def making(browser, tmp_path, monkeypatch, sung):
    """A page where an instrument is made of a recording, by commands that pretend: one epoch is done.

    It comes with what lets the training go on after an epoch, counted from 0.
    """
    pretend(tmp_path, monkeypatch, seconds=3)
    (tmp_path / "models").mkdir()
    problems = []
    with running(tmp_path / "models", runs=tmp_path / "runs") as client:
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(f"http://127.0.0.1:{client.port}/")
        assert until(page, "!document.getElementById('training').hidden")
        drop(page, sung)
        page.fill("#training-name", "held flute")
        page.fill("#training-steps", "400")
        page.click("#training button")
        assert until(page, after_step(100))
        yield page, lambda epoch: (tmp_path / f"goes-on-{epoch}").touch()
        page.close()
    assert problems == []


def after_step(step):
    return f"document.querySelectorAll('.heard h4')[1]?.textContent === 'The instrument after step {step}'"


def drawn(place):
    """Whether one of the spectra that are heard of a training is a picture, by how many colours it has."""
    return f"""(() => {{
        const canvas = document.querySelectorAll(".heard canvas")[{place}];
        const bytes = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        return new Set(new Uint32Array(bytes.buffer)).size > 20;
    }})()"""


def test_an_instrument_is_made_of_a_recording(making):
    """What is looked at is the page; it is heard and seen while it trains, after a reload, and at the end."""
    page, goes_on = making
    recording, instrument = (page.locator(".heard audio").nth(place) for place in (0, 1))
    for look in (lambda: None, page.reload):
        look()
        assert until(page, after_step(100))
        assert recording.get_attribute("aria-label").startswith(
            "The recording, held back, 16 kHz, mono, 3.0 s"
        )
        assert instrument.get_attribute("aria-label").startswith("The instrument after step 100, ")
        assert until(page, f"{drawn(0)} && {drawn(1)}")
    assert nameless(page) == []
    assert page.evaluate(LOUDEST, 1) > 0.01  # the first of the page is what was given
    for epoch in range(4):
        goes_on(epoch)
    assert until(page, results(2))
    assert page.locator("article canvas[aria-label='Losses along the training']").count() == 1
    assert until(page, after_step(400))
    assert until(page, "document.getElementById('models').textContent.includes('held flute')")
    choose(page, "held flute")
    page.click("#go")
    assert until(page, results(3))


def test_what_plays_is_not_disturbed_by_the_next_epoch(making):
    page, goes_on = making
    page.evaluate(
        """() => {
            const audio = document.querySelectorAll(".heard audio")[1];
            audio.loop = true;
            audio.volume = 0.5;
            audio.focus();
            window.was = audio;
            return audio.play();
        }"""
    )
    before = page.evaluate("was.src")
    goes_on(0)
    assert until(
        page, "document.querySelector('article:not([data-state=done])').textContent.includes('step 200')"
    )
    page.wait_for_timeout(1000)  # three looks
    assert page.evaluate("[was.src, was.paused]") == [before, False]
    assert page.evaluate(after_step(100))
    page.evaluate("was.pause(), was.currentTime = 1.5")
    assert until(page, after_step(200))
    assert page.evaluate("was.src") != before
    assert until(page, "was.readyState > 0 && Math.abs(was.currentTime - 1.5) < 0.1")  # at the same place
    assert page.evaluate("[was === document.activeElement, was.volume]") == [True, 0.5]


def test_what_is_heard_of_a_training_fits_a_phone_and_the_keyboard(making):
    page, _ = making
    page.set_viewport_size({"width": 390, "height": 844})
    assert until(page, f"{drawn(0)} && {drawn(1)}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    wide = page.evaluate("[...document.querySelectorAll('.heard audio')].map((each) => each.clientWidth)")
    assert all(280 <= width <= 390 for width in wide)
    page.locator(".heard audio").first.focus()
    page.keyboard.press("Space")
    assert until(page, "!document.querySelectorAll('.heard audio')[0].paused")
    hear = page.locator(".hear:visible label")
    assert hear.all_inner_texts() == ["the recording", "the instrument"]
    hear.first.locator("input").focus()
    page.keyboard.press("ArrowRight")  # heard in turn, one at a time
    assert until(page, "!document.querySelectorAll('.heard audio')[1].paused")
    assert until(page, "document.querySelectorAll('.heard audio')[0].paused")


def test_a_voice_is_made_only_of_whoever_agreed(making):
    page, goes_on = making
    for epoch in range(4):
        goes_on(epoch)
    assert until(page, results(2))
    assert not page.is_visible("#training-agreed")
    page.select_option("#training-config", "voice")
    assert page.is_visible("#training-agreed")
    page.fill("#training-name", "zoe")
    page.click("#training button")
    page.wait_for_timeout(1500)  # some looks
    assert page.locator("article").count() == 2  # nothing is begun
    assert page.inner_text("#status") != "Begun."
    assert nameless(page) == []
    page.check("#training-agreed")
    page.click("#training button")
    assert until(page, results(3))
    assert until(page, "document.getElementById('models').textContent.includes('zoe')")
    assert page.input_value("#training-config") == "voice"  # as it was chosen, though the models changed
    assert not page.is_checked("#training-agreed")  # the next one may be somebody else
    assert "The voice after step 400" in page.locator("article h4").all_inner_texts()
    assert page.locator(".hear:visible label").all_inner_texts()[:2] == ["the recording", "the voice"]


def test_who_goes_on_is_told_so(making):
    page, goes_on = making
    page.click("article button[aria-label='Cancel Training']")
    assert until(page, "document.getElementById('status').textContent === 'held flute was cancelled.'")
    page.click("button[aria-label='Go on with held flute']")
    assert until(page, "document.getElementById('status').textContent === 'held flute goes on.'")
    for epoch in range(4):
        goes_on(epoch)
    assert until(page, results(2))


def test_a_loss_of_one_epoch_is_seen(making):
    """A point has pixels of its colour around its middle, where a line of one value has hardly any."""
    page, _ = making
    assert (
        page.evaluate(
            """(() => {
            const canvas = document.querySelector("canvas[aria-label='Losses along the training']");
            const { width, height } = canvas;
            const bytes = canvas.getContext("2d").getImageData(width / 2 - 12, 0, 24, height).data;
            let inked = 0;
            for (let i = 0; i < bytes.length; i += 4) inked += bytes[i] > bytes[i + 2] + 60;
            return inked;
        })()"""
        )
        >= 20
    )
