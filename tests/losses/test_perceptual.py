"""What CREPE hears, with published weights."""

import os
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from ddsp_tf.errors import DdspError
from ddsp_tf.features.crepe import load_crepe
from ddsp_tf.features.crepe_weights import read_crepe_weights
from ddsp_tf.losses import CrepeEmbeddingLoss
from tests.features.sounds import harmonic_sound

WEIGHTS = Path(os.environ.get("DDSP_TEST_DATA", "absent")) / "crepe" / "model-tiny.h5.bz2"
needs_weights = pytest.mark.skipif(
    not WEIGHTS.is_file(), reason="DDSP_TEST_DATA names no folder with crepe/model-tiny.h5.bz2"
)


def note(f0_hz, samples=8000, phase=0.0):
    time = np.arange(samples) / 16_000
    return sum(0.2 / k * np.sin(2 * np.pi * f0_hz * k * time + phase * k) for k in range(1, 9))[None].astype(
        np.float32
    )


@needs_weights
def test_the_loss_is_the_distance_of_normalised_windows_in_crepes_fifth_layer():
    target, other = (np.float32(harmonic_sound(np.full(3000, hz), 16_000))[None] for hz in (220.0, 330.0))
    crepe = load_crepe(read_crepe_weights(WEIGHTS))
    fifth = keras.Model(crepe.inputs[0], crepe.get_layer("conv5").output)
    embedded = []
    for sound in (target[0], other[0]):
        windows = np.stack([sound[i : i + 1024] for i in range(0, len(sound) - 1023, 512)]).astype(float)
        windows = (windows - windows.mean(1, keepdims=True)) / windows.std(1, keepdims=True)
        x = np.asarray(fifth(windows.astype(np.float32)))
        mean, variance, scale, shift = (
            np.asarray(getattr(crepe.get_layer("conv5-BN"), name))
            for name in ("moving_mean", "moving_variance", "gamma", "beta")
        )
        x = (x - mean) / np.sqrt(variance + 1e-3) * scale + shift
        embedded.append(np.maximum(x[:, 0::2], x[:, 1::2]))  # pooled by hand
    expected = np.mean(np.abs(embedded[0] - embedded[1]))
    loss = CrepeEmbeddingLoss(WEIGHTS)
    assert float(loss(target, other)) == pytest.approx(expected, rel=1e-4)  # float32 convolutions


@needs_weights
def test_it_hears_pitch_and_not_phase_or_level_and_has_a_gradient():
    loss = CrepeEmbeddingLoss(WEIGHTS)
    target = note(220.0)
    assert float(loss(target, target)) == 0.0
    assert float(loss(target, 0.1 * target)) < 1e-3
    # A room or a synth moves phases; that costs less than a semitone.
    assert float(loss(target, note(220.0, phase=1.0))) < 0.8 * float(loss(target, note(233.1)))
    x = tf.constant(note(233.1))
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = loss(target, x)
    gradient = tape.gradient(value, x).numpy()
    assert np.isfinite(gradient).all()
    step = 1e-3 * gradient / np.abs(gradient).max()
    assert float(loss(target, x - step)) < float(value)
    silence = np.zeros_like(target)
    with tf.GradientTape() as tape:
        x = tf.constant(silence)
        tape.watch(x)
        value = loss(silence, x)
    assert np.isfinite(tape.gradient(value, x)).all()


@needs_weights
def test_it_comes_back_with_its_weights():
    loss = CrepeEmbeddingLoss(WEIGHTS)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    a, b = note(220.0), note(300.0)
    assert float(again(a, b)) == float(loss(a, b))
    with pytest.raises(DdspError, match=r"needs sounds of 1024 samples at least\. Received: 1000"):
        loss.call(a[:, :1000], b[:, :1000])


def test_weights_that_are_not_there_are_named(tmp_path):
    with pytest.raises(DdspError, match=r"gone\.h5"):
        CrepeEmbeddingLoss(tmp_path / "gone.h5")
