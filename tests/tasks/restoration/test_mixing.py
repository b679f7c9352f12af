"""Mixtures are what the configuration says, and depend on nothing but their number."""

import dataclasses

import numpy as np
import pytest

from ddsp_edge.frames import FrameSpec
from ddsp_tf.config.files import load_config
from ddsp_tf.data.batches import training_batches
from ddsp_tf.tasks.restoration.evaluation.evaluate import _PLAIN
from ddsp_tf.tasks.restoration.examples import Mixtures
from ddsp_tf.tasks.restoration.mixing.changes import Curve, active_level, filtered, resampled, room_parts
from ddsp_tf.tasks.restoration.mixing.synthetic import SyntheticNoises
from tests.tasks.restoration import sounds


def mixtures(prepared, split="train", **changes):
    config = load_config(prepared / "tiny.yaml")
    settings = dataclasses.replace(config.mixtures, **changes)
    return Mixtures(dataclasses.replace(config, mixtures=settings), prepared / "data", split)


def made(of, count=40):
    return [of.make(of.draw(i % len(of.fitting()), 0, i)) for i in range(count)]


def test_examples_depend_on_their_number_alone(prepared):
    one, other = mixtures(prepared), mixtures(prepared)
    batches = list(training_batches(one, batch_size=2, seed=5).take(4))
    later = next(iter(training_batches(other, batch_size=2, seed=5, skip_batches=3)))
    np.testing.assert_array_equal(batches[3][0]["audio"], later[0]["audio"])
    np.testing.assert_array_equal(batches[3][1], later[1])
    assert not np.array_equal(batches[3][1], batches[2][1])


def test_mixtures_are_finite_within_full_scale_and_of_the_level_asked_for(prepared):
    for mixture in made(mixtures(prepared)):
        for sound in (mixture.noisy, mixture.clean):
            assert sound.dtype == np.float32
            assert np.isfinite(sound).all()
            assert np.abs(sound).max() <= 1.0
    plain = mixtures(prepared, **{**_PLAIN, "level_min_db": -30.0, "level_max_db": -30.0})
    levels = [20 * np.log10(active_level(m.clean, sounds.RATE)) for m in made(plain, 10)]
    np.testing.assert_allclose(levels, -30.0, atol=0.5)


@pytest.mark.parametrize("snr_db", [-5.0, 10.0])
def test_the_ratio_is_that_of_what_is_loud_to_the_noise(prepared, snr_db):
    of = mixtures(prepared, "validation", **_PLAIN)
    mixture = of.make(of.place(0, 0), snr_db)
    noise = mixture.noisy - mixture.clean
    found = active_level(mixture.clean, sounds.RATE) / np.sqrt(np.mean(noise**2))
    assert 20 * np.log10(found) == pytest.approx(snr_db, abs=0.3)
    assert mixture.noise == "noise/noise-1.wav"


def test_every_kind_can_be_switched_on_and_off(prepared):
    clean = made(mixtures(prepared, **{**_PLAIN, "clean_share": 1.0}), 5)
    assert all(np.array_equal(m.noisy, m.clean) for m in clean)
    alone = made(mixtures(prepared, **{**_PLAIN, "noise_share": 1.0}), 5)
    assert not any(m.clean.any() for m in alone)
    assert all(m.snr_db == -np.inf and m.noisy.any() for m in alone)
    rooms = made(mixtures(prepared, **{**_PLAIN, "clean_share": 1.0, "room_share": 1.0}), 5)
    assert all(m.in_room and not np.array_equal(m.noisy, m.clean) for m in rooms)
    assert {m.noise for m in made(mixtures(prepared, **{**_PLAIN, "babble_share": 1.0}), 3)} == {"babble"}
    assert {m.noise for m in made(mixtures(prepared, **{**_PLAIN, "synthetic_share": 1.0}), 3)} == {
        "synthetic"
    }
    clipped = made(mixtures(prepared, **{**_PLAIN, "clean_share": 1.0, "clip_share": 1.0}), 5)
    assert all(np.sum(np.abs(m.noisy) >= np.abs(m.noisy).max() * 0.9999) > 5 for m in clipped)
    for share in ("hum_share", "hiss_share", "crackle_share"):
        quiet = {**_PLAIN, "snr_min_db": 80.0, "snr_max_db": 80.0}
        with_it, without = (made(mixtures(prepared, **{**quiet, share: x}), 3) for x in (1.0, 0.0))
        for one, other in zip(with_it, without, strict=True):
            assert np.std(one.noisy - one.clean) > 5.0 * np.std(other.noisy - other.clean)


