"""Spectra of thirds of semitones: where a tone stands, and that cuts of the stream do not matter."""

import numpy as np
import pytest

from ddsp_edge.errors import DdspError
from ddsp_edge.frames import FrameSpec
from ddsp_edge.transcription.spectra import FIRST_MIDI, N_BINS, LogSpectra, filter_bank, log_spectra

SPEC = FrameSpec(16_000, 320)


def tone(midi: float, seconds: float = 1.0, amplitude: float = 0.3) -> np.ndarray:
    t = np.arange(int(seconds * 16_000)) / 16_000
    return (amplitude * np.sin(2 * np.pi * 440.0 * 2 ** ((midi - 69) / 12) * t)).astype(np.float32)


@pytest.mark.parametrize("midi", [45, 60, 69.333, 84, 100])
def test_a_tone_stands_in_its_bin(midi):
    spectra = log_spectra(tone(midi), SPEC)
    assert spectra.shape == (50, N_BINS, 2)
    assert spectra[25, :, 0].argmax() == round((midi - FIRST_MIDI) * 3)


@pytest.mark.parametrize("sizes", [[1], [320], [37, 5000, 1], [16_000]])
def test_cuts_of_the_stream_do_not_matter(sizes):
    audio = np.random.default_rng(0).normal(0.0, 0.1, 20_000).astype(np.float32)
    audio[9_000:] *= 0.01
    whole, stream = log_spectra(audio, SPEC), LogSpectra(SPEC)
    parts, at, i = [], 0, 0
    while at < len(audio):
        size = max(sizes[i % len(sizes)], 320 if sizes == [1] else 1)
        parts.append(stream.push(audio[at : at + size]))
        at, i = at + size, i + 1
    given = np.concatenate([*parts, stream.flush()])
    np.testing.assert_allclose(
        given, whole, atol=2e-6
    )  # products of matrices of other sizes round differently


def test_it_is_what_its_definition_says():
    """Against float64: windows around (i + 1) * 320, triangles, the running level."""
    rng = np.random.default_rng(1)
    audio = rng.normal(0.0, 0.1, 12_000)
    audio[6_000:] *= 0.1
    padded, level, wanted = np.pad(audio, 4096), 1e-7, []
    for i in range(len(audio) // 320):
        centre = 4096 + (i + 1) * 320
        row = []
        for size in (4096, 1024):
            hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
            window = padded[centre - size // 2 : centre + size // 2] * hann
            if size == 4096:
                level = max((window**2).sum() / (hann**2).sum(), level * 10 ** (-0.6 * 0.02), 1e-7)
            magnitudes = np.abs(np.fft.rfft(window)) * 2.0 / hann.sum()
            amplitudes = magnitudes @ filter_bank(size).astype(np.float64)
            row.append((np.log(amplitudes / np.sqrt(level) + 2e-4) - np.log(2e-4)) / 4.0)
        wanted.append(np.stack(row, -1))
    np.testing.assert_allclose(log_spectra(audio, SPEC), np.array(wanted), atol=1e-4)


def test_how_loud_a_recording_is_does_not_matter():
    audio = tone(60) + 0.3 * tone(67)
    np.testing.assert_allclose(log_spectra(audio, SPEC), log_spectra(0.05 * audio, SPEC), atol=1e-4)


def test_silence_is_zero_and_another_grid_is_refused():
    assert not log_spectra(np.zeros(3200), SPEC).any()
    with pytest.raises(DdspError, match=r"16000 Hz and a hop of 320.*Received: 16000 Hz, 128"):
        LogSpectra(FrameSpec(16_000, 128))
