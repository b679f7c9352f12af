"""One browser for the tests of a file."""

import pytest

from ddsp_edge.files.audio_writer import write_audio
from tests.device.render.test_render import RATE, phrase
from tests.web.browsing import CHROMIUM


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
