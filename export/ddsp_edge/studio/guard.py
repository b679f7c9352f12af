"""Who may ask a studio for anything, and what its answers forbid a browser.

A page from elsewhere that a browser of this machine shows must neither read from the studio nor have it do
anything: not under a name of its own that leads here (DNS rebinding; the header Host), not by a form or a
script (Origin, Sec-Fetch-Site), not in a frame (Content-Security-Policy).
"""

import hmac
import ipaddress
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

COOKIE = "ddsp-studio"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
    "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(self)",
    "cache-control": "no-store",
}
_READING = ("GET", "HEAD")
EVERYWHERE = ("0.0.0.0", "::")
"""Hosts that stand for every address of this machine."""


class Guard:
    """An application of ASGI in front of another, which it lets nobody else to.

    Args:
        app: What it guards.
        host: The address that is listened at.
        port: The port.
        token: What whoever asks must know; None for nobody.
    """

    def __init__(self, app: App, host: str, port: int, token: str | None = None) -> None:
        self._app, self._host, self._port, self._token = app, host, port, token

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name.encode() for name in HEADERS}
                kept = [(name, value) for name, value in message["headers"] if name.lower() not in own]
                message["headers"] = [*kept, *((n.encode(), v.encode()) for n, v in HEADERS.items())]
            await send(message)

        refused = self._refusal(scope)
        if refused is not None:
            status, words, more = refused
            await _answer(guarded, status, words, more)
            return
        await self._app(scope, receive, guarded)

    def _refusal(self, scope: Message) -> tuple[int, str, list[tuple[bytes, bytes]]] | None:
        """Status, words and headers where somebody is turned away, or sent on; None for all others."""
        headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        hosts = headers.get("host", [])
        if len(hosts) != 1 or not self._is_mine(hosts[0]):
            return 421, "The header Host names another machine.", []
        origins, reading = headers.get("origin", []), scope["method"] in _READING
        if any(origin != f"http://{hosts[0]}" for origin in origins) or (not origins and not reading):
            return 403, "This was asked for by a page from elsewhere (the header Origin).", []
        sites = headers.get("sec-fetch-site", [])
        if scope["path"] != "/" and any(site not in ("same-origin", "none") for site in sites):
            return 403, "This was asked for by a page from elsewhere (Sec-Fetch-Site).", []
        return self._without_token(scope, headers.get("cookie", []))

    def _without_token(
        self, scope: Message, cookies: list[str]
    ) -> tuple[int, str, list[tuple[bytes, bytes]]] | None:
        if self._token is None:
            return None
        if any(_same(self._token, value) for value in _cookie_values(cookies)):
            return None
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
        if scope["path"] == "/" and any(_same(self._token, value) for value in given):
            cookie = f"{COOKIE}={self._token}; HttpOnly; SameSite=Strict; Path=/"
            return 303, "", [(b"set-cookie", cookie.encode()), (b"location", b"/")]
        return 401, "The studio wants a token: open the address that it told when it began.", []

    def _is_mine(self, host: str) -> bool:
        name, _, port = host.rpartition(":")
        if port != str(self._port):
            return False
        name = name.lower().strip("[]")
        if name == self._host:
            return True
        if self._host in ("127.0.0.1", "::1"):
            return name == "localhost"
        if self._host not in EVERYWHERE:
            return False
        # An address is never a name that somebody else's server of names has led here.
        # Nor is one that ends in .local, which is asked for in the local network alone.
        own = socket.gethostname().lower()
        return _is_address(name) or name in ("localhost", own, f"{own.removesuffix('.local')}.local")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _same(token: str, given: str) -> bool:
    return hmac.compare_digest(token.encode(), given.encode("utf-8", "replace"))


def _cookie_values(cookies: list[str]) -> list[str]:
    found = []
    for text in cookies:
        try:
            parsed = SimpleCookie(text)
        except CookieError:
            continue
        if COOKIE in parsed:
            found.append(parsed[COOKIE].value)
    return found


async def _answer(send: Send, status: int, words: str, more: list[tuple[bytes, bytes]]) -> None:
    body = words.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *more]})
    await send({"type": "http.response.body", "body": body})
