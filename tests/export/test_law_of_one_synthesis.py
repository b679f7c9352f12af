"""Law 1: every execution of the synthesizer gives the same samples for the same controls and noise.

TensorFlow in one piece, TensorFlow in blocks from one hop to a second, and the numpy synthesizer of the
device in one piece and in the same blocks, all against the float64 oracle, over a minute of sound.
"""

import numpy as np
import pytest
import tensorflow as tf

from ddsp_edge.card import Range
from ddsp_edge.instrument_card import InstrumentCard
from ddsp_edge.synthesis.synthesizer import Synthesizer
from ddsp_tf.layers import ProcessorGroup
from tests import oracle

SAMPLE_RATE, HOP, SECONDS = 16000, 128, 60
HARMONICS, BANDS, TAPS = 30, 17, 2000
FRAMES = SECONDS * SAMPLE_RATE // HOP
BOUND = 1e-4  # of full scale, law 1

NODES = [
    {
        "name": "harmonic",
        "type": "Harmonic",
        "config": {"n_harmonics": HARMONICS},
        "inputs": {"amplitude": "amplitude", "distribution": "distribution", "f0_hz": "f0_hz"},
    },
    {
        "name": "noise",
        "type": "FilteredNoise",
        "config": {"n_bands": BANDS},
        "inputs": {"magnitudes": "magnitudes"},
    },
    {
        "name": "balance",
        "type": "Mix",
        "inputs": {"audio_0": "harmonic", "audio_1": "noise", "level": "level"},
    },
    {"name": "dry", "type": "Add", "inputs": {"audio_0": "balance", "audio_1": "harmonic"}},
    {
        "name": "reverb",
        "type": "Reverb",
        "config": {"length_samples": TAPS},
        "inputs": {"audio": "dry"},
    },
]


@pytest.fixture(scope="module")
def group():
    inputs = ["f0_hz", "amplitude", "distribution", "magnitudes", "level"]
    group = ProcessorGroup(SAMPLE_RATE, HOP, inputs=inputs, nodes=NODES)
    group.build(None)
    taps = np.random.default_rng(1).normal(size=TAPS - 1) * 0.2
    group.processors["reverb"].taps.assign(taps.astype("float32"))
    return group


@pytest.fixture(scope="module")
def controls(group):
    """Controls as a network would give them: vibrato, glides past Nyquist, swells, silence."""
    rng = np.random.default_rng(0)
    seconds = np.arange(FRAMES) * HOP / SAMPLE_RATE
    f0_hz = 400.0 * 2 ** (1.5 * np.sin(0.4 * seconds) + 0.04 * np.sin(2 * np.pi * 5.5 * seconds))
    raw = {
        "amplitude": -1.0
        + 2.0 * np.sin(1.7 * seconds)[:, None]
        - 20.0 * (np.sin(0.2 * seconds) < -0.95)[:, None],
        "distribution": rng.normal(size=[FRAMES, HARMONICS]).cumsum(axis=0) * 0.05
        - 0.1 * np.arange(HARMONICS),
        "f0_hz": f0_hz[:, None],
        "magnitudes": 3.0 + rng.normal(size=[FRAMES, BANDS]),
        "level": np.sin(seconds)[:, None],
    }
    scaled = group.get_controls({k: tf.constant(v[None], tf.float32) for k, v in raw.items()})
    noise = rng.uniform(-1, 1, FRAMES * HOP).astype("float32")
    scaled["noise"]["noise"] = tf.constant(noise[None])
    return scaled


