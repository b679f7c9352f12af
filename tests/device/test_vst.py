"""Files of the plug-in DDSP-VST, played as they are."""

import json
import math

import numpy as np
import pytest

from ddsp_edge import DdspError, Instrument, read_model_file
from ddsp_edge.card import Range
from ddsp_edge.live import LiveEffect, LiveInstrument
from ddsp_edge.model.file import read_instrument_file, write_model_file
from ddsp_edge.studio.shelf import Shelf
from tests.device.conftest import TINY
from tests.device.test_instrument import rewritten
from tests.device.vst_file import METADATA, OUTPUTS, expected, vst_model, write_vst_file


@pytest.fixture(scope="module")
def flute(tmp_path_factory):
    return write_vst_file(tmp_path_factory.mktemp("vst") / "flute.tflite")


@pytest.mark.parametrize(("amplitude", "turned"), [((1,), False), ((), True), ((1, 1), True)])
def test_it_plays_what_its_network_gives(tmp_path, amplitude, turned):
    """Whatever the order of its tensors and the shape of its amplitude; the state goes on."""
    path = write_vst_file(tmp_path / "a.tflite", model=vst_model(amplitude, turned))
    instrument = Instrument(path, seed=0)
    f0_hz = 220.0 * 2.0 ** (np.arange(40) / 24.0)
    power_db = np.linspace(-90.0, 30.0, 40)  # beyond both ends of what the network takes
    controls = instrument.controls(f0_hz, power_db)
    f0_scaled = (69.0 + 12.0 * np.log2(f0_hz / 440.0)) / 127.0
    want = expected(f0_scaled, np.clip(power_db / 80.0 + 1.0, 0.0, 1.25))
    for name, values in want.items():
        np.testing.assert_allclose(controls[name], values, atol=1e-6, err_msg=name)
    assert np.ptp(controls["amplitude"]) > 0.1
    instrument.reset()
    whole = instrument.process(f0_hz, power_db)
    instrument.reset()
    parts = [instrument.process(f0_hz[i : i + 7], power_db[i : i + 7]) for i in range(0, 40, 7)]
    assert whole.shape == (40 * 320,)
    assert np.abs(whole).max() > 0.1
    assert np.isfinite(whole).all()
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-5)


def test_a_pitch_without_a_harmonic_below_8_khz_is_silence(flute):
    instrument = Instrument(flute, seed=0)
    f0_hz = np.array([440.0, 8000.0, 8000.0, 440.0])
    with np.errstate(all="raise"):
        controls = instrument.controls(f0_hz, np.full(4, -20.0))
    assert np.isnan(expected(np.array([119.3 / 127.0]), np.array([0.75]))["distribution"]).all()
    np.testing.assert_array_equal(controls["distribution"][1:3], 0.0)
    np.testing.assert_allclose(controls["distribution"].sum(axis=1), [1.0, 0.0, 0.0, 1.0], atol=1e-6)
    controls["magnitudes"][:] = 0.0
    sound = instrument.render(controls)
    assert np.abs(sound[640:960]).max() == 0.0  # from one silent frame to the next
    assert np.abs(sound[:320]).max() > 0.1


def test_its_card_is_made_of_its_metadata(flute):
    file = read_instrument_file(flute)
    card = file.card
    assert (card.name, card.sample_rate, card.hop, card.level) == ("flute", 16_000, 320, "power")
    assert card.f0_hz_range == Range(261.6, math.sqrt(261.6 * 830.6), 830.6)
    assert card.loudness_db_range == Range(-40.0, -27.5, -15.0)
    assert card.created == "2022-06-01T00:00:00.000001"
    assert card.about == {"ddsp_vst": {"version": "3.4.3", "export_time": "2022-06-01T00:00:00.000001"}}
    assert json.loads(card.to_json())["level"] == "power"


def test_commands_and_studio_know_it(run, flute, tmp_path):
    status, out, err = run("info", flute)
    assert (status, err) == (0, "")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[0] == "flute"
    for words in (
        "pitch C4 to G#5, mostly A#4 (262 to 831 Hz)",
        "power -40 to -15 dB, mostly -28 dB",
        "hop 320 samples, 50 frames a second",
        "synthesizer Harmonic, FilteredNoise, Add",
    ):
        assert words in lines
    shelf = Shelf([flute])
    assert [offered.card.level for offered in shelf.models.values() if offered.path == flute] == ["power"]


