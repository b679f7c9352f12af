"""What a page shows of a sound: its spectrum along time, and its level."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ddsp_edge.atomic import written_whole
from ddsp_edge.errors import DdspError
from ddsp_edge.files.audio_file import AudioReader
from ddsp_edge.files.audio_writer import AudioWriter
from ddsp_edge.fourier import hann
from ddsp_edge.studio.columns import Columns
from ddsp_edge.units import Array, length_in_words

ROWS = 112
_LOW_HZ, _HIGH_HZ = 50.0, 16_000.0
_FLOOR_DB = -100.0
_WINDOW_S = 0.046


class Spectrum:
    """Powers of a stream in bands that lie evenly on a scale of octaves, from 50 Hz to 16 kHz.

    Args:
        sample_rate: Integer, Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        self._size = 1 << round(math.log2(_WINDOW_S * sample_rate))
        self._hop = self._size // 4
        self._window = hann(self._size) * 2.0 / self._size
        self.rate = sample_rate
        self.high_hz = min(_HIGH_HZ, sample_rate / 2.0)
        edges_hz = _LOW_HZ * (self.high_hz / _LOW_HZ) ** (np.arange(ROWS + 1) / ROWS)
        bins = edges_hz * self._size / sample_rate
        self._first = np.clip(np.floor(bins[:-1]), 1, self._size // 2).astype(int)
        self._end = np.maximum(np.ceil(bins[1:]).astype(int), self._first + 1)
        self._waiting: Array = np.zeros(self._size // 2)
        self._columns = Columns(ROWS + 1)

    def add(self, mono: Array) -> None:
        """Take samples `[n]` that follow those before."""
        self._waiting = np.concatenate([self._waiting, np.nan_to_num(mono)])
        if len(self._waiting) < self._size:
            return
        windows = np.lib.stride_tricks.sliding_window_view(self._waiting, self._size)[:: self._hop]
        for start in range(0, len(windows), 256):  # bounds memory
            part = windows[start : start + 256]
            powers = np.abs(np.fft.rfft(part * self._window)) ** 2
            summed = np.concatenate([np.zeros((len(part), 1)), np.cumsum(powers, axis=1)], axis=1)
            ends = np.minimum(self._end, summed.shape[1] - 1)
            bands = np.maximum(summed[:, ends] - summed[:, self._first], 0.0)
            level = np.mean(part**2, axis=1, keepdims=True)
            self._columns.add(np.concatenate([bands, level], axis=1))
        self._waiting = self._waiting[len(windows) * self._hop :].copy()

    def picture(self, path: Path) -> dict[str, Any]:
        """Write the picture, bytes `[columns, rows]` from low to high, 0 for -100 dB and 255 for 0 dB.

        Returns:
            What a page must know: `columns`, `rows`, `low_hz`, `high_hz`, and `level_db` of each column.
        """
        self.add(np.zeros(self._size // 2))  # so that the last window stands around the last sample
        means = self._columns.means()
        db = 10.0 * np.log10(np.maximum(means, 10.0 ** (_FLOOR_DB / 10.0)))
        shades = np.clip(np.round(255.0 * (1.0 - db[:, :ROWS] / _FLOOR_DB)), 0, 255).astype(np.uint8)
        with written_whole(path) as beside:
            beside.write_bytes(shades.tobytes())
        return {
            "columns": len(shades),
            "rows": ROWS,
            "low_hz": _LOW_HZ,
            "high_hz": self.high_hz,
            "level_db": [round(value, 1) for value in db[:, ROWS].tolist()],
        }


def look_at(
    source: Path, folder: Path, name: str, progress: Callable[[float, float], None]
) -> dict[str, Any]:
    """Read a sound file; write what a browser can play of it, and its picture.

    Args:
        source: Any sound file.
        folder: Where to.
        name: What the files there are called.
        progress: Called with the seconds done and the seconds in all.

    Returns:
        What a page shows: `audio` and `picture`, names of files in the folder, and what these are like.

    Raises:
        DdspError: If it cannot be read, or holds nothing.
    """
    heard, picture = folder / f"{name}.flac", folder / f"{name}.spectrum"
    with AudioReader(source) as reader:
        rate = reader.file_sample_rate
        channels = 2 if reader.channels == 2 else 1
        spectrum, written = Spectrum(rate), 0
        with AudioWriter(heard, min(rate, 655_350), channels) as writer:  # the most that FLAC can have
            for block in reader.channel_blocks():
                mono = block.mean(axis=1)
                spectrum.add(mono)
                written += len(block)
                writer.write(block if channels == 2 else mono)
                progress(written / rate, max(reader.file_samples, written) / rate)
        if not written:
            raise DdspError(f"{source} holds no samples")
        words = {1: "mono", 2: "stereo"}.get(reader.channels, f"{reader.channels} channels")
        shown = spectrum.picture(picture)
    seconds = written / rate
    about = f"{rate / 1000:g} kHz, {words}, {length_in_words(seconds)}"
    return {"audio": heard.name, "picture": picture.name, "seconds": seconds, "about": about, **shown}
