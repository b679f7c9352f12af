"""The numpy processors against the float64 oracle, in one call and in blocks of any size (law 1)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_edge.errors import DdspError
from ddsp_edge.fourier import fft_size
from ddsp_edge.frames import FrameSpec
from ddsp_edge.synthesis.filtered_noise import FilteredNoise
from ddsp_edge.synthesis.harmonic import Harmonic
from ddsp_edge.synthesis.mixing import Add, Mix
from ddsp_edge.synthesis.reverb import Reverb
from tests import oracle

SPEC = FrameSpec(16_000, 64)


def vibrato(frames, spec=SPEC, centre_hz=220.0, seed=0):
    """f0 [frames, 1] with half a semitone of vibrato and a slow glide, amplitudes that change."""
    seconds = np.arange(frames) * spec.hop / spec.sample_rate
    f0 = centre_hz * 2 ** (np.sin(2 * np.pi * 5.5 * seconds) / 24 + 0.5 * np.sin(0.3 * seconds))
    return f0[:, None]


def shares(f0_hz, n_harmonics, sample_rate, seed=0):
    rng = np.random.default_rng(seed)
    weights = rng.random((len(f0_hz), n_harmonics)) ** 3 + 1e-3
    weights *= f0_hz * np.arange(1, n_harmonics + 1) < sample_rate / 2
    return weights / weights.sum(axis=1, keepdims=True)


def in_blocks(processor, sizes, hop, **controls):
    """Process controls in blocks of `sizes` frames, over and over until they are used up."""
    frames = min(len(v) // (hop if v.ndim == 1 else 1) for v in controls.values())
    parts, start, turn = [], 0, 0
    processor.reset()
    while start < frames:
        stop = min(frames, start + sizes[turn % len(sizes)])
        block = {
            k: v[start * hop : stop * hop] if v.ndim == 1 else v[start:stop] for k, v in controls.items()
        }
        parts.append(processor.process(**block))
        assert parts[-1].dtype == np.float32
        assert len(parts[-1]) == (stop - start) * hop
        start, turn = stop, turn + 1
    return np.concatenate(parts)


def test_harmonics_follow_the_oracle_for_a_minute():
    frames = SPEC.frames_for(60)
    f0 = vibrato(frames)
    distribution = shares(f0, 16, SPEC.sample_rate)
    amplitude = 0.5 + 0.5 * np.sin(np.arange(frames) / 40)[:, None] ** 2
    audio = Harmonic(SPEC, 16).process(amplitude=amplitude, distribution=distribution, f0_hz=f0)
    expected = oracle.harmonic(f0[:, 0], amplitude * distribution, SPEC.sample_rate, SPEC.hop)
    # float32 sines of amplitude 1 in all: 1e-5 leaves a hundred rounding errors
    np.testing.assert_allclose(audio, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("sample_rate", "hop"), [(16_000, 64), (44_100, 441), (48_000, 1), (8000, 500)])
@pytest.mark.parametrize("n_harmonics", [1, 2, 3, 60, 100])
def test_harmonics_follow_the_oracle_on_any_grid(sample_rate, hop, n_harmonics):
    spec = FrameSpec(sample_rate, hop)
    f0 = vibrato(40, spec, centre_hz=55.0)
    distribution = shares(f0, n_harmonics, sample_rate)
    amplitude = np.ones((40, 1))
    audio = Harmonic(spec, n_harmonics).process(amplitude=amplitude, distribution=distribution, f0_hz=f0)
    expected = oracle.harmonic(f0[:, 0], distribution, sample_rate, hop)
    np.testing.assert_allclose(audio, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("block", [1, 25, 250])  # 4 ms, 100 ms, 1 s
def test_harmonics_in_blocks_are_the_whole_for_a_minute(block):
    frames = SPEC.frames_for(60)
    f0 = vibrato(frames)
    controls = {
        "amplitude": np.ones((frames, 1)),
        "distribution": shares(f0, 12, SPEC.sample_rate),
        "f0_hz": f0,
    }
    processor = Harmonic(SPEC, 12)
    whole = processor.process(**controls)
    np.testing.assert_allclose(in_blocks(processor, [block], SPEC.hop, **controls), whole, atol=1e-5, rtol=0)


@settings(max_examples=20, deadline=None)
@given(sizes=st.lists(st.integers(1, 40), min_size=1, max_size=6), seed=st.integers(0, 99))
def test_every_processor_gives_the_same_in_blocks_of_any_sizes(sizes, seed):
    rng = np.random.default_rng(seed)
    frames, hop = 90, SPEC.hop
    f0 = vibrato(frames, seed=seed)
    audio = rng.uniform(-1, 1, frames * hop).astype(np.float32)
    cases = [
        (
            Harmonic(SPEC, 9),
            {"amplitude": rng.random((frames, 1)), "distribution": shares(f0, 9, 16_000), "f0_hz": f0},
        ),
        (FilteredNoise(SPEC, 65, seed), {"magnitudes": rng.random((frames, 65))}),
        (FilteredNoise(SPEC, 9), {"magnitudes": rng.random((frames, 9)), "noise": audio}),
        (Reverb(SPEC, rng.normal(size=777) * 0.05), {"audio": audio}),
        (Reverb(SPEC, rng.normal(size=3777) * 0.02), {"audio": audio}),  # most taps are far ones
        (Add(), {"audio_0": audio, "audio_1": audio[::-1]}),
        (Mix(SPEC), {"audio_0": audio, "audio_1": audio[::-1], "level": rng.random((frames, 1))}),
    ]
    for processor, controls in cases:
        whole = in_blocks(processor, [frames], hop, **controls)
        # the order of float32 sums differs between batch sizes, nothing else does
        np.testing.assert_allclose(in_blocks(processor, sizes, hop, **controls), whole, atol=1e-5, rtol=0)


def test_arrays_that_were_given_may_be_used_again():
    rng = np.random.default_rng(0)
    f0, level = vibrato(20), rng.random((20, 1)).astype(np.float32)
    audio = rng.uniform(-1, 1, 20 * SPEC.hop).astype(np.float32)
    magnitudes = rng.random((20, 9)).astype(np.float32)
    cases = [
        (Harmonic(SPEC, 1), {"amplitude": level, "distribution": np.ones((20, 1), np.float32), "f0_hz": f0}),
        (FilteredNoise(SPEC, 9), {"magnitudes": magnitudes, "noise": audio}),
        (Reverb(SPEC, rng.normal(size=300)), {"audio": audio}),
        (Reverb(SPEC, rng.normal(size=1100)), {"audio": audio}),
        (Mix(SPEC), {"audio_0": audio, "audio_1": audio[::-1].copy(), "level": level}),
    ]
    for processor, controls in cases:
        expected = in_blocks(processor, [10], SPEC.hop, **controls)
        processor.reset()
        parts, length = [], {k: 10 * (SPEC.hop if v.ndim == 1 else 1) for k, v in controls.items()}
        buffers = {k: np.empty_like(v[: length[k]]) for k, v in controls.items()}
        for half in (0, 1):
            for name, buffer in buffers.items():
                buffer[:] = controls[name][half * length[name] :][: length[name]]
            parts.append(processor.process(**buffers).copy())
            for buffer in buffers.values():
                buffer[:] = 1e3
        np.testing.assert_array_equal(np.concatenate(parts), expected)


def test_first_hop_holds_frame_0():
    f0 = np.array([[500.0], [500.0]])
    audio = Harmonic(SPEC, 1).process(
        amplitude=np.array([[0.5], [0.0]]), distribution=np.ones((2, 1)), f0_hz=f0
    )
    n = np.arange(64)
    np.testing.assert_allclose(audio[:64], 0.5 * np.sin(2 * np.pi * 500 * n / 16_000), atol=1e-6)
    assert abs(audio[-1]) < 1e-3


def test_phase_stays_exact_for_an_hour():
    # At 1000.1 Hz ten seconds are 10001 whole cycles, so every ten seconds are the first ten again.
    spec = FrameSpec(4000, 64)
    processor = Harmonic(spec, 1)
    frame = np.full((625, 1), 1000.1)
    ones = np.ones((625, 1))
    for _ in range(360):  # an hour
        audio = processor.process(amplitude=ones, distribution=ones, f0_hz=frame)
    first = Harmonic(spec, 1).process(amplitude=ones, distribution=ones, f0_hz=frame)
    np.testing.assert_allclose(audio, first, atol=1e-5, rtol=0)


@pytest.mark.parametrize("n_bands", [2, 9, 65])
@pytest.mark.parametrize("hop", [1, 16, 100])
def test_noise_is_filtered_as_by_the_oracle(n_bands, hop):
    spec = FrameSpec(16_000, hop)
    rng = np.random.default_rng(1)
    frames = 1600 // hop
    noise = rng.uniform(-1, 1, frames * hop)
    magnitudes = rng.random((frames, n_bands))
    audio = FilteredNoise(spec, n_bands).process(magnitudes=magnitudes, noise=noise)
    np.testing.assert_allclose(audio, oracle.filtered_noise(magnitudes, noise, hop), atol=1e-5, rtol=0)


def test_flat_noise_is_delayed_by_what_is_declared():
    spec = FrameSpec(16_000, 64)
    noise = np.random.default_rng(2).uniform(-1, 1, 640)
    processor = FilteredNoise(spec, 33)
    audio = processor.process(magnitudes=np.ones((10, 33)), noise=noise)
    delay = processor.group_delay_samples
    assert delay == 32
    np.testing.assert_allclose(audio[delay:], noise[:-delay], atol=1e-6)


def test_seeded_noise_repeats_and_unseeded_does_not():
    magnitudes = np.ones((8, 9))
    first = FilteredNoise(SPEC, 9, seed=3)
    a = first.process(magnitudes=magnitudes)
    first.reset()
    np.testing.assert_array_equal(a, first.process(magnitudes=magnitudes))
    np.testing.assert_array_equal(a, FilteredNoise(SPEC, 9, seed=3).process(magnitudes=magnitudes))
    other = FilteredNoise(SPEC, 9).process(magnitudes=magnitudes)
    assert np.abs(a - other).max() > 0.1
    assert -1.0 <= a.min() < -0.9


@pytest.mark.parametrize("taps", [1, 63, 64, 65, 1000])
@pytest.mark.parametrize("hop", [1, 64])
def test_reverb_is_linear_convolution_with_the_whole_response(taps, hop):
    rng = np.random.default_rng(3)
    response = rng.normal(size=taps) / np.sqrt(taps)
    audio = rng.uniform(-1, 1, 1920)
    out = Reverb(FrameSpec(16_000, hop), response).process(audio=audio)
    np.testing.assert_allclose(out, oracle.reverb(audio, response), atol=1e-5, rtol=0)


def test_reverb_of_a_second_over_a_minute_is_exact():
    rng = np.random.default_rng(4)
    response = rng.normal(size=16_000) * np.exp(-np.arange(16_000) / 3000) * 0.01
    response[0] = 1.0
    audio = np.zeros(60 * 16_000)
    at = rng.integers(0, len(audio), 200)  # clicks, so that the oracle is a sum of shifted responses
    audio[at] = rng.uniform(-1, 1, 200)
    expected = np.zeros(len(audio) + len(response))
    for i in np.flatnonzero(audio):
        expected[i : i + len(response)] += audio[i] * response
    out = Reverb(SPEC, response).process(audio=audio)
    np.testing.assert_allclose(out, expected[: len(audio)], atol=1e-5, rtol=0)


def test_mix_crossfades_its_level():
    level = np.array([[1.0], [0.0]])
    out = Mix(SPEC).process(audio_0=np.ones(128, np.float32), audio_1=np.zeros(128, np.float32), level=level)
    np.testing.assert_allclose(out, oracle.to_audio_rate(level[:, 0], 64), atol=1e-6)


def test_add_sums_any_number_of_signals():
    out = Add().process(a=np.ones(64), b=np.full(64, 2.0), c=np.full(64, 3.0))
    np.testing.assert_array_equal(out, np.full(64, 6.0))


def test_wrong_shapes_are_named():
    with pytest.raises(DdspError, match=r"distribution must have shape \[2, 4\]. Received shape: \[2, 5\]"):
        Harmonic(SPEC, 4).process(
            amplitude=np.ones((2, 1)), distribution=np.ones((2, 5)), f0_hz=np.ones((2, 1))
        )
    with pytest.raises(DdspError, match="magnitudes must have shape"):
        FilteredNoise(SPEC, 9).process(magnitudes=np.ones((2, 8)))
    with pytest.raises(DdspError, match="whole hops of 64"):
        Reverb(SPEC, [1.0]).process(audio=np.ones(65))


@given(n=st.integers(1, 10**6))
def test_fft_sizes_are_large_enough_and_not_wasteful(n):
    assert n <= fft_size(n) <= max(1.34 * n, 4)
