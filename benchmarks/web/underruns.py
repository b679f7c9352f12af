"""Whether the player in a browser keeps up: underruns of Chromium's audio thread while notes are played.

    python benchmarks/web/underruns.py INSTRUMENT.tflite [--voices 4] [--seconds 60] [--busy 1]

`--busy` has so many other processes count as fast as they can on the same cores. What is told is Chromium's
own count (`AudioContext.playbackStats`), of a headless browser, whose sound card is a clock.
"""

import argparse
import functools
import http.server
import multiprocessing
import os
import shutil
import threading
from pathlib import Path

PLAYER = Path(__file__).parents[2] / "export" / "web" / "player"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PLAY = """async ({ voices, seconds }) => {
    const { readModelFile } = await import("./model-file.js");
    const file = await readModelFile(new Uint8Array(await (await fetch("/instrument.tflite")).arrayBuffer()));
    const began = performance.now();
    const context = new AudioContext({ sampleRate: file.card.sample_rate, latencyHint: "interactive" });
    await context.audioWorklet.addModule("worklet.js");
    const node = new AudioWorkletNode(context, "ddsp-player", {
        channelCount: 1, channelCountMode: "explicit", outputChannelCount: [2],
        processorOptions: { file, voices },
    });
    let sounded = null, loudest = 0;
    node.port.onmessage = ({ data }) => {
        loudest = Math.max(loudest, data.level ?? 0);
        if (sounded === null && data.level > 0) sounded = performance.now() - began;
    };
    node.connect(context.destination);
    await context.resume();
    const chord = Array.from({ length: voices }, (_, i) => 55 + 4 * i);
    const play = (note, i) => node.port.postMessage({ type: "on", note, velocity: 70 + i });
    const strike = () => chord.forEach(play);
    strike();
    await new Promise((soon) => setTimeout(soon, 3000)); // compiled by then
    const before = { ...context.playbackStats.toJSON() };
    const end = performance.now() + 1000 * seconds;
    while (performance.now() < end) {
        strike(); // so that notes begin again, too
        await new Promise((soon) => setTimeout(soon, 1000));
    }
    const after = context.playbackStats.toJSON();
    return { before, after, startMs: sounded, loudest, rate: context.sampleRate, hop: file.card.hop,
        latencyMs: 1000 * context.baseLatency };
}"""


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves the page, and the instrument under one name."""

    instrument = b""

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer."""
        if self.path != "/instrument.tflite":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.instrument)))
        self.end_headers()
        self.wfile.write(self.instrument)


def count() -> None:
    """Keep a core busy."""
    while True:
        pass


def main() -> None:
    """Measure, and tell."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("instrument", type=Path)
    parser.add_argument("--voices", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--busy", type=int, default=1)
    arguments = parser.parse_args()
    Handler.instrument = arguments.instrument.read_bytes()
    busy = [multiprocessing.Process(target=count, daemon=True) for _ in range(arguments.busy)]
    handler = functools.partial(Handler, directory=str(PLAYER))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, sync_playwright() as driver:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        )
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/index.html")
        for process in busy:
            process.start()
        found = page.evaluate(PLAY, {"voices": arguments.voices, "seconds": arguments.seconds})
        for process in busy:
            process.terminate()
        version = browser.version
        browser.close()
        server.shutdown()
    load = "" if not hasattr(os, "getloadavg") else f", load of the machine {os.getloadavg()[0]:.1f}"
    print(f"{arguments.instrument}: {found['rate']:.0f} Hz, hop {found['hop']}, {arguments.voices} voices")
    print(f"Chromium {version}, {os.cpu_count()} cores, {arguments.busy} other busy processes{load}")
    before, after = found["before"], found["after"]
    for name in after:
        so_far = 0.0 if name.endswith("Latency") else before.get(name, 0.0)
        print(f"  {name}: {after[name] - so_far:.6g}")
    print(f"  start to sound: {found['startMs']:.0f} ms; latency of the browser {found['latencyMs']:.1f} ms")


if __name__ == "__main__":
    main()
