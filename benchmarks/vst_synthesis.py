"""By how much does our synthesizer differ from that of the plug-in DDSP-VST, of the same controls?

    python benchmarks/vst_synthesis.py [MODEL.tflite]

Ours moves pitch and amplitudes from frame to frame over the whole hop of 20 ms. The plug-in's moves them over
its first half, along a line, and holds them over the second; it filters each hop of noise for itself, where
ours lets the filters ring on and takes their delay of 64 samples. The plug-in's is written down here after
its source (magenta/ddsp-vst f2996e97), in float64.

Time: by how much what the plug-in plays is ahead of ours, by the phase of a swing of half a second in what is
heard: pitch that glides up and down, level that swells, level of noise that swells (mean over 240 swings).

Distance: root mean square of the difference of log magnitudes (1024 samples, Hann, a quarter of that apart;
what lies 60 dB and more below the loudest counts as that), mean over frames, of glides with swells: of
harmonics alone, as they are and with ours moved by what was found, and with noise, beside ours with another
seed, which sounds the same. With a file of the plug-in its network gives the controls, of glides and swells
over the ranges of its card; else harmonics fall as 1 / k over white noise.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "export"))

import numpy as np

from ddsp_edge.frames import FrameSpec
from ddsp_edge.instrument import Instrument
from ddsp_edge.model.vst import BANDS, HARMONICS, HOP
from ddsp_edge.model.vst import SAMPLE_RATE as RATE
from ddsp_edge.synthesis.filtered_noise import FilteredNoise
from ddsp_edge.synthesis.harmonic import Harmonic
from ddsp_edge.units import Array, db_to_amplitude

SPEC = FrameSpec(RATE, HOP)
_NOISE_SIZE, _NOISE_FROM = 512, 62  # samples of circular convolution of a hop, and the first that is played
_FFT, _FLOOR = 1024, 1e-3
_PERIOD_S = 0.5  # of a swing


def plugin_harmonics(f0_hz: Array, amplitude: Array, distribution: Array) -> Array:
    """Harmonics as the plug-in plays them: `[frames]` twice, `[frames, harmonics]`, to `[frames * hop]`."""
    numbers = np.arange(1, distribution.shape[1] + 1)
    shares = np.where(numbers * f0_hz[:, None] < RATE / 2, distribution, 0.0)
    total = shares.sum(axis=1, keepdims=True)
    amplitudes = amplitude[:, None] * np.divide(shares, total, out=np.zeros_like(shares), where=total > 0.0)
    weight = np.minimum(np.arange(HOP) / (HOP // 2), 1.0)
    before_hz, before, phase, out = f0_hz[0], np.zeros(len(numbers)), 0.0, list[Array]()
    for hz, now in zip(f0_hz, amplitudes, strict=True):
        phases = phase + np.cumsum(before_hz + (hz - before_hz) * weight) / RATE
        levels = before + (now - before) * weight[:, None]
        out.append((levels * np.sin(2 * np.pi * phases[:, None] * numbers)).sum(axis=1))
        before_hz, before, phase = hz, now, phases[-1] % 1.0
    return np.concatenate(out)


def plugin_noise(magnitudes: Array, seed: int) -> Array:
    """Noise as the plug-in plays it: `[frames, bands]` to `[frames * hop]`."""
    rng, size = np.random.default_rng(seed), 2 * (magnitudes.shape[1] - 1)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    responses = np.roll(np.fft.irfft(magnitudes, size), size // 2, axis=1) * window
    white = rng.uniform(-1.0, 1.0, (len(magnitudes), _NOISE_SIZE))
    spectra = np.fft.rfft(white) * np.fft.rfft(responses, _NOISE_SIZE)
    return np.fft.irfft(spectra, _NOISE_SIZE)[:, _NOISE_FROM : _NOISE_FROM + HOP].reshape(-1)


def our_harmonics(f0_hz: Array, amplitude: Array, distribution: Array) -> Array:
    """The same by the device's synthesizer."""
    columns = f0_hz[:, None], amplitude[:, None]
    played = Harmonic(SPEC, distribution.shape[1])
    sound = played.process(f0_hz=columns[0], amplitude=columns[1], distribution=distribution)
    return np.asarray(sound, np.float64)


def our_noise(magnitudes: Array, seed: int) -> Array:
    """The same by the device's synthesizer."""
    return np.asarray(
        FilteredNoise(SPEC, magnitudes.shape[1], seed).process(magnitudes=magnitudes), np.float64
    )


