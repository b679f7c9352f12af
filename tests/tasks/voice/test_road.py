"""A voice goes the road: prepare with consent, train, evaluate, convert, export, and the device."""

import json

import numpy as np
import pytest
import soundfile

from ddsp_edge import read_model_file
from ddsp_edge.cli.main import main as edge
from ddsp_edge.features.loudness import loudness_db
from ddsp_edge.files.audio_file import read_audio
from ddsp_edge.voice.card import facts_of
from ddsp_edge.voice.converter import open_converter
from ddsp_edge.voice.matching import Shift
from ddsp_edge.voice.tracking import tracker_for
from ddsp_tf.cli.main import main
from ddsp_tf.config import load_config
from ddsp_tf.data.records.info import load_dataset_info
from ddsp_tf.frames import FrameSpec
from ddsp_tf.tasks.voice.examples import VoiceExamples
from ddsp_tf.training.callbacks import read_log
from ddsp_tf.training.run import load_model_of_run
from tests.tasks.voice.streams import assert_any_cut_is_the_whole, fit_noise

pytestmark = pytest.mark.slow  # its quick part is test_voice.py


@pytest.fixture(scope="module")
def model(road):
    return load_model_of_run(road / "run", task="voice")


@pytest.fixture(scope="module")
def speech(road):
    audio, _ = read_audio(road / "speakers" / "speaker-3.wav", 16_000)
    return audio[: 16_000 * 4]


def test_consent_is_written_into_the_dataset_and_the_card(road):
    assert load_dataset_info(road / "data").settings["data.consent"] == "given"
    about = read_model_file(road / "voice.tflite").card.about
    assert about["consent"] == "given"
    assert about["data"]["recordings"] == 1


def test_it_learns(road):
    log = read_log(road / "run")
    assert float(log[-1]["val_loss"]) < 0.9 * float(log[0]["val_loss"])
    assert float(log[-1]["content"]) > 0.0


def test_speech_and_the_same_said_again_are_heard_while_it_learns(road):
    recording, said = sorted((road / "run" / "sounds").iterdir())
    (spoken, rate), (again, _) = read_audio(recording), read_audio(said)
    examples = VoiceExamples(road / "data", "validation", load_config(road / "voice.yaml"))
    kept = examples.passage(0).audio[: len(spoken)]
    np.testing.assert_allclose(spoken[: len(kept)], kept, rtol=0, atol=1.0 / 32768.0)  # 16 bits
    assert len(again) == len(spoken)
    loudness = [loudness_db(sound, FrameSpec(rate, rate // 125)) for sound in (spoken, again)]
    assert np.corrcoef(*loudness)[0, 1] > 0.5


def test_the_encoder_is_left_as_it_was(road, model):
    from ddsp_tf.speech.weights import encoder_of_file

    for own, shipped in zip(
        model.encoder.get_weights(), encoder_of_file(road / "content.tflite").get_weights(), strict=True
    ):
        np.testing.assert_array_equal(own, shipped)


def test_file_runtimes_and_keras_give_the_same_of_any_cut(road, model, speech, monkeypatch):
    fit_noise(monkeypatch)
    path = road / "voice.tflite"
    card = read_model_file(path).card
    # One tracker for all: what the integers of its network are by either runtime is held elsewhere.
    files = [
        open_converter(path, runtime, shift=Shift(), tracker=tracker_for(facts_of(card, ""), card.spec))
        for runtime in ("auto", "numpy")
    ]
    assert_any_cut_is_the_whole(model, speech, *files)


def test_files_are_converted_in_their_place(road, tmp_path, capsys):
    source = road / "speakers" / "speaker-3.wav"
    out = tmp_path / "out.wav"
    assert edge(["convert", str(road / "voice.tflite"), str(source), str(out), "--seed", "1"]) == 0
    assert "semitones" in capsys.readouterr().out
    sound, rate = soundfile.read(out)
    assert rate == 16_000
    assert len(sound) == 9 * 16_000
    assert np.abs(sound).max() > 1e-3
    by_keras = tmp_path / "keras.wav"
    assert main(["convert", str(road / "run"), str(source), str(by_keras), "--seed", "1", "--quiet"]) == 0
    other, _ = soundfile.read(by_keras)
    np.testing.assert_allclose(sound, other, atol=2e-4)  # 16 bits, and rounding


def test_it_is_scored_and_reported(road):
    assert main(["evaluate", str(road / "run"), "--data", str(road / "data")]) == 0
    scores = json.loads((road / "run" / "evaluation.json").read_text())
    assert scores["spectral_distance"] > 0.0
    assert any("were not judged" in remark or "was not judged" in remark for remark in scores["remarks"])
    assert "somebody else" in (road / "run" / "report.html").read_text()
