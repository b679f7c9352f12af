"""A model file as an instrument: streaming, bad features, bad files."""

import dataclasses
import io
import json
import sys
import zipfile
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_edge import DdspError, Instrument, LoudnessMeter, read_model_file
from ddsp_edge.live import LiveEffect, LiveInstrument
from ddsp_edge.model.file import write_model_file
from ddsp_edge.model.network import Network
from ddsp_edge.units import LOUDNESS_FLOOR_DB, scale_f0, scale_loudness
from tests.device.conftest import TINY

CARD = read_model_file(TINY).card
LEVEL = CARD.loudness_db_range
[(ROOM, [TAPS])] = CARD.arrays.items()
[(STATE, [_, UNITS])] = CARD.state_shapes.items()


def phrase(instrument, seconds=2.0):
    frames = instrument.spec.frames_for(seconds)
    time = np.arange(frames) * instrument.spec.hop / instrument.spec.sample_rate
    f0_hz = 330 * 2 ** (np.sin(2 * np.pi * 5 * time) / 24)
    return f0_hz, -25 + 15 * np.sin(2 * np.pi * time)


@pytest.fixture(scope="module")
def instrument(tiny):
    return Instrument(tiny, seed=1)


@pytest.mark.parametrize("block", [1, 12, 125])  # 8 ms, 96 ms, 1 s
def test_a_minute_in_blocks_is_the_minute_at_once(instrument, block):
    f0_hz, loudness_db = phrase(instrument, 60)
    instrument.reset()
    whole = instrument.process(f0_hz, loudness_db)
    assert len(whole) == 60 * 16_000
    instrument.reset()
    parts = [
        instrument.process(f0_hz[i : i + block], loudness_db[i : i + block])
        for i in range(0, len(f0_hz), block)
    ]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-5, rtol=0)
    assert 0.01 < np.abs(whole).max() < 1


def loudness_of(instrument, f0_hz, level_db):
    """Median loudness of two seconds of a steady note."""
    instrument.reset()
    audio = instrument.process(np.full(250, f0_hz), np.full(250, level_db))
    return float(np.median(LoudnessMeter(instrument.spec).push(audio)))


@pytest.mark.parametrize("which", ["low", "median", "high"])
def test_a_note_sounds_as_loud_as_it_is_asked_to(instrument, which):
    f0_hz = getattr(CARD.f0_hz_range, which)
    asked = np.linspace(LEVEL.low, LEVEL.high, 5)
    found = np.array([loudness_of(instrument, f0_hz, level) for level in asked])
    assert (np.diff(found) > 0.6 * np.diff(asked)).all()
    # trained for 300 steps: within 4.2 dB when the file was made
    np.testing.assert_allclose(found, asked, atol=6.0)


@pytest.mark.parametrize("which", ["low", "median", "high"])
def test_the_floor_is_as_good_as_silent(instrument, which):
    # The network's sigmoids never reach 0, and so small a one does not come as near as larger ones do. What
    # it makes of the floor was -76.2 to -79.1 dB; the floor of the measure itself is -80 dB.
    assert loudness_of(instrument, getattr(CARD.f0_hz_range, which), LOUDNESS_FLOOR_DB) < -75.0


def test_pitch_of_the_output_is_the_pitch_of_the_input(instrument):
    instrument.reset()
    audio = instrument.process(np.full(250, 500.0), np.full(250, -20.0))
    spectrum = np.abs(np.fft.rfft(audio[:16_000]))
    assert np.argmax(spectrum) % 500 == 0  # bins of 1 Hz


@settings(max_examples=30, deadline=None)
@given(
    f0=st.lists(st.floats(width=32), min_size=1, max_size=20),
    loudness=st.lists(st.floats(width=32), min_size=20, max_size=20),
)
def test_no_features_make_the_output_anything_but_finite(tiny, f0, loudness):
    instrument = Instrument(tiny, seed=1)
    audio = instrument.process(f0, loudness[: len(f0)])
    assert np.isfinite(audio).all()
    assert np.abs(audio).max() < 10
    assert np.isfinite(instrument.process([440.0], [-20.0])).all()


