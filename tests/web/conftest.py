"""One browser for the tests of a file."""

import pytest

from ddsp_edge.files.audio_writer import write_audio
from tests.device.conftest import RESTORATION, TINY
from tests.device.render.test_render import RATE, phrase
from tests.device.studio.conftest import running
from tests.web.browsing import CHROMIUM, until
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


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    """A studio with two instruments and a restoration."""
    folder = tmp_path_factory.mktemp("models")
    for name, path in (("tiny", TINY), ("other", TINY), ("hush", RESTORATION)):
        (folder / f"{name}.tflite").write_bytes(path.read_bytes())
    with running(folder, most_bytes=200_000_000) as client:
        yield client


@pytest.fixture
def open_page(browser, studio):
    """Opens the studio, as wide and in the colours that a test wants; at the end all is as it was."""
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
