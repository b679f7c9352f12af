"""A file for DDSP-VST: shipped configuration, trained and exported, walked as the plug-in walks it."""

import dataclasses
import json
import re
import zipfile

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

import ddsp_tf.tasks.instrument.export.export_vst as module
from ddsp_edge.card import Range
from ddsp_edge.features.power import DEFINITION
from ddsp_edge.model.file import read_model_file
from ddsp_edge.transfer.settings import TransferSettings
from ddsp_edge.units import hz_to_midi, scale_loudness
from ddsp_export.export import export
from ddsp_tf.config import load_config
from ddsp_tf.data import training_dataset
from ddsp_tf.data.reading import read_passages
from ddsp_tf.data.records.info import load_dataset_info
from ddsp_tf.errors import DdspError
from ddsp_tf.features.power import power_db
from ddsp_tf.frames import FrameSpec
from ddsp_tf.models import Autoencoder
from ddsp_tf.tasks.instrument.excerpts import Excerpts, load_excerpts
from ddsp_tf.tasks.instrument.export.describe import describe
from ddsp_tf.tasks.instrument.export.export_vst import export_vst
from ddsp_tf.tasks.instrument.export.vst import (
    PowerMap,
    describe_for_vst,
    expected_by_vst,
    measure_power_map,
    vst_endpoint,
)
from ddsp_tf.tasks.instrument.reference import load_reference
from ddsp_tf.tasks.instrument.task import TASK
from ddsp_tf.tasks.instrument.tracking import mapping_for
from ddsp_tf.training import load_model_of_run, train

CHANGES = (
    "training.steps=2",
    "training.steps_per_epoch=2",
    "training.batch_size=2",
    "training.clip_seconds=0.5",
    "loss.fft_sizes=[256]",  # what is compiled for six takes longer than all else
)


@pytest.fixture(scope="module")
def run(tiny_dataset, tmp_path_factory):
    path = tmp_path_factory.mktemp("vst") / "run"
    train(load_config("ddsp_vst", CHANGES), tiny_dataset, path, verbose=0)
    return path


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    path = tmp_path_factory.mktemp("plug-in") / "instrument.tflite"
    return path, export_vst(run, path)


def walk(path, f0_scaled, pw_scaled):
    """Outputs by tensor name, found as the plug-in finds them: no signature, only names."""
    interpreter = Interpreter(model_path=str(path), num_threads=1)
    interpreter.allocate_tensors()
    inputs = {d["name"]: (d["index"], list(d["shape"])) for d in interpreter.get_input_details()}
    outputs = {d["name"]: (d["index"], list(d["shape"])) for d in interpreter.get_output_details()}
    assert {name: shape for name, (_, shape) in inputs.items()} == {
        "call_f0_scaled:0": [1],
        "call_pw_scaled:0": [1],
        "call_state:0": [512],
    }
    names = [f"StatefulPartitionedCall:{i}" for i in range(4)]
    assert [outputs[name][1] for name in names] == [[], [60], [65], [512]]
    state, rows = np.zeros(512, np.float32), []
    for f0, power in zip(f0_scaled, pw_scaled, strict=True):
        interpreter.set_tensor(inputs["call_f0_scaled:0"][0], np.float32([f0]))
        interpreter.set_tensor(inputs["call_pw_scaled:0"][0], np.float32([power]))
        interpreter.set_tensor(inputs["call_state:0"][0], state)
        interpreter.invoke()
        row = [interpreter.get_tensor(outputs[name][0]).copy() for name in names]
        state = row[3]
        rows.append(row)
    return rows