def test_bad_pitch_holds_the_last_good_one(instrument):
    instrument.reset()
    bad = [np.nan, 0.0, 440.0, -1.0, np.inf, 220.0, np.nan]
    f0 = instrument.controls(bad, [-20.0] * 7)["f0_hz"][:, 0]
    middle = np.float32(CARD.f0_hz_range.median)
    np.testing.assert_array_equal(f0, [middle, middle, 440, 440, 440, 220, 220])
    assert instrument.controls([np.nan], [-20.0])["f0_hz"][0, 0] == 220


def test_features_of_different_lengths_are_refused(instrument):
    with pytest.raises(DdspError, match="f0 has 3 frames and loudness 2"):
        instrument.process([440.0] * 3, [-20.0] * 2)


def test_no_frames_make_no_samples(instrument):
    assert instrument.process([], []).shape == (0,)


def test_latency_is_one_hop(instrument):
    assert instrument.latency_samples == 128


@pytest.mark.parametrize("seed", [-1, 1.5, "one", True])
def test_what_is_no_seed_is_refused(tiny, seed):
    for make in (partial(Instrument, tiny), partial(LiveEffect, tiny), partial(LiveInstrument, tiny)):
        with pytest.raises(DdspError, match=f"seed must be a whole number from 0. Received: {seed!r}"):
            make(seed=seed)


def test_seed_repeats_the_noise(tiny):
    a, b, c = (Instrument(tiny, seed).process([440.0] * 50, [-10.0] * 50) for seed in (1, 1, None))
    np.testing.assert_array_equal(a, b)
    assert np.abs(a - c).max() > 1e-6


# Model files.


@pytest.mark.parametrize("kept", [0, 1, 7, 8, 100, 5000, -1000, -100, -20, -1])
def test_a_file_cut_short_is_refused_in_one_line(tiny, tmp_path, kept):
    path = tmp_path / "cut.tflite"
    path.write_bytes(tiny.read_bytes()[:kept])
    with pytest.raises(DdspError, match=r"cut\.tflite") as caught:
        Instrument(path)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_something_else_is_refused(tmp_path, tiny):
    text = tmp_path / "text.tflite"
    text.write_text("these are not the weights you are looking for")
    with pytest.raises(DdspError, match="not a TFLite file"):
        Instrument(text)
    archive = tmp_path / "zip.tflite"
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr("metadata.json", "{}")
    with pytest.raises(DdspError, match="not a TFLite file"):
        Instrument(archive)
    with pytest.raises(DdspError, match="no such file"):
        Instrument(tmp_path / "missing.tflite")
    with pytest.raises(DdspError, match="is a folder, not an instrument"):
        Instrument(tmp_path)


def test_a_plain_tflite_has_no_card(tiny, tmp_path):
    path = tmp_path / "plain.tflite"
    path.write_bytes(read_model_file(tiny).model)
    with pytest.raises(DdspError, match="has no card"):
        Instrument(path)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_flipped_byte_is_refused_or_harmless(tiny, tmp_path_factory, data):
    whole = bytearray(tiny.read_bytes())
    where = data.draw(st.integers(0, len(whole) - 1))
    whole[where] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.getbasetemp() / "flipped.tflite"
    path.write_bytes(whole)
    try:
        file = read_model_file(path)
    except DdspError:
        return
    # A few bytes of a zip mean nothing (times, attributes). Then all that counts must be as it was.
    good = read_model_file(tiny)
    assert (file.model, file.card) == (good.model, good.card)
    np.testing.assert_array_equal(file.arrays[ROOM], good.arrays[ROOM])


def rewritten(tiny, path, members, model=None):
    """A copy of the tiny instrument with members of its archive replaced (None: left out)."""
    file = read_model_file(tiny)
    with zipfile.ZipFile(tiny) as archive:
        have = {name: archive.read(name) for name in archive.namelist()}
    out = io.BytesIO()
    out.write(file.model if model is None else model)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**have, **members}.items():
            if content is not None:
                archive.writestr(name, content)
    path.write_bytes(out.getvalue())
    return path