def test_rooms_give_the_sound_its_place_and_its_level():
    response = sounds.room(1)
    whole, early = room_parts(response, sounds.RATE, 30.0)
    assert np.argmax(np.abs(whole)) == 0
    assert np.sum(early**2) == pytest.approx(1.0, abs=1e-5)
    assert len(early) == pytest.approx(0.035 * sounds.RATE, abs=1)
    np.testing.assert_array_equal(whole[: int(0.03 * sounds.RATE)], early[: int(0.03 * sounds.RATE)])


def test_filters_are_convolutions():
    rng = np.random.default_rng(1)
    audio, response = (rng.standard_normal(n).astype(np.float32) for n in (1_000, 50))
    (given,) = filtered(audio, response)
    np.testing.assert_allclose(given, np.convolve(audio, response)[:1_000], atol=1e-4)
    curve = Curve(rng, sounds.RATE, 6.0)
    assert np.abs(20 * np.log10(curve.at(500))).max() <= 6.0 + 1e-6
    assert Curve(rng, sounds.RATE, 0.0, band=True).at(500)[-1] < 0.75


def test_speed_moves_length_and_pitch():
    time = np.arange(sounds.RATE) / sounds.RATE
    faster = resampled(np.sin(2 * np.pi * 500 * time).astype(np.float32), 1.25)
    assert len(faster) == pytest.approx(sounds.RATE / 1.25, abs=2)
    assert np.argmax(np.abs(np.fft.rfft(faster))) * sounds.RATE / len(faster) == pytest.approx(625, abs=2)


@pytest.mark.parametrize("kind", ["wandering", "tones", "hum", "hiss", "crackle", "knocks", "any"])
def test_synthetic_noises_are_sounds_and_repeatable(kind):
    noises = SyntheticNoises(FrameSpec(16_000, 128), 20_000)
    for seed in range(20):
        first, again = (getattr(noises, kind)(np.random.default_rng(seed)) for _ in range(2))
        assert first.shape == (20_000,)
        assert np.isfinite(first).all()
        assert np.std(first) > 1e-6
        np.testing.assert_array_equal(first, again)


def test_without_tones_no_synthetic_noise_is_one(monkeypatch):
    spec, drawn, made = FrameSpec(16_000, 128), [], SyntheticNoises.tones

    def tones(self, rng):
        drawn.append(self)
        return made(self, rng)

    monkeypatch.setattr(SyntheticNoises, "tones", tones)
    for wanted in (False, True):
        noises, rng = SyntheticNoises(spec, 2_000, tones=wanted), np.random.default_rng(3)
        for _ in range(60):
            assert np.isfinite(noises.any(rng)).all()
        assert (noises in drawn) is wanted


def test_hum_stands_on_its_harmonics():
    hum = SyntheticNoises(FrameSpec(16_000, 128), 32_000).hum(np.random.default_rng(4))
    power = np.abs(np.fft.rfft(hum * np.hanning(32_000))) ** 2
    hz = np.arange(len(power)) / 2.0
    on = np.minimum(np.abs(hz % 50.0), np.abs(50.0 - hz % 50.0)) < 2.0
    at_60 = np.minimum(np.abs(hz % 60.0), np.abs(60.0 - hz % 60.0)) < 2.0
    assert max(power[on].sum(), power[at_60].sum()) > 0.99 * power.sum()
