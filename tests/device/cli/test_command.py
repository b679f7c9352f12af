"""How a command ends: interrupted, terminated, with its output closed or full."""

import argparse
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile

from ddsp_edge.cli.command import path_argument

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and descriptors of POSIX")

PROGRAM = """
import argparse, os, signal, sys, time
from ddsp_edge.cli.command import run_command, tell

def stop(number):
    os.kill(os.getpid(), number)
    time.sleep(10)

def parse():
    if "parse" in sys.argv:
        stop(signal.SIGINT)
    return argparse.Namespace(handler=work, debug=False)

def work(arguments):
    {}

sys.exit(run_command("prog", parse))
"""


def ending(work="pass", *arguments, **options):
    """Run a command that does `work` in a process of its own; return its status, stdout and stderr."""
    command = [sys.executable, "-c", PROGRAM.format(work.replace("\n", "\n    ")), *arguments]
    options = {"stdout": subprocess.PIPE, **options}
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=60, **options)
    return done.returncode, done.stdout, done.stderr


def test_a_command_that_ends_well_says_what_it_says():
    assert ending("tell('hello')") == (0, "hello\n", "")


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("SIGINT", 130, "interrupted"),
        ("SIGTERM", 143, "ended by SIGTERM"),
        ("SIGHUP", 129, "ended by SIGHUP"),
    ],
)
def test_signals_end_a_command_after_its_cleaning_up(name, status, words):
    work = f"try:\n    stop(signal.{name})\nfinally:\n    tell('clean')"
    assert ending(work) == (status, "clean\n", f"prog: {words}\n")


def test_a_signal_that_comes_twice_does_not_disturb_the_cleaning_up():
    again = "os.kill(os.getpid(), signal.SIGTERM)"
    work = f"try:\n    stop(signal.SIGTERM)\nfinally:\n    {again}\n    tell('clean')"
    assert ending(work) == (143, "clean\n", "prog: ended by SIGTERM\n")


def test_an_interrupt_that_an_import_turns_into_something_else_is_an_interrupt():
    work = "try:\n    stop(signal.SIGINT)\nexcept BaseException:\n    raise ImportError('half of numpy')"
    assert ending(work) == (130, "", "prog: interrupted\n")


def test_an_interrupt_before_the_arguments_are_read_is_one_line():
    assert ending("pass", "parse") == (130, "", "prog: interrupted\n")


def test_a_signal_that_is_ignored_stays_ignored():
    def ignore():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    work = "os.kill(os.getpid(), signal.SIGHUP)\ntell('goes on')"
    assert ending(work, preexec_fn=ignore) == (0, "goes on\n", "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")  # noqa: PTH110
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", ["x", "x" * 100_000])
def test_an_output_without_room_is_named(unbuffered, words):
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with open("/dev/full", "w") as full:  # noqa: PTH123
        status, _, err = ending(f"tell({words!r})", stdout=full, env=environment)
    assert (status, err) == (1, "prog: error: cannot write to standard output: No space left on device\n")


def test_a_command_needs_no_standard_streams(tmp_path):
    target = tmp_path / "out"
    said = "tell('said to nobody')\nprint('nor this', file=sys.stderr)"
    work = f"file = open({str(target)!r}, 'w')\n{said}\nfile.write('kept')"

    def close():
        for descriptor in (0, 1, 2):
            os.close(descriptor)

    assert ending(work, preexec_fn=close)[0] == 0
    assert target.read_text() == "kept"


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_goes_away_is_141_without_a_word(unbuffered):
    read, write = os.pipe()
    os.close(read)
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    try:
        status, _, err = ending("tell('x' * 100_000)", stdout=write, env=environment)
    finally:
        os.close(write)
    assert (status, err) == (141, "")


def test_rendering_that_is_terminated_leaves_nothing(tiny, tmp_path):
    rng = np.random.default_rng(0)
    soundfile.write(tmp_path / "long.wav", 0.1 * rng.normal(size=16_000 * 600), 16_000)
    out = tmp_path / "out"
    out.mkdir()
    command = [sys.executable, "-m", "ddsp_edge", "render", tiny, tmp_path / "long.wav", out / "out.wav"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while not list(out.glob(".*.part.wav")) and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (143, "ddsp-edge: ended by SIGTERM\n")
    assert list(out.iterdir()) == []


def test_an_empty_path_is_not_the_current_folder():
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("path", type=path_argument)
    assert parser.parse_args(["a b"]).path.name == "a b"
    with pytest.raises(argparse.ArgumentError, match="the name is empty"):
        parser.parse_args([""])
