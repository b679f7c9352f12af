"""What a transcriber hears of a sound: spectra whose bins are a third of a semitone, of two windows.

The long window tells pitches apart, the short one when they begin. Both are centred on the frame, so that
what belongs together stands in one row. Levels are relative to a running level of the sound: a transcriber
need not know how loud a recording was made.
"""

import functools

import numpy as np
import numpy.typing as npt

from ddsp_edge.errors import DdspError
from ddsp_edge.features.windows import CenteredWindows
from ddsp_edge.frames import FrameSpec
from ddsp_edge.units import Array

SAMPLE_RATE, HOP = 16_000, 320  # Hz, samples: 50 frames a second
WINDOWS = (4096, 1024)  # samples, 256 and 64 ms
BINS_PER_SEMITONE = 3
FIRST_MIDI, LAST_MIDI = 23, 119  # of the bins: 31 Hz, and the last semitone below 8 kHz
N_BINS = (LAST_MIDI - FIRST_MIDI) * BINS_PER_SEMITONE

FLOOR = 2e-4  # of the running level, -74 dB: what is below it is as good as silence
SCALE = 4.0  # brings the logarithm, from floor to full level, to about 0 to 2
_DECAY_DB_PER_S = 6.0  # of the running level after a peak, slower than notes of strings and keys die away
_SOFTEST = 1e-7  # mean square, -70 dB: what is softer than that is not made louder
_WINDOWS_AT_ONCE = 128  # bounds memory


class LogSpectra:
    """Spectra of a stream, frame by frame, whatever the sizes of its blocks.

    Frame `i` stands for sample `(i + 1) * 320`; it comes out 2048 samples later. Each has two channels, the
    long window and the short one: the logarithm of amplitudes relative to the running level, 0 where nothing
    is heard, about 2 for a sine alone. The running level is that of the loudest window so far, falling by
    6 dB a second.

    Args:
        spec: The frame grid, 16 kHz with a hop of 320 samples.

    Raises:
        DdspError: If the grid is another.

    Example:
        >>> spectra = LogSpectra(FrameSpec(16000, 320))
        >>> spectra.push(np.zeros(16000)).shape, spectra.flush().shape
        ((43, 288, 2), (7, 288, 2))
    """

    def __init__(self, spec: FrameSpec) -> None:
        if (spec.sample_rate, spec.hop) != (SAMPLE_RATE, HOP):
            raise DdspError(
                f"spectra for notes are those of {SAMPLE_RATE} Hz and a hop of {HOP} samples. Received: "
                f"{spec.sample_rate} Hz, {spec.hop} samples"
            )
        self.spec = spec
        self._windows = CenteredWindows(spec, max(WINDOWS))
        self.latency_samples = self._windows.latency_samples
        self._shapes = [np.hanning(size + 1)[:-1].astype(np.float32) for size in WINDOWS]
        self._banks = [filter_bank(size) for size in WINDOWS]
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next sample pushed is sample 0."""
        self._windows.reset()
        self._level = _SOFTEST

    def push(self, audio: npt.ArrayLike) -> Array:
        """Add samples `[n]`; return the frames that are known now, float32 `[frames, 288, 2]`."""
        return self._spectra(self._windows.push(audio))

    def flush(self) -> Array:
        """End the stream; return its last frames, float32 `[frames, 288, 2]`."""
        return self._spectra(self._windows.flush())

    def _spectra(self, windows: Array) -> Array:
        out = np.empty((len(windows), N_BINS, len(WINDOWS)), np.float32)
        for start in range(0, len(windows), _WINDOWS_AT_ONCE):
            part = windows[start : start + _WINDOWS_AT_ONCE]
            out[start : start + len(part)] = self._of(part)
        return out

    def _of(self, windows: Array) -> Array:
        levels = self._running(windows * self._shapes[0])
        found = []
        for size, shape, bank in zip(WINDOWS, self._shapes, self._banks, strict=True):
            edge = (windows.shape[1] - size) // 2
            magnitudes = np.abs(np.fft.rfft(windows[:, edge : edge + size] * shape)).astype(np.float32)
            amplitudes = magnitudes @ bank * np.float32(2.0 / shape.sum())
            found.append(np.log(amplitudes / levels[:, None] + np.float32(FLOOR)))
        stacked = np.stack(found, -1) - np.float32(np.log(FLOOR))
        return np.asarray(stacked / np.float32(SCALE), np.float32)

    def _running(self, shaped: Array) -> Array:
        """The running level at each window, root mean square, float32 `[windows]`."""
        power = np.einsum("ij,ij->i", shaped, shaped, dtype=np.float64) / float((self._shapes[0] ** 2).sum())
        fall = 10.0 ** (-_DECAY_DB_PER_S * self.spec.hop / self.spec.sample_rate / 10.0)
        levels = np.empty(len(power), np.float32)
        for i, value in enumerate(power):
            self._level = max(float(value), self._level * fall, _SOFTEST)
            levels[i] = np.sqrt(self._level)
        return levels


def log_spectra(audio: npt.ArrayLike, spec: FrameSpec) -> Array:
    """Spectra of a whole sound `[n]`, float32 `[n // hop, 288, 2]`, as `LogSpectra` gives them."""
    spectra = LogSpectra(spec)
    return np.concatenate([spectra.push(audio), spectra.flush()])


@functools.lru_cache(maxsize=4)
def filter_bank(window: int) -> Array:
    """Weights that make bins of a third of a semitone of those of a Fourier transform.

    Each is a triangle, as wide as a third of a semitone or, where that is more, as the transform's own bins;
    its weights add up to 1.

    Args:
        window: Integer, samples of the window.

    Returns:
        float32 `[window // 2 + 1, 288]`.
    """
    hz = np.arange(window // 2 + 1) * SAMPLE_RATE / window
    midi = np.where(hz > 0, 69.0 + 12.0 * np.log2(np.maximum(hz, 1e-3) / 440.0), -1e3)
    centres = FIRST_MIDI + np.arange(N_BINS) / BINS_PER_SEMITONE
    centre_hz = 440.0 * 2.0 ** ((centres - 69.0) / 12.0)
    width = np.maximum(1.0 / BINS_PER_SEMITONE, 12.0 * np.log2(1.0 + SAMPLE_RATE / window / centre_hz))
    weights = np.maximum(0.0, 1.0 - np.abs(midi[:, None] - centres) / width)
    total = weights.sum(axis=0)
    return np.asarray(weights / np.maximum(total, 1e-9), np.float32)
