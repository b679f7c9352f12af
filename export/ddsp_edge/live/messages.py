"""MIDI messages to a live instrument: from a port, or from the keys of a computer."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ddsp_edge.errors import DdspError, printable
from ddsp_edge.expression.notes import Ahead
from ddsp_edge.live.keys import LiveInstrument
from ddsp_edge.quiet import quiet_stderr

_EXTRA = "Playing from a MIDI port needs python-rtmidi: pip install 'ddsp-tf[live]'"

# A piano on two rows of a keyboard, by the characters of a US layout: a is C.
_PIANO = "awsedftgyhujkolp;"
_LOWEST_C, _HIGHEST_C = 12, 108
_LOOK_S = 2.0  # between two looks at whether a port is still there


def hear(player: LiveInstrument, message: Any, offset: int = 0, ahead: Ahead | None = None) -> None:
    """Send a mido message to a player; what it has no use for is passed over.

    Args:
        player: The player.
        message: The message.
        offset: Samples into the next block at which it happens.
        ahead: What comes after a note that it strikes, where that is known.
    """
    if message.type == "note_on":
        player.note_on(message.note, message.velocity, offset, message.channel, ahead)
    elif message.type == "note_off":
        player.note_off(message.note, offset, message.channel)
    elif message.type == "control_change":
        player.control_change(message.control, message.value, offset, message.channel)
    elif message.type == "pitchwheel":
        player.pitch_bend(max(-1.0, message.pitch / 8192.0), offset, message.channel)
    elif message.type == "aftertouch":
        player.channel_pressure(message.value, offset, message.channel)
    elif message.type in ("stop", "reset"):
        player.panic()


def port_names() -> list[str]:
    """The MIDI ports that can be heard.

    Raises:
        DdspError: If python-rtmidi is not installed, or the system has no MIDI.
    """
    with quiet_stderr():  # ALSA complains there where it is not installed
        return _names()


@contextmanager
def listening(player: LiveInstrument, name: str | None = None, look_s: float = _LOOK_S) -> Iterator[str]:
    """Send what a MIDI port hears to a player; a port that goes away is opened again when it is back.

    Args:
        player: The player.
        name: A part of the port's name; None for the first that is not the system's own "through" port.
        look_s: Seconds between two looks at the ports.

    Yields:
        The name of the port.

    Raises:
        DdspError: If there is no such port, or python-rtmidi is not installed.
    """
    names = port_names()
    found = _chosen(names, name)
    if found is None:
        known = ", ".join(map(printable, names)) or "none"
        asked = (
            "no MIDI keyboard was found" if name is None else f"no MIDI port is called {printable(name)!r}"
        )
        raise DdspError(f"{asked}. MIDI ports: {known}")
    port, opened = _opened(player, found), found
    ended = threading.Event()

    def watch() -> None:
        nonlocal port, opened
        while not ended.wait(look_s):
            try:
                names = _names()  # not quietly: what others say meanwhile would be lost
                if port is not None and opened not in names:
                    port.close()
                    port = None
                    player.panic()  # nobody will hear its keys come up
                elif port is None and (back := _chosen(names, name)) is not None:
                    port, opened = _opened(player, back), back
            except DdspError:  # looked at again
                continue

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield printable(found)
    finally:
        ended.set()
        watcher.join()
        if port is not None:
            port.close()


def _names() -> list[str]:
    mido = _mido()
    try:
        return list(mido.get_input_names())
    except Exception as error:  # of the library under it; it has no one class of its own
        raise DdspError(f"MIDI cannot be used here: {printable(error)[:200]}") from error


def _chosen(names: list[str], name: str | None) -> str | None:
    wanted = (name or "").lower()
    found = (n for n in names if wanted in n.lower() and (name or "through" not in n.lower()))
    return next(found, None)


def _opened(player: LiveInstrument, name: str) -> Any:
    try:
        return _mido().open_input(name, callback=lambda message: hear(player, message))
    except Exception as error:
        raise DdspError(f"{printable(name)} cannot be opened: {printable(error)[:200]}") from error


class ComputerKeys:
    """Play on the keys of a computer, as a terminal sends them: it tells of keys that go down, never up.

    A note ends with the next one, or with the space bar. `z` and `x` move by an octave, `c` and `v` make it
    softer and louder, Escape is panic.

    Args:
        player: The player.
    """

    def __init__(self, player: LiveInstrument) -> None:
        self._player = player
        self._c = 60
        self._velocity = 100
        self._note: int | None = None

    def press(self, character: str) -> None:
        """Take in a character that was typed; those without a meaning are passed over."""
        if character == "\x1b":
            self._note = None
            self._player.panic()
        elif character == " ":
            self._end()
        elif character in ("z", "x"):
            octave = 12 if character == "x" else -12
            self._c = min(max(self._c + octave, _LOWEST_C), _HIGHEST_C)
        elif character in ("c", "v"):
            self._velocity = min(max(self._velocity + (10 if character == "v" else -10), 10), 120)
        elif character and character in _PIANO:
            note = self._c + _PIANO.index(character)
            if note == self._note or note > 127:
                return
            before, self._note = self._note, note
            self._player.note_on(note, self._velocity)
            if before is not None:  # after the new one, so that a single voice slurs
                self._player.note_off(before)

    def _end(self) -> None:
        if self._note is not None:
            self._player.note_off(self._note)
            self._note = None


@contextmanager
def terminal_keys(press: Callable[[str], None], stream: Any) -> Iterator[None]:
    """Send each character that is typed in a terminal to `press`, at once and unseen.

    Args:
        press: Called from a thread of its own.
        stream: The terminal, a text stream as `sys.stdin`.

    Raises:
        DdspError: If it is no terminal, or the system has none of the POSIX kind.
    """
    try:
        import select
        import termios
        import tty
    except ImportError as error:
        raise DdspError("This system's terminal cannot be played on; use a MIDI keyboard") from error
    if not stream.isatty():
        raise DdspError("There is no MIDI keyboard, and no terminal whose keys could be played on")
    number = stream.fileno()
    before = termios.tcgetattr(number)
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            if select.select([number], [], [], 0.1)[0]:
                # Past the stream's own buffer, which `select` does not see.
                for character in os.read(number, 64).decode(errors="ignore"):
                    press(character)

    tty.setcbreak(number)
    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield
    finally:
        ended.set()
        reader.join(1.0)
        termios.tcsetattr(number, termios.TCSADRAIN, before)


def _mido() -> Any:
    try:
        import mido
        import rtmidi  # noqa: F401 - what mido opens ports with
    except ImportError as error:
        raise DdspError(_EXTRA) from error
    return mido
