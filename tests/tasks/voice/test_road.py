"""A voice goes the road: prepare with consent, train, evaluate, convert, export, and the device."""

import json

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from ddsp_edge import read_model_file
from ddsp_edge.cli.main import main as edge
from ddsp_edge.errors import DdspError
from ddsp_edge.features.pitch import hold_unvoiced
from ddsp_edge.files.audio_file import read_audio
from ddsp_edge.voice.converter import open_converter
from ddsp_edge.voice.live import LiveConverter
from ddsp_edge.voice.matching import Shift
from ddsp_tf.cli.main import main
from ddsp_tf.data.records.info import load_dataset_info
from ddsp_tf.tasks.voice.convert import converter_of
from ddsp_tf.tasks.voice.evaluation.evaluate import _remarks
from ddsp_tf.tasks.voice.evaluation.judges import Figures
from ddsp_tf.training.callbacks import read_log
from ddsp_tf.training.run import load_model_of_run

HOP = 128


@pytest.fixture(scope="module")
def model(road):
    return load_model_of_run(road / "run", task="voice")


@pytest.fixture(scope="module")
def speech(road):
    audio, _ = read_audio(road / "speakers" / "speaker-3.wav", 16_000)
    return audio[: 16_000 * 4]


@pytest.fixture(scope="module")
def noise(speech):
    hops = len(speech) // HOP + 1
    return np.random.default_rng(5).uniform(-1, 1, hops * HOP).astype(np.float32)


def in_blocks(converter, speech, noise, sizes):
    """Push a sound in blocks, each with the noise of the hops that come out; all of it."""
    out, at, given = [], 0, 0
    for size in sizes:
        # How many hops will come out is not known before: noise is handed over by a view that is cut to fit.
        part = converter.push(speech[at : at + size], _Rest(noise, given))
        out.append(part)
        at, given = at + size, given + len(part)
    out.append(converter.flush(_Rest(noise, given)))
    return np.concatenate(out)


class _Rest:
    """The noise from a place on, as long as whoever takes it needs."""

    def __init__(self, noise, at):
        self.noise, self.at = noise, at


@pytest.fixture(autouse=True)
def noise_that_fits(monkeypatch):
    """Let a synthesizer take as much of given noise as it has frames."""
    from ddsp_edge.voice.synthesis import VoiceSynthesizer

    render = VoiceSynthesizer.render

    def fitting(self, f0_hz, controls, noise=None):
        if isinstance(noise, _Rest):
            noise = noise.noise[noise.at : noise.at + len(f0_hz) * HOP]
        return render(self, f0_hz, controls, noise)

    monkeypatch.setattr(VoiceSynthesizer, "render", fitting)


def test_nothing_is_prepared_without_consent(road, tmp_path, capsys):
    command = ["prepare", str(road / "target"), "--out", str(tmp_path / "data"), "--jobs", "1"]
    assert main([*command, "--config", str(road / "voice.yaml")]) != 0
    assert "--i-have-consent" in capsys.readouterr().err
    assert not (tmp_path / "data" / "dataset.json").exists()


def test_consent_is_written_into_the_dataset_and_the_card(road):
    assert load_dataset_info(road / "data").settings["data.consent"] == "given"
    about = read_model_file(road / "voice.tflite").card.about
    assert about["consent"] == "given"
    assert about["data"]["recordings"] == 1


def test_it_learns(road):
    log = read_log(road / "run")
    assert float(log[-1]["val_loss"]) < 0.9 * float(log[0]["val_loss"])
    assert float(log[-1]["content"]) > 0.0


def test_the_encoder_is_left_as_it_was(road, model):
    from ddsp_tf.speech.weights import encoder_of_file

    for own, shipped in zip(
        model.encoder.get_weights(), encoder_of_file(road / "content.tflite").get_weights(), strict=True
    ):
        np.testing.assert_array_equal(own, shipped)


def test_any_cut_of_a_stream_gives_what_tensorflow_gives_of_the_whole(road, model, speech, noise):
    shift = Shift()
    whole = converter_of(model, shift=shift)
    heard = whole._hearing.push(speech)
    last = whole._hearing.flush()
    ahead = model.ahead
    frames = len(speech) // HOP
    pitches = np.concatenate([heard.f0_hz, last.f0_hz])[ahead : ahead + frames]
    levels = np.concatenate([heard.loudness_db, last.loudness_db])[ahead : ahead + frames]
    start_hz = model.facts["f0_hz_range"]["median"]
    inputs = {
        "audio": speech,
        "f0_hz": hold_unvoiced(pitches, pitches > 0, start_hz)[:, np.newaxis],
        "voiced": (pitches > 0).astype(np.float32)[:, np.newaxis],
        "loudness_db": levels[:, np.newaxis],
    }
    batch = {name: tf.constant(np.asarray(value, np.float32)[np.newaxis]) for name, value in inputs.items()}
    expected = model.converted(batch, noise=tf.constant(noise[np.newaxis]))[0].numpy()[0]
    late = whole.delay_samples
    sizes = np.random.default_rng(1).integers(1, 900, 400)
    for converter in (
        converter_of(model, shift=shift),
        open_converter(road / "voice.tflite", shift=shift),
        open_converter(road / "voice.tflite", "numpy", shift=shift),
    ):
        for cut in ([len(speech)], sizes[: int(np.searchsorted(np.cumsum(sizes), len(speech))) + 1]):
            converter.reset()
            sound = in_blocks(converter, speech, noise, cut)
            assert len(sound) == len(speech) + HOP
            np.testing.assert_allclose(sound[late : late + len(speech)], expected, atol=1e-4)


