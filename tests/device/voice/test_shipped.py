"""Voices and the content encoder that come with the package: small, told of, late as they say, and quiet."""

import time

import numpy as np
import pytest

from ddsp_edge.model.file import read_model_file
from ddsp_edge.model.step_model import StepModel
from ddsp_edge.shipped import shipped_models
from ddsp_edge.voice.card import TASK
from ddsp_edge.voice.converter import open_converter
from ddsp_edge.voice.live import LiveConverter

MODELS = shipped_models()
VOICES = [name for name, path in MODELS.items() if read_model_file(path).card.task == TASK]


def test_the_encoder_is_small_told_of_and_names_phones():
    path = MODELS["content"]
    assert path.stat().st_size <= 330_000  # the network, and its weights again to be trained through
    assert read_model_file(path).card.model_bytes <= 150_000
    page = path.with_suffix(".md").read_text(encoding="utf-8")
    for told in ("licence", "ddsp-tf train content", "speaker", "hama"):
        assert told in page, told
    file = read_model_file(path)
    silence = StepModel(file).process(log_mel=np.full((50, 40), -18.0))["phones"]
    assert file.card.about["phones"][int(silence[-1].argmax())] == "sil"


@pytest.mark.parametrize("name", VOICES)
def test_a_voice_is_small_told_of_and_agreed_to(name):
    path = MODELS[name]
    assert path.stat().st_size <= 700_000
    page = path.with_suffix(".md").read_text(encoding="utf-8")
    for told in ("licence", "CC BY", "ddsp-tf train voice", "PER", "to target"):
        assert told in page, told
    card = read_model_file(path).card
    assert card.about["consent"] == "given"
    assert card.quality["envelope_error_db"] <= 1.0


@pytest.mark.parametrize("name", VOICES)
def test_a_voice_answers_in_80_ms_and_a_fraction_of_a_core(name):
    live = LiveConverter(MODELS[name], seed=0)
    assert live.latency_samples <= 0.080 * live.spec.sample_rate
    sound = 0.05 * np.random.default_rng(0).standard_normal(32_000).astype(np.float32)
    began = time.process_time()
    for part in np.split(sound, 125):
        live.process(part)
    assert time.process_time() - began < 2.0 * 0.5  # 0.08 is the aim; machines that test are slow and busy


@pytest.mark.parametrize("name", VOICES)
def test_silence_stays_soft(name):
    converter = open_converter(MODELS[name], seed=0)
    sound = np.concatenate([converter.push(np.zeros(32_000, np.float32)), converter.flush()])
    assert 10 * np.log10(np.mean(sound[8_000:] ** 2) + 1e-12) < -55.0


@pytest.mark.parametrize("name", VOICES)
def test_a_vowel_comes_out_at_the_pitch_that_is_asked_for(name):
    from ddsp_edge.features.pitch import PitchTracker

    t = np.arange(32_000) / 16_000
    f0 = 120.0 * (1.0 + 0.03 * np.sin(2 * np.pi * 3.0 * t))
    phase = 2 * np.pi * np.cumsum(f0) / 16_000
    k = np.arange(1, 40)[:, None]
    gains = 1.0 / (1.0 + ((k * 120 - 700) / 200.0) ** 2) + 0.5 / (1.0 + ((k * 120 - 1200) / 200.0) ** 2)
    vowel = (0.05 * np.sum(gains * np.sin(k * phase), axis=0)).astype(np.float32)
    converter = open_converter(MODELS[name], pitch=7.0, seed=0)
    sound = np.concatenate([converter.push(vowel), converter.flush()])
    tracker = PitchTracker(converter.spec, 60.0, 600.0)
    found, voicing = tracker.push(sound)
    voiced = voicing[40:] >= 0.5
    assert voiced.mean() > 0.8
    assert np.median(found[40:][voiced]) == pytest.approx(120.0 * 2 ** (7 / 12), rel=0.02)
