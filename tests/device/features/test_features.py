"""Loudness, windows, frames and units on the device."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_edge import DdspError, FrameSpec, LoudnessMeter
from ddsp_edge.features.loudness import a_weighting_power, loudness_db, window_size
from ddsp_edge.features.windows import CenteredWindows
from ddsp_edge.units import (
    db_to_amplitude,
    hz_to_midi,
    midi_to_hz,
    scale_f0,
    scale_features,
    scale_loudness,
)


def blocks_of(audio, sizes):
    start = turn = 0
    while start < len(audio):
        stop = start + sizes[turn % len(sizes)]
        yield audio[start:stop]
        start, turn = stop, turn + 1


@settings(max_examples=50, deadline=None)
@given(
    hop=st.integers(1, 70),
    size=st.integers(1, 200),
    n=st.integers(0, 900),
    sizes=st.lists(st.integers(1, 300), min_size=1, max_size=5),
)
def test_windows_are_centred_on_their_frames_whatever_the_blocks(hop, size, n, sizes):
    spec = FrameSpec(1000, hop)
    audio = np.random.default_rng(n).normal(size=n).astype(np.float32)
    stream = CenteredWindows(spec, size)
    found = [stream.push(block) for block in blocks_of(audio, sizes)] + [stream.flush()]
    windows = np.concatenate(found)
    padded = np.concatenate([np.zeros(1000), audio, np.zeros(1000)])
    expected = [padded[1000 + (i + 1) * hop - size // 2 :][:size] for i in range(n // hop)]
    assert windows.shape == (n // hop, size)
    if expected:
        np.testing.assert_array_equal(windows, np.array(expected, np.float32))


@pytest.mark.parametrize("sample_rate", [8000, 16_000, 44_100, 48_000])
@pytest.mark.parametrize("level_db", [0.0, -20.0, -60.0])
def test_a_sine_at_1_khz_has_its_mean_square(sample_rate, level_db):
    spec = FrameSpec(sample_rate, sample_rate // 100)
    audio = db_to_amplitude(level_db) * np.sin(2 * np.pi * 1000 * np.arange(sample_rate) / sample_rate)
    found = loudness_db(audio, spec)[10:-10]
    floor = 10 * np.log10(10 ** ((level_db - 3.0103) / 10) + 1e-8)
    # the weighting is not flat over the window's main lobe
    np.testing.assert_allclose(found, floor, atol=0.1)


@pytest.mark.parametrize(("decades", "db"), [(1.5, -39.4), (2.0, -19.1), (3.0, 0.0), (3.3, 1.2), (3.6, 1.0)])
def test_a_weighting_is_that_of_the_standard(decades, db):
    # IEC 61672-1:2013, table 3, given to 0.1 dB at 31.5, 100, 1000, 2000 and 4000 Hz, nominally
    assert 10 * np.log10(a_weighting_power(10.0**decades)) == pytest.approx(db, abs=0.1)


def test_silence_is_the_floor():
    np.testing.assert_array_equal(loudness_db(np.zeros(1600), FrameSpec(16_000, 64)), np.full(25, -80.0))


@settings(max_examples=20, deadline=None)
@given(sizes=st.lists(st.integers(1, 3000), min_size=1, max_size=5))
def test_loudness_in_blocks_is_the_whole(sizes):
    spec = FrameSpec(16_000, 64)
    audio = np.random.default_rng(0).normal(size=10_000).astype(np.float32) * 0.1
    meter = LoudnessMeter(spec)
    found = np.concatenate([*(meter.push(b) for b in blocks_of(audio, sizes)), meter.flush()])
    assert len(found) == spec.n_frames(10_000)
    np.testing.assert_allclose(found, loudness_db(audio, spec), atol=1e-4)


def test_loudness_is_that_of_its_definition():
    spec = FrameSpec(16_000, 100)
    audio = np.random.default_rng(1).normal(size=3000) * 0.1
    size = window_size(16_000)
    n = np.arange(size)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * n / size)
    padded = np.concatenate([np.zeros(size), audio, np.zeros(size)])
    expected = []
    for i in range(30):
        start = size + (i + 1) * 100 - size // 2
        spectrum = np.fft.fft(window * padded[start : start + size])
        power = np.abs(spectrum) ** 2 * a_weighting_power(np.abs(np.fft.fftfreq(size, 1 / 16_000)))
        expected.append(10 * np.log10(power.sum() / size / np.sum(window**2) + 1e-8))
    np.testing.assert_allclose(loudness_db(audio, spec), expected, atol=1e-3)


@given(rate=st.integers(1, 192_000), hop=st.integers(1, 192_000), n=st.integers(0, 10**9))
def test_frames_are_counted_in_integers(rate, hop, n):
    if hop > rate:
        with pytest.raises(DdspError, match="hop must be at most one second"):
            FrameSpec(rate, hop)
        return
    spec = FrameSpec(rate, hop)
    frames = spec.n_frames(n)
    assert spec.n_samples(frames) <= n < spec.n_samples(frames + 1)
    assert frames == 0 or spec.frame_sample(frames - 1) == spec.n_samples(frames)


def test_a_rate_no_multiple_of_the_frame_rate_names_near_ones():
    with pytest.raises(DdspError, match=r"no multiple of frame_rate 120. .*100, 125"):
        FrameSpec.from_frame_rate(16_000, 120)


@given(st.floats(10, 20_000))
def test_midi_and_hz_are_inverse(f0_hz):
    assert midi_to_hz(hz_to_midi(f0_hz)) == pytest.approx(f0_hz, rel=1e-9)


def test_scaling_of_the_features():
    np.testing.assert_allclose(scale_f0([440.0, 0.0, 1e9]), [69 / 127, 0, 1])
    np.testing.assert_allclose(scale_loudness([-80.0, -40.0, 0.0, -200.0, 500.0]), [0, 0.5, 1, 0, 1.25])


def test_a_handful_of_frames_is_scaled_as_many_are():
    """To the last bit in float32: networks of 8 bits make a difference of it."""
    f0_hz = np.concatenate([np.geomspace(5.0, 24_000.0, 3000), [440.0]])
    loudness_db = np.linspace(-90.0, 30.0, len(f0_hz))
    many = scale_features(f0_hz, loudness_db)
    few = [scale_features(f0_hz[i : i + 3], loudness_db[i : i + 3]) for i in range(0, len(f0_hz), 3)]
    for together, parts in zip(many, zip(*few, strict=True), strict=True):
        np.testing.assert_array_equal(np.concatenate(parts).astype(np.float32), together.astype(np.float32))
    np.testing.assert_array_equal(many[0], scale_f0(f0_hz))
    np.testing.assert_array_equal(many[1], scale_loudness(loudness_db))
