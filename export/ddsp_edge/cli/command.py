"""Running a command: errors in one line, an exit status, and an orderly end when somebody stops it.

Both command lines, `ddsp-edge` and `ddsp-tf`, run their commands here. Exit statuses:

0    all went well
1    an error, told in one line on stderr
2    wrong usage (argparse)
128+ a signal by its number: 130 interrupted (Ctrl-C), 143 terminated, 129 the terminal was closed, and 141
     where the reader of our output went away, as `head` does: nothing is said then, but the work may not
     be complete, and a script should be able to tell
"""

import argparse
import contextlib
import io
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from ddsp_edge.errors import DdspError, did_you_mean, printable
from ddsp_edge.shipped import model_path

_LOST = "cannot write to standard output: {}"
_CLOSED_PIPE = 141  # 128 + SIGPIPE, which Python turns into an exception, and Windows does not have
_TWICE_S = 1.0  # a signal is often sent twice: GNU timeout sends it to the process and to its group


class CommandLine(argparse.ArgumentParser):
    """A parser that asks whether the nearest choice was meant where there is none of a name."""

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            error.message += did_you_mean(str(value), [str(choice) for choice in action.choices or ()])
            raise


def run_command(program: str, parse: Callable[[], argparse.Namespace]) -> int:
    """Run a command to its end; return its exit status.

    Args:
        program: Name of the program, in front of what is said on stderr.
        parse: Reads the command line. What it returns has `handler`, which is called with it, and `debug`,
            whether to show the traceback of an error.

    Raises:
        SystemExit: From `parse`: help, version, or wrong usage.
    """
    _open_closed_streams()
    _print_whatever_comes()
    debug = False
    error: BaseException | None = None
    with _signals_interrupt() as received:
        try:
            arguments = parse()
            debug = arguments.debug
            arguments.handler(arguments)
        except BaseException as caught:  # noqa: BLE001 - sorted out below
            error = caught
        lost = _flush_output()
    # An interrupt in the middle of an import may come out as any other exception.
    if isinstance(error, KeyboardInterrupt) or (received and error is not None):
        number = received[0] if received else signal.SIGINT
        words = "interrupted" if number == signal.SIGINT else f"ended by {signal.Signals(number).name}"
        return _end(program, words, None, 128 + number)
    if lost is not None and (error is None or isinstance(error, OSError | SystemExit)):
        error = lost
    if isinstance(error, BrokenPipeError):
        return _CLOSED_PIPE
    if error is lost and lost is not None:
        return _end(program, f"error: {_LOST.format(lost.strerror or lost)}", error if debug else None)
    if error is None:
        return 0
    if not isinstance(error, Exception):
        raise error
    return _end(program, f"error: {_words(error)}", error if debug else None)


def tell(text: str) -> None:
    """Print what a command has to say.

    Raises:
        DdspError: If it cannot be written.
        BrokenPipeError: If nobody reads it any more.
    """
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise DdspError(_LOST.format(error.strerror or error)) from error


def say(text: str) -> None:
    """Say something of `ddsp-edge` on stderr, beside what a command prints."""
    print(f"ddsp-edge: {text}", file=sys.stderr, flush=True)


def path_argument(text: str) -> Path:
    """Type of an argument of argparse that names a file or folder; an empty one is refused.

    `Path("")` is the current folder, which nobody means who writes `"$UNSET"`.
    """
    if not text:
        raise argparse.ArgumentTypeError("the name is empty (a variable of the shell that is not set?)")
    return Path(text)


def model_argument(text: str) -> Path:
    """Type of an argument of argparse that names a model: a file, or one that comes with the package."""
    try:
        return model_path(str(path_argument(text)))
    except DdspError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _words(error: Exception) -> str:
    """One line for the person at the keyboard."""
    text = " ".join(str(error).split())
    if isinstance(error, DdspError):
        return text
    if isinstance(error, OSError):
        reason = error.strerror or text or type(error).__name__
        return f"{error.filename}: {reason}" if error.filename else reason
    return f"unexpected {type(error).__name__}: {text[:300]} (a bug: run again with --debug to see where)"


def _end(program: str, words: str, shown: BaseException | None, status: int = 1) -> int:
    with contextlib.suppress(OSError):  # nobody is left to be told
        if shown is not None:
            traceback.print_exception(shown)
        # A hostile file may put anything into a message; a terminal would obey its escape sequences.
        print(f"{program}: {printable(words)}", file=sys.stderr, flush=True)
    return status


def _flush_output() -> OSError | None:
    """Write what is left of our output; return why that cannot be done."""
    try:
        sys.stdout.flush()
    except OSError as error:
        # Python would try, and complain, once more while it exits.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return error
    return None


def _open_closed_streams() -> None:
    """Give a process that was started without stdin, stdout or stderr (`>&-`) the null device for them.

    Otherwise the next file that is opened gets its number, and whatever writes there writes into that file.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 - open until the process ends


def _print_whatever_comes() -> None:
    """Print a character that the encoding of the terminal lacks as `\\u03a9`: names of files hold any."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextlib.contextmanager
def _signals_interrupt() -> Iterator[list[int]]:
    """Let the signals that end a process raise `KeyboardInterrupt`, so that files half written are removed.

    Yields:
        The numbers of the signals that came.
    """
    received: list[int] = []
    first = 0.0

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal first
        if received and number != signal.SIGINT and time.monotonic() - first < _TWICE_S:
            return
        first = time.monotonic()
        received.append(number)
        raise KeyboardInterrupt

    before = {}
    if threading.current_thread() is threading.main_thread():  # no other may set handlers
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
            number = getattr(signal, name, None)
            # One that is ignored, as by nohup, stays so.
            if number is not None and signal.getsignal(number) in (
                signal.SIG_DFL,
                signal.default_int_handler,
            ):
                before[number] = signal.signal(number, stop)
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
