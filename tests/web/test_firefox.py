"""Both pages in Firefox, as far as it is another browser.

Needs Firefox, `pip install websockets` and the extra `studio`; skipped in words without them.
"""

import numpy as np
import pytest
import soundfile

from tests.device.conftest import TINY
from tests.device.render.test_render import RATE, phrase
from tests.device.studio.conftest import running
from tests.web.browsing import until
from tests.web.firefox import FIREFOX, Page, started
from tests.web.player_page import opened, samples_here_and_there, served
from tests.web.studio_page import LOUDEST, drop, results

pytestmark = pytest.mark.skipif(FIREFOX is None, reason="there is no Firefox")

METER = "document.getElementById('meter').value"


@pytest.fixture(scope="module")
def firefox(tmp_path_factory):
    pytest.importorskip("websockets", reason="needs pip install websockets")
    with started(tmp_path_factory.mktemp("firefox")) as browser:
        yield browser


@pytest.fixture
def open_page(firefox):
    """Opens a page; at the end nothing may have gone wrong in it."""
    pages = []

    def open_(address):
        pages.append(Page(firefox, address))
        return pages[-1]

    yield open_
    for page in pages:
        page.close()
    problems, firefox.errors = firefox.errors, []
    assert problems == []


@pytest.fixture
def player(open_page):
    with served() as address:
        yield open_page(f"{address}/index.html")


def test_firefox_plays_the_samples_of_the_device_side(player):
    found, want = samples_here_and_there(player)
    assert np.abs(found - want).max() < 0.01  # 8-bit weights


def test_a_key_of_the_page_is_heard_and_let_go(player):
    opened(player)
    player.press("#keys button[data-note='60']", down=0.9)
    assert until(player, f"{METER} > 0.005")
    player.let_go()
    assert until(player, f"{METER} < 0.001")


def test_a_microphone_of_another_rate_than_the_instrument_is_heard(player):
    opened(player)
    player.click("#microphone")
    assert until(player, f"{METER} > 0.005")
    player.click("#microphone")
    assert until(player, f"{METER} < 0.001")


def test_a_file_can_be_chosen_again_after_the_page_was_loaded_anew(player):
    opened(player)
    player.reload()
    assert player.evaluate("document.getElementById('desk').hidden")
    opened(player)
    assert "ready: play" in player.inner_text("#status")


def test_a_recording_as_ogg_is_rendered(player, tmp_path):
    soundfile.write(tmp_path / "sung.ogg", phrase(1.5), RATE)
    opened(player)
    player.set_input_files("#file", tmp_path / "sung.ogg")
    assert until(player, "document.getElementById('audio').duration > 1.4")
    assert player.inner_text("#status") == "sung.ogg is ready to be heard."


def test_the_studio_plays_a_recording_on_an_instrument(open_page, sung, tmp_path):
    (tmp_path / "tiny.tflite").write_bytes(TINY.read_bytes())
    with running(tmp_path) as studio:
        page = open_page(f"http://127.0.0.1:{studio.port}/")
        assert until(page, "document.querySelectorAll('#models input').length > 0")
        drop(page, sung)
        page.click(f"#models input[value='{studio.model('tiny')}']")
        assert until(page, "!document.getElementById('go').disabled")
        page.click("#go")
        assert until(page, results(2))
        assert page.inner_text("#status") == "tiny is ready to be heard."
        assert page.evaluate(LOUDEST, 1) > 0.01
