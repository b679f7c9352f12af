"""A content encoder goes the road: prepare, train, evaluate, name phones, export, and be trained through."""

import json
import sys

import numpy as np
import pytest

from ddsp_edge import StepModel, read_model_file
from ddsp_edge.features.log_mel import log_mel
from ddsp_edge.files.audio_file import read_audio
from ddsp_edge.frames import FrameSpec
from ddsp_tf.cli.main import main
from ddsp_tf.config import load_config
from ddsp_tf.data.records.info import load_dataset_info
from ddsp_tf.data.records.shards import read_records
from ddsp_tf.speech import recogniser
from ddsp_tf.speech.weights import encoder_of_file
from ddsp_tf.tasks.content.network import network_of
from ddsp_tf.tasks.content.phones import PHONES
from ddsp_tf.tasks.task import task_named
from ddsp_tf.training.callbacks import read_log
from ddsp_tf.training.run import load_model_of_run
from tests.tasks.voice.speech import utterance


def test_frames_are_labelled_with_the_phones_that_were_spoken(labelled):
    info = load_dataset_info(labelled / "content_data")
    right = known = 0
    for split in ("train", "validation"):
        for _, record in read_records(labelled / "content_data", info, split):
            number = int(record.source.split("-")[1].split(".")[0])
            assert (split == "validation") == (number < 2)
            _, phones = utterance(number, 9.0, 95.0 + 17.0 * number)
            labels = record.features["phone"].values.astype(int)
            times = (record.first_sample + (np.arange(len(labels)) + 1) * 128) / 16_000
            for name, begin, end in phones:
                inside = (times > begin + 0.016) & (times < end - 0.016)  # ends are told to two frames
                right += int(np.sum(labels[inside] == PHONES.index(name)))
                known += int(inside.sum())
    assert right / known > 0.93


def test_prepare_without_the_recogniser_says_what_is_missing(labelled, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "hama", None)
    recogniser._model.cache_clear()
    command = ["prepare", str(labelled / "speakers"), "--out", str(tmp_path / "data"), "--jobs", "1"]
    assert main([*command, "--config", str(labelled / "content.yaml")]) != 0
    assert "pip install ddsp-tf[content]" in capsys.readouterr().err


@pytest.mark.slow
def test_it_learns_phones_and_is_scored(encoder):
    log = read_log(encoder / "content_run")
    assert float(log[-1]["val_wrong"]) < 0.5  # three sounds and silence; always the same would be 0.7
    assert main(["evaluate", str(encoder / "content_run"), "--data", str(encoder / "content_data")]) == 0
    scores = json.loads((encoder / "content_run" / "evaluation.json").read_text())
    assert scores["frames_right"] > 0.5
    assert scores["speakers"] == 6
    assert 0.0 <= scores["speaker_from_content"] <= 1.0
    assert "Held-back speech" in (encoder / "content_run" / "report.html").read_text()


@pytest.mark.slow
def test_phones_of_a_recording_are_written(encoder, tmp_path, capsys):
    out = tmp_path / "phones.csv"
    assert (
        main(["phones", str(encoder / "content_run"), str(encoder / "speakers" / "speaker-0.wav"), str(out)])
        == 0
    )
    lines = out.read_text().splitlines()
    assert lines[0] == "begin_s,end_s,phone"
    ends = [float(line.split(",")[1]) for line in lines[1:]]
    assert ends == sorted(ends)
    assert ends[-1] <= 9.0
    assert {line.split(",")[2] for line in lines[1:]} <= set(PHONES)


@pytest.fixture(scope="module")
def bands(labelled):
    audio, _ = read_audio(labelled / "speakers" / "speaker-1.wav", 16_000)
    return log_mel(audio, FrameSpec(16_000, 128))


def test_a_stream_has_the_content_of_the_whole(labelled, bands):
    config = load_config(labelled / "content.yaml")
    task = task_named("content")
    data = labelled / "content_data"
    model = task.build(config, task.facts(load_dataset_info(data), config, data))
    bands = bands[:160]
    whole = np.asarray(model.encoder(bands[np.newaxis]))[0]
    stream = network_of(model)
    parts = [stream.process(log_mel=part)["content"] for part in np.split(bands, [1, 7, 90])]
    np.testing.assert_allclose(
        np.concatenate(parts), whole, atol=5e-4
    )  # of values of about 2, after running means


@pytest.mark.slow
def test_the_file_has_the_content_of_the_model_by_either_runtime(encoder, bands, tmp_path):
    model = load_model_of_run(encoder / "content_run", task="content")
    expected = network_of(model).process(log_mel=bands)["content"]
    path = tmp_path / "content.tflite"
    assert main(["export", str(encoder / "content_run"), "--out", str(path), "--quantize", "int8"]) == 0
    file = read_model_file(path)
    assert file.card.task == "content"
    for runtime in ("litert", "numpy"):
        found = StepModel(file, runtime).process(log_mel=bands)["content"]
        assert np.abs(found - expected).mean() < 0.06 * expected.std()  # 8-bit weights


@pytest.mark.slow
def test_the_weights_in_the_file_are_those_of_the_model_to_8_bits(encoder, bands):
    model = load_model_of_run(encoder / "content_run", task="content")
    restored = encoder_of_file(encoder / "content.tflite")
    assert not restored.trainable_weights
    expected = np.asarray(model.encoder(bands[np.newaxis]))
    np.testing.assert_allclose(
        np.asarray(restored(bands[np.newaxis])), expected, atol=0.1 * expected.std() * 3
    )
