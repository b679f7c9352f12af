"""Every processor in float64 numpy, from raw inputs to controls to sound.

Written after the definitions in `docs/processors.md`; nothing here comes from the code under test but a
layer's constructor arguments.
"""

import numpy as np

from tests import oracle


def weights_of(layer):
    """The weights of a built layer by name, float64."""
    return {weight.name: np.asarray(weight.value, float) for weight in layer.weights}


def controls(layer, inputs, weights=None):
    """Raw inputs `[batch, ...]` to controls `[batch, ...]`, for a layer of any type.

    What a layer makes of its weights alone (`tables`, `impulse_response`) has no batch. The weights are those
    of the layer unless given: then nothing is rounded, so that there are slopes.
    """
    scale = CONTROLS[type(layer).__name__]
    given = {k: np.asarray(v, float) for k, v in inputs.items()}
    if weights is not None:
        return scale(layer, given, weights)
    found = scale(layer, given, weights_of(layer))
    if type(layer).__name__ in ROUNDED:
        found["impulse_response"] = found["impulse_response"].astype(np.float16).astype(float)
    return found


def signal(layer, controls):
    """Controls `[batch, ...]` to audio `[batch, samples]`, for a layer of any type."""
    values = {k: np.asarray(v, float) for k, v in controls.items()}
    shared = {k: v for k, v in values.items() if v.ndim == {"tables": 2, "impulse_response": 1}.get(k)}
    varying = {k: v for k, v in values.items() if k not in shared}
    items = [{k: v[i] for k, v in varying.items()} for i in range(len(next(iter(varying.values()))))]
    return np.stack([SIGNALS[type(layer).__name__](layer, **item, **shared) for item in items])


# Scalings


def sigmoid(x):
    return 0.5 + 0.5 * np.tanh(0.5 * np.asarray(x))


def softmax(x):
    x = np.exp(x - x.max(axis=-1, keepdims=True))
    return x / x.sum(axis=-1, keepdims=True)


def exp_sigmoid(x):
    return 2.0 * sigmoid(x) ** np.log(10.0) + 1e-7


def nyquist_fade(f0_hz, harmonics, sample_rate):
    """f0_hz [..., 1] -> [..., harmonics]."""
    nyquist = sample_rate / 2
    return np.clip((nyquist - np.abs(f0_hz) * np.arange(1, harmonics + 1)) / (0.02 * nyquist), 0.0, 1.0)


def _as_they_are(layer, raw, weights):
    return raw


def _harmonic_controls(layer, raw, weights):
    nyquist = layer.spec.sample_rate / 2
    hz = partials_hz(raw["f0_hz"], layer.n_harmonics, raw.get("harmonic_shifts", 0.0))
    share = exp_sigmoid(raw["distribution"]) * np.clip((nyquist - np.abs(hz)) / (0.02 * nyquist), 0.0, 1.0)
    share /= np.maximum(share.sum(axis=-1, keepdims=True), 1e-7)
    return {**raw, "amplitude": exp_sigmoid(raw["amplitude"]), "distribution": share}


def partials_hz(f0_hz, harmonics, shifts):
    """f0_hz [..., 1], shifts [..., harmonics] or 0 -> [..., harmonics]."""
    return f0_hz * np.arange(1, harmonics + 1) * (1.0 + shifts)


def _sinusoidal_controls(layer, raw, weights):
    nyquist = layer.spec.sample_rate / 2
    if layer.frequency_head is None:
        hz = raw["frequencies_hz"]
    else:
        if layer.frequency_head == "sigmoid":
            place = sigmoid(raw["frequencies"])
        else:
            bins = raw["frequencies"].reshape(*raw["amplitudes"].shape, layer.n_bins)
            place = softmax(bins) @ np.linspace(0.0, 1.0, layer.n_bins)
        hz = layer.low_hz * ((layer.high_hz or nyquist) / layer.low_hz) ** place
    fade = np.clip((nyquist - np.abs(hz)) / (0.02 * nyquist), 0.0, 1.0)
    return {"frequencies_hz": hz, "amplitudes": exp_sigmoid(raw["amplitudes"]) * fade}


def _wavetable_controls(layer, raw, weights):
    made = {"f0_hz": raw["f0_hz"], "amplitude": exp_sigmoid(raw["amplitude"])}
    made["tables"] = raw.get("tables", weights["tables"])
    return {**made, "mix": softmax(raw["mix"])} if "mix" in raw else made


def _filter_controls(layer, raw, weights):
    return {**raw, "magnitudes": exp_sigmoid(raw["magnitudes"] + layer.initial_bias)}


def _mix_controls(layer, raw, weights):
    return {**raw, "level": sigmoid(raw["level"])}


def _mod_delay_controls(layer, raw, weights):
    delay_ms = layer.center_ms + layer.depth_ms * np.tanh(raw["delay"])
    return {"audio": raw["audio"], "gain": exp_sigmoid(raw["gain"]), "delay_ms": delay_ms}


def _spectral_mask_controls(layer, raw, weights):
    return {"audio": raw["audio"], "mask": sigmoid(raw["mask"])}


