"""The public operations that know of time, in float64 numpy, loop by loop, after their docstrings.

Nothing is taken from the code under test. Arguments have the names and the shapes of the operation's; results
are arrays, or tuples of them, and a state is the tuple of its parts.
"""

import librosa
import numpy as np
import scipy.fft

from tests import oracle
from tests.layers.oracles import read_table

# From frames to samples


def previous_frames(frames, before=None):
    first = frames[:, :1] if before is None else before[:, None]
    return np.concatenate([first, frames[:, :-1]], axis=1)


def crossfade_window(hop):
    return np.array([0.5 - 0.5 * np.cos(np.pi * n / hop) for n in range(hop)])


def crossfade(frames, hop, before=None):
    w, earlier = crossfade_window(hop), previous_frames(frames, before)
    return np.stack(
        [
            np.concatenate([(1 - w) * a + w * b for a, b in zip(*pair, strict=True)])
            for pair in zip(earlier, frames, strict=True)
        ]
    )


def resample(frames, n_samples, method="window"):
    """Frame i is sample (i + 1) * n_samples / frames; the first is held before, the last after."""
    count = frames.shape[1]
    held = np.concatenate([frames[:, :1], frames[:, :1], frames, frames[:, -1:]], axis=1)
    out = []
    for n in range(n_samples):
        i, place = n * count // n_samples, n * count % n_samples / n_samples
        a, b, c, d = (held[:, i + k] if i + k < held.shape[1] else held[:, -1] for k in range(4))
        if method == "cubic":
            slope_b, slope_c = (c - a) / 2, (d - b) / 2
            u = place
            out.append(
                b * (2 * u**3 - 3 * u**2 + 1)
                + c * (3 * u**2 - 2 * u**3)
                + slope_b * (u**3 - 2 * u**2 + u)
                + slope_c * (u**3 - u**2)
            )
            continue
        weight = {"nearest": float(place >= 0.5), "linear": place, "window": np.sin(np.pi * place / 2) ** 2}
        out.append((1 - weight[method]) * b + weight[method] * c)
    return np.stack(out, axis=1)


def frames_to_samples(frames, hop, method="window"):
    return resample(frames, frames.shape[1] * hop, method)


def stream_frames_to_samples(frames, hop, method="window"):
    late = 1 if method == "cubic" else 0
    samples = frames_to_samples(
        np.concatenate([np.repeat(frames[:, :1], late, axis=1), frames], axis=1), hop, method
    )
    before = 3 if method == "cubic" else 1
    history = np.concatenate([np.repeat(frames[:, :1], before, axis=1), frames], axis=1)[:, -before:]
    return samples[:, : frames.shape[1] * hop], history


# Filters and delays


def fft_size(at_least):
    n = at_least
    while True:
        rest = n
        for factor in (2, 3, 5, 7):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return n
        n += 1


def convolve_causal(audio, impulse_response, history=None):
    responses = np.broadcast_to(impulse_response, [len(audio), impulse_response.shape[-1]])
    taps = responses.shape[1]
    history = np.zeros([len(audio), taps - 1]) if history is None else history
    longer = np.concatenate([history, audio], axis=1)
    out = [np.convolve(x, h)[taps - 1 : len(x)] for x, h in zip(longer, responses, strict=True)]
    return np.stack(out), longer[:, longer.shape[1] - taps + 1 :]


def convolve_frames(audio, impulse_responses, hop, tail=None):
    batch, frames, taps = impulse_responses.shape
    out = np.zeros([batch, frames * hop + taps - 1])
    for b, i in np.ndindex(batch, frames):
        out[b, i * hop : (i + 1) * hop + taps - 1] += np.convolve(
            audio[b, i * hop : (i + 1) * hop], impulse_responses[b, i]
        )
    if tail is not None:
        out[:, : taps - 1] += tail
    return out[:, : frames * hop], out[:, frames * hop :]


def impulse_responses_from_magnitudes(magnitudes):
    return np.apply_along_axis(oracle.impulse_response, -1, magnitudes)


def filter_frames(audio, magnitudes, hop, tail=None):
    return convolve_frames(audio, impulse_responses_from_magnitudes(magnitudes), hop, tail)


def fractional_delay(audio, delay_samples, max_delay_samples, history=None, interpolation="linear"):
    length = max_delay_samples + 2
    history = np.zeros([len(audio), length]) if history is None else history
    line = np.concatenate([history, audio], axis=1)
    out = np.zeros_like(audio)
    for b, n in np.ndindex(*audio.shape):
        delay = np.clip(delay_samples[b, n], 1.0 if interpolation == "cubic" else 0.0, max_delay_samples)
        whole = int(np.floor(delay))
        points = [-1, 0, 1, 2] if interpolation == "cubic" else [0, 1]
        for p in points:
            weight = np.prod([(delay - whole - q) / (p - q) for q in points if q != p])  # Lagrange
            out[b, n] += weight * line[b, length + n - whole - p]
    return out, line[:, audio.shape[1] :]