def test_it_is_played_live_by_sound_and_by_keys(flute):
    effect = LiveEffect(flute, seed=0)
    time = np.arange(16_000) / 16_000
    heard = sum(np.sin(2 * np.pi * k * 440.0 * time) / k for k in range(1, 6)).astype(np.float32) * 0.1
    assert np.abs(effect.process(heard)[8000:]).max() > 0.05
    assert effect.latency_samples == max(effect._follower.latency_samples, 512) + 319
    keys = LiveInstrument(flute, voices=2, seed=0)
    keys.note_on(69, 100)
    assert np.abs(keys.process(np.zeros(8000))).max() > 0.05


MISSING = {
    "no archive": (None, (65.41, 1046.5), (-60.0, -10.0)),
    "nothing in it": ({}, (65.41, 1046.5), (-60.0, -10.0)),
    "notes alone": ({"mean_min_pitch_note": 57, "mean_max_pitch_note": 81}, (220.0, 880.0), (-60.0, -10.0)),
    "one end": (
        {"mean_min_pitch_note_hz": 100.0, "mean_max_power_note": -20},
        (65.41, 1046.5),
        (-60.0, -10.0),
    ),
    "null": ({**METADATA, "mean_min_power_note": None}, (261.6, 830.6), (-60.0, -10.0)),
    "one pitch": (
        {"mean_min_pitch_note_hz": 440, "mean_max_pitch_note_hz": 440},
        (440.0, 440.0),
        (-60.0, -10.0),
    ),
    "more": (
        {**METADATA, "export_time": ["x"], "version": 3, "ddsp_tf": 3, "x": {}},
        (261.6, 830.6),
        (-40.0, -15.0),
    ),
}


@pytest.mark.parametrize("case", MISSING)
def test_what_metadata_do_not_tell_has_a_range_of_its_own(tmp_path, case):
    metadata, (low, high), (soft, loud) = MISSING[case]
    card = read_instrument_file(write_vst_file(tmp_path / "a.tflite", metadata)).card
    assert (card.f0_hz_range.low, card.f0_hz_range.high) == pytest.approx((low, high))
    assert card.f0_hz_range.median == pytest.approx(math.sqrt(low * high))
    assert card.loudness_db_range == Range(soft, (soft + loud) / 2, loud)
    assert Instrument(tmp_path / "a.tflite", seed=0).process([440.0], [-20.0]).shape == (320,)


def text_of(**changes):
    return json.dumps({**METADATA, **changes})


