"""Fourier transforms of real samples in builtin TFLite operators, with few constants.

A transform of `rows * columns` samples is a transform of its columns, a turn of each value, and a transform
of its rows (Cooley and Tukey, "An Algorithm for the Machine Calculation of Complex Fourier Series", 1965):
two small matrix products in the place of one large one, whose constants would outgrow the instrument.
"""

import numpy as np
import tensorflow as tf

from ddsp_edge.units import Array


class RealTransform:
    """The discrete Fourier transform of real samples, and its inverse.

    Spectra are `[1, 2 * bins]`: all real parts, then all imaginary parts. They hold half of the spectrum, the
    rest being its mirror image, in the order of `bin_numbers`; a few bins are there twice, as conjugates.

    Args:
        size: Integer > 0, samples of the transform.
        taken: Integer from 1 to `size`: samples that are given, the rest is zero; None is all.
    """

    def __init__(self, size: int, taken: int | None = None) -> None:
        self.size, self.taken = size, size if taken is None else taken
        self._rows, self._columns = _factors(size)
        rows, columns = self._rows, self._columns
        half = rows // 2 + 1
        self.bins = half * columns
        low, high = np.arange(half), np.arange(columns)
        self.bin_numbers = (low[:, None] + rows * high).reshape(-1)
        given = -(-self.taken // columns)  # rows of samples that are not all zero
        self._padding = given * columns - self.taken
        by_row = np.exp(-2j * np.pi * np.outer(np.arange(given), low) / rows)
        turn = np.exp(-2j * np.pi * np.outer(high, low) / size)  # [columns, half]
        by_column = np.exp(-2j * np.pi * np.outer(high, high) / columns)
        # Beside real and imaginary part stands the value times i, so that a turn is two products and a sum.
        self._by_row = _f32(np.concatenate([by_row.real, by_row.imag, -by_row.imag, by_row.real], axis=1))
        self._turn = [_f32(np.concatenate([part, part], axis=1)) for part in (turn.real, turn.imag)]
        self._by_column = _f32(_complex_product(by_column))
        back = np.conj(by_column) / size
        self._back_by_column = _f32(
            np.concatenate([_complex_product(back), _complex_product(1j * back)], axis=1)
        )
        self._back_turn = [_f32(np.concatenate([part.T, part.T], axis=1)) for part in (turn.real, -turn.imag)]
        both = np.where(2 * low % rows == 0, 1.0, 2.0)[:, None]  # a bin stands for its mirror image too
        back_by_row = both * np.exp(2j * np.pi * np.outer(low, np.arange(rows)) / rows)
        self._back_by_row = _f32(np.concatenate([back_by_row.real, -back_by_row.imag]))

    def forward(self, samples: tf.Tensor) -> tf.Tensor:
        """The spectrum `[1, 2 * bins]` of samples `[1, taken]`."""
        columns, half = self._columns, self._rows // 2 + 1
        if self._padding:
            samples = tf.pad(samples, [[0, 0], [0, self._padding]])
        by_row = tf.matmul(tf.transpose(tf.reshape(samples, [-1, columns])), self._by_row)
        turned = by_row[:, : 2 * half] * self._turn[0] + by_row[:, 2 * half :] * self._turn[1]
        swapped = tf.transpose(tf.reshape(turned, [columns, 2, half]), [2, 1, 0])
        values = tf.matmul(tf.reshape(swapped, [half, 2 * columns]), self._by_column)
        parts = tf.transpose(tf.reshape(values, [half, 2, columns]), [1, 0, 2])
        return tf.reshape(parts, [1, 2 * self.bins])

    def inverse(self, spectrum: tf.Tensor) -> tf.Tensor:
        """Samples `[1, size]` of a spectrum `[1, 2 * bins]`; of bins that are there twice the mean counts."""
        columns, half = self._columns, self._rows // 2 + 1
        parts = tf.transpose(tf.reshape(spectrum, [2, half, columns]), [1, 0, 2])
        values = tf.matmul(tf.reshape(parts, [half, 2 * columns]), self._back_by_column)
        turned = values[:, : 2 * columns] * self._back_turn[0] + values[:, 2 * columns :] * self._back_turn[1]
        swapped = tf.transpose(tf.reshape(turned, [half, 2, columns]), [2, 1, 0])
        by_row = tf.matmul(tf.reshape(swapped, [columns, 2 * half]), self._back_by_row)
        return tf.reshape(tf.transpose(by_row), [1, self.size])

    def spectrum_of(self, samples: Array) -> Array:
        """Spectra complex128 `[..., bins]` of samples `[..., n]`, in the order of the graph."""
        spectra = np.fft.fft(samples, self.size)
        return np.asarray(spectra[..., self.bin_numbers])


def transform_size(least: int) -> int:
    """A size from `least` on, at most an eighth more, whose transform is cheap."""
    return min(range(least, least + least // 8 + 2), key=lambda size: size * sum(_factors(size)))


def _factors(size: int) -> tuple[int, int]:
    """Rows and columns: as close to each other as can be, more rows than columns."""
    columns = max(n for n in range(1, int(np.sqrt(size)) + 1) if size % n == 0)
    return size // columns, columns


def _complex_product(matrix: Array) -> Array:
    """The real matrix that multiplies real and imaginary parts, side by side, by a complex one."""
    return np.block([[matrix.real, matrix.imag], [-matrix.imag, matrix.real]])


def _f32(values: Array) -> Array:
    return np.ascontiguousarray(values, np.float32)
