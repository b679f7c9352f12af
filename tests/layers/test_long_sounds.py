"""A hundred harmonics with vibrato against float64: four seconds, and ten minutes of carried state."""

import numpy as np
import pytest
import tensorflow as tf

from ddsp_tf.layers import Harmonic
from tests import oracle

HARMONICS = 100


def moving_f0(seconds, sample_rate, hop):
    """Vibrato of half a semitone at 5.5 Hz over glides that take high harmonics past Nyquist, float32."""
    time = np.arange(seconds * sample_rate // hop) * hop / sample_rate
    glide = 0.7 * np.sin(2 * np.pi * time / 37.0)
    return (220.0 * 2 ** (glide + 0.5 / 12 * np.sin(2 * np.pi * 5.5 * time))).astype("float32")


def raw_inputs(f0_hz, rng):
    """f0_hz [batch, frames] -> inputs; loudness and timbre move from frame to frame."""
    batch, frames = f0_hz.shape
    return {
        "amplitude": tf.constant(rng.normal(size=[batch, frames, 1]), tf.float32),
        "distribution": tf.constant(rng.normal(size=[batch, frames, HARMONICS]), tf.float32),
        "f0_hz": tf.constant(f0_hz[..., None]),
    }


@pytest.mark.parametrize(("sample_rate", "hop"), [(48000, 192), (44100, 441), (16000, 64)])
def test_four_seconds_are_within_1e_5(sample_rate, hop):
    layer = Harmonic(HARMONICS, sample_rate, hop)
    base = moving_f0(4, sample_rate, hop)
    glide = np.linspace(0.0, 5.0, len(base))  # from 110 Hz to above 3 kHz: most harmonics fall silent
    f0_hz = np.stack([base, (110.0 * 2**glide).astype("float32")])
    inputs = raw_inputs(f0_hz, np.random.default_rng(0))
    controls = layer.get_controls(**inputs)
    audio = layer(inputs).numpy()
    assert np.abs(audio).max() > 0.3
    amplitudes = (controls["amplitude"] * controls["distribution"]).numpy()
    for got, f, a in zip(audio, f0_hz, amplitudes, strict=True):
        assert np.abs(got - oracle.harmonic(f, a, sample_rate, hop)).max() < 1e-5


@pytest.mark.parametrize("harmonic", [1, 10, 50, 99, 100])
def test_a_single_loud_harmonic_is_within_1e_5(harmonic):
    """The worst case of a sum in powers of the wave: all of the sound in a high power."""
    sample_rate, hop = 48000, 192
    layer = Harmonic(HARMONICS, sample_rate, hop)
    f0_hz = moving_f0(4, sample_rate, hop)
    share = np.zeros([1, len(f0_hz), HARMONICS], "float32")
    share[..., harmonic - 1] = 1.0
    audio = layer.get_signal(
        f0_hz=tf.constant(f0_hz[None, :, None]), amplitude=tf.ones([1, len(f0_hz), 1]), distribution=share
    )
    want = np.sin(2 * np.pi * harmonic * oracle.phase_cycles(f0_hz.astype(float), sample_rate, hop))
    assert np.abs(audio[0].numpy() - want).max() < 1e-5


@pytest.mark.slow
def test_ten_minutes_are_within_1e_4():
    """One sample of every hop, and every sample of the first, middle and last two seconds.

    The state runs through all ten minutes, in blocks of two seconds.
    """
    sample_rate, hop, seconds = 48000, 192, 600
    layer = Harmonic(HARMONICS, sample_rate, hop)
    rng = np.random.default_rng(0)
    f0_hz = moving_f0(seconds, sample_rate, hop)
    later = f0_hz.astype(float)
    earlier = oracle.previous(later)
    starts = np.concatenate([[0.0], np.cumsum((earlier + later) * hop / 2 / sample_rate)[:-1]]) % 1.0
    fade, numbers = oracle.fade(hop), 2 * np.pi * np.arange(1, HARMONICS + 1)

    def expected(i, before, now, n):
        """Sample `n` of hop `i`; the amplitudes `[harmonics]` of its two frames. All may have more axes."""
        bend = (later[i] - earlier[i]) * n**2 / (2 * hop)
        cycles = starts[i] + (n * earlier[i] + bend) / sample_rate
        amplitudes = before + fade[n][..., None] * (now - before)
        return np.sum(amplitudes * np.sin(numbers * (cycles[..., None] % 1.0)), axis=-1)

    block = 2 * sample_rate // hop
    blocks = len(f0_hz) // block
    state, last, worst, peak = None, None, 0.0, 0.0
    for number in range(blocks):
        frames = np.arange(number * block, (number + 1) * block)
        controls = layer.get_controls(**raw_inputs(f0_hz[None, frames], rng))
        audio, state = layer.stream_signal(controls, state)
        audio = audio.numpy().reshape(block, hop)
        now = (controls["amplitude"] * controls["distribution"])[0].numpy().astype(float)
        before = np.concatenate([now[:1] if last is None else last, now[:-1]])
        last = now[-1:]
        n = rng.integers(hop, size=block)
        errors = audio[np.arange(block), n] - expected(frames, before, now, n)
        if number in (0, blocks // 2, blocks - 1):
            for i in range(block):
                want = expected(np.full(hop, frames[i]), before[i], now[i], np.arange(hop))
                errors = np.append(errors, audio[i] - want)
        worst, peak = max(worst, np.abs(errors).max()), max(peak, np.abs(audio).max())
    assert peak > 0.3
    assert worst < 1e-4