def card_with(tiny, **changes):
    document = json.loads(read_model_file(tiny).card.to_json())
    document.update(changes)
    return json.dumps({k: v for k, v in document.items() if v != "left out"})


BAD_CARDS = {
    "not JSON": ("{", "not valid JSON"),
    "nested JSON": ("[" * 100_000, "not valid JSON"),
    "a list": ("[]", "not a JSON object"),
    "later schema": ({"schema_version": 99}, "schema version 99"),
    "no hop": ({"hop": "left out"}, "lacks hop"),
    "hop of 0": ({"hop": 0}, "hop must be a positive integer"),
    "hop of text": ({"hop": "64"}, "hop in its card must be int"),
    "rate of a float": ({"sample_rate": 16000.5}, "sample_rate in its card must be int"),
    "rate too fast": ({"sample_rate": 10**12}, "at most"),
    "range without a median": ({"f0_hz_range": {"low": 1, "high": 2}}, "low, median and high"),
    "median of 0": ({"f0_hz_range": {"low": 0, "median": 0, "high": 0}}, "above 0 Hz"),
    "median of text": ({"f0_hz_range": {"low": 0, "median": "x", "high": 0}}, "low, median and high"),
    "range of nothing": ({"f0_hz_range": {"low": float("nan"), "median": 1, "high": 2}}, "must rise"),
    "range upside down": ({"loudness_db_range": {"low": 0, "median": -20, "high": -60}}, "must rise"),
    "array of no size": ({"arrays": {ROOM: []}}, ROOM),
    "huge array": ({"arrays": {ROOM: [10**9, 10**9]}}, "impossible shape"),
    "negative array": ({"arrays": {ROOM: [-TAPS]}}, "impossible shape"),
    "longer array": ({"arrays": {ROOM: [TAPS + 1]}}, "not what"),
    "missing array": ({"arrays": {ROOM: [TAPS], "hall": [3]}}, r"its card names hall\.f32, which is not in"),
    "no arrays": ({"arrays": {}}, "arrays in the file: none"),
    "wrong state": ({"state_shapes": {STATE: [1, UNITS + 1]}}, rf"float32 \[1, {UNITS + 1}\]"),
    "no state": ({"state_shapes": {}}, "its card says"),
    "extra state": ({"state_shapes": {STATE: [1, UNITS], "more": [1, 1]}}, "its card says"),
    "huge state": ({"state_shapes": {STATE: [1, 10**12]}}, "float32"),
    "impossible state": ({"state_shapes": {STATE: "big"}}, "impossible shape"),
    "state called like a feature": ({"state_shapes": {"f0_scaled": [1, 1]}}, "impossible shape"),
    "other model": ({"model_sha256": "0" * 64}, "damaged"),
    "negative length": ({"model_bytes": -5}, "damaged"),
    "wrong harmonics": ({"synthesizer": {"nodes": [], "output": "x"}}, "1 to 64 nodes"),
    "no synthesizer": ({"synthesizer": {}}, "1 to 64 nodes"),
}


