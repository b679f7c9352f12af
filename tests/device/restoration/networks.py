"""Networks that are simple enough to be told in float64."""

import numpy as np

from ddsp_edge.restoration.bands import HOPS_PER_WINDOW


class Constant:
    """The same gain in all bands and frames."""

    def __init__(self, gain):
        self._gain = gain

    def reset(self):
        pass

    def process(self, *, log_power):
        return {"gains": np.full_like(log_power, self._gain)}


class Drawn:
    """Gains that are drawn at random, frame by frame, always the same."""

    def __init__(self, bands, seed=3):
        self._bands, self._seed = bands, seed
        self.reset()

    def reset(self):
        self._rng = np.random.default_rng(self._seed)

    def process(self, *, log_power):
        return {"gains": self._rng.random((len(log_power), self._bands.count), np.float32)}


class Follower:
    """Gains that follow the sound and remember it: half of what was, and more where it is loud."""

    def __init__(self, bands):
        self._bands = bands
        self.reset()

    def reset(self):
        self._state = np.zeros(self._bands.count, np.float32)

    def process(self, *, log_power):
        gains = np.empty_like(log_power)
        for i, frame in enumerate(log_power):
            self._state = 0.5 * self._state + 0.5 / (1.0 + np.exp(-frame / 4.0))
            gains[i] = self._state
        return {"gains": gains}


def masked(audio, gains, bands):
    """The definition in float64: sound `[n]` of whole hops under gains of bands `[n / hop, bands]`."""
    hop = bands.spec.hop
    size = HOPS_PER_WINDOW * hop
    window = np.sin(np.pi * np.arange(size) / size)
    padded = np.concatenate([np.zeros(size - hop), audio])
    out = np.zeros(len(padded) + size)
    for i in range(len(audio) // hop):
        spectrum = np.fft.rfft(padded[i * hop : i * hop + size] * window)
        spectrum *= bands.shares.astype(np.float64) @ gains[i].astype(np.float64)
        out[i * hop : i * hop + size] += np.fft.irfft(spectrum, size) * window * 2.0 / HOPS_PER_WINDOW
    return out[: len(audio)]
