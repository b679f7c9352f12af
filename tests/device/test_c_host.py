"""A host in C, of less than 300 lines, plays what the device synthesizer plays."""

import shutil
import subprocess
from pathlib import Path

import ai_edge_litert
import numpy as np
import pytest

from ddsp_edge import Instrument

SOURCE = Path(__file__).parents[2] / "export" / "c" / "play.c"
LIBRARY = Path(ai_edge_litert.__file__).parent / "libLiteRt.so"
COMPILER = shutil.which("cc")


def white_noise(count):
    """The host's noise: the upper half of a linear congruential generator of 64 bits, begun at 1."""
    state, values = 1, []
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        upper = state >> 32
        values.append((upper - 2**32 if upper >= 2**31 else upper) / 2**31)
    return np.array(values, np.float32)


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    if COMPILER is None:
        pytest.skip("there is no C compiler (cc) here")
    if not LIBRARY.is_file():
        pytest.skip(f"ai-edge-litert brings no {LIBRARY.name} here: it does on Linux")
    program = tmp_path_factory.mktemp("c") / "play"
    folder = str(LIBRARY.parent)
    flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror"]
    command = [COMPILER, *flags, "-o", str(program), str(SOURCE), "-L", folder, "-lLiteRt"]
    done = subprocess.run([*command, f"-Wl,-rpath,{folder}"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return program


def test_the_host_is_short_and_needs_no_headers_but_those_of_c():
    lines = SOURCE.read_text(encoding="utf-8").splitlines()
    assert len(lines) < 300
    included = {line.split("<")[1].rstrip(">") for line in lines if line.startswith("#include")}
    assert included <= {"stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h"}


def test_the_host_plays_the_instrument(host, each_schema):
    tiny = each_schema
    frames = 250
    f0_hz = 300.0 * 2.0 ** (np.sin(np.arange(frames) / 20.0) / 6.0)
    loudness_db = -25.0 + 15.0 * np.sin(np.arange(frames) / 40.0)
    features = np.stack([f0_hz, loudness_db], axis=1).astype("<f4")
    done = subprocess.run([host, tiny], input=features.tobytes(), capture_output=True, timeout=60, check=True)
    audio = np.frombuffer(done.stdout, "<f4")
    instrument = Instrument(tiny)
    spec = instrument.spec
    assert f"{spec.sample_rate} Hz, {spec.hop} samples a frame" in done.stderr.decode()
    controls = instrument.controls(features[:, 0], features[:, 1])
    want = instrument.render({**controls, "noise_noise": white_noise(frames * spec.hop)})
    assert np.abs(want).max() > 0.01
    # Features are scaled in the graph: one that differs in its last bit may move an int8 activation a step.
    np.testing.assert_allclose(audio, want, atol=2e-3 * np.abs(want).max())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"RIFF and no model", "is no TensorFlow Lite file"),
        (b"", "is no model file"),
        (None, "cannot be read"),
    ],
)
def test_what_is_no_instrument_is_refused_in_words(host, tmp_path, content, words):
    path = tmp_path / "x.tflite"
    if content is not None:
        path.write_bytes(content)
    done = subprocess.run([host, path], input=b"", capture_output=True, text=False, timeout=60, check=False)
    assert done.returncode == 1
    assert f"error: {path} {words}" in done.stderr.decode()
