"""The processor group of a card: what runs, and what is refused."""

import dataclasses

import numpy as np
import pytest

from ddsp_edge import DdspError, read_model_file
from ddsp_edge.synthesis.synthesizer import Synthesizer
from tests import oracle
from tests.device.conftest import TINY

[(ROOM, [TAPS])] = read_model_file(TINY).card.arrays.items()


@pytest.fixture(scope="module")
def file(tiny):
    return read_model_file(tiny)


def controls(frames=100, seed=0):
    rng = np.random.default_rng(seed)
    shares = rng.random((frames, 20))
    return {
        "f0_hz": 200 + 20 * rng.random((frames, 1)),
        "harmonic_amplitude": rng.random((frames, 1)),
        "harmonic_distribution": shares / shares.sum(axis=1, keepdims=True),
        "noise_magnitudes": 0.1 * rng.random((frames, 9)),
    }


def with_nodes(card, nodes, output=None):
    group = {"nodes": nodes, "output": output or nodes[-1]["name"]}
    return dataclasses.replace(card, synthesizer=group)


def harmonic(**changes):
    node = {
        "name": "harmonic",
        "type": "Harmonic",
        "config": {"n_harmonics": 20},
        "inputs": {
            "amplitude": "harmonic_amplitude",
            "distribution": "harmonic_distribution",
            "f0_hz": "f0_hz",
        },
    }
    return {**node, **changes}


def test_group_is_the_sum_of_its_parts(file):
    given = controls()
    stems = Synthesizer(file.card, file.arrays, seed=1).stems(given)
    assert list(stems) == ["harmonic", "noise", "dry", "reverb"]
    amplitudes = given["harmonic_amplitude"] * given["harmonic_distribution"]
    expected = oracle.harmonic(given["f0_hz"][:, 0], amplitudes, 16_000, 128)
    np.testing.assert_allclose(stems["harmonic"], expected, atol=1e-5)
    np.testing.assert_allclose(stems["dry"], stems["harmonic"] + stems["noise"], atol=1e-6)
    wet = oracle.reverb(stems["dry"], file.arrays[ROOM])
    np.testing.assert_allclose(stems["reverb"], wet, atol=1e-5)


def test_noise_that_is_given_is_used(file):
    given = {**controls(), "noise_noise": np.random.default_rng(3).uniform(-1, 1, 12_800)}
    stems = Synthesizer(file.card, file.arrays).stems(given)
    expected = oracle.filtered_noise(given["noise_magnitudes"], given["noise_noise"], 128)
    np.testing.assert_allclose(stems["noise"], expected, atol=1e-5)


def test_output_is_the_node_the_card_names(file):
    card = dataclasses.replace(file.card, synthesizer={**file.card.synthesizer, "output": "dry"})
    synthesizer = Synthesizer(card, file.arrays, seed=1)
    dry = synthesizer.process(controls())
    synthesizer.reset()
    np.testing.assert_array_equal(dry, synthesizer.stems(controls())["dry"])


def test_flush_rings_out_to_silence_in_whole_hops(file):
    synthesizer = Synthesizer(file.card, file.arrays, seed=1)
    synthesizer.process(controls())
    tail = synthesizer.flush()
    assert len(tail) % 128 == 0
    assert len(tail) >= TAPS - 1 + 16
    assert np.abs(tail[:128]).max() > 1e-2
    assert np.abs(synthesizer.flush()).max() < 1e-6


def test_ringing_out_is_the_end_of_a_longer_sound(file):
    """Levels fall silent, pitch and the balance of partials are held."""
    given = {**controls(), "noise_noise": np.random.default_rng(3).uniform(-1, 1, 12_800)}
    synthesizer = Synthesizer(file.card, file.arrays)
    rendered = synthesizer.process(given)
    tail = synthesizer.flush()
    frames = len(tail) // 128
    held = {name: np.concatenate([v, np.repeat(v[-1:], frames, axis=0)]) for name, v in given.items()}
    held["noise_noise"] = np.concatenate([given["noise_noise"], np.zeros(len(tail))])
    held["harmonic_amplitude"][100:] = 0.0
    held["noise_magnitudes"][100:] = 0.0
    whole = Synthesizer(file.card, file.arrays).process(held)
    np.testing.assert_allclose(np.concatenate([rendered, tail]), whole, atol=1e-6)