def test_what_is_played_live_is_as_late_as_it_says(road, speech):
    live = LiveConverter(road / "voice.tflite", "keep", seed=3)
    assert live.latency_samples <= 0.08 * 16_000
    converter = open_converter(road / "voice.tflite", pitch="keep", seed=3)
    # Learned pitch and level depend on how much was heard: one block a hop in both.
    expected = np.concatenate(
        [converter.push(part) for part in np.split(speech, range(HOP, len(speech), HOP))]
    )
    played = np.concatenate([live.process(part) for part in np.split(speech, range(HOP, len(speech), HOP))])
    waits = live.latency_samples - converter.delay_samples
    n = len(played) - waits
    np.testing.assert_allclose(played[waits:], expected[:n], atol=1e-6)
    assert np.abs(played[:waits]).max() == 0.0


def test_a_click_in_comes_out_after_the_latency(road):
    """The level of what comes out rises where the latency says: measured, not reckoned."""
    live = LiveConverter(road / "voice.tflite", "keep", seed=0)
    phases = 2 * np.pi * 150.0 * np.arange(1, 20)[:, np.newaxis] * np.arange(16_000) / 16_000
    sound = np.zeros(16_000 * 2, np.float32)
    sound[16_000:] = 0.05 * np.sum(np.sin(phases), axis=0)
    played = np.concatenate([live.process(part) for part in sound.reshape(-1, 160)])
    power = np.convolve(played**2, np.ones(64) / 64, "same")
    before = power[8_000:15_000].max()
    onset = int(np.argmax(power[15_000:] > 4.0 * before + 1e-9)) + 15_000
    # Windows are centred: half of one, 16 ms, may come before.
    assert 16_000 + live.latency_samples - 600 <= onset <= 16_000 + live.latency_samples + 400


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


def test_pitch_is_kept_matched_or_moved(road, tmp_path, capsys):
    source = road / "speakers" / "speaker-3.wav"
    moved = []
    for pitch in ("keep", "match", "-5"):
        command = ["convert", str(road / "voice.tflite"), str(source), str(tmp_path / "o.wav")]
        assert edge([*command, "--pitch", pitch]) == 0
        moved.append(float(capsys.readouterr().out.split(",")[-1].split()[0]))
    target_hz = load_model_of_run(road / "run").facts["f0_hz_range"]["median"]
    assert moved[0] == 0.0
    assert moved[1] == pytest.approx(12 * np.log2(target_hz / (95.0 + 17.0 * 3)), abs=0.3)
    assert moved[2] == -5.0


def test_wrong_uses_are_refused_in_words(road, tmp_path, capsys):
    source = str(road / "speakers" / "speaker-3.wav")
    assert edge(["convert", str(road / "content.tflite"), source, str(tmp_path / "o.wav")]) != 0
    assert "not a voice" in capsys.readouterr().err
    with pytest.raises(DdspError, match="one voice only"):
        open_converter(road / "voice.tflite", voice="ann")
    with pytest.raises(SystemExit):
        edge(["convert", str(road / "voice.tflite"), source, str(tmp_path / "o.wav"), "--pitch", "up"])
    assert "keep, match, or semitones" in capsys.readouterr().err


@pytest.mark.slow
def test_it_is_scored_and_reported(road):
    assert main(["evaluate", str(road / "run"), "--data", str(road / "data")]) == 0
    scores = json.loads((road / "run" / "evaluation.json").read_text())
    assert scores["spectral_distance"] > 0.0
    assert any("were not judged" in remark or "was not judged" in remark for remark in scores["remarks"])
    assert "somebody else" in (road / "run" / "report.html").read_text()


def test_what_was_reached_and_what_limits_it_is_said_in_words(model):
    def said(likeness, why_not="", has_speaker=True):
        return " ".join(_remarks(Figures(0.2, likeness, 0.5, 0.9, 0.9), model, why_not, has_speaker))

    assert "was reached: 0.80" in said(0.80)
    assert "was nearly reached" in said(0.70)
    assert "was not reached" in said(0.50)
    assert "min of the voice are little" in said(0.50)  # the target has 16 s
    assert "words were not judged: nobody reads" in said(0.8, "nobody reads")
    assert "likeness was not judged" in said(float("nan"), has_speaker=False)


def test_what_is_no_number_does_not_stop_a_stream(road, speech):
    converter = open_converter(road / "voice.tflite", seed=0)
    bad = speech.copy()
    bad[2_000:2_100] = np.nan
    bad[3_000:3_010] = 1e30
    assert np.isfinite(converter.push(bad)).all()
