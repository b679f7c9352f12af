"""Cards of schema 2: any task, instruments, and what is no card of ours."""

import io
import json
import zipfile

import pytest

from ddsp_edge import Card, DdspError, Instrument, InstrumentCard, PitchTracker, read_model_file
from ddsp_edge.card import Port
from ddsp_edge.live import LiveEffect, LiveInstrument
from ddsp_edge.model.file import read_card, read_instrument_file, write_model_file
from tests.device.conftest import TINY
from tests.device.other_task import card_of_another_task, write_other_task
from tests.device.test_instrument import rewritten

# What exporters of the plug-in write, by its source of 2022.
VST = {
    "mean_min_pitch_note": 55.0,
    "mean_max_pitch_note": 80.0,
    "version": "1.0",
    "export_time": "2022-08-01",
    "num_harmonics": 60,
    "num_noise_amps": 65,
    "frame_rate": 50,
    "sample_rate": 16000,
}


def test_a_card_of_any_task_is_read_as_it_was_written(tmp_path):
    file = write_other_task(tmp_path / "a.tflite")
    assert type(file.card) is Card
    assert file.card.schema_version == 2
    assert read_card(file.card.to_json(), "a") == file.card
    assert file.card.inputs["f0_scaled"] == Port((1, 1), "MIDI note / 127")
    document = json.loads(file.card.to_json())
    assert document["outputs"]["noise_magnitudes"] == {"shape": [1, 9], "meaning": "some control"}


def test_a_card_of_an_instrument_of_schema_2_is_read_as_it_was_written(tmp_path):
    file = read_instrument_file(TINY)
    card = write_model_file(tmp_path / "i.tflite", file.model, file.card, file.arrays)
    with zipfile.ZipFile(tmp_path / "i.tflite") as archive:
        document = json.loads(archive.read("metadata.json"))
    assert (document["schema_version"], document["task"]) == (2, "instrument")
    assert read_model_file(tmp_path / "i.tflite").card == card
    assert isinstance(card, InstrumentCard)


def test_a_card_of_schema_1_tells_as_much_in_schema_2(tmp_path):
    with zipfile.ZipFile(TINY) as archive:
        before = json.loads(archive.read("metadata.json"))
    assert before["schema_version"] == 1
    card = read_instrument_file(TINY).card
    after = json.loads(card.to_json())
    assert {name: after[name] for name in before if name != "schema_version"} == {
        **{"mix": {}, "synthesis_state_shapes": {}, "voice": {}},
        **{name: value for name, value in before.items() if name != "schema_version"},
    }
    assert card.inputs == {name: Port((1, 1), text) for name, text in before["feature_scaling"].items()}
    assert {name: list(port.shape) for name, port in card.states.items()} == before["state_shapes"]
    assert card.outputs == {} == card.about
    assert card.extractors["f0_hz"] == before["f0_estimator"]
    assert card.extractors["loudness_db"]["definition"] == before["loudness"]