@pytest.mark.slow
def test_the_plug_in_hears_what_keras_plays(run, exported):
    """Four seconds with the state fed back, power and loudness as the metadata relates them."""
    path, metadata = exported
    model = load_model_of_run(run)
    rng = np.random.default_rng(0)
    midi = 57.0 + np.cumsum(rng.normal(0.0, 0.3, 200))
    power = -30.0 + 10.0 * np.sin(np.arange(200) / 20.0)
    rows = walk(path, midi / 127.0, power / 80.0 + 1.0)
    relation = metadata["ddsp_tf"]["power_map"]
    loudness = power + relation["offset_db"] + relation["slope_db"] * (midi - 60.0) / 12.0
    controls = model.get_controls(
        {
            "f0_hz": tf.constant(440.0 * 2.0 ** ((midi - 69.0) / 12.0), tf.float32)[None, :, None],
            "loudness_db": tf.constant(loudness, tf.float32)[None, :, None],
        }
    )
    for place, (node, name) in enumerate(
        (("harmonic", "amplitude"), ("harmonic", "distribution"), ("noise", "magnitudes"))
    ):
        want = np.asarray(controls[node][name])[0]
        got = np.array([np.reshape(row[place], -1) for row in rows])
        np.testing.assert_allclose(got, want, atol=1e-5)  # rounding, carried on in the state
    shares = np.array([row[1] for row in rows])
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, atol=1e-5)
    assert np.ptp(np.array([row[0] for row in rows])) > 1e-4


@pytest.mark.slow
def test_metadata_is_what_the_plug_in_reads(run, exported):
    path, metadata = exported
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["metadata.json"]
        assert json.loads(archive.read("metadata.json")) == metadata
    sizes = {"num_harmonics": 60, "num_noise_amps": 65, "frame_rate": 50, "frame_size": 1024}
    assert {name: metadata[name] for name in sizes} == sizes
    assert metadata["sample_rate"] == 16000
    assert metadata["ddsp_tf"]["mix"] == {}  # a model of one instrument
    assert isinstance(metadata["version"], str)
    assert metadata["export_time"].startswith("20")
    low, high = metadata["mean_min_pitch_note_hz"], metadata["mean_max_pitch_note_hz"]
    assert 190.0 < low < high < 340.0  # the notes of the phrase
    assert hz_to_midi(low) == pytest.approx(metadata["mean_min_pitch_note"], abs=1e-4)
    assert hz_to_midi(high) == pytest.approx(metadata["mean_max_pitch_note"], abs=1e-4)
    assert -80.0 < metadata["mean_min_power_note"] < metadata["mean_max_power_note"] < 0.0
    assert metadata["ddsp_tf"]["quality"]["control_error_max"] < 1e-5
    assert metadata["ddsp_tf"]["quality"]["seconds_verified"] >= 10.0


@pytest.mark.slow
def test_half_precision_is_half_the_size_and_what_its_runtime_lacks_is_refused(run, exported, tmp_path):
    path, _ = exported
    half = tmp_path / "half.tflite"
    metadata = export_vst(run, half, "float16")
    assert half.stat().st_size < 0.52 * path.stat().st_size
    assert metadata["ddsp_tf"]["quality"]["control_error_max"] < 0.02
    with pytest.raises(
        DdspError, match=r"reads float32 and float16: its runtime is of 2022\. Received: .*int8"
    ):
        export_vst(run, half, "int8")


