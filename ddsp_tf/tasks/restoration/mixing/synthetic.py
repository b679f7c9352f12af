"""Noises that nobody recorded, by our own processors: `FilteredNoise` and `Harmonic` of `ddsp_edge`."""

import numpy as np

from ddsp_edge.frames import FrameSpec
from ddsp_edge.synthesis.filtered_noise import FilteredNoise
from ddsp_edge.synthesis.harmonic import Harmonic
from ddsp_edge.units import Array
from ddsp_tf.tasks.restoration.mixing.changes import filtered

_BANDS = 33
_HARMONICS = 24
_MAINS_HZ = (50.0, 60.0)


class SyntheticNoises:
    """Draws noises of one length, float32 `[samples]`, each of a level of its own choosing.

    Args:
        spec: The frame grid, on which spectra and pitches move.
        n_samples: Integer, their length.
        tones: Whether tones are among them.
    """

    def __init__(self, spec: FrameSpec, n_samples: int, *, tones: bool = True) -> None:
        self._spec, self._n = spec, n_samples
        self._frames = -(-n_samples // spec.hop)
        kinds = (self.wandering, self.wandering, self.wandering, self.tones, self.knocks, self.hiss)
        self._kinds = [kind for kind in kinds if tones or kind != self.tones]

    def any(self, rng: np.random.Generator) -> Array:
        """One of all kinds."""
        kinds = self._kinds
        first = kinds[int(rng.integers(len(kinds)))](rng)
        if rng.random() < 0.3:  # a machine hums and hisses at once
            second = kinds[int(rng.integers(len(kinds)))](rng)
            first = first / _rms(first) + second / _rms(second) * np.float32(rng.uniform(0.2, 1.0))
        return first

    def wandering(self, rng: np.random.Generator) -> Array:
        """Noise whose spectrum and level move: wind, water, crowds, engines."""
        steps = rng.normal(0.0, rng.uniform(0.5, 3.5), _BANDS)
        tilt = rng.uniform(-40.0, 6.0) * np.linspace(0.0, 1.0, _BANDS) ** rng.uniform(0.4, 1.0)
        colour = np.cumsum(steps) + tilt
        common = self._moving(rng, 1) * rng.choice([0.0, rng.uniform(0.0, 3.0), rng.uniform(2.0, 12.0)])
        own = self._moving(rng, _BANDS) * rng.uniform(0.0, 4.0)
        decibels = colour + common + own
        magnitudes = 10.0 ** (np.clip(decibels - decibels.max(), -80.0, 0.0) / 20.0)
        made = FilteredNoise(self._spec, _BANDS, seed=int(rng.integers(2**31)))
        return made.process(magnitudes=np.asarray(magnitudes, np.float32))[: self._n]

    def tones(self, rng: np.random.Generator) -> Array:
        """A tone with harmonics that may glide and come and go: motors, whistles, alarms."""
        f0_hz = np.exp(rng.uniform(np.log(45.0), np.log(2500.0)))
        glide = self._moving(rng, 1) * rng.choice([0.0, 0.0, rng.uniform(0.0, 0.3)])
        level = np.clip(1.0 + self._moving(rng, 1) * rng.choice([0.0, 0.2, 1.0]), 0.0, 3.0)
        return self._harmonics(rng, f0_hz * np.exp(glide), level, rng.uniform(0.3, 2.5))

    def hum(self, rng: np.random.Generator) -> Array:
        """Mains hum with its harmonics."""
        f0_hz = np.full((self._frames, 1), rng.choice(_MAINS_HZ) * rng.choice([1.0, 1.0, 2.0]))
        return self._harmonics(rng, f0_hz, np.ones((self._frames, 1)), rng.uniform(0.2, 1.5))

    def hiss(self, rng: np.random.Generator) -> Array:
        """Noise that stays as it is: of a tape, a preamplifier, a fan."""
        colour = rng.uniform(-0.6, 0.3) * np.log2(np.maximum(np.arange(self._n // 2 + 1), 8.0))
        spectrum = np.fft.rfft(rng.standard_normal(self._n, np.float32)) * np.exp2(colour).astype(np.float32)
        return np.asarray(np.fft.irfft(spectrum, self._n), np.float32)

    def crackle(self, rng: np.random.Generator) -> Array:
        """Clicks of a worn record."""
        count = int(rng.poisson(rng.uniform(2.0, 60.0) * self._n / self._spec.sample_rate)) + 1
        clicks = np.zeros(self._n, np.float32)
        heights = rng.standard_normal(count) * np.exp(rng.normal(0.0, 1.0, count))
        clicks[rng.integers(0, self._n, count)] = heights
        taps = int(rng.integers(4, 40))
        response = np.exp(-np.arange(taps) / rng.uniform(0.5, 6.0)) * np.cos(
            np.arange(taps) * rng.uniform(0.2, 2.8)
        )
        return filtered(clicks, np.asarray(response, np.float32))[0]

    def knocks(self, rng: np.random.Generator) -> Array:
        """Steps, keys, dishes: bursts that ring."""
        sound = np.zeros(self._n, np.float32)
        for _ in range(int(rng.integers(1, 14))):
            length = min(self._n, int(rng.uniform(0.005, 0.3) * self._spec.sample_rate))
            at = int(rng.integers(0, self._n))
            time = np.arange(length) / length
            body = rng.standard_normal(length) * np.exp(-time * rng.uniform(4.0, 12.0))
            ring = np.cos(np.arange(length) * rng.uniform(0.02, 2.5)) * np.exp(-time * 6.0)
            burst = body + rng.uniform(0.0, 2.0) * ring
            part = sound[at : at + length]
            part += (burst * rng.uniform(0.2, 1.0))[: len(part)].astype(np.float32)
        softening = np.exp(-np.arange(32) * rng.uniform(0.02, 2.0))
        return filtered(sound, np.asarray(softening, np.float32))[0]

    def _harmonics(self, rng: np.random.Generator, f0_hz: Array, level: Array, decay: float) -> Array:
        numbers = np.arange(1, _HARMONICS + 1)
        strengths = numbers ** (-decay) * rng.uniform(0.1, 1.0, _HARMONICS)
        pitch = np.broadcast_to(np.asarray(f0_hz, np.float64), (self._frames, 1))
        shares = np.where(pitch * numbers < 0.48 * self._spec.sample_rate, strengths, 0.0)
        made = Harmonic(self._spec, _HARMONICS).process(
            amplitude=np.asarray(np.broadcast_to(level, (self._frames, 1)), np.float32),
            distribution=np.asarray(shares, np.float32),
            f0_hz=pitch,
        )
        return np.asarray(made[: self._n], np.float32)

    def _moving(self, rng: np.random.Generator, channels: int) -> Array:
        """What moves slowly or fast about 0, of a standard deviation near 1, `[frames, channels]`."""
        points = int(np.exp(rng.uniform(np.log(2.0), np.log(60.0))))
        values = rng.standard_normal((points, channels))
        place = np.linspace(0.0, points - 1.0, self._frames)
        before = np.minimum(place.astype(int), points - 2) if points > 1 else np.zeros(self._frames, int)
        share = (place - before)[:, None]
        return values[before] * (1.0 - share) + values[np.minimum(before + 1, points - 1)] * share


def _rms(audio: Array) -> np.float32:
    return np.float32(np.sqrt(np.mean(np.square(audio))) + 1e-9)
