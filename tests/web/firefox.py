"""Firefox, driven by WebDriver BiDi: as much of it as tests of the pages want.

Pages answer to the same names as those of Playwright, which has no Firefox of a system.
"""

import json
import re
import shutil
import subprocess
import time
from contextlib import contextmanager

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
PREFERENCES = {
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "media.cubeb.force_mock_context": True,  # sound goes on where there is no sound device
    "media.navigator.permission.disabled": True,
    "media.navigator.streams.fake": True,  # a microphone that hears a tone
}
_START_S = 60.0


class Firefox:
    """A Firefox without a window.

    Args:
        socket: A connection to it.
    """

    def __init__(self, socket):
        self._socket, self._last, self.errors = socket, 0, []
        self.ask("session.new", capabilities={})
        self.ask("session.subscribe", events=["log.entryAdded"])

    def ask(self, method, **given):
        """Have it do something; returns its answer."""
        self._last += 1
        self._socket.send(json.dumps({"id": self._last, "method": method, "params": given}))
        while True:
            told = json.loads(self._socket.recv(timeout=60.0))
            if told["type"] == "event" and told["params"]["level"] == "error":
                self.errors.append(told["params"]["text"])
            if told.get("id") == self._last:
                break
        if told["type"] == "error":
            raise RuntimeError(f"{method}: {told['message']}")
        return told["result"]


class Page:
    """A page in it."""

    def __init__(self, firefox, address, width=900, height=900):
        self._firefox = firefox
        self._given = {"context": firefox.ask("browsingContext.create", type="tab")["context"]}
        self._ask("browsingContext.setViewport", viewport={"width": width, "height": height})
        self._ask("browsingContext.navigate", url=address, wait="complete")

    def _ask(self, method, **given):
        return self._firefox.ask(method, **self._given, **given)

    def evaluate(self, expression, argument=None):
        """What an expression of the page is; a function is called with the argument."""
        called = expression if argument is None else f"({expression})({json.dumps(argument)})"
        answer = self._firefox.ask(
            "script.callFunction",
            functionDeclaration=f"async () => JSON.stringify(await ({called}) ?? null)",
            target=self._given,
            awaitPromise=True,
        )
        if answer["type"] == "exception":
            raise RuntimeError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    def wait_for_timeout(self, milliseconds):
        time.sleep(milliseconds / 1000)

    def inner_text(self, where):
        return self.evaluate(f"document.querySelector({where!r}).innerText")

    def set_input_files(self, where, path):
        found = self._ask("browsingContext.locateNodes", locator={"type": "css", "value": where})
        element = {"sharedId": found["nodes"][0]["sharedId"]}
        self._ask("input.setFiles", element=element, files=[str(path)])

    def press(self, where, down=0.5):
        """The mouse is pressed there, at this share of its height, and stays so."""
        x, y = self.evaluate(
            """({ where, down }) => {
                const element = document.querySelector(where);
                element.scrollIntoView({ block: "center" });
                const box = element.getBoundingClientRect();
                return [box.x + box.width / 2, box.y + down * box.height].map(Math.round);
            }""",
            {"where": where, "down": down},
        )
        self._act({"type": "pointerMove", "x": x, "y": y}, {"type": "pointerDown", "button": 0})

    def let_go(self):
        self._act({"type": "pointerUp", "button": 0})

    def click(self, where):
        self.press(where)
        self.let_go()

    def _act(self, *actions):
        mouse = {"type": "pointer", "id": "mouse", "actions": list(actions)}
        self._ask("input.performActions", actions=[mouse])

    def reload(self):
        self._ask("browsingContext.reload", wait="complete")

    def close(self):
        self._ask("browsingContext.close")


@contextmanager
def started(folder):
    """A Firefox with a profile of its own in a folder."""
    from websockets.sync.client import connect

    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items()]
    (folder / "user.js").write_text("\n".join(lines))
    told = folder / "told.txt"
    command = [FIREFOX, "--headless", "--remote-debugging-port=0", "--profile", str(folder)]
    with told.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            with connect(f"{_address(told)}/session", max_size=None) as socket:
                yield Firefox(socket)
        finally:
            process.terminate()


def _address(told):
    """Where it listens, which it tells when it has started."""
    until = time.monotonic() + _START_S
    while time.monotonic() < until:
        found = re.search(r"BiDi listening on (ws://\S+)", told.read_text(errors="replace"))
        if found:
            return found[1]
        time.sleep(0.1)
    raise TimeoutError(f"Firefox has not started: {told.read_text(errors='replace')}")
