"""What is chosen and set on the page of the studio before anything is begun, in a real browser.

Needs Chromium, `pip install playwright` and the extra `studio`; skipped in words without them.
"""

import pytest

from tests.web.browsing import CHROMIUM, until
from tests.web.studio_page import choose, in_view, results, set_out

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")


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
    set_out(page, sung, "tiny")
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
    set_out(page, sung, "tiny")
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
    set_out(page, sung, "tiny")
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
    set_out(page, sung, "other")
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
