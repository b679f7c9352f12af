"""Restorations that come with the package: small, with a page of their own, and they take noise out."""

import numpy as np
import pytest

from ddsp_edge.instrument import Instrument
from ddsp_edge.model.file import read_model_file
from ddsp_edge.restoration.restorer import TASK, open_restorer
from ddsp_edge.shipped import shipped_models

MODELS = {name: path for name, path in shipped_models().items() if read_model_file(path).card.task == TASK}


def test_speech_and_music_are_there():
    assert {"speech", "music"} <= MODELS.keys()


@pytest.mark.parametrize("vibrato_cents", [0.0, 30.0])
@pytest.mark.parametrize("name", ["violin", "flute", "trombone"])
def test_music_keeps_a_held_note(name, vibrato_cents):
    instrument = Instrument(name, seed=0)
    rate, frames = instrument.spec.sample_rate, 4 * instrument.spec.sample_rate // instrument.spec.hop
    wave = np.sin(2.0 * np.pi * 5.5 * np.arange(frames) * instrument.spec.hop / rate)
    hz = instrument.card.f0_hz_range.median * 2.0 ** (vibrato_cents / 1200.0 * wave)
    loudness = np.full(frames, instrument.card.loudness_db_range.median)
    restored, before = open_restorer(MODELS["music"], rate).push(instrument.process(hz, loudness))
    for start in (rate // 2, 3 * rate):
        kept, was = (np.sqrt(np.mean(x[start : start + rate // 2] ** 2)) for x in (restored, before))
        assert abs(20.0 * np.log10(kept / was)) < 0.5


@pytest.mark.parametrize("name", MODELS)
def test_it_is_small_told_of_and_passed_its_gate(name):
    path = MODELS[name]
    assert path.stat().st_size <= 130_000
    page = path.with_suffix(".md").read_text(encoding="utf-8")
    for told in ("licence", "ddsp-tf train", "SI-SDR", "RNNoise"):
        assert told in page, told
    quality = read_model_file(path).card.quality
    assert quality["si_sdr_loss_db"] <= 0.1
    assert quality["si_sdr_db_file"] > quality["si_sdr_db_noisy"] + 2.0


@pytest.mark.parametrize("name", MODELS)
def test_hiss_goes_whatever_its_level(name):
    hiss = np.random.default_rng(1).standard_normal(48_000).astype(np.float32)
    for level in (0.001, 0.1):
        restored, before = open_restorer(MODELS[name]).push(level * hiss)
        kept, was = (np.sqrt(np.mean(x[16_000:] ** 2)) for x in (restored, before))
        assert 20.0 * np.log10(kept / was) < -10.0