@pytest.fixture(scope="module")
def expected(group, controls):
    """The oracle: float64 numpy, nothing of ours."""
    plain = {n: {k: np.asarray(v, np.float64) for k, v in c.items()} for n, c in controls.items()}
    harmonic, noise = plain["harmonic"], plain["noise"]
    amplitudes = (harmonic["amplitude"] * harmonic["distribution"])[0]
    tone = oracle.harmonic(harmonic["f0_hz"][0, :, 0], amplitudes, SAMPLE_RATE, HOP)
    hiss = oracle.filtered_noise(noise["magnitudes"][0], noise["noise"][0], HOP)
    level = oracle.to_audio_rate(plain["balance"]["level"][0, :, 0], HOP)
    return oracle.reverb(level * tone + (1 - level) * hiss + tone, plain["reverb"]["impulse_response"])


def cut(controls, start, stop):
    """The controls of some frames."""
    return {
        node: {
            k: v
            if k == "impulse_response"
            else v[:, start * HOP : stop * HOP]
            if k == "noise"
            else v[:, start:stop]
            for k, v in values.items()
        }
        for node, values in controls.items()
    }


def peak_error(audio, expected):
    assert len(audio) == len(expected)
    return float(np.abs(np.asarray(audio, np.float64) - expected).max())


def test_oracle_is_sound_at_a_sensible_level(expected):
    assert 0.1 < np.abs(expected).max() < 8.0


def test_tensorflow_in_one_piece_equals_the_oracle(group, controls, expected):
    assert peak_error(group.get_signal(controls).audio[0], expected) < BOUND


@pytest.mark.parametrize(
    ("frames", "seconds"),
    [
        (40, SECONDS),
        *(pytest.param(*p, marks=pytest.mark.slow) for p in [(125, SECONDS), (1, 8), (1, SECONDS)]),
    ],
)
def test_tensorflow_in_blocks_equals_the_oracle_for_a_minute(group, controls, expected, frames, seconds):
    """In single frames, of which a minute takes long, for some seconds as well."""
    stream = tf.function(group.stream_signal, reduce_retracing=True, autograph=False)
    state, parts, count = None, [], seconds * SAMPLE_RATE // HOP
    for start in range(0, count, frames):
        output, state = stream(cut(controls, start, start + frames), state)
        parts.append(output.audio[0])
    assert peak_error(np.concatenate(parts), expected[: count * HOP]) < BOUND


@pytest.fixture(scope="module")
def device(group):
    """The device's synthesizer, from a card such as the exporter writes."""
    nodes = [
        {
            "name": n["name"],
            "type": n["type"],
            "config": {"impulse_response": "room"} if n["type"] == "Reverb" else n.get("config", {}),
            "inputs": n["inputs"],
        }
        for n in NODES
    ]
    card = InstrumentCard(
        name="test",
        created="",
        sample_rate=SAMPLE_RATE,
        hop=HOP,
        feature_scaling={},
        f0_estimator={},
        loudness="",
        f0_hz_range=Range(100.0, 200.0, 300.0),
        loudness_db_range=Range(-40.0, -30.0, -20.0),
        state_shapes={},
        synthesizer={"nodes": nodes, "output": "reverb"},
    )
    return Synthesizer(card, {"room": np.asarray(group.processors["reverb"].impulse_response)})


@pytest.mark.parametrize("frames", [FRAMES, 125, 40, 1])
def test_device_in_blocks_equals_the_oracle_for_a_minute(device, controls, expected, frames):
    flat = {
        "f0_hz": controls["harmonic"]["f0_hz"],
        "amplitude": controls["harmonic"]["amplitude"],
        "distribution": controls["harmonic"]["distribution"],
        "magnitudes": controls["noise"]["magnitudes"],
        "level": controls["balance"]["level"],
        "noise_noise": controls["noise"]["noise"],
    }
    flat = {k: np.asarray(v)[0] for k, v in flat.items()}
    device.reset()
    parts = []
    for start in range(0, FRAMES, frames):
        stop = min(start + frames, FRAMES)
        block = {
            k: v[start * HOP : stop * HOP] if k == "noise_noise" else v[start:stop] for k, v in flat.items()
        }
        parts.append(device.process(block))
    assert peak_error(np.concatenate(parts), expected) < BOUND