PORT = {"shape": [1, 1], "meaning": ""}
BAD = {
    "no task": ({"task": None}, "task in its card must be str"),
    "a task of a number": ({"task": 3}, "task in its card must be str"),
    "no inputs": ({"inputs": "left out"}, "lacks inputs"),
    "inputs in a list": ({"inputs": []}, "inputs in its card must be dict"),
    "an input of a number": ({"inputs": {"x": 3}}, "'x' of the inputs .* a shape and a meaning"),
    "an input without a shape": ({"inputs": {"x": {"meaning": "x"}}}, "impossible shape None"),
    "an input of no batch": ({"inputs": {"x": {"shape": [2, 1]}}}, "of which the first is 1"),
    "an output of no size": ({"outputs": {"x": {"shape": []}}}, "'x' of the outputs .* impossible shape"),
    "a negative output": ({"outputs": {"x": {"shape": [1, -1]}}}, "impossible shape"),
    "a size of truth": ({"outputs": {"x": {"shape": [1, True]}}}, "impossible shape"),
    "a state of halves": ({"states": {"x": {"shape": [1, 0.5]}}}, "impossible shape"),
    "too many sizes": ({"states": {"x": {"shape": [1] * 9}}}, "impossible shape"),
    "a huge state": ({"states": {"x": {"shape": [1, 10**12]}}}, "more than 67108864 values"),
    "huge states": ({"states": {c: {"shape": [1, 1 << 25]} for c in "abc"}}, "more than 67108864 values"),
    "a thousand inputs": ({"inputs": {str(i): PORT for i in range(1001)}}, "at most 1000 are read"),
    "a meaning of a number": ({"inputs": {"x": {"shape": [1, 1], "meaning": 3}}}, "a shape and a meaning"),
    "an input that is a state": ({"states": {"f0_scaled": PORT}}, "names f0_scaled as a state and as"),
    "an extractor of text": ({"extractors": {"f0_hz": "yin"}}, "extractor of 'f0_hz' .* must be an object"),
    "about in a list": ({"about": []}, "about in its card must be dict"),
    "schema 0": ({"schema_version": 0}, "schema version 0; this version of ddsp_tf reads 1 and 2"),
    "schema of truth": ({"schema_version": True}, "schema version True"),
    "schema of text": ({"schema_version": "2"}, "schema version '2'"),
    "no schema": ({"schema_version": "left out"}, "schema version None.*Export the model again"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_card_that_cannot_be_is_refused_in_one_line(case):
    changes, words = BAD[case]
    document = {**json.loads(card_of_another_task().to_json()), **changes}
    text = json.dumps({name: value for name, value in document.items() if value != "left out"})
    with pytest.raises(DdspError, match=words) as caught:
        read_card(text, "bad.tflite")
    assert str(caught.value).startswith("bad.tflite: ")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_a_card_may_leave_out_what_it_has_no_word_for_and_say_more():
    document = json.loads(card_of_another_task(extractors={}, about={}).to_json())
    more = {**document, "later": [1, 2]}
    del more["extractors"], more["about"]
    assert read_card(json.dumps(more), "x") == card_of_another_task(extractors={}, about={})


@pytest.mark.parametrize("player", [Instrument, LiveEffect, LiveInstrument])
def test_what_plays_instruments_refuses_a_model_of_another_task(tmp_path, player):
    write_other_task(tmp_path / "other.tflite", task="gain")
    words = (
        "other.tflite is a model for the task 'gain', not an instrument: `ddsp-edge info` tells what it is"
    )
    with pytest.raises(DdspError, match=words):
        player(tmp_path / "other.tflite")


def test_commands_that_play_refuse_a_model_of_another_task(run, tmp_path):
    path = tmp_path / "other.tflite"
    write_other_task(path)
    settings = tmp_path / "live.toml"
    settings.write_text('instrument = "other.tflite"\n')
    for arguments in (
        ("render", path, tmp_path / "in.wav", tmp_path / "out.wav"),
        ("render", path, tmp_path / "in.mid", tmp_path / "out.wav"),
        ("bench", path),
        ("install-service", "play", settings, "--folder", tmp_path / "units"),
    ):
        status, out, err = run(*arguments)
        assert (status, out) == (1, "")
        assert "is a model for the task 'analysis', not an instrument" in err
        assert len(err.splitlines()) == 1


def test_info_tells_what_a_model_of_another_task_takes_and_gives(run, tmp_path):
    path = tmp_path / "other.tflite"
    write_other_task(path, about={"polyphony": 3, "notes": "\x1b[31mC4"})
    status, out, err = run("info", path)
    assert (status, err) == (0, "")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[0] == "an analyser"
    for words in (
        "task analysis, exported 2026-01-01",
        "input f0_scaled 1 x 1: MIDI note / 127",
        "output harmonic_distribution 1 x 20: some control",
        "state state 1 x 16: memory of the network",
        "extractor f0_hz f0 min hz 55, name yin-viterbi",
        "about notes ?[31mC4, polyphony 3",
    ):
        assert words in lines
    status, out, _ = run("info", path, "--json")
    assert (status, json.loads(out)["task"]) == (0, "analysis")


def test_info_of_many_ports_fits_a_screen(run, tmp_path):
    path = tmp_path / "many.tflite"
    write_other_task(path, states={f"state_{i}": Port((1, 8), "long " * 50) for i in range(100)})
    status, out, _ = run("info", path)
    assert status == 0
    assert "... 93 more" in out
    assert len(out.splitlines()) <= 40
    assert max(len(line) for line in out.splitlines() if str(tmp_path) not in line) <= 125


def test_metadata_of_ddsp_vst_on_another_network_are_told_to_be_that(run, tmp_path):
    path = tmp_path / "plug-in.tflite"
    rewritten(TINY, path, {"metadata.json": json.dumps(VST)})
    words = "has metadata of the plug-in DDSP-VST and not its tensors"
    for arguments in (("info", path), ("render", path, tmp_path / "in.wav", tmp_path / "out.wav")):
        status, out, err = run(*arguments)
        assert (status, out) == (1, "")
        assert f"{path} {words}" in err
        assert "xport the model again" not in err
        assert len(err.splitlines()) == 1
    with pytest.raises(DdspError, match=words):
        Instrument(path)


def test_metadata_of_neither_kind_are_told_to_be_exported_again(tmp_path):
    document = {name: value for name, value in VST.items() if name != "num_noise_amps"}
    path = rewritten(TINY, tmp_path / "x.tflite", {"metadata.json": json.dumps(document)})
    with pytest.raises(DdspError, match=r"schema version None.*Export the model again"):
        read_model_file(path)


def test_a_zip_without_a_card_is_refused(tmp_path):
    out = io.BytesIO(TINY.read_bytes()[: read_model_file(TINY).card.model_bytes])
    out.seek(0, io.SEEK_END)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("labels.txt", "a")
    (tmp_path / "x.tflite").write_bytes(out.getvalue())
    with pytest.raises(DdspError, match="has no card"):
        read_model_file(tmp_path / "x.tflite")


def test_the_tracker_of_an_instrument_searches_what_its_card_says():
    card = read_instrument_file(TINY).card
    assert PitchTracker.for_card(card).f0_min_hz == card.f0_estimator["f0_min_hz"]
