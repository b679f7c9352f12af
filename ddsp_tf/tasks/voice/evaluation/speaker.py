"""Whose voice it is: the network of Resemblyzer, in numpy. For judging only, never in a loss."""

from collections.abc import Mapping
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from ddsp_edge.fourier import hann
from ddsp_edge.units import Array

RATE, _WINDOW, _HOP, _MELS = 16_000, 400, 160, 40
_FRAMES, _STEP = 160, 40  # of a part that is judged, and from one to the next
_LAYERS, _UNITS = 3, 256
_LOUDNESS_DB = -30.0


class SpeakerJudge:
    """Embeddings of voices: their cosine is near 1 for one speaker, and about .5 for two.

    Reference: L. Wan et al., "Generalized End-to-End Loss for Speaker Verification", ICASSP 2018, as trained
    by the package Resemblyzer.

    Args:
        weights: Arrays by name, as `resemblyzer/pretrained.pt` has them.
    """

    def __init__(self, weights: Mapping[str, Array]) -> None:
        import librosa

        self._weights = weights
        self._mel = librosa.filters.mel(sr=RATE, n_fft=_WINDOW, n_mels=_MELS)

    def __call__(self, audio: Array) -> Array:
        """Embed a sound `[samples]` at 16 kHz, `[256]` of length 1."""
        level = np.sqrt(np.mean(np.square(audio)) + 1e-18)
        audio = audio * max(1.0, 10.0 ** (_LOUDNESS_DB / 20.0) / level)
        padded = np.pad(audio, _WINDOW // 2, mode="reflect")
        windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
        power = np.abs(np.fft.rfft(windows * hann(_WINDOW))) ** 2 @ self._mel.T
        if len(power) < _FRAMES:
            power = np.resize(power, (_FRAMES, _MELS))
        starts = range(0, len(power) - _FRAMES + 1, _STEP)
        hidden = np.stack([power[start : start + _FRAMES] for start in starts]).astype(np.float32)
        for layer in range(_LAYERS):
            hidden = self._lstm(hidden, layer)
        last = hidden[:, -1] @ self._weights["linear.weight"].T + self._weights["linear.bias"]
        last = np.maximum(last, 0.0)
        last /= np.linalg.norm(last, axis=1, keepdims=True) + 1e-9
        mean = last.mean(axis=0)
        return np.asarray(mean / (np.linalg.norm(mean) + 1e-9))

    def _lstm(self, frames: Array, layer: int) -> Array:
        weights = self._weights
        recurrent = weights[f"lstm.weight_hh_l{layer}"].T
        bias = weights[f"lstm.bias_ih_l{layer}"] + weights[f"lstm.bias_hh_l{layer}"]
        gates = frames @ weights[f"lstm.weight_ih_l{layer}"].T + bias
        state = cell = np.zeros((len(frames), _UNITS), np.float32)
        out = []
        for step in range(frames.shape[1]):
            enter, forget, new, leave = np.split(gates[:, step] + state @ recurrent, 4, axis=1)
            cell = _sigmoid(forget) * cell + _sigmoid(enter) * np.tanh(new)
            state = _sigmoid(leave) * np.tanh(cell)
            out.append(state)
        return np.stack(out, axis=1)


@lru_cache(maxsize=1)
def speaker_judge() -> SpeakerJudge | None:
    """The judge, where Resemblyzer and torch, which reads its weights, are installed; else None."""
    package = find_spec("resemblyzer")
    if package is None or package.origin is None or find_spec("torch") is None:
        return None
    import torch

    path = Path(package.origin).with_name("pretrained.pt")
    state = torch.load(path, map_location="cpu", weights_only=True)["model_state"]
    return SpeakerJudge({name: value.numpy() for name, value in state.items()})


def _sigmoid(values: Array) -> Array:
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * values))  # which does not overflow
