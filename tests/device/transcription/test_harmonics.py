"""Levels of harmonics, fitted together; what explains nothing; and names of notes together."""

import numpy as np
import pytest

from ddsp_edge.frames import FrameSpec
from ddsp_edge.transcription.harmonics import N_FEATURES, N_HARMONICS, Span, fit_note
from ddsp_edge.transcription.names import NAMES
from ddsp_edge.transcription.naming import named, posterior
from ddsp_edge.transcription.note import Note
from ddsp_edge.transcription.spectra import log_spectra

RATE, SPEC = 16_000, FrameSpec(16_000, 320)


def tone(midi, levels, seconds=1.0):
    t = np.arange(int(seconds * RATE)) / RATE
    hz = 440.0 * 2 ** ((midi - 69) / 12)
    return sum(a * np.sin(2 * np.pi * k * hz * t + k) for k, a in enumerate(levels, 1) if k * hz < 7500)


def levels_db(fit):
    return 60.0 * (fit.features[:N_HARMONICS] - 1.0)  # relative to the strongest


@pytest.mark.parametrize("midi", [48, 57, 65, 74])
def test_levels_of_one_note_are_found(midi):
    levels = np.array([0.1, 0.05, 0.08, 0.02, 0.04, 0.01])
    fit = fit_note(log_spectra(tone(midi, levels), SPEC), 0, Span(midi, 5, 45), [])
    wanted = 20 * np.log10(levels / levels.max())
    np.testing.assert_allclose(levels_db(fit)[:6], wanted, atol=2.5)  # a harmonic may lie between bins
    assert fit.explains == 1.0
    assert len(fit.features) == N_FEATURES


def test_levels_of_a_note_are_its_own_beside_another():
    one, other = np.array([0.1, 0.05, 0.03, 0.02]), np.array([0.05, 0.1, 0.01, 0.03])
    spectra = log_spectra(tone(60, one) + tone(66, other), SPEC)
    fits = [fit_note(spectra, 0, Span(p, 5, 45), [Span(q, 5, 45)]) for p, q in ((60, 66), (66, 60))]
    for fit, levels in zip(fits, (one, other), strict=True):
        wanted = 20 * np.log10(levels / levels.max())
        np.testing.assert_allclose(levels_db(fit)[:4], wanted, atol=4.0)
        assert fit.explains > 0.5


def test_an_octave_above_that_does_not_sound_explains_nothing():
    spectra = log_spectra(tone(60, [0.1, 0.08, 0.05, 0.04, 0.03, 0.02]), SPEC)
    ghost = fit_note(spectra, 0, Span(72, 5, 45), [Span(60, 5, 45)])
    real = fit_note(spectra, 0, Span(60, 5, 45), [Span(72, 5, 45)])
    assert ghost.explains < 0.02
    assert real.explains > 0.3


def test_the_curve_shows_the_attack():
    audio = np.concatenate([np.zeros(RATE // 2), tone(60, [0.1, 0.05])])
    fit = fit_note(log_spectra(audio, SPEC), 0, Span(60, 24, 60), [])
    curve = fit.features[2 * N_HARMONICS : 2 * N_HARMONICS + 16]
    assert curve[0] < 0.3
    assert curve[4:].min() > 0.9


def test_a_note_that_is_not_there_any_more_has_no_fit():
    assert fit_note(np.zeros((10, 288, 2), np.float32), 50, Span(60, 10, 20), []) is None


def test_who_plays_seldom_is_named_seldom():
    """Notes that say nothing go to whom most of the others go to."""
    rng = np.random.default_rng(0)
    likelihoods = np.log(np.full((60, 3), 0.1))
    likelihoods[:40, 0] = np.log(0.8)
    likelihoods[40:44, 1] = np.log(0.8)
    shares = posterior(likelihoods, rng.normal(60.0, 3.0, 60), np.ones(60))
    assert (shares[44:].argmax(axis=1) == 0).all()
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)


def test_registers_part_two_that_sound_alike():
    pitches = np.concatenate([np.full(20, 72.0), np.full(20, 48.0)]) + np.tile([-1.0, 1.0], 20)
    likelihoods = np.log(np.full((40, 2), 0.5))
    likelihoods[:12, 0] += 1.0
    likelihoods[20:32, 1] += 1.0
    best = posterior(likelihoods, pitches, np.ones(40)).argmax(axis=1)
    assert list(best) == [0] * 20 + [1] * 20


def test_only_those_who_play_are_named():
    notes = [Note(0.1 * i, 0.1 * i + 0.3, 60 + i % 5) for i in range(10)]
    likelihoods = np.zeros((10, len(NAMES)))
    likelihoods[:, NAMES.index("tuba")] = 3.0
    found = named(notes, likelihoods, ("violin", "cello"))
    assert {note.instrument for note in found} <= {"violin", "cello"}
    assert {note.instrument for note in named(notes, likelihoods)} == {"tuba"}
    (only,) = {(n.instrument, n.name_confidence) for n in named(notes, likelihoods, ("oboe",))}
    assert only == ("oboe", 1.0)
