"""Law 1 of `FIRFilter`: TensorFlow, the device's numpy in any blocks, and the graph, against float64."""

import numpy as np
import pytest
import tensorflow as tf

from ddsp_edge.frames import FrameSpec
from ddsp_edge.synthesis.fir_filter import FIRFilter as DeviceFilter
from ddsp_export.graph import FilterHop
from ddsp_tf.layers import FIRFilter
from tests import oracle

SPEC, BANDS, SECONDS, BOUND = FrameSpec(16_000, 128), 97, 60, 1e-4
FRAMES = SECONDS * 125


@pytest.fixture(scope="module")
def given():
    rng = np.random.default_rng(0)
    magnitudes = rng.uniform(0.0, 0.5, (FRAMES, BANDS)).astype(np.float32)
    return rng.uniform(-1.0, 1.0, FRAMES * SPEC.hop).astype(np.float32), magnitudes


@pytest.fixture(scope="module")
def expected(given):
    # The filter of noise is that of any signal.
    return oracle.filtered_noise(given[1].astype(float), given[0].astype(float), SPEC.hop)


def test_tensorflow_is_the_oracle(given, expected):
    audio, magnitudes = given
    layer = FIRFilter(BANDS, SPEC.sample_rate, SPEC.hop)
    found = layer.get_signal(audio=audio[np.newaxis], magnitudes=magnitudes[np.newaxis])[0]
    assert np.abs(found - expected[: len(audio)]).max() < BOUND


@pytest.mark.parametrize("at_once", [1, 7, 125, FRAMES])
def test_a_device_is_the_oracle_in_blocks_of_any_size(given, expected, at_once):
    audio, magnitudes = given
    device = DeviceFilter(SPEC, BANDS)
    frames = FRAMES if at_once > 1 else 1000
    parts = [
        device.process(
            audio=audio[i * SPEC.hop : (i + at_once) * SPEC.hop], magnitudes=magnitudes[i : i + at_once]
        )
        for i in range(0, frames, at_once)
    ]
    found = np.concatenate(parts)
    assert np.abs(found - expected[: len(found)]).max() < BOUND
    assert device.group_delay_samples == FIRFilter(BANDS, SPEC.sample_rate, SPEC.hop).latency_samples


def test_the_graph_is_the_oracle(given, expected):
    audio, magnitudes = given
    hop = FilterHop(SPEC, BANDS)
    state = {name: tf.zeros([1, size]) for name, size in hop.states.items()}
    run = tf.function(hop.run)
    found = []
    for i in range(200):
        inputs = {
            "audio": tf.constant(audio[np.newaxis, i * SPEC.hop : (i + 1) * SPEC.hop]),
            "magnitudes": tf.constant(magnitudes[i : i + 1]),
        }
        sound, state = run(inputs, state)
        found.append(sound[0].numpy())
    found = np.concatenate(found)
    assert np.abs(found - expected[: len(found)]).max() < BOUND
