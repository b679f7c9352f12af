"""The studio as a server on this machine, which ends with everything that it kept."""

import contextlib
import errno
import ipaddress
import secrets
import socket
import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn

from ddsp_edge.errors import DdspError, printable
from ddsp_edge.studio.app import Studio
from ddsp_edge.studio.guard import EVERYWHERE, Guard
from ddsp_edge.studio.keep import Keep
from ddsp_edge.studio.shelf import Shelf
from ddsp_edge.studio.training import can_train

_TIMES_ONE_FILE = 8  # that all files may have together: inputs, results and what is shown of them
_AT_ONCE = 64  # connections
_GRACE_S = 2  # for those that are open when it ends


def serve(
    places: Sequence[Path],
    *,
    host: str,
    port: int,
    most_mb: int,
    browser: bool,
    say: Callable[[str], None],
    runs: Path | None = None,
) -> None:
    """Serve until told to stop (Ctrl-C).

    Args:
        places: Models and folders of models.
        host: The address to listen at; one that others reach asks for a token.
        port: Integer, 0 for any that is free.
        most_mb: Integer, megabytes of a file that is taken.
        browser: Whether a browser is opened.
        say: Is told where it is.
        runs: Folder of trainings; None where nothing is trained.

    Raises:
        DdspError: If a model cannot be read, or the address cannot be listened at.
    """
    shelf = Shelf(places)
    for line in shelf.left_out:
        say(f"left out: {line}")
    if runs is not None:
        if not can_train():
            raise DdspError("--train needs the library: pip install 'ddsp-tf[studio,train]'")
        runs.mkdir(parents=True, exist_ok=True)
    token = None if is_loopback(host) else secrets.token_urlsafe(18)
    with Keep(_TIMES_ONE_FILE * most_mb * 1_000_000) as keep, listening(host, port) as listener:
        port = listener.getsockname()[1]
        server = make_server(keep, shelf, host, port, most_mb * 1_000_000, token, runs)
        shown = "127.0.0.1" if host in EVERYWHERE else host
        asked = "" if token is None else f"?token={token}"
        address = f"http://{f'[{shown}]' if ':' in shown else shown}:{port}/{asked}"
        say(f"the studio is at {address} Ctrl-C ends")
        if host in EVERYWHERE:
            say("others reach it by this machine's name or address in the place of 127.0.0.1")
        if browser:
            with contextlib.suppress(webbrowser.Error):
                webbrowser.open(address)
        server.run(sockets=[listener])


def make_server(
    keep: Keep,
    shelf: Shelf,
    host: str,
    port: int,
    most_bytes: int,
    token: str | None = None,
    runs: Path | None = None,
) -> uvicorn.Server:
    """A server that has not begun.

    Args:
        keep: Where files are kept.
        shelf: The models.
        host: The address that it will be asked by.
        port: Integer, the port.
        most_bytes: Integer, of a file that is taken.
        token: What whoever asks must know; None for nothing.
        runs: Folder of trainings; None where nothing is trained.
    """
    app = Guard(Studio(keep, shelf, most_bytes, runs).app(), host, port, token)  # type: ignore[arg-type]
    return uvicorn.Server(
        uvicorn.Config(
            app,  # type: ignore[arg-type]
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,  # nobody in between is to be believed
            ws="none",
            http="h11",
            loop="asyncio",
            lifespan="on",
            limit_concurrency=_AT_ONCE,
            timeout_graceful_shutdown=_GRACE_S,
        )
    )


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        DdspError: If it cannot.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        socket.getaddrinfo(host, None, family)  # a server hides what of an error is about a name
        return socket.create_server((host, port), family=family, backlog=64)
    except (OSError, OverflowError, UnicodeError) as error:
        nameless = isinstance(error, socket.gaierror | UnicodeError)
        if nameless or getattr(error, "errno", None) == errno.EADDRNOTAVAIL:
            raise DdspError(
                f"this machine has no address {printable(host)}: --host takes one of its own, or 0.0.0.0 for "
                "all of them"
            ) from error
        reason = getattr(error, "strerror", None) or error
        raise DdspError(
            f"port {port} of {host} cannot be listened at: {reason}. Name another one: --port 0 takes any "
            "that is free"
        ) from error
