"""CREPE as a Keras model of our own, with the published weights.

J. W. Kim, J. Salamon, P. Li and J. P. Bello, "CREPE: A convolutional representation for pitch
estimation", ICASSP 2018.
"""

from pathlib import Path
from typing import Any

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError
from ddsp_tf.features.crepe_decode import BIN_CENTS, allowed_bins, decode_salience
from ddsp_tf.features.crepe_weights import (
    BINS,
    CAPACITIES,
    FIRST_STRIDE,
    WIDTHS,
    WINDOW,
    CrepeWeights,
    filters,
    read_crepe_weights,
)
from ddsp_tf.features.f0_grid import EstimatorInPieces, Instants, silent, voicing_from
from ddsp_tf.features.hmm import Posterior
from ddsp_tf.features.period import refine_f0

SAMPLE_RATE = 16_000
MEMORY_MIB = 850.0
"""Of a process that has TensorFlow and the smallest network, and runs it; see `F0Estimator.memory_mib`."""
VOICED_FROM = 0.3
"""Activation from which a window counts as voiced."""

_PADDING = (WIDTHS[0] - FIRST_STRIDE) // 2  # samples each side: "same"
_STEP = 160  # samples between windows: 10 ms, as the authors use it
_REFINE_CENTS = 25.0  # a little over the distance of two bins


