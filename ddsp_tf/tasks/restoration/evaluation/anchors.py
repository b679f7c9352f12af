"""What a user would take instead, where it is installed."""

import ctypes
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from ddsp_edge.units import Array

Anchor = Callable[[Array], Array]
"""Takes a noisy sound, float32 `[samples]`, and gives it restored, in its place."""

_RNNOISE_RATE, _RNNOISE_FRAME = 48_000, 480
_LATEST_S = 0.06  # by which what is found may be late, or early


def anchors(sample_rate: int) -> dict[str, Anchor]:
    """Those that are installed, by name: `rnnoise` (package `pyrnnoise`) and `noisereduce`.

    Args:
        sample_rate: Integer, Hz, of the sounds.
    """
    found: dict[str, Anchor] = {}
    if (library := _rnnoise_library()) is not None:
        found["rnnoise"] = lambda audio: _rnnoise(library, audio, sample_rate)
    if importlib.util.find_spec("noisereduce") is not None:
        found["noisereduce"] = lambda audio: _noisereduce(audio, sample_rate)
    return found


def _rnnoise_library() -> Any:
    """The shared library within `pyrnnoise`, whose own package wants a player of sounds; None without it."""
    spec = importlib.util.find_spec("pyrnnoise")
    for folder in () if spec is None else spec.submodule_search_locations or ():
        for path in sorted(Path(folder).rglob("*rnnoise*")):
            if path.suffix not in (".so", ".dylib", ".dll"):
                continue
            try:
                library = ctypes.CDLL(str(path))
            except OSError:
                continue
            library.rnnoise_create.restype = ctypes.c_void_p
            library.rnnoise_create.argtypes = [ctypes.c_void_p]
            library.rnnoise_destroy.argtypes = [ctypes.c_void_p]
            library.rnnoise_process_frame.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
            library.rnnoise_process_frame.restype = ctypes.c_float
            return library
    return None


def _rnnoise(library: Any, audio: Array, sample_rate: int) -> Array:
    """RNNoise works on 10 ms at 48 kHz, of 16-bit full scale; its versions are late by different times."""
    sound = soxr.resample(audio, sample_rate, _RNNOISE_RATE) * np.float32(32767.0)
    frames = -(-(len(sound) + int(_LATEST_S * _RNNOISE_RATE)) // _RNNOISE_FRAME)
    sound = np.pad(sound, (0, frames * _RNNOISE_FRAME - len(sound))).astype(np.float32)
    state = library.rnnoise_create(None)
    try:
        for i in range(frames):
            frame = np.ascontiguousarray(sound[i * _RNNOISE_FRAME : (i + 1) * _RNNOISE_FRAME])
            library.rnnoise_process_frame(state, frame.ctypes.data, frame.ctypes.data)
            sound[i * _RNNOISE_FRAME : (i + 1) * _RNNOISE_FRAME] = frame
    finally:
        library.rnnoise_destroy(state)
    back = soxr.resample(sound / np.float32(32767.0), _RNNOISE_RATE, sample_rate)
    return in_place(audio, np.asarray(back, np.float32), int(_LATEST_S * sample_rate))


def in_place(audio: Array, restored: Array, latest: int) -> Array:
    """A restored sound, moved by up to `latest` samples to where it is most like the input `[samples]`."""
    size = 1 << (len(audio) + len(restored)).bit_length()
    found = np.fft.irfft(np.fft.rfft(restored, size) * np.conj(np.fft.rfft(audio, size)))
    lags = np.concatenate([np.arange(latest + 1), np.arange(-latest, 0)])
    late = int(lags[np.argmax(found[lags])])
    moved = restored[late:] if late >= 0 else np.pad(restored, (-late, 0))
    return np.pad(moved, (0, max(0, len(audio) - len(moved))))[: len(audio)]


def _noisereduce(audio: Array, sample_rate: int) -> Array:
    import noisereduce

    return np.asarray(noisereduce.reduce_noise(y=audio, sr=sample_rate, stationary=False), np.float32)