def lowpass_impulse_response(cutoff_hz, sample_rate, taps):
    n = np.arange(taps) - taps // 2
    response = (
        2 * cutoff_hz / sample_rate * np.sinc(2 * cutoff_hz / sample_rate * n) * np.blackman(taps + 2)[1:-1]
    )
    return response / response.sum(axis=-1, keepdims=True)


def highpass_impulse_response(cutoff_hz, sample_rate, taps):
    return np.eye(taps)[taps // 2] - lowpass_impulse_response(cutoff_hz, sample_rate, taps)


# Oscillators


def nyquist_fade(f0_hz, n_harmonics, sample_rate):
    nyquist = sample_rate / 2
    return np.clip((nyquist - np.abs(f0_hz) * np.arange(1, n_harmonics + 1)) / (0.02 * nyquist), 0, 1)


def fundamental_phase(f0_hz, previous_f0_hz, start_cycles, spec):
    cycles, start = np.zeros([*f0_hz.shape, spec.hop]), np.array(start_cycles, float)
    n = np.arange(spec.hop)
    for i in range(f0_hz.shape[1]):
        a, b = previous_f0_hz[:, i, None] / spec.sample_rate, f0_hz[:, i, None] / spec.sample_rate
        cycles[:, i] = start[:, None] + a * n + (b - a) * n**2 / (2 * spec.hop)
        start = start + spec.hop * (a + b)[:, 0] / 2
    return cycles, start % 1.0


def sinusoidal_oscillator(frequencies_hz, amplitudes, spec, state=None):
    before_hz, before, start = (None, None, np.zeros_like(frequencies_hz[:, 0])) if state is None else state
    earlier_hz = previous_frames(frequencies_hz, before_hz)
    audio, ends = 0.0, []
    for k in range(frequencies_hz.shape[2]):
        cycles, end = fundamental_phase(frequencies_hz[..., k], earlier_hz[..., k], start[:, k], spec)
        level = crossfade(amplitudes[..., k], spec.hop, None if before is None else before[:, k])
        audio = audio + level * np.sin(2 * np.pi * cycles.reshape(level.shape))
        ends.append(end)
    return audio, (frequencies_hz[:, -1], amplitudes[:, -1], np.stack(ends, axis=1))


def harmonic_oscillator(f0_hz, amplitudes, spec, state=None):
    before_hz, before, start = (None, None, np.zeros(len(f0_hz))) if state is None else state
    earlier_hz = previous_frames(f0_hz[..., 0], before_hz)
    cycles, end = fundamental_phase(f0_hz[..., 0], earlier_hz, start, spec)
    audio = 0.0
    for k in range(amplitudes.shape[2]):
        level = crossfade(amplitudes[..., k], spec.hop, None if before is None else before[:, k])
        audio = audio + level * np.sin(2 * np.pi * (k + 1) * cycles.reshape(level.shape))
    return audio, (f0_hz[:, -1, 0], amplitudes[:, -1], end)


def wavetable_oscillator(f0_hz, tables, spec, interpolation="cubic", state=None):
    before_hz, before, start = (None, None, np.zeros(len(f0_hz))) if state is None else state
    earlier_hz = previous_frames(f0_hz[..., 0], before_hz)
    cycles, end = fundamental_phase(f0_hz[..., 0], earlier_hz, start, spec)
    earlier, w = previous_frames(tables, before), crossfade_window(spec.hop)
    audio = np.zeros_like(cycles)
    for b, i in np.ndindex(*cycles.shape[:2]):
        a, c = (read_table(t[b, i], cycles[b, i], interpolation) for t in (earlier, tables))
        audio[b, i] = (1 - w) * a + w * c
    return audio.reshape(len(audio), -1), (f0_hz[:, -1, 0], tables[:, -1], end)


def harmonics_of_table(table_size):
    return len([k for k in range(1, table_size) if 2 * k < table_size])


def tables_from_harmonics(tables, mix, gains, oversampling):
    size = tables.shape[-1]
    each = np.broadcast_to(tables, [len(mix), *tables.shape[-2:]])
    points, out = np.arange(size * oversampling) / (size * oversampling), 0.0
    for k in range(1, gains.shape[-1] + 1):
        part = each @ np.exp(-2j * np.pi * k * np.arange(size) / size) * 2 / size  # [batch, tables]
        weight = np.einsum("bft,bt->bf", mix, part) * gains[..., k - 1]
        out = out + np.real(weight[..., None] * np.exp(2j * np.pi * k * points))
    return out


def damped_sinusoids(real, imaginary, n_samples):
    z = real + 1j * imaginary
    return np.real(np.stack([z**n for n in range(n_samples)], axis=-1))


def inside_unit_circle(real, imaginary):
    z = real + 1j * imaginary
    z = np.tanh(np.abs(z)) * z / np.abs(z)
    return z.real, z.imag


def surrogate_frequency_hz(real, imaginary, sample_rate):
    return np.abs(np.angle(real + 1j * imaginary)) * sample_rate / (2 * np.pi)


# Frequencies


def frequencies_sigmoid(raw, low_hz, high_hz):
    return low_hz * (high_hz / low_hz) ** (1 / (1 + np.exp(-raw)))


def frequencies_softmax(raw, low_hz, high_hz):
    share = np.exp(raw) / np.exp(raw).sum(axis=-1, keepdims=True)
    return np.exp(share @ np.linspace(np.log(low_hz), np.log(high_hz), raw.shape[-1]))


def harmonic_to_sinusoidal(amplitude, distribution, f0_hz):
    return amplitude * distribution, f0_hz * np.arange(1, distribution.shape[-1] + 1)


def sinusoidal_to_harmonic(amplitudes, frequencies_hz, f0_hz, n_harmonics, width=None):
    energies = np.zeros([*amplitudes.shape[:-1], n_harmonics])
    for place in np.ndindex(*amplitudes.shape):
        for k in range(1, n_harmonics + 1):
            off = frequencies_hz[place] / f0_hz[place[:-1]][0] - k
            weight = float(-0.5 <= off < 0.5) if width is None else np.exp(-((off / width) ** 2))
            energies[(*place[:-1], k - 1)] += (weight * amplitudes[place]) ** 2
    harmonics = np.sqrt(energies)
    total = harmonics.sum(axis=-1, keepdims=True)
    return total, np.divide(harmonics, total, out=np.zeros_like(harmonics), where=total > 0)


# Spectra and level


def _windows(audio, fft_size, hop):
    count = -(-audio.shape[1] // hop) + fft_size // hop - 1
    longer = np.zeros([len(audio), fft_size - hop + (count - 1) * hop + fft_size])
    longer[:, fft_size - hop : fft_size - hop + audio.shape[1]] = audio
    return np.stack([longer[:, i * hop : i * hop + fft_size] for i in range(count)], axis=1)


def magnitude_spectrogram(audio, fft_size, hop):
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(fft_size) / fft_size)
    return np.maximum(np.abs(np.fft.rfft(_windows(audio, fft_size, hop) * window)), 1e-10)


def stft(audio, fft_size, hop):
    return np.fft.rfft(_windows(audio, fft_size, hop) * np.sin(np.pi * np.arange(fft_size) / fft_size))


def inverse_stft(spectra, fft_size, hop, n_samples):
    window = np.sin(np.pi * np.arange(fft_size) / fft_size)
    out = np.zeros([len(spectra), (spectra.shape[1] - 1) * hop + fft_size])
    weight = np.zeros(out.shape[1])
    for i in range(spectra.shape[1]):
        out[:, i * hop : i * hop + fft_size] += window * np.fft.irfft(spectra[:, i], fft_size)
        weight[i * hop : i * hop + fft_size] += window**2
    part = slice(fft_size - hop, fft_size - hop + n_samples)
    return out[:, part] / weight[part]


def mel_filterbank(n_mels, fft_size, sample_rate, low_hz=0.0, high_hz=None):
    return librosa.filters.mel(
        sr=sample_rate, n_fft=fft_size, n_mels=n_mels, fmin=low_hz, fmax=high_hz, dtype=np.float64
    ).T


def mel_spectrogram(audio, sample_rate, fft_size, hop, n_mels, low_hz=0.0, high_hz=None):
    bank = mel_filterbank(n_mels, fft_size, sample_rate, low_hz, high_hz)
    return magnitude_spectrogram(audio, fft_size, hop) ** 2 @ bank


def mfcc(audio, sample_rate, fft_size, hop, n_mels=128, n_mfcc=30):
    power = np.maximum(mel_spectrogram(audio, sample_rate, fft_size, hop, n_mels), 1e-10)
    return scipy.fft.dct(10 * np.log10(power), norm="ortho")[..., :n_mfcc]


def rms(audio, spec, window_samples):
    longer = np.pad(audio, [[0, 0], [window_samples, window_samples + spec.hop]])
    out = []
    for i in range(audio.shape[1] // spec.hop):
        first = window_samples + (i + 1) * spec.hop - window_samples // 2
        out.append(np.sqrt(np.mean(longer[:, first : first + window_samples] ** 2, axis=1)))
    return np.maximum(np.stack(out, axis=1), 1e-10)