def test_a_model_of_other_sizes_is_refused_with_all_that_differs(trained_run, tmp_path):
    with pytest.raises(
        DdspError, match=r"hop 128, not 320; states .*512.*; harmonics 5, not 60; bands"
    ) as raised:
        export_vst(trained_run, tmp_path / "no.tflite")
    assert "configs/ddsp_vst.yaml" in str(raised.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_file_that_plays_something_else_is_refused(run, tmp_path, monkeypatch):
    play = module._play
    monkeypatch.setattr(
        module, "_play", lambda *given: {k: v + np.float32(0.01) for k, v in play(*given).items()}
    )
    with pytest.raises(
        DdspError, match=r"bad.tflite was not written: the controls differ from Keras by 0\.01"
    ):
        export_vst(run, tmp_path / "bad.tflite")
    assert list(tmp_path.iterdir()) == []


def test_power_is_the_mean_square_around_the_frame():
    spec = FrameSpec(16000, 320)
    audio = np.random.default_rng(0).normal(0.0, 0.1, 16000).astype(np.float32)
    got = power_db(audio, spec)
    assert got.shape == (50,)
    for frame in (4, 20, 40):
        middle = (frame + 1) * 320
        want = 10.0 * np.log10(np.mean(audio[middle - 512 : middle + 512].astype(float) ** 2))
        assert got[frame] == pytest.approx(want, abs=1e-4)
    assert power_db(np.zeros(3200, np.float32), spec).max() == -100.0


def test_the_relation_of_power_and_loudness_is_found():
    rng = np.random.default_rng(0)
    midi, power = rng.uniform(40.0, 80.0, 500), rng.uniform(-60.0, -10.0, 500)
    loudness = power - 6.0 + 2.5 * (midi - 60.0) / 12.0
    excerpts = Excerpts(
        f0_hz=440.0 * 2.0 ** ((midi - 69.0) / 12.0),
        loudness_db=loudness,
        power_db=power,
        voiced=np.ones(500, bool),
        number=np.zeros(500, np.int32),
    )
    found = measure_power_map(excerpts)
    assert (found.offset_db, found.slope_db) == pytest.approx((-6.0, 2.5), abs=1e-6)
    assert found.residual_db < 1e-6
    np.testing.assert_allclose(PowerMap(-6.0, 2.5).loudness_db(power, midi), loudness)
    few = dataclasses.replace(excerpts, f0_hz=np.tile(np.float32([440.0, 441.0]), 250))
    assert measure_power_map(few).slope_db == 0.0  # two notes side by side would give it any slope
    with pytest.raises(DdspError, match="0 voiced frames in the excerpts of the training data, 100 at least"):
        measure_power_map(dataclasses.replace(excerpts, voiced=np.zeros(500, bool)))


def test_a_network_of_loudness_gets_it_from_power_in_the_graph():
    """One frame of the graph, of an untrained model, with a map that is not the identity."""
    model, power_map = Autoencoder.from_experiment(load_config("ddsp_vst")), PowerMap(-6.0, 2.5)
    f0_scaled, pw_scaled = np.float32([0.45]), np.float32([0.7])
    out = vst_endpoint(model, power_map)(f0_scaled, pw_scaled, np.zeros(512, np.float32))
    for name, values in expected_by_vst(model, power_map, f0_scaled, pw_scaled).items():
        np.testing.assert_allclose(np.reshape(out[name], -1), values[0], atol=1e-6)


@pytest.mark.slow
def test_a_network_for_the_plug_in_is_trained_on_power(run, exported, tiny_dataset, tmp_path):
    """What it hears in training and in validation is the mean square of the recording over 1024 samples."""
    relation = exported[1]["ddsp_tf"]["power_map"]
    assert relation == {"offset_db": 0.0, "slope_db": 0.0, "residual_db": 0.0}
    spec = FrameSpec(16000, 320)
    clips = training_dataset(tiny_dataset, spec, batch_size=2, clip_frames=50, level="power")
    features, audio = next(iter(clips))
    reference = load_reference(run, spec)
    heard = [*zip(features["loudness_db"][..., 0].numpy(), audio.numpy(), strict=True)]
    for level_db, sound in (*heard, (reference.loudness_db[:90], reference.audio[: 90 * 320])):
        for frame in range(2, 48):
            middle = (frame + 1) * 320
            want = 10.0 * np.log10(np.mean(sound[middle - 512 : middle + 512].astype(float) ** 2))
            assert level_db[frame] == pytest.approx(max(want, -100.0), abs=1e-3)
    card = export(run, tmp_path / "device.tflite", "float32", play=False)
    assert read_model_file(tmp_path / "device.tflite").card.level == card.level == "power"
    assert vars(card.loudness_db_range) == load_model_of_run(run).instrument["power_db_range"]


def test_a_run_of_power_knows_how_loud_its_data_is_as_power(tiny_dataset):
    config, info = load_config("ddsp_vst"), load_dataset_info(tiny_dataset)
    spec = config.spec
    levels = np.concatenate([power_db(p.audio, spec) for p in read_passages(tiny_dataset, "train", spec)])
    want = np.percentile(levels[levels > -70.0], (5.0, 50.0, 95.0))
    facts = TASK.facts(info, config, tiny_dataset)
    np.testing.assert_allclose(list(facts["power_db_range"].values()), want, atol=0.02)  # bins of 0.01 dB
    assert list(facts["power_db_range"]) == ["low", "median", "high"]
    assert facts["loudness_db_range"] == vars(info.loudness_db_range)
    of_loudness = load_config("ddsp_vst", ["model.level=loudness"])
    assert "power_db_range" not in TASK.facts(info, of_loudness, tiny_dataset)


def test_a_card_of_a_model_of_power_says_so():
    """With the range of power, and not that of the loudness, which the run knows too."""
    facts = {
        "f0_estimator": {"name": "yin-viterbi"},
        "loudness": "A-weighted",
        "f0_hz_range": {"low": 200.0, "median": 300.0, "high": 400.0},
        "loudness_db_range": {"low": -50.0, "median": -40.0, "high": -30.0},
        "power_db_range": {"low": -35.0, "median": -25.0, "high": -15.0},
    }
    config = load_config("ddsp_vst")
    model = Autoencoder.from_experiment(config, facts)
    card, _ = describe(model)
    assert card.level == "power"
    assert (card.loudness, card.extractors["loudness_db"]["name"]) == (DEFINITION, "power")
    assert card.loudness_db_range == Range(-35.0, -25.0, -15.0)
    assert mapping_range(model) == Range(-35.0, -25.0, -15.0)
    of_loudness = dataclasses.replace(config, model=dataclasses.replace(config.model, level="loudness"))
    card, _ = describe(Autoencoder.from_experiment(of_loudness, facts))
    assert (card.level, card.loudness, card.loudness_db_range) == (
        "loudness",
        "A-weighted",
        Range(-50.0, -40.0, -30.0),
    )
    del facts["power_db_range"]  # as runs were trained before
    older = Autoencoder.from_experiment(config, facts)
    assert older.level_db_range == facts["loudness_db_range"]
    with pytest.raises(DdspError, match="the model does not know its power_db_range: train it"):
        describe(older)
    # The plug-in knows a model by its time of export: no two in a second are one.
    power = np.float32([-35.0, -15.0])
    kept = Excerpts(np.float32([200.0, 400.0]), power, power, np.ones(2, bool), np.zeros(2, np.int32))
    times = [describe_for_vst(model, kept, PowerMap(0.0, 0.0))["export_time"] for _ in range(2)]
    assert times[0] != times[1]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", time) for time in times)


def mapping_range(model):
    """The range that loudness is matched with."""
    return mapping_for(model, TransferSettings())._trained_db


def test_a_run_keeps_excerpts_of_what_it_was_trained_on(trained_run, tmp_path):
    excerpts = load_excerpts(trained_run)
    frames = len(excerpts.f0_hz)
    assert {len(v) for v in vars(excerpts).values()} == {frames}
    assert 0 < frames <= 15 * 250  # 2 s at 125 frames a second
    assert excerpts.voiced.mean() > 0.5
    assert scale_loudness(excerpts.loudness_db).min() >= 0.0
    with pytest.raises(DdspError, match=r"has no excerpts.npz"):
        load_excerpts(tmp_path)
    (tmp_path / "excerpts.npz").write_bytes(b"PK nothing")
    with pytest.raises(DdspError, match="is damaged"):
        load_excerpts(tmp_path)