@pytest.mark.parametrize("case", BAD_CARDS)
def test_a_card_that_cannot_be_is_refused_in_one_line(tiny, tmp_path, case):
    change, message = BAD_CARDS[case]
    text = change if isinstance(change, str) else card_with(tiny, **change)
    path = rewritten(tiny, tmp_path / "bad.tflite", {"metadata.json": text})
    with pytest.raises(DdspError, match=message) as caught:
        Instrument(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
    assert "bad.tflite" in str(caught.value)


def test_claims_of_a_zip_bomb_are_not_believed(tiny, tmp_path):
    bomb = b"\0" * (100 << 20)
    path = rewritten(tiny, tmp_path / "bomb.tflite", {"metadata.json": bomb})
    assert path.stat().st_size < 1 << 20
    with pytest.raises(DdspError, match="claims"):
        Instrument(path)
    path = rewritten(tiny, tmp_path / "bomb.tflite", {f"{ROOM}.f32": bomb})
    with pytest.raises(DdspError, match="claims"):
        Instrument(path)


def test_an_array_that_is_not_finite_is_refused(tiny, tmp_path):
    bad = np.full(TAPS, np.nan, "<f4").tobytes()
    path = rewritten(tiny, tmp_path / "nan.tflite", {f"{ROOM}.f32": bad})
    with pytest.raises(DdspError, match="not finite"):
        Instrument(path)


def test_arrays_that_half_precision_holds_take_half_the_bytes_and_are_the_same(tiny, tmp_path):
    file = read_model_file(tiny)
    exact = np.random.default_rng(0).normal(size=TAPS).astype(np.float16).astype(np.float32)
    rough = exact * np.float32(1.0001)
    for name, response in (("f16", exact), ("f32", rough), ("f32", np.full(TAPS, 1e5, np.float32))):
        path = tmp_path / "room.tflite"
        write_model_file(path, file.model, file.card, {ROOM: response})
        with zipfile.ZipFile(path) as archive:
            assert f"{ROOM}.{name}" in archive.namelist()
            assert archive.getinfo(f"{ROOM}.{name}").file_size == TAPS * (2 if name == "f16" else 4)
        np.testing.assert_array_equal(read_model_file(path).arrays[ROOM], response)


def test_a_network_that_is_no_flatbuffer_is_refused(tiny, tmp_path):
    file = read_model_file(tiny)
    path = tmp_path / "noise.tflite"
    write_model_file(path, b"\0\0\0\0TFL3", file.card, file.arrays)
    with pytest.raises(DdspError, match="cannot be loaded"):
        Instrument(path)


def test_a_written_file_reads_back_the_same(tiny, tmp_path):
    file = read_model_file(tiny)
    path = tmp_path / "copy.tflite"
    card = write_model_file(path, file.model, dataclasses.replace(file.card, name="copy"), file.arrays)
    again = read_model_file(path)
    assert again.card == card
    assert again.card.name == "copy"
    assert again.model == file.model
    assert [p.name for p in tmp_path.iterdir()] == ["copy.tflite"]  # nothing lies beside it


def test_controls_are_those_of_the_signature_frame_by_frame(tiny):
    from ai_edge_litert.interpreter import Interpreter

    file = read_model_file(tiny)
    f0, loudness = scale_f0(np.linspace(100, 900, 40)), scale_loudness(np.linspace(-70, 0, 40))
    found = Network(file.model, file.card).process(f0, loudness)
    run = Interpreter(model_content=file.model, num_threads=1).get_signature_runner("step")
    states = {name: np.zeros(shape, np.float32) for name, shape in file.card.state_shapes.items()}
    for i in range(40):
        features = {
            name: np.array([[values[i]]], np.float32)
            for name, values in (("f0_scaled", f0), ("loudness_scaled", loudness))
        }
        expected = run(**features, **states)
        states = {name: expected.pop(name) for name in states}
        assert set(expected) == set(found)
        for name, values in expected.items():
            np.testing.assert_array_equal(found[name][i], values[0])


def test_a_network_that_gives_no_numbers_is_silent_and_recovers(tiny, monkeypatch):
    instrument = Instrument(tiny, backend="step")
    get, calls = instrument.network._interpreter.get_tensor, []

    def poisoned(tensor):
        calls.append(tensor)
        is_state = tensor in [after for _, _, after in instrument.network._state_tensors]
        return get(tensor) if is_state or len(calls) > 100 else np.full_like(get(tensor), np.nan)

    monkeypatch.setattr(instrument.network._interpreter, "get_tensor", poisoned)
    assert not instrument.process([440.0] * 10, [-20.0] * 10).any()
    audio = instrument.process([440.0] * 100, [-20.0] * 100)
    assert np.isfinite(audio).all()
    assert np.abs(audio).max() > 0.01


def test_loading_writes_nothing_to_the_terminal(tiny, capfd):
    file = read_model_file(tiny)
    Network(file.model, file.card).process([0.5], [0.5])
    sys.stderr.flush()
    assert capfd.readouterr() == ("", "")