def _reverb_controls(layer, raw, weights):
    if "impulse_response" in raw:
        return raw
    place = np.arange(1, layer.length_samples)
    early = 10.0 ** (-3.0 * place / (0.1 * layer.spec.sample_rate))
    late = 0.001 * 10.0 ** (-3.0 * place / layer.length_samples)
    return _with_response(raw, np.sqrt(16000 / layer.spec.sample_rate) * (early + late) * weights["taps"])


def _exp_decay_reverb_controls(layer, raw, weights):
    seconds = np.arange(1, layer.length_samples) / layer.spec.sample_rate
    envelope = np.exp(weights["log_gain"]) * np.exp(-np.exp(weights["log_decay"]) * seconds)
    return _with_response(raw, envelope * weights["noise"])


def _filtered_noise_reverb_controls(layer, raw, weights):
    part = -(-layer.length_samples // layer.n_frames)
    filtered = np.zeros(layer.n_frames * part + 2 * layer.n_bands)
    for i, gains in enumerate(exp_sigmoid(weights["raw_magnitudes"] + layer.initial_bias)):
        piece = np.convolve(weights["noise"][i * part : (i + 1) * part], oracle.impulse_response(gains))
        filtered[i * part : i * part + len(piece)] += piece
    delay = layer.n_bands - 1
    return _with_response(raw, filtered[delay : delay + layer.length_samples - 1])


def _room_controls(layer, raw, weights):
    """Bands by the whole Fourier transform; the noise begins one sample after the direct path."""
    rate, noise = layer.spec.sample_rate, weights["noise"]
    seconds = np.arange(1, len(noise) + 1) / rate
    size = 2 ** int(np.ceil(np.log2(len(noise))))
    hz = np.abs(np.fft.fftfreq(size, 1 / rate))
    centres = 125.0 * 2.0 ** np.arange(int(np.log2(rate / 2 / 125)) + 1)
    spectrum = np.fft.fft(noise, size)
    late = np.zeros(len(noise))
    for i, (level, time) in enumerate(zip(weights["levels"], weights["times"], strict=True)):
        peak = np.zeros(len(centres))
        peak[i] = 1.0
        share = np.interp(np.log(np.maximum(hz, 1e-6)), np.log(centres), peak)
        band = np.fft.ifft(spectrum * share).real[: len(noise)]
        late += 0.003 * np.exp(5 * level) * 10.0 ** (-3.0 * seconds / (0.5 * np.exp(5 * time))) * band
    early = np.zeros(len(noise))
    early[: len(weights["taps"])] = weights["taps"] * 10.0 ** (-3.0 * seconds / 0.1)[: len(weights["taps"])]
    return _with_response(raw, np.sqrt(16000 / rate) * (early + late))


def _with_response(raw, tail):
    return {**raw, "impulse_response": np.concatenate([[1.0], tail])}


# Synths


def _harmonic(layer, f0_hz, amplitude, distribution, harmonic_shifts=None):
    if harmonic_shifts is not None:
        hz = partials_hz(f0_hz, layer.n_harmonics, harmonic_shifts)
        return sinusoids(hz, amplitude * distribution, layer.spec.sample_rate, layer.spec.hop)
    return oracle.harmonic(f0_hz[:, 0], amplitude * distribution, layer.spec.sample_rate, layer.spec.hop)


def sinusoids(frequencies_hz, amplitudes, sample_rate, hop):
    """frequencies_hz, amplitudes [frames, sinusoids] -> [frames * hop]."""
    return sum(
        oracle.harmonic(f, a[:, None], sample_rate, hop)
        for f, a in zip(np.asarray(frequencies_hz).T, np.asarray(amplitudes).T, strict=True)
    )


def _sinusoidal(layer, frequencies_hz, amplitudes):
    return sinusoids(frequencies_hz, amplitudes, layer.spec.sample_rate, layer.spec.hop)


def read_table(table, phase, interpolation):
    """One period [points] read at phases [samples] in cycles."""
    n = len(table)
    position = phase % 1.0 * n
    i = np.floor(position).astype(int)
    u = position - i
    a, b, c, d = (table[(i + j) % n] for j in (-1, 0, 1, 2))
    if interpolation == "linear":
        return b + u * (c - b)
    slope_b, slope_c = (c - a) / 2, (d - b) / 2  # Hermite's cubic with central differences as slopes
    return (
        b * (2 * u**3 - 3 * u**2 + 1)
        + c * (3 * u**2 - 2 * u**3)
        + slope_b * (u**3 - 2 * u**2 + u)
        + slope_c * (u**3 - u**2)
    )


def _wavetable(layer, f0_hz, amplitude, tables, mix=None):
    sample_rate, hop = layer.spec.sample_rate, layer.spec.hop
    mix = np.ones_like(amplitude) if mix is None else mix
    size = layer.table_size
    numbers = np.arange(1, (size - 1) // 2 + 1)
    # Amplitudes of the harmonics by the definition of the transform, and all of them at all points
    analysis = np.exp(-2j * np.pi * numbers[:, None] * np.arange(size) / size) * 2 / size
    points = size * layer.oversampling
    synthesis = np.exp(2j * np.pi * numbers[:, None] * np.arange(points) / points)
    gains = amplitude * nyquist_fade(f0_hz, len(numbers), sample_rate)
    periods = np.real((mix @ tables @ analysis.T * gains) @ synthesis)
    phase = oracle.phase_cycles(f0_hz[:, 0], sample_rate, hop)
    window, audio = oracle.fade(hop), []
    for i, (before, now) in enumerate(zip(oracle.previous(periods), periods, strict=True)):
        here = phase[i * hop : (i + 1) * hop]
        earlier, later = (read_table(table, here, layer.interpolation) for table in (before, now))
        audio.append((1 - window) * earlier + window * later)
    return np.concatenate(audio)


def _filtered_noise(layer, magnitudes, noise):
    return oracle.filtered_noise(magnitudes, noise, layer.spec.hop)


def _tensor_to_audio(layer, samples):
    return samples.reshape(-1)


# Effects


def _add(layer, **signals):
    return sum(signals.values())


def _mix(layer, audio_0, audio_1, level):
    level = oracle.to_audio_rate(level[:, 0], layer.spec.hop)
    return level * audio_0 + (1 - level) * audio_1


def _tanh(layer, audio):
    return np.tanh(audio)


def _crop(layer, audio):
    return audio[layer.drop_samples :]


def _fir_filter(layer, audio, magnitudes):
    return oracle.filtered_noise(magnitudes, audio, layer.spec.hop)  # the same, of any signal


def _reverb(layer, audio, impulse_response):
    return oracle.reverb(audio, impulse_response)


def delayed(audio, delay, interpolation):
    """audio [samples], delay [samples] in samples -> [samples]; Lagrange's polynomials as he defined them."""
    before = int(np.ceil(delay.max())) + 3
    line = np.concatenate([np.zeros(before), audio, np.zeros(2)])
    at = before + np.arange(len(delay)) - delay
    if interpolation == "cubic":
        left = np.ceil(at).astype(int) - 1
        points = [left - 1, left, left + 1, left + 2]
    else:
        left = np.floor(at).astype(int)
        points = [left, left + 1]
    out = np.zeros(len(delay))
    for i, point in enumerate(points):
        others = [p for j, p in enumerate(points) if j != i]
        out += line[point] * np.prod([(at - other) / (point - other) for other in others], axis=0)
    return out


def _mod_delay(layer, audio, gain, delay_ms):
    hop = layer.spec.hop
    steps = np.arange(hop) / hop
    pairs = zip(oracle.previous(delay_ms[:, 0]), delay_ms[:, 0], strict=True)
    delay = np.concatenate([a + (b - a) * steps for a, b in pairs]) * layer.spec.sample_rate / 1000
    wet = oracle.to_audio_rate(gain[:, 0], hop) * delayed(audio, delay, layer.interpolation)
    return layer.add_dry * audio + wet


def _spectral_mask(layer, audio, mask):
    hop = layer.spec.hop
    size = layer.hops_per_window * hop
    window = np.sin(np.pi * np.arange(size) / size)  # the square root of a Hann window
    padded = np.concatenate([np.zeros(size - hop), audio])
    out = np.zeros(len(padded) + size)
    for i, gains in enumerate(mask):
        piece = slice(i * hop, i * hop + size)
        spectrum = np.fft.rfft(padded[piece] * window) * gains
        out[piece] += np.fft.irfft(spectrum, size) * window * 2 / layer.hops_per_window
    return out[: len(audio)]


ROUNDED = {"Room"}  # whose response is of numbers of half precision

CONTROLS = {
    "Add": _as_they_are,
    "Crop": _as_they_are,
    "ExpDecayReverb": _exp_decay_reverb_controls,
    "FIRFilter": _filter_controls,
    "FilteredNoise": _filter_controls,
    "FilteredNoiseReverb": _filtered_noise_reverb_controls,
    "Harmonic": _harmonic_controls,
    "Mix": _mix_controls,
    "ModDelay": _mod_delay_controls,
    "Reverb": _reverb_controls,
    "Room": _room_controls,
    "SignalLayer": _as_they_are,
    "Sinusoidal": _sinusoidal_controls,
    "SpectralMask": _spectral_mask_controls,
    "TensorToAudio": _as_they_are,
    "Wavetable": _wavetable_controls,
}

SIGNALS = {
    "Add": _add,
    "Crop": _crop,
    "ExpDecayReverb": _reverb,
    "FIRFilter": _fir_filter,
    "FilteredNoise": _filtered_noise,
    "FilteredNoiseReverb": _reverb,
    "Harmonic": _harmonic,
    "Mix": _mix,
    "ModDelay": _mod_delay,
    "Reverb": _reverb,
    "Room": _reverb,
    "SignalLayer": _tanh,
    "Sinusoidal": _sinusoidal,
    "SpectralMask": _spectral_mask,
    "TensorToAudio": _tensor_to_audio,
    "Wavetable": _wavetable,
}
