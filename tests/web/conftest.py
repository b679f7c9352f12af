"""One browser for the tests of a file."""

import pytest

from ddsp_edge.files.audio_writer import write_audio
from tests.device.render.test_render import RATE, phrase
from tests.web.browsing import CHROMIUM
from tests.web.player_page import served


@pytest.fixture(scope="module")
def browser():
    """Chromium, with a microphone that hears a tone."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs pip install playwright")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--autoplay-policy=no-user-gesture-required",
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
            ],
        )
        yield started
        started.close()


@pytest.fixture(scope="module")
def sung(tmp_path_factory):
    """A file of somebody who sings, 4 s."""
    path = tmp_path_factory.mktemp("sung") / "sung.wav"
    write_audio(path, phrase(4.0), RATE)
    return path


@pytest.fixture(scope="module")
def address():
    """That of the player."""
    with served() as there:
        yield there


@pytest.fixture
def page(browser, address):
    """The player; at the end nothing may have gone wrong in it."""
    opened = browser.new_page(viewport={"width": 900, "height": 900})
    problems = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("console", lambda told: told.type == "error" and problems.append(told.text))
    opened.goto(f"{address}/index.html")
    yield opened
    opened.close()
    assert problems == []
