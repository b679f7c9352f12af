"""A page of text, tables, plots and sounds, all in one file but for sounds that stand beside it.

It opens offline.
"""

import base64
import html
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import soundfile
from matplotlib.figure import Figure

from ddsp_edge.atomic import written_whole
from ddsp_edge.units import Array

_STYLE = """
:root { color-scheme: light dark; } a { color: #0b57d0; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
color: #222; }
h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 2.5rem; } img { width: 100%; height: auto; }
table { border-collapse: collapse; margin: 1rem 0; } th, td { padding: .3rem .8rem; text-align: right; }
th:first-child, td:first-child { text-align: left; } tr { border-bottom: 1px solid #ddd; }
audio { width: 100%; } figure { margin: 1rem 0; } figcaption { color: #555; font-size: .9rem; }
pre { background: #f4f4f4; padding: .8rem; overflow-x: auto; font-size: .85rem; }
@media (prefers-color-scheme: dark) { body { background: #181818; color: #ddd; } pre { background: #262626; }
tr { border-color: #444; } figcaption { color: #aaa; } a { color: #8ab4f8; } }
"""


class Page:
    """Build a page from top to bottom.

    Args:
        title: Its heading.
    """

    def __init__(self, title: str) -> None:
        self._title = html.escape(title)
        self._parts: list[str] = []

    def heading(self, text: str) -> None:
        """Begin a section."""
        self._parts.append(f"<h2>{html.escape(text)}</h2>")

    def text(self, text: str) -> None:
        """Add a paragraph."""
        self._parts.append(f"<p>{html.escape(text)}</p>")

    def code(self, text: str) -> None:
        """Add preformatted text."""
        self._parts.append(f"<pre>{html.escape(text)}</pre>")

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Add a table; the first column names the row."""
        head = "".join(f"<th>{html.escape(cell)}</th>" for cell in header)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
        )
        self._parts.append(f"<table><tr>{head}</tr>{body}</table>")

    def figure(self, figure: Figure, caption: str) -> None:
        """Add a plot."""
        picture = io.BytesIO()
        figure.savefig(picture, format="png", dpi=110)
        alt = html.escape(caption, quote=True)
        self._parts.append(
            f'<figure><img alt="{alt}" src="data:image/png;base64,{_base64(picture)}">'
            f"<figcaption>{html.escape(caption)}</figcaption></figure>"
        )

    def sound(self, audio: Array, sample_rate: int, caption: str) -> None:
        """Add a player for a signal `[samples]`; it is stored as 16-bit WAV."""
        file = io.BytesIO()
        soundfile.write(file, np.clip(audio, -1.0, 1.0), sample_rate, subtype="PCM_16", format="WAV")
        self._parts.append(
            f"<figure><figcaption>{html.escape(caption)}</figcaption>"
            f'<audio controls preload="metadata" src="data:audio/wav;base64,{_base64(file)}"></audio>'
            "</figure>"
        )

    def sound_file(self, address: str, caption: str) -> None:
        """Add a player for a sound file beside the page; the caption is for who does not see the picture."""
        source, label = html.escape(address, quote=True), html.escape(caption, quote=True)
        self._parts.append(f'<audio controls preload="none" src="{source}" aria-label="{label}"></audio>')

    def link(self, address: str, text: str) -> None:
        """Add a link, in a line of its own."""
        self._parts.append(f'<p><a href="{html.escape(address, quote=True)}">{html.escape(text)}</a></p>')

    def facts(self, facts: Mapping[str, str]) -> None:
        """Add a list of names and values."""
        self.table(["", ""], list(facts.items()))

    def write(self, path: Path) -> None:
        """Write the page, beside and renamed."""
        with written_whole(path) as beside:
            beside.write_text(
                f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
                f'<meta name="viewport" content="width=device-width, initial-scale=1">'
                f'<link rel="icon" href="data:,">'
                f"<title>{self._title}</title><style>{_STYLE}</style></head>"
                f"<body><h1>{self._title}</h1>{''.join(self._parts)}</body></html>\n",
                encoding="utf-8",
            )


def _base64(file: io.BytesIO) -> str:
    return base64.b64encode(file.getvalue()).decode("ascii")
