"""Instruments that come with the package: small, told of, listed, and they play."""

import numpy as np
import pytest

from ddsp_edge.cli.main import main
from ddsp_edge.errors import DdspError
from ddsp_edge.expression.network import N_INPUTS, ExpressionNetwork
from ddsp_edge.instrument import Instrument
from ddsp_edge.instrument_card import TASK
from ddsp_edge.model.file import read_model_file
from ddsp_edge.shipped import shipped_models

MODELS = {name: path for name, path in shipped_models().items() if read_model_file(path).card.task == TASK}
PHRASE = (0, 4, 7, 4)  # semitones above the middle of what it knows


def test_a_violin_is_there_by_its_name():
    assert "violin" in MODELS
    assert Instrument("violin").path == MODELS["violin"]
    with pytest.raises(DdspError, match="Did you mean 'violin'"):
        Instrument("violn")


@pytest.mark.parametrize("name", MODELS)
def test_it_is_small_and_told_of(name):
    assert MODELS[name].stat().st_size <= 700_000
    page = MODELS[name].with_suffix(".md").read_text(encoding="utf-8")
    for told in ("licence", "CC", "ddsp-tf train", "log-spectral distance", "minutes"):
        assert told in page, told


@pytest.mark.parametrize("name", MODELS)
def test_it_plays_a_phrase_in_tune_at_the_level_it_is_told_and_silence_is_silent(name):
    instrument = Instrument(MODELS[name], seed=0)
    spec, card = instrument.spec, instrument.card
    assert spec.sample_rate == 48_000
    note = spec.frames_for(0.5)
    f0_hz = np.repeat(card.f0_hz_range.median * 2.0 ** (np.array(PHRASE) / 12.0), note)
    loudness_db = np.full(len(f0_hz), card.loudness_db_range.median)
    silence = np.full(spec.frames_for(3.0), -80.0)
    sound = instrument.process(f0_hz, loudness_db)
    after = instrument.process(np.full(len(silence), f0_hz[-1]), silence)
    assert np.isfinite(sound).all()
    assert np.isfinite(after).all()
    assert np.abs(sound).max() < 1.0
    level_db = 10.0 * np.log10(np.mean(np.square(sound)))
    assert abs(level_db - card.loudness_db_range.median) < 12.0  # unweighted, of what was told A-weighted
    assert abs(np.mean(sound)) < 0.01 * np.sqrt(np.mean(np.square(sound)))  # no offset
    tail_db = 10.0 * np.log10(np.mean(np.square(after[-spec.sample_rate :])) + 1e-12)
    assert tail_db < -60.0
    for number, hz in enumerate(f0_hz[::note]):
        part = sound[number * note * spec.hop :][: note * spec.hop][-16_384:]
        spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part))))
        bins = np.fft.rfftfreq(len(part), 1.0 / spec.sample_rate)
        partials = np.abs(bins[:, None] - hz * np.arange(1, 11)).min(axis=1) < 8.0
        below = bins < 10.5 * hz
        assert spectrum[partials & below].max() > 5.0 * spectrum[~partials & below & (bins > 30.0)].max()


@pytest.mark.parametrize("name", MODELS)
def test_it_knows_how_notes_are_played(name):
    file = read_model_file(MODELS[name])
    network, about = ExpressionNetwork(file.arrays), file.card.about["expression"]
    assert np.isfinite(network(np.zeros(N_INPUTS))).all()
    held_back = about["held_back"]
    for way in ("live", "file"):
        assert held_back[way]["loudness_db"] < 0.8 * held_back["plain"]["loudness_db"]
        assert held_back[way]["onset_ms"] < held_back["plain"]["onset_ms"]


def test_they_are_listed(capsys):
    assert main(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for name in MODELS:
        assert any(line.split()[0] == name and "instrument, 48 kHz" in line for line in lines)


def test_a_name_is_taken_where_a_file_is(tmp_path, capsys):
    assert main(["info", "violin"]) == 0
    assert "48000 Hz" in capsys.readouterr().out