def build_crepe(capacity: str) -> Any:
    """Build the network, without weights: a `keras.Model` `[batch, 1024]` -> `[batch, 360]`.

    Input windows are at 16 kHz, shifted to mean 0 and scaled to standard deviation 1; the outputs are
    activations in 0 to 1 for the pitches of `crepe_decode.BIN_CENTS`.

    Args:
        capacity: `"tiny"`, `"small"`, `"medium"`, `"large"` or `"full"`.
    """
    import keras

    kind = "float32"  # whatever the global policy: this is a measuring instrument
    layers = keras.layers
    inputs = keras.Input((WINDOW,), dtype=kind)
    # The first convolution, 512 wide with stride 4 and padding "same", is the same sum as one 128 wide
    # with stride 1 over groups of 4 samples, which runs three times faster.
    x = layers.Reshape((WINDOW, 1, 1), dtype=kind)(inputs)
    x = layers.ZeroPadding2D(((_PADDING, _PADDING), (0, 0)), dtype=kind)(x)
    x = layers.Reshape((-1, 1, FIRST_STRIDE), dtype=kind)(x)
    for block, (width, count) in enumerate(zip(WIDTHS, filters(capacity), strict=True), start=1):
        name = f"conv{block}"
        size, padding = (width // FIRST_STRIDE, "valid") if block == 1 else (width, "same")
        x = layers.Conv2D(
            count,
            (size, 1),
            padding=padding,
            data_format="channels_last",  # whatever the `keras.json` of other projects says
            activation="relu",
            name=name,
            dtype=kind,
        )(x)
        x = layers.BatchNormalization(epsilon=1e-3, name=f"{name}-BN", dtype=kind)(x)
        x = layers.MaxPooling2D((2, 1), data_format="channels_last", name=f"{name}-maxpool", dtype=kind)(x)
        x = layers.Dropout(0.25, name=f"{name}-dropout", dtype=kind)(x)
    x = layers.Permute((2, 1, 3), name="transpose", dtype=kind)(x)
    x = layers.Flatten(data_format="channels_last", name="flatten", dtype=kind)(x)
    x = layers.Dense(BINS, activation="sigmoid", name="classifier", dtype=kind)(x)
    return keras.Model(inputs, x, name=f"crepe_{capacity}")


def load_crepe(weights: CrepeWeights) -> Any:
    """Build the network with published weights; its layers do not train."""
    model = build_crepe(weights.capacity)
    for name, values in weights.layers.items():
        layer = model.get_layer(name)
        layer.set_weights([np.reshape(v, w.shape) for v, w in zip(values, layer.weights, strict=True)])
    model.trainable = False
    return model


class CrepeEstimator(EstimatorInPieces):
    """CREPE every 10 ms, decoded along a Viterbi path, interpolated onto the frame grid.

    Pickling carries the path, not the weights: each process reads the file again and refuses another.

    Args:
        weights: Published weights file, `.h5` or `.h5.bz2`, of any capacity.
        f0_min_hz: Lowest fundamental frequency looked for, Hz; CREPE hears 31.7 to 2006 Hz.
        f0_max_hz: Highest fundamental frequency looked for, Hz.

    Raises:
        DdspError: If the file does not hold CREPE weights, or the range holds nothing that CREPE hears.
    """

    name = "crepe"
    context_seconds = 0.5  # half a window, and what the Viterbi path needs to forget
    parallel = True

    def __init__(self, weights: Path, f0_min_hz: float = 55.0, f0_max_hz: float = 2000.0) -> None:
        self._path = Path(weights)
        self._weights: CrepeWeights | None = read_crepe_weights(self._path)
        self._model: Any = None
        decode_salience(np.zeros((0, BINS)), f0_min_hz, f0_max_hz)  # refuses an empty range now
        self.settings: dict[str, Any] = {
            "f0_min_hz": f0_min_hz,
            "f0_max_hz": f0_max_hz,
            "implementation": "keras",
            "capacity": self._weights.capacity,
            "weights_sha256": self._weights.sha256,
            "voiced_from": VOICED_FROM,
            "step_seconds": _STEP / SAMPLE_RATE,
            "refined": True,
        }

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_weights": None, "_model": None}

    def memory_mib(self, seconds: float) -> float:
        """See `F0Estimator`; with TensorFlow 809 MiB were measured for 15 s, 827 for a minute."""
        return MEMORY_MIB

    def _analyse(self, audio: Array, sample_rate: int) -> Instants:
        sound, centres, windows = self._windows(audio, sample_rate)
        f0_hz, confidence = decode_salience(
            self._salience(windows), self.settings["f0_min_hz"], self.settings["f0_max_hz"]
        )
        heard = ~silent(sound, centres, WINDOW)
        confidence = np.where(heard, confidence, 0.0)
        coarse = np.where(heard, f0_hz, 0.0)
        guess_hz, _ = refine_f0(sound, SAMPLE_RATE, centres, WINDOW, coarse, _REFINE_CENTS)
        return Instants(
            centres * (sample_rate / SAMPLE_RATE),
            guess_hz,
            confidence >= VOICED_FROM,
            voicing_from(confidence, VOICED_FROM),
            confidence,
        )

    def posterior(self, audio: Array, sample_rate: int) -> Posterior:
        """Look at a sound `[n]`; see `PosteriorEstimator`. Activations stand for probabilities."""
        sound, centres, windows = self._windows(audio, sample_rate)
        allowed = allowed_bins(self.settings["f0_min_hz"], self.settings["f0_max_hz"])
        salience = self._salience(windows)[:, allowed]
        voicing = voicing_from(np.max(salience, axis=1), VOICED_FROM)
        heard = ~silent(sound, centres, WINDOW)

        def refine(f0_hz: Array) -> Array:
            return refine_f0(sound, SAMPLE_RATE, centres, WINDOW, f0_hz * heard, _REFINE_CENTS)[0]

        return Posterior(
            centres * (sample_rate / SAMPLE_RATE),
            _STEP / SAMPLE_RATE,
            10.0 * np.exp2(BIN_CENTS[allowed] / 1200.0),
            salience / np.maximum(np.sum(salience, axis=1, keepdims=True), 1e-9),
            np.where(heard, voicing, 0.0),
            refine,
        )

    def _windows(self, audio: Array, sample_rate: int) -> tuple[Array, Array, Array]:
        """The sound at 16 kHz, the instants `[windows]`, and windows `[windows, 1024]` about them."""
        import soxr

        sound = soxr.resample(audio, sample_rate, SAMPLE_RATE).astype(np.float32)
        centres = np.arange(len(sound) // _STEP + 1) * _STEP
        padded = np.pad(sound, (WINDOW // 2, WINDOW))
        return sound, centres, np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[centres]

    def _salience(self, windows: Array) -> Array:
        """Activations `[windows, 360]`, a bounded number of windows at a time."""
        model = self._loaded()
        at_once = 512 // CAPACITIES[self.settings["capacity"]]  # some 70 MB at any capacity
        parts = []
        for first in range(0, len(windows), at_once):
            batch = windows[first : first + at_once]
            batch = batch - np.mean(batch, 1, keepdims=True)
            batch /= np.maximum(np.std(batch, 1, keepdims=True), 1e-8)
            parts.append(np.asarray(model(batch, training=False)))
        return np.concatenate(parts)

    def _loaded(self) -> Any:
        if self._model is None:
            weights = self._weights or read_crepe_weights(self._path)
            if weights.sha256 != self.settings["weights_sha256"]:
                raise DdspError(f"CREPE weights {self._path} have changed since the estimator was made")
            self._model = load_crepe(weights)
            self._weights = None
        return self._model
