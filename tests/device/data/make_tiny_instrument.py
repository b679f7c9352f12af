"""Make `tiny-instrument.tflite`, the model file that the device tests play. Needs TensorFlow.

    python tests/device/data/make_tiny_instrument.py

Its weights are random but shaped so that it sounds: louder input gives louder output, harmonics fall
off, and a little noise is always there. Same versions, same bytes.
"""

from pathlib import Path

import numpy as np
import tensorflow as tf

from ddsp_edge.card import Card, Range, write_model_file

SAMPLE_RATE, HOP = 16_000, 128
UNITS, HARMONICS, BANDS, TAPS = 16, 20, 9, 800


class Step(tf.Module):
    """One frame of a GRU decoder with explicit state."""

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__()

        def weights(*shape: int) -> tf.Tensor:
            return tf.constant(rng.normal(0.0, 0.4, shape), tf.float32)

        self.input, self.recurrent, self.candidate = weights(2, 48), weights(16, 32), weights(16, 16)
        self.amplitude, self.distribution = weights(16, 1), weights(16, HARMONICS)
        self.magnitudes = weights(16, BANDS)
        self.number = tf.constant(np.arange(1, HARMONICS + 1)[None], tf.float32)

    def __call__(
        self, f0_scaled: tf.Tensor, loudness_scaled: tf.Tensor, state: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        x = tf.matmul(tf.concat([f0_scaled, loudness_scaled], 1), self.input)
        gates = tf.sigmoid(x[:, :32] + tf.matmul(state, self.recurrent))
        new = tf.tanh(x[:, 32:] + tf.matmul(gates[:, :16] * state, self.candidate))
        state = gates[:, 16:] * state + (1.0 - gates[:, 16:]) * new
        level = loudness_scaled * loudness_scaled
        f0_hz = 440.0 * tf.exp((127.0 * f0_scaled - 69.0) * (np.log(2.0) / 12.0))
        below_nyquist = tf.sigmoid(0.1 * (SAMPLE_RATE / 2 - 40.0 - f0_hz * self.number))
        shares = tf.exp(tf.tanh(tf.matmul(state, self.distribution)) - 0.3 * self.number) * below_nyquist
        return {
            "harmonic_amplitude": 0.5 * level * tf.sigmoid(1.0 + tf.matmul(state, self.amplitude)),
            "harmonic_distribution": shares / (tf.reduce_sum(shares, 1, keepdims=True) + 1e-7),
            "noise_magnitudes": 0.02 * level * tf.sigmoid(tf.matmul(state, self.magnitudes)),
            "state": state,
        }


def main() -> None:
    """Write the file beside this script."""
    rng = np.random.default_rng(5)
    step = Step(rng)
    signature = tf.function(
        step.__call__,
        input_signature=[
            tf.TensorSpec([1, 1], tf.float32, "f0_scaled"),
            tf.TensorSpec([1, 1], tf.float32, "loudness_scaled"),
            tf.TensorSpec([1, UNITS], tf.float32, "state"),
        ],
    )
    folder = Path(__file__).parent
    saved = folder / "saved-model"
    tf.saved_model.save(step, str(saved), signatures={"step": signature.get_concrete_function()})
    model = tf.lite.TFLiteConverter.from_saved_model(str(saved), signature_keys=["step"]).convert()
    for path in sorted(saved.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    saved.rmdir()

    response = rng.normal(0.0, 0.03, TAPS) * np.exp(-np.arange(TAPS) / 200.0)
    response[0] = 1.0
    card = Card(
        name="tiny instrument",
        created="2026-11-22T00:00:00+00:00",
        sample_rate=SAMPLE_RATE,
        hop=HOP,
        feature_scaling={"f0_scaled": "MIDI note / 127", "loudness_scaled": "loudness_db / 80 + 1"},
        f0_estimator={"name": "none"},
        loudness="A-weighted mean square, Hann 32 ms, dB re full scale, floor -80",
        f0_hz_range=Range(110.0, 330.0, 1320.0),
        loudness_db_range=Range(-50.0, -25.0, -12.0),
        state_shapes={"state": [1, UNITS]},
        synthesizer={
            "nodes": [
                {
                    "name": "harmonic",
                    "type": "Harmonic",
                    "config": {"n_harmonics": HARMONICS},
                    "inputs": {
                        "amplitude": "harmonic_amplitude",
                        "distribution": "harmonic_distribution",
                        "f0_hz": "f0_hz",
                    },
                },
                {
                    "name": "noise",
                    "type": "FilteredNoise",
                    "config": {"n_bands": BANDS},
                    "inputs": {"magnitudes": "noise_magnitudes"},
                },
                {
                    "name": "dry",
                    "type": "Add",
                    "config": {},
                    "inputs": {"audio_0": "harmonic", "audio_1": "noise"},
                },
                {
                    "name": "reverb",
                    "type": "Reverb",
                    "config": {"impulse_response": "impulse_response"},
                    "inputs": {"audio": "dry"},
                },
            ],
            "output": "reverb",
        },
        quality={},
    )
    path = folder / "tiny-instrument.tflite"
    write_model_file(path, model, card, {"impulse_response": response})
    print(path.name, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
