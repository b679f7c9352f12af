"""The page is one file: it opens offline, and shows text as text."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile
from matplotlib.figure import Figure

from ddsp_tf.reports.html import Page
from tests import tiny

NASTY = """<script>alert("x")</script> & 'é' </p><img src="http://example.org/x.png">"""


class Reader(HTMLParser):
    """Elements with their attributes, and the text between them."""

    def __init__(self):
        super().__init__()
        self.elements, self.text, self.open = [], [], []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def read(page, folder):
    page.write(folder / "page.html")
    reader = Reader()
    reader.feed((folder / "page.html").read_text(encoding="utf-8"))
    assert reader.open == []
    return reader


@pytest.fixture
def page():
    page = Page(NASTY)
    page.heading(NASTY)
    page.text(NASTY)
    page.code(NASTY)
    page.table([NASTY, "b"], [[NASTY, "1"], ["c", "2"]])
    page.facts({NASTY: "3"})
    figure = Figure(figsize=(1, 1))
    figure.subplots().plot([1, 2])
    page.figure(figure, NASTY)
    page.sound(tiny.phrase(0.1), tiny.RATE, NASTY)
    page.sound(np.zeros(10), tiny.RATE, "silence")
    return page


def test_text_is_shown_and_never_obeyed(page, tmp_path):
    reader = read(page, tmp_path)
    assert reader.all("script") == []
    assert "".join(reader.text).count(NASTY) == 10  # title and table twice, and every other call
    (image,) = reader.all("img")
    assert image["alt"] == NASTY


def test_nothing_is_loaded_from_elsewhere(page, tmp_path):
    reader = read(page, tmp_path)
    for tag, attributes in reader.elements:
        for name in ("src", "href"):
            if name in attributes:
                assert attributes[name].startswith("data:"), tag
    assert reader.all("link") == [{"rel": "icon", "href": "data:,"}]
    markup = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert re.findall(r"(?<!src=&quot;)https?://", markup) == []  # what is escaped is text


def test_every_sound_has_a_player_that_plays_it(page, tmp_path):
    players = read(page, tmp_path).all("audio")
    assert len(players) == 2
    kind, _, data = players[0]["src"].partition(",")
    assert kind == "data:audio/wav;base64"
    audio, rate = soundfile.read(io.BytesIO(base64.b64decode(data)))
    assert rate == tiny.RATE
    np.testing.assert_allclose(audio, tiny.phrase(0.1), atol=1 / 32768)


def test_a_sound_beyond_full_scale_is_clipped_not_wrapped(tmp_path):
    page = Page("x")
    page.sound(np.array([2.0, -2.0, 0.5]), tiny.RATE, "loud")
    (player,) = read(page, tmp_path).all("audio")
    audio, _ = soundfile.read(io.BytesIO(base64.b64decode(player["src"].partition(",")[2])))
    np.testing.assert_allclose(audio, [1.0, -1.0, 0.5], atol=1 / 16384)


def test_a_table_has_all_its_cells(tmp_path):
    page = Page("x")
    page.table(["a", "b"], [["c", "1"], ["d", "2"], ["e", "3"]])
    reader = read(page, tmp_path)
    assert (len(reader.all("tr")), len(reader.all("th")), len(reader.all("td"))) == (4, 2, 6)


@pytest.mark.parametrize(("scheme", "ground"), [("light", "#ffffff"), ("dark", "#181818")])
def test_links_can_be_read_in_light_and_dark(page, tmp_path, scheme, ground):
    read(page, tmp_path)
    style = (tmp_path / "page.html").read_text(encoding="utf-8").split("</style>")[0]
    in_light, in_dark = style.split("@media (prefers-color-scheme: dark)")
    found = re.search(r"\ba \{ color: (#\w{6})", in_light if scheme == "light" else in_dark)
    lighter, darker = sorted((luminance(found[1]), luminance(ground)), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5  # WCAG 2.2, 1.4.3


def luminance(colour):
    """Relative luminance of `#rrggbb`, by WCAG 2.2."""
    shares = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255.0
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])
