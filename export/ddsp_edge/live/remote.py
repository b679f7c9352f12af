"""Every setting by OSC (Open Sound Control 1.0), from a phone or another program."""

import logging
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields

from ddsp_edge.errors import DdspError
from ddsp_edge.live.effect import LiveEffect
from ddsp_edge.live.keys import LiveInstrument

_EXTRA = "OSC needs python-osc: pip install 'ddsp-tf[live]'"
_MESSAGES = ("note_on", "note_off", "pitch_bend", "control_change")
_BUNDLE = b"#bundle\0"
_DEEPEST = 8  # bundles within bundles


class Remote:
    """Hear addresses and values.

    `/NAME value` sets the setting of that name (`/gain_db -6`, `/gate 1`), `/panic` stops all sound. An
    instrument with keys also hears `/note_on note velocity`, `/note_off note`, `/pitch_bend bend` (-1 to 1)
    and `/control_change control value`. What is unknown or no number is counted and passed over: a message
    from a network never stops the sound. The messages of a bundle are heard at once, whatever its time.

    Args:
        player: What plays.
    """

    def __init__(self, player: LiveEffect | LiveInstrument) -> None:
        self._player = player
        self._kinds: dict[str, Callable[[float], bool | float]] = {
            field.name: bool if isinstance(field.default, bool) else float
            for field in fields(player.settings)
        }
        self.refused = 0

    def hear_packet(self, packet: bytes, depth: int = 0) -> None:
        """Take in what a datagram holds, a message or a bundle, however broken."""
        from pythonosc.osc_message import OscMessage, ParseError

        try:
            if not packet.startswith(_BUNDLE):
                message = OscMessage(packet)
                self.hear(message.address, *message.params)
                return
            if depth >= _DEEPEST:
                raise ValueError("bundles within bundles")
            start = len(_BUNDLE) + 8  # behind the time
            while start < len(packet):
                end = start + 4 + int.from_bytes(packet[start : start + 4], "big")
                if not start + 4 < end <= len(packet):
                    raise ValueError("a part that is not there")
                self.hear_packet(packet[start + 4 : end], depth + 1)
                start = end
        except (ParseError, ValueError, TypeError, IndexError, struct.error):
            self.refused += 1

    def hear(self, address: str, *values: object) -> None:
        """Take in one message."""
        name = address.removeprefix("/")
        try:
            if name == "panic":
                self._panic()
            elif name in self._kinds:
                (value,) = values
                setattr(self._player.settings, name, self._kinds[name](_number(value)))
            elif name in _MESSAGES and isinstance(self._player, LiveInstrument):
                whole = name != "pitch_bend"
                numbers = [_number(value) for value in values]
                send: Callable[..., None] = getattr(self._player, name)
                if len(numbers) != (2 if name == "control_change" else 1) and name != "note_on":
                    raise DdspError(f"{address} has {len(numbers)} values")
                send(*(int(number) if whole else number for number in numbers[:2]))
            else:
                self.refused += 1
        except (TypeError, ValueError, OverflowError):  # DdspError is a ValueError
            self.refused += 1

    def _panic(self) -> None:
        # An effect has no notes to stop, and must not be reset while it plays.
        if isinstance(self._player, LiveInstrument):
            self._player.panic()


@contextmanager
def listening_for_osc(player: LiveEffect | LiveInstrument, host: str, port: int) -> Iterator[int]:
    """Hear OSC over UDP while the context lasts.

    Args:
        player: What plays.
        host: Address to listen at: `127.0.0.1` for this machine alone, `0.0.0.0` for the whole network.
            OSC knows no passwords: whoever reaches the port can play.
        port: Integer from 1 to 65535; 0 for any that is free.

    Yields:
        The port.

    Raises:
        DdspError: If python-osc is not installed, or the port cannot be had.
    """
    if not 0 <= port <= 65_535:
        raise DdspError(f"A port is from 1 to 65535. Received: {port}")
    try:
        import pythonosc.osc_message  # noqa: F401  # told here, and not by the first message
    except ImportError as error:
        raise DdspError(_EXTRA) from error
    remote = Remote(player)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            remote.hear_packet(self.request[0])

    try:
        server = socketserver.UDPServer((host, port), Handler)
    except OSError as error:
        raise DdspError(f"OSC cannot listen at {host}, port {port}: {error.strerror or error}") from error
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    logging.getLogger().addFilter(_not_of_osc)
    try:
        yield int(server.server_address[1])
    finally:
        logging.getLogger().removeFilter(_not_of_osc)
        server.shutdown()
        thread.join(1.0)
        server.server_close()


def _not_of_osc(record: logging.LogRecord) -> bool:
    """Leave out what python-osc logs of broken packets: a network could fill the journal with it."""
    return "pythonosc" not in record.pathname


def _number(value: object) -> float:
    if isinstance(value, bool | int | float):
        return float(value)
    raise TypeError(f"no number: {value!r}")
