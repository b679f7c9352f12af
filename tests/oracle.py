"""Float64 numpy oracles: every definition of the project written out plainly, slow and obvious."""

import numpy as np


def previous(frames):
    """Each frame's predecessor; the first frame is held."""
    return np.concatenate([frames[:1], frames[:-1]])


def fade(hop):
    return 0.5 - 0.5 * np.cos(np.pi * np.arange(hop) / hop)


def phase_cycles(f0_hz, sample_rate, hop):
    """Phase of every sample, summed without wrapping. f0_hz [frames] -> [frames * hop]."""
    n = np.arange(hop)
    phases, start = [], 0.0
    for before, now in zip(previous(f0_hz), f0_hz, strict=True):
        phases.append(start + (n * before + (now - before) * n**2 / (2 * hop)) / sample_rate)
        start += hop * (before + now) / 2 / sample_rate
    return np.concatenate(phases)


def to_audio_rate(frames, hop):
    """Crossfade a control [frames] to [frames * hop]."""
    w = fade(hop)
    return np.concatenate([(1 - w) * a + w * b for a, b in zip(previous(frames), frames, strict=True)])


def harmonic(f0_hz, amplitudes, sample_rate, hop):
    """f0_hz [frames], amplitudes [frames, harmonics] -> [frames * hop]."""
    f0_hz, amplitudes = np.asarray(f0_hz, float), np.asarray(amplitudes, float)
    phase = phase_cycles(f0_hz, sample_rate, hop)
    audio = np.zeros(len(phase))
    for k in range(amplitudes.shape[1]):
        audio += to_audio_rate(amplitudes[:, k], hop) * np.sin(2 * np.pi * (k + 1) * phase)
    return audio


def impulse_response(magnitudes):
    """magnitudes [bands] -> causal linear-phase impulse response [2 * (bands - 1)]."""
    half = len(magnitudes) - 1
    n = np.arange(-half, half)
    taps = np.full(2 * half, magnitudes[0] / (2 * half))
    for k in range(1, half):
        taps += magnitudes[k] * np.cos(np.pi * k * n / half) / half
    taps += magnitudes[half] * np.cos(np.pi * n) / (2 * half)
    return taps * (0.5 + 0.5 * np.cos(np.pi * n / half))


def filtered_noise(magnitudes, noise, hop):
    """magnitudes [frames, bands], noise [frames * hop] -> [frames * hop]."""
    magnitudes, noise = np.asarray(magnitudes, float), np.asarray(noise, float)
    out = np.zeros(len(noise) + 2 * magnitudes.shape[1])
    for i, frame in enumerate(magnitudes):
        piece = np.convolve(noise[i * hop : (i + 1) * hop], impulse_response(frame))
        out[i * hop : i * hop + len(piece)] += piece
    return out[: len(noise)]


def reverb(audio, response):
    audio, response = np.asarray(audio, float), np.asarray(response, float)
    return np.convolve(audio, response)[: len(audio)]