HOSTILE = {
    "not JSON": ("{", "are no JSON"),
    "nested": ("[" * 100_000, "are no JSON"),
    "a list": ("[1]", "are no JSON object"),
    "NaN": (text_of(mean_min_pitch_note_hz=math.nan), "mean_min_pitch_note_hz .* Received: 'nan'"),
    "infinite": (
        text_of(mean_max_power_note=math.inf),
        "mean_max_power_note .* -200 to 100 dB. Received: 'inf'",
    ),
    "0 Hz": (text_of(mean_min_pitch_note_hz=0), "must be from 8.18 to 7999 Hz. Received: '0'"),
    "above Nyquist": (
        text_of(mean_max_pitch_note_hz=9e3),
        "mean_max_pitch_note_hz .* 7999 Hz. Received: '9000",
    ),
    "text": (text_of(mean_min_power_note="-40"), "mean_min_power_note"),
    "truth": (text_of(mean_min_power_note=True), "mean_min_power_note"),
    "huge": (text_of(mean_max_power_note=10**400), "mean_max_power_note"),
    "falling": (
        text_of(mean_min_pitch_note_hz=900.0),
        "mean_min_pitch_note_hz .* must not be above mean_max_pitch_note_hz. Received: 900 and 830.6",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_metadata_that_cannot_be_are_refused_with_a_cure(tmp_path, case):
    text, words = HOSTILE[case]
    path = write_vst_file(tmp_path / "bad.tflite", text)
    with pytest.raises(DdspError, match=words) as caught:
        read_model_file(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "zip -d" in str(caught.value)
    assert len(str(caught.value)) < len(str(path)) + 300
    assert "\n" not in str(caught.value)


def test_an_archive_that_is_damaged_is_refused(tmp_path):
    whole = write_vst_file(tmp_path / "a.tflite", {**METADATA, "version": "x" * 300}).read_bytes()
    (tmp_path / "a.tflite").write_bytes(whole.replace(b"x" * 300, b"x" * 299 + b"y"))
    with pytest.raises(DdspError, match="the metadata of this file of DDSP-VST cannot be read"):
        read_model_file(tmp_path / "a.tflite")


def test_tensors_of_another_size_or_type_are_refused(tmp_path):
    cases = [
        (vst_model(sizes={"magnitudes": [64]}), r"StatefulPartitionedCall:2 is of shape \[64\] .* takes 65"),
        (vst_model(sizes={"state": [1, 511]}), r"call_state:0 is of shape \[1, 511\] .* takes 512"),
        (vst_model(types={"pw": 1}), "call_pw_scaled:0 is of shape .* type 1"),
        (vst_model(sizes={"f0": [2**31 - 1] * 3}), "call_f0_scaled:0 is of shape"),
    ]
    for number, (model, words) in enumerate(cases):
        path = write_vst_file(tmp_path / f"{number}.tflite", model=model)
        with pytest.raises(DdspError, match=words) as caught:
            Instrument(path)
        assert str(caught.value).startswith(f"{path}: it has the tensors of DDSP-VST")


def test_files_with_other_tensors_are_none_of_the_plug_in(tmp_path):
    """One name that differs, or a name twice, and it is no file of DDSP-VST, whatever the metadata say."""
    for names in (
        {"magnitudes": "noise"},
        {"magnitudes": OUTPUTS["amplitude"][0]},
        {"pw": "call_f0_scaled:0"},
    ):
        path = write_vst_file(tmp_path / "a.tflite", model=vst_model(names=names))
        with pytest.raises(DdspError, match="metadata of the plug-in DDSP-VST and not its tensors"):
            read_model_file(path)
        with pytest.raises(DdspError, match="has no card that can be read"):
            read_model_file(write_vst_file(path, None, vst_model(names=names)))


def test_cut_and_damaged_flatbuffers_end_in_words(tmp_path):
    """A byte here and there: what is not noticed plays; what is ends in a sentence."""
    whole, rng = write_vst_file(tmp_path / "a.tflite").read_bytes(), np.random.default_rng(0)
    broken = [whole[:size] for size in (8, 40, 300, len(whole) // 2)]
    for _ in range(40):
        data = bytearray(whole)
        for place in rng.integers(8, 1500, 3):
            data[place] = int(rng.integers(256))
        broken.append(bytes(data))
    refused = 0
    for data in broken:
        (tmp_path / "b.tflite").write_bytes(data)
        try:
            read_model_file(tmp_path / "b.tflite")
        except DdspError:
            refused += 1
    assert refused > 4


def test_numpy_says_what_runs_it(flute):
    with pytest.raises(DdspError, match="numpy does not run files of DDSP-VST, LiteRT does: pip install"):
        Instrument(flute, backend="numpy")
    with pytest.raises(DdspError, match="has no signature 'play'"):
        Instrument(flute, backend="play")


def test_a_card_of_ours_on_such_a_file_counts(flute, tmp_path):
    """That is what `ddsp-tf expression` writes: the same network, and arrays beside it."""
    file = read_instrument_file(flute)
    arrays = {"further": np.ones(3, np.float32)}
    write_model_file(tmp_path / "own.tflite", file.model, file.card, arrays)
    again = read_instrument_file(tmp_path / "own.tflite")
    assert again.card.name == "flute"  # not the name of the file
    np.testing.assert_array_equal(again.arrays["further"], 1.0)
    sounds = [
        Instrument(path, seed=0).process([440.0] * 9, [-20.0] * 9)
        for path in (flute, tmp_path / "own.tflite")
    ]
    np.testing.assert_array_equal(*sounds)


def test_our_own_files_are_read_as_ever(tmp_path):
    """Metadata of the plug-in do not make one of its files of ours."""
    path = rewritten(TINY, tmp_path / "x.tflite", {"metadata.json": json.dumps(METADATA)})
    with pytest.raises(DdspError, match="metadata of the plug-in DDSP-VST and not its tensors"):
        Instrument(path)
    assert read_instrument_file(TINY).card.level == "loudness"
