"""The player in JavaScript plays what the device side plays (law 1), in Node."""

import dataclasses
import json
import shutil
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest

from ddsp_edge import Instrument
from ddsp_edge.model.file import read_model_file, write_model_file
from tests.device.conftest import BRIGHT, TINY

PLAY = Path(__file__).with_name("play.mjs")
NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(NODE is None, reason="there is no Node to run JavaScript with")


def played(model, tmp_path, f0_hz, loudness_db, noise):
    given, out = tmp_path / "in.json", tmp_path / "out.f32"
    values = {name: value.tolist() for name, value in noise.items()}
    given.write_text(
        json.dumps({"f0_hz": f0_hz.tolist(), "loudness_db": loudness_db.tolist(), "noise": values})
    )
    done = subprocess.run(
        [str(NODE), str(PLAY), str(model), str(given), str(out)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return np.fromfile(out, np.float32)


def features(instrument, seconds):
    frames = instrument.spec.frames_for(seconds)
    at = np.arange(frames)
    known = instrument.card.f0_hz_range, instrument.card.loudness_db_range
    f0_hz = known[0].median * 2.0 ** (0.5 * np.sin(at / 40.0) + np.sin(at / 3.0) / 60.0)
    f0_hz[frames // 2 : frames // 2 + 5] = 0.0  # holds
    loudness_db = known[1].median + 12.0 * np.sin(at / 25.0)
    loudness_db[-frames // 10 :] = -80.0
    return f0_hz, loudness_db


def expected(path, f0_hz, loudness_db, noise):
    instrument = Instrument(path, backend="numpy")
    controls = instrument.controls(f0_hz, loudness_db)
    return instrument.render({**controls, **{f"{name}_noise": values for name, values in noise.items()}})


def white(instrument, frames):
    rng = np.random.default_rng(0)
    nodes = [n["name"] for n in instrument.card.synthesizer["nodes"] if n["type"] == "FilteredNoise"]
    return {name: rng.uniform(-1.0, 1.0, frames * instrument.spec.hop).astype(np.float32) for name in nodes}


def samples_of_both(model, tmp_path, seconds):
    """What the page plays, and what the device side does, of the same controls and noise."""
    instrument = Instrument(model, backend="numpy")
    f0_hz, loudness_db = features(instrument, seconds)
    noise = white(instrument, len(f0_hz))
    want = expected(model, f0_hz, loudness_db, noise)
    assert np.abs(want).max() > 0.01
    return played(model, tmp_path, f0_hz, loudness_db, noise), want


@pytest.mark.parametrize("model", [TINY, BRIGHT], ids=lambda path: path.stem)
def test_it_plays_the_samples_of_the_device_side(tmp_path, model):
    """8-bit weights: values that differ in their last bit are rounded to other steps now and then.

    Further features are what they usually are, by the same line on both sides.
    """
    found, want = samples_of_both(model, tmp_path, 6.0)
    assert np.abs(found - want).max() < 0.01
    assert np.sqrt(np.mean((found - want) ** 2)) < 1e-3 * np.sqrt(np.mean(want**2)) + 1e-4


def test_further_features_that_it_does_not_know_are_refused(tmp_path):
    """A file of a later version, or one whose card does not tell of what its network takes."""
    file = read_model_file(BRIGHT)
    document = json.loads(file.card.to_json())
    card, path = json.dumps({**document, "further": {}}), tmp_path / "later.tflite"
    whole = BRIGHT.read_bytes()
    told = json.dumps(document, indent=1, sort_keys=True).encode()
    assert told in whole  # stored as it is
    changed = card.encode().ljust(len(told))
    data = whole.replace(told, changed)
    crc, old = zlib.crc32(changed), zlib.crc32(told)
    path.write_bytes(data.replace(old.to_bytes(4, "little"), crc.to_bytes(4, "little")))
    (tmp_path / "in.json").write_text('{"f0_hz": [], "loudness_db": [], "noise": {}}')
    command = [str(NODE), str(PLAY), str(path), str(tmp_path / "in.json")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert "its network takes" in done.stderr
    assert "which this player does not know" in done.stderr


def test_what_is_no_model_of_ours_is_refused_in_words(tmp_path):
    file = read_model_file(TINY)

    def refused(content, words):
        path = tmp_path / "other.tflite"
        path.write_bytes(content)
        (tmp_path / "in.json").write_text('{"f0_hz": [], "loudness_db": [], "noise": {}}')
        done = subprocess.run(
            [str(NODE), str(PLAY), str(path), str(tmp_path / "in.json")], capture_output=True, text=True
        )
        assert done.returncode == 1, done.stderr
        assert done.stderr.startswith(f"PlayerError: {words}")

    refused(b"", "it is not a TensorFlow Lite file")
    refused(b"RIFF1234WAVE" * 10, "it is not a TensorFlow Lite file")
    refused(file.model, "it has no card")
    whole = TINY.read_bytes()
    refused(whole[: len(whole) - 30], "it has no card")


def test_damaged_files_end_in_words_and_never_in_a_fault(tmp_path):
    """A byte here and there: what is not noticed plays; what is ends in a sentence."""
    whole, rng = bytearray(TINY.read_bytes()), np.random.default_rng(1)
    (tmp_path / "in.json").write_text('{"f0_hz": [220], "loudness_db": [-30], "noise": {}}')
    for number in range(12):
        damaged = bytearray(whole)
        for place in rng.integers(8, len(whole), 40):
            damaged[place] = int(rng.integers(256))
        path = tmp_path / f"{number}.tflite"
        path.write_bytes(damaged)
        done = subprocess.run(
            [str(NODE), str(PLAY), str(path), str(tmp_path / "in.json")],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode in (0, 1), done.stderr


def test_a_card_of_another_task_is_refused(tmp_path):
    from ddsp_edge.model.file import write_model_file

    file = read_model_file(TINY)
    from ddsp_edge.card import Card

    fields = {f.name: getattr(file.card, f.name) for f in dataclasses.fields(Card)}
    path = tmp_path / "other.tflite"
    write_model_file(path, file.model, Card(**{**fields, "task": "juggling"}), {})
    (tmp_path / "in.json").write_text('{"f0_hz": [], "loudness_db": [], "noise": {}}')
    done = subprocess.run(
        [str(NODE), str(PLAY), str(path), str(tmp_path / "in.json")], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "it is a model for the task 'juggling', not an instrument" in done.stderr


def test_an_instrument_that_hears_power_is_refused(tmp_path):
    """Which is not measured there; one that says loudness in so many words is played."""
    file, path = read_model_file(TINY), tmp_path / "power.tflite"
    (tmp_path / "in.json").write_text('{"f0_hz": [], "loudness_db": [], "noise": {}}')
    command = [str(NODE), str(PLAY), str(path), str(tmp_path / "in.json")]
    write_model_file(path, file.model, dataclasses.replace(file.card, level="power"), file.arrays)
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert "it hears the 'power' of a sound, and loudness is what is measured here" in done.stderr
    write_model_file(path, file.model, file.card, file.arrays)
    assert subprocess.run(command, capture_output=True).returncode == 0


def test_it_reads_arrays_of_half_precision(tmp_path):
    """Every kind of number: normal, as small as can be, and both signs."""
    file = read_model_file(TINY)
    [(name, taps)] = file.arrays.items()
    room = (0.1 * taps).astype(np.float16)
    room[1:5] = 6e-8, -6e-8, 1e-5, -0.25
    path = tmp_path / "half.tflite"
    write_model_file(path, file.model, file.card, {name: room.astype(np.float32)})
    instrument = Instrument(path, backend="numpy")
    f0_hz, loudness_db = features(instrument, 0.5)
    noise = white(instrument, len(f0_hz))
    got = played(path, tmp_path, f0_hz, loudness_db, noise)
    want = expected(path, f0_hz, loudness_db, noise)
    assert np.abs(got - want).max() < 1e-3
    assert np.mean(np.square(got - want)) < 1e-9
