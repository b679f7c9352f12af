"""Fourier transforms of two small products against numpy's, and what they cost."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_export.transforms import RealTransform, transform_size


@pytest.mark.parametrize(
    ("size", "taken"), [(1, 1), (2, 1), (7, 3), (15, 15), (256, 128), (882, 441), (768, 200)]
)
def test_the_spectrum_is_that_of_numpy_and_the_inverse_gives_the_samples_back(size, taken):
    transform = RealTransform(size, taken)
    samples = np.random.default_rng(size).uniform(-1.0, 1.0, [1, taken]).astype(np.float32)
    spectrum = transform.forward(samples).numpy()
    real, imaginary = np.split(spectrum[0].astype(float), 2)
    want = np.fft.fft(samples[0].astype(float), size)[transform.bin_numbers]
    # Of sums of as many numbers below 1, rounded to 24 bits.
    np.testing.assert_allclose(real + 1j * imaginary, want, atol=1e-6 * np.sqrt(size) * 4.0)
    back = transform.inverse(spectrum).numpy()
    assert back.shape == (1, size)
    np.testing.assert_allclose(back[0, :taken], samples[0], atol=1e-6)
    np.testing.assert_allclose(back[0, taken:], 0.0, atol=1e-6)


def test_every_frequency_is_there_once_or_as_its_mirror_image():
    for size in (1, 2, 9, 64, 250, 882):
        numbers = RealTransform(size).bin_numbers
        assert set(numbers) | set((size - numbers) % size) == set(range(size))


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 3000))
def test_a_size_is_large_enough_and_little_larger(least):
    size = transform_size(least)
    assert least <= size <= least + least // 8 + 1


def test_constants_grow_little_faster_than_the_transform():
    """A product with the whole matrix would have `2 * size * (size // 2 + 1)` constants."""
    for least in (127, 256, 640, 882, 2048):
        transform = RealTransform(transform_size(least))
        constants = sum(
            matrix.size
            for value in vars(transform).values()
            for matrix in (value if isinstance(value, list) else [value])
            if isinstance(matrix, np.ndarray) and matrix.dtype == np.float32
        )
        assert constants < 70 * least
