"""The page of the player on a server, and what tests of it do there."""

import functools
import http.server
import json
import threading
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ddsp_edge import Instrument
from tests.device.conftest import TINY
from tests.web.browsing import until
from tests.web.test_player import expected, features, white

PLAYER = Path(__file__).parents[2] / "export" / "web" / "player"
NO_KIND = (
    "it is no instrument (a .tflite by ddsp-tf export), no MIDI file, and no recording that this browser "
    "can read, or an empty one"
)
METER = "document.getElementById('meter').value"
HEARD, SILENT = f"{METER} > 0.005", f"{METER} < 0.001"
CONTROLS = {"button", "slider", "meter", "image", "progressbar", "group", "Audio", "link"}


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves the page and the model."""

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        if self.path == "/tiny.tflite":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(TINY.read_bytes())
        else:
            super().do_GET()


@contextmanager
def served():
    """Its address."""
    handler = functools.partial(Quiet, directory=str(PLAYER))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def opened(page, path=TINY):
    page.set_input_files("#file", str(path))
    assert until(page, "!document.getElementById('desk').hidden")


def refused(page, path):
    """What the page says of a file that it does not take."""
    page.set_input_files("#file", str(path))
    assert until(page, "document.getElementById('status').classList.contains('error')")
    return page.inner_text("#status")


def nameless(page):
    """How many controls of each role a screen reader is told of, and those of them without a name."""
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    told = [node for node in tree if not node["ignored"] and node["role"]["value"] in CONTROLS]
    bare = [node["role"]["value"] for node in told if not node["name"]["value"].strip()]
    return Counter(node["role"]["value"] for node in told), bare


def samples_here_and_there(page):
    """What the page plays, and what the device side does, of the same controls and noise."""
    instrument = Instrument(TINY, backend="numpy")
    f0_hz, loudness_db = features(instrument, 1.5)
    noise = white(instrument, len(f0_hz))
    given = {"f0": f0_hz.tolist(), "loudness": loudness_db.tolist()}
    given["noise"] = {f"{name}_noise": values.tolist() for name, values in noise.items()}
    found = page.evaluate(
        """async ({ f0, loudness, noise }) => {
            const { Instrument } = await import("./instrument.js");
            const bytes = new Uint8Array(await (await fetch("/tiny.tflite")).arrayBuffer());
            const player = await Instrument.open(bytes), { hop } = player.spec, sound = [];
            for (let i = 0; i < f0.length; i++) {
                const white = {};
                for (const [name, values] of Object.entries(noise)) {
                    white[name] = Float32Array.from(values.slice(i * hop, (i + 1) * hop));
                }
                sound.push(...player.process(f0[i], loudness[i], white));
            }
            return JSON.stringify(sound);
        }""",
        given,
    )
    return np.array(json.loads(found), np.float32), expected(TINY, f0_hz, loudness_db, noise)
