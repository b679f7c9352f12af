"""One browser for the tests of a file."""

import pytest

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