def analytic(audio: Array) -> Array:
    """The analytic signal: its size is the envelope, its angle the phase."""
    spectrum = np.fft.fft(audio)
    spectrum[len(audio) // 2 + 1 :] = 0.0
    spectrum[1 : len(audio) // 2] *= 2.0
    return np.fft.ifft(spectrum)


def ahead_ms(first: Array, second: Array) -> float:
    """By how much a curve that swings once is ahead of another one, by the phase of that swing."""
    swings = [np.fft.fft(curve)[1] for curve in (first, second)]
    return 1e3 * _PERIOD_S * float(np.angle(swings[0] * np.conj(swings[1]))) / (2 * np.pi)


def mean_swing(curve: Array, swings: int) -> Array:
    """The mean over all swings but the first and the last."""
    return curve.reshape(swings, -1)[1:-1].mean(axis=0)


def measured_times() -> dict[str, float]:
    """What the plug-in is ahead of us, ms, by what is measured."""
    period, few, many = SPEC.frames_for(_PERIOD_S), 8, 240
    swing = -np.cos(2 * np.pi * np.arange(period) / period)
    ones = np.ones(few * period)
    glide, swell = (
        440.0 * 2.0 ** np.tile(swing / 4.0, few),
        db_to_amplitude(np.tile(10.0 * swing - 20.0, few)),
    )
    pitches, levels, noises = list[Array](), list[Array](), list[Array]()
    for harmonics, noise in ((plugin_harmonics, plugin_noise), (our_harmonics, our_noise)):
        phase = np.unwrap(np.angle(analytic(harmonics(glide, ones, ones[:, None]))))
        pitches.append(mean_swing(np.gradient(phase), few))
        levels.append(
            mean_swing(np.log(np.abs(analytic(harmonics(440.0 * ones, swell, ones[:, None])))), few)
        )
        magnitudes = np.tile(0.1 * (1.1 + swing), many)[:, None] * np.ones(BANDS)
        noises.append(mean_swing(np.square(noise(magnitudes, 0)), many))
    return {
        "pitch of a glide": ahead_ms(*pitches),
        "level of a swell": ahead_ms(*levels),
        "level of a swell of noise": ahead_ms(*noises),
    }


def distance_db(one: Array, other: Array) -> float:
    """Log-spectral distance, dB."""
    starts = np.arange(0, min(len(one), len(other)) - _FFT, _FFT // 4)
    window = np.hanning(_FFT)
    spectra = [np.abs(np.fft.rfft([sound[i : i + _FFT] * window for i in starts])) for sound in (one, other)]
    logs = [20.0 * np.log10(np.maximum(s, _FLOOR * max(t.max() for t in spectra))) for s in spectra]
    return float(np.sqrt(np.square(logs[0] - logs[1]).mean(axis=1)).mean())


def controls(model: str | None) -> tuple[Array, Array, Array, Array]:
    """Pitch, amplitude, distribution and magnitudes of 20 s of glides and swells, `[frames, ...]`."""
    times = np.arange(SPEC.frames_for(20.0)) * HOP / RATE
    glide, swell = (0.5 - 0.5 * np.cos(2 * np.pi * times / seconds) for seconds in (3.1, 1.7))
    if model is None:
        shares = np.tile(1.0 / np.arange(1, HARMONICS + 1), (len(times), 1))
        level = db_to_amplitude(-40.0 + 30.0 * swell)
        return (
            220.0 * 4.0**glide,
            level,
            shares / shares.sum(axis=1)[:, None],
            level[:, None] * np.full(BANDS, 0.1),
        )
    instrument = Instrument(model, seed=0, backend="step")
    pitch, power = instrument.card.f0_hz_range, instrument.card.loudness_db_range
    f0_hz = pitch.low * (pitch.high / pitch.low) ** glide
    given = instrument.controls(f0_hz, power.low + (power.high - power.low) * swell)
    values = [np.asarray(given[name], np.float64) for name in ("amplitude", "distribution", "magnitudes")]
    return f0_hz, values[0][:, 0], values[1], values[2]


def main(arguments: list[str]) -> None:
    """Measure and print."""
    times = measured_times()
    print("the plug-in is ahead of us by")
    for what, value in times.items():
        print(f"  {what:<44} {value:6.2f} ms")
    f0_hz, amplitude, distribution, magnitudes = controls(arguments[0] if arguments else None)
    theirs, ours = (p(f0_hz, amplitude, distribution) for p in (plugin_harmonics, our_harmonics))
    shift = round(times["pitch of a glide"] * 1e-3 * RATE)
    noise = [our_noise(magnitudes, seed) for seed in (0, 1)]
    print("log-spectral distance")
    for what, value in (
        ("harmonics, from ours", distance_db(theirs, ours)),
        (f"harmonics, from ours {shift} samples earlier", distance_db(theirs[:-shift], ours[shift:])),
        ("with noise, from ours", distance_db(theirs + plugin_noise(magnitudes, 2), ours + noise[0])),
        ("with noise, ours of another seed, from ours", distance_db(ours + noise[1], ours + noise[0])),
    ):
        print(f"  {what:<44} {value:6.2f} dB")


if __name__ == "__main__":
    main(sys.argv[1:])
