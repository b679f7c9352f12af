"""The keys of the page in a browser, by finger, mouse, keyboard and screen reader: what sounds and is lit.

Needs Chromium and `pip install playwright`; skipped in words without them.
"""

import pytest

from ddsp_edge.model.file import read_model_file
from ddsp_edge.units import midi_to_hz
from tests.device.conftest import TINY
from tests.web.browsing import CHROMIUM, until
from tests.web.player_page import HEARD, SILENT, opened

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")

LIT = "[...document.querySelectorAll('#keys .down')].map((key) => Number(key.dataset.note))"


@pytest.fixture
def page(page):
    opened(page)
    return page


def lit(page, *notes):
    return until(page, f"String({LIT}) === '{','.join(map(str, notes))}'", seconds=5)


def middle(page, note, down=0.9):
    box = page.locator(f"#keys button[data-note='{note}']").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + down * box["height"]


def computer_key(page, kind, code, key):
    page.evaluate(
        "([kind, given]) => document.body.dispatchEvent(new KeyboardEvent(kind, given))",
        [kind, {"code": code, "key": key, "bubbles": True}],
    )


@pytest.mark.parametrize("key", ["A", "q", "\u0444"])  # Caps Lock, a French layout, a Russian one
def test_the_computers_keys_go_by_their_place(page, key):
    computer_key(page, "keydown", "KeyA", key)
    assert lit(page, 60)
    assert until(page, HEARD)
    computer_key(page, "keyup", "KeyA", key)
    assert lit(page)
    assert until(page, SILENT)


def test_a_note_that_enter_holds_ends_when_it_is_let_go_elsewhere(page):
    page.locator("#keys button[data-note='60']").focus()
    page.keyboard.down("Enter")
    assert until(page, HEARD)
    page.keyboard.press("Tab")
    page.keyboard.up("Enter")
    assert lit(page)
    assert until(page, SILENT)


def test_a_mouse_that_passes_ends_nothing(page):
    page.keyboard.down("a")
    for note in (59, 60, 62):
        page.mouse.move(*middle(page, note))
    assert lit(page, 60)
    page.wait_for_timeout(600)
    assert until(page, HEARD)
    page.keyboard.up("a")
    assert until(page, SILENT)


def test_a_note_that_two_hold_ends_with_the_second(page):
    page.keyboard.down("a")
    page.mouse.move(*middle(page, 60))
    page.mouse.down()
    page.keyboard.up("a")
    assert lit(page, 60)
    page.wait_for_timeout(600)
    assert until(page, HEARD)
    page.mouse.up()
    assert lit(page)
    assert until(page, SILENT)


def test_a_window_that_is_left_has_no_key_lit(page):
    page.keyboard.down("s")
    assert lit(page, 62)
    page.evaluate("dispatchEvent(new Event('blur'))")
    assert lit(page)
    assert until(page, SILENT)
    page.keyboard.up("s")


def test_space_and_a_click_of_a_screen_reader_play(page):
    key = page.get_by_role("button", name="C sharp 4", exact=True)
    key.focus()
    page.keyboard.down("Space")
    assert lit(page, 61)
    assert until(page, HEARD)
    page.keyboard.up("Space")
    assert lit(page)
    assert until(page, SILENT)
    key.evaluate("(key) => key.click()")
    assert lit(page, 61)
    assert until(page, HEARD)
    assert lit(page)
    assert until(page, SILENT)


def test_the_piano_is_one_stop_of_the_tab_key_and_arrows_go_on(page):
    focused = "document.activeElement.ariaLabel ?? document.activeElement.id"
    page.locator("#higher").focus()
    found, right = [], "ArrowRight"
    for key in ("Tab", right, right, "End", right, "Home", right, "Tab", "Shift+Tab"):
        page.keyboard.press(key)
        found.append(page.evaluate(focused))
    assert found[:7] == ["C 3", "C sharp 3", "D 3", "C 6", "C 6", "C 3", "C sharp 3"]
    assert found[7:] == ["Transposition", "C sharp 3"]


def test_sliding_a_finger_changes_the_note(browser, address):
    phone = browser.new_page(viewport={"width": 375, "height": 812}, has_touch=True, is_mobile=True)
    phone.goto(f"{address}/index.html")
    opened(phone)
    phone.locator("#keys").scroll_into_view_if_needed()
    touch = phone.context.new_cdp_session(phone)

    def fingers(kind, *notes):
        points = [dict(zip("xy", middle(phone, note), strict=True), id=i) for i, note in enumerate(notes)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", 60, 67)
    assert lit(phone, 60, 67)
    fingers("touchMove", 64, 67)
    assert lit(phone, 64, 67)
    assert until(phone, HEARD)
    fingers("touchEnd")
    assert lit(phone)
    assert until(phone, SILENT)
    phone.close()


@pytest.mark.parametrize(("width", "octaves"), [(320, 1), (375, 1), (600, 2), (900, 3)])
def test_white_keys_are_as_wide_as_a_finger(page, width, octaves):
    page.set_viewport_size({"width": width, "height": 800})
    assert until(page, f"document.querySelectorAll('#keys button').length === {12 * octaves + 1}")
    box = page.locator("#keys button[data-note='60']").bounding_box()
    assert box["width"] >= 35.9
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_octaves_are_changed_by_buttons_and_by_keys_and_shown(page):
    shown = "document.getElementById('octaves').textContent"
    assert page.evaluate(shown) == "C 3 to C 6; a is C 4"
    page.click("#higher")
    assert page.evaluate(shown) == "C 4 to C 7; a is C 5"
    page.keyboard.down("a")
    assert lit(page, 72)
    page.keyboard.up("a")
    for _ in range(9):
        page.keyboard.press("z")
    assert page.evaluate(shown) == "C 0 to C 3; a is C 1"
    page.click("#higher")
    opened(page)  # again: who chose an octave keeps it
    assert until(page, "document.getElementById('status').textContent.endsWith('ready: play.')")
    assert page.evaluate(shown) == "C 1 to C 4; a is C 2"


def test_keys_that_the_instrument_does_not_know_are_marked(page):
    outside = "[...document.querySelectorAll('#keys .outside')].map((key) => Number(key.dataset.note))"
    known = read_model_file(TINY).card.f0_hz_range

    def expected(shift):
        hz = {note: midi_to_hz(note + shift) for note in range(48, 85)}
        quarter = 2 ** (0.5 / 12)
        return [note for note, f0 in hz.items() if not known.low / quarter < f0 < known.high * quarter]

    assert 0 < len(expected(0)) < 37
    assert page.evaluate(outside) == expected(0)
    page.locator("#knobs input[name='transposition']").fill("12")
    assert page.evaluate(outside) == expected(12) != expected(0)


def test_keys_are_silent_and_not_lit_while_the_microphone_is_on(page):
    page.click("#microphone")
    assert until(page, "document.getElementById('keys').inert")
    assert page.inner_text("#latency").endswith("Keys are silent meanwhile.")
    page.keyboard.down("a")
    assert lit(page)
    page.keyboard.up("a")
    page.click("#microphone")
    assert until(page, "!document.getElementById('keys').inert")
    page.keyboard.down("a")
    assert lit(page, 60)
    page.keyboard.up("a")