def test_a_balance_stays_while_it_rings_out(file):
    inputs = {"audio_0": "harmonic", "audio_1": "room", "level": "harmonic_amplitude"}
    nodes = [
        harmonic(),
        {
            "name": "room",
            "type": "Reverb",
            "config": {"impulse_response": ROOM},
            "inputs": {"audio": "harmonic"},
        },
        {"name": "mix", "type": "Mix", "inputs": inputs},
    ]
    given = {name: v for name, v in controls().items() if name != "noise_magnitudes"}
    given["harmonic_amplitude"][:] = 0.25
    synthesizer = Synthesizer(with_nodes(file.card, nodes), file.arrays)
    synthesizer.process(given)
    tail = synthesizer.flush()
    alone = Synthesizer(with_nodes(file.card, nodes[:2]), file.arrays)
    alone.process(given)
    np.testing.assert_allclose(tail[128:], 0.75 * alone.flush()[128:], atol=1e-6)


def test_nothing_rings_on_where_nothing_was_played(file):
    assert Synthesizer(file.card, file.arrays).flush().shape == (0,)


def test_two_noises_of_one_seed_differ(file):
    noise = {"type": "FilteredNoise", "config": {"n_bands": 9}, "inputs": {"magnitudes": "noise_magnitudes"}}
    nodes = [{"name": "a", **noise}, {"name": "b", **noise}]
    stems = Synthesizer(with_nodes(file.card, nodes), {}, seed=1).stems(controls())
    assert abs(np.corrcoef(stems["a"], stems["b"])[0, 1]) < 0.1


BAD = {
    "no nodes": ([], "1 to 64 nodes"),
    "nodes of no list": ("harmonic", "1 to 64 nodes"),
    "too many nodes": ([harmonic(name=str(i)) for i in range(100)], "1 to 64 nodes"),
    "node of no object": (["harmonic"], "needs a name"),
    "unknown type": ([harmonic(type="Harmonc")], "Did you mean 'Harmonic'"),
    "type of no string": ([harmonic(type=["Harmonic"])], "known are"),
    "no type": ([{"name": "a"}], "known are"),
    "a billion harmonics": (
        [harmonic(config={"n_harmonics": 10**9})],
        "from 1 to 2048. Received: 1000000000",
    ),
    "no harmonics": ([harmonic(config={"n_harmonics": 0})], "from 1 to 2048"),
    "true harmonics": ([harmonic(config={"n_harmonics": True})], "Received: True"),
    "harmonics of text": ([harmonic(config={"n_harmonics": "20"})], "Received: '20'"),
    "no config": ([harmonic(config=None)], "Received: None"),
    "config of no object": ([harmonic(config=[1])], "must be objects"),
    "missing inputs": ([harmonic(inputs={"f0_hz": "f0_hz"})], "needs the inputs amplitude, distribution"),
    "extra inputs": ([harmonic(inputs={**harmonic()["inputs"], "x": "f0_hz"})], "needs the inputs"),
    "unknown source": (
        [harmonic(inputs={**harmonic()["inputs"], "amplitude": "harmonic_amplitud"})],
        "Did you mean 'harmonic_amplitude'",
    ),
    "source of a list": (
        [harmonic(inputs={**harmonic()["inputs"], "amplitude": ["x"]})],
        "must be a control",
    ),
    "wrong channels": ([harmonic(config={"n_harmonics": 21})], "needs 21 channels"),
    "same name twice": ([harmonic(), harmonic()], "taken"),
    "name of a control": ([harmonic(name="f0_hz")], "taken"),
    "later node": (
        [{"name": "dry", "type": "Add", "inputs": {"audio_0": "harmonic"}}, harmonic()],
        "no node before it",
    ),
    "itself": ([{"name": "dry", "type": "Add", "inputs": {"audio_0": "dry"}}], "no node before it"),
    "nothing to add": ([{"name": "dry", "type": "Add", "inputs": {}}], "at least one input"),
    "no such array": (
        [
            harmonic(),
            {
                "name": "room",
                "type": "Reverb",
                "config": {"impulse_response": "hall"},
                "inputs": {"audio": "harmonic"},
            },
        ],
        f"arrays in the file: {ROOM}",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_group_that_cannot_run_is_refused_in_one_line(file, case):
    nodes, message = BAD[case]
    card = dataclasses.replace(file.card, synthesizer={"nodes": nodes, "output": "harmonic"})
    channels = {"harmonic_amplitude": 1, "harmonic_distribution": 20, "noise_magnitudes": 9}
    with pytest.raises(DdspError, match=message.replace("[", r"\[")) as caught:
        Synthesizer(card, file.arrays, channels=channels)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("output", [None, "hall", 7, ["harmonic"]])
def test_an_output_that_is_no_node_is_refused(file, output):
    card = dataclasses.replace(file.card, synthesizer={"nodes": [harmonic()], "output": output})
    with pytest.raises(DdspError, match="none of its nodes: harmonic"):
        Synthesizer(card, {})


def test_a_missing_control_is_named(file):
    synthesizer = Synthesizer(file.card, file.arrays)
    given = controls()
    del given["noise_magnitudes"]
    with pytest.raises(DdspError, match="lacks the control noise_magnitudes"):
        synthesizer.process(given)
