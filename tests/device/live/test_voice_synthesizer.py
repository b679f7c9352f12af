"""Several voices rendered together sound as each rendered alone."""

import dataclasses

import numpy as np
import pytest

from ddsp_edge import read_model_file
from ddsp_edge.live.voice_synthesizer import VoiceSynthesizer
from ddsp_edge.synthesis.synthesizer import Synthesizer
from tests.device.conftest import TINY

FRAMES, VOICES = 12, 3


@pytest.fixture(scope="module")
def file():
    return read_model_file(TINY)


def controls_of(card, rng, channels):
    """Random controls of one voice, `[FRAMES, channels]` by name."""
    given = {name: rng.random((FRAMES, n), np.float32) for name, n in channels.items()}
    harmonic = next(node for node in card.synthesizer["nodes"] if node["type"] == "Harmonic")
    distribution = harmonic["inputs"]["distribution"]
    given[distribution] /= given[distribution].sum(axis=1, keepdims=True)
    return {**given, "f0_hz": rng.uniform(100.0, 400.0, (FRAMES, 1))}


def with_mix(card):
    """The group of the card with a node that no voices have a faster way for, after harmonics and noise."""
    nodes = [node for node in card.synthesizer["nodes"] if node["type"] in ("Harmonic", "FilteredNoise")]
    inputs = {"audio_0": nodes[0]["name"], "audio_1": nodes[1]["name"], "level": "level"}
    nodes = [*nodes, {"name": "mixed", "type": "Mix", "config": {}, "inputs": inputs}]
    return dataclasses.replace(card, synthesizer={"nodes": nodes, "output": "mixed"})


def silent_noise(card, controls):
    """The same controls with noise at zero: its samples differ from voice to voice."""
    noise = next(node for node in card.synthesizer["nodes"] if node["type"] == "FilteredNoise")
    name = noise["inputs"]["magnitudes"]
    return {**controls, name: np.zeros_like(controls[name])}


@pytest.mark.parametrize("change", [lambda card: card, with_mix])
def test_voices_sound_as_they_do_alone_whichever_play_together(file, change):
    card = change(file.card)
    sizes = Synthesizer(card, file.arrays).control_channels
    channels = {name: n for name, n in sizes.items() if name != "f0_hz"}
    rng = np.random.default_rng(0)
    each = [silent_noise(card, controls_of(card, rng, channels)) for _ in range(VOICES)]
    want = [Synthesizer(card, file.arrays, 0, channels).process(controls) for controls in each]
    together = VoiceSynthesizer(card, file.arrays, VOICES, 0, channels)
    found: list[list[np.ndarray]] = [[] for _ in range(VOICES)]
    while any(len(parts) < FRAMES for parts in found):
        left = [number for number in range(VOICES) if len(found[number]) < FRAMES]
        numbers = [number for number in left if rng.random() < 0.7] or left[:1]
        rows = {name: np.concatenate([each[n][name][[len(found[n])]] for n in numbers]) for name in each[0]}
        for number, hop in zip(numbers, together.process(numbers, rows), strict=True):
            found[number].append(hop)
    for number in range(VOICES):
        np.testing.assert_allclose(np.concatenate(found[number]), want[number], atol=1e-5, rtol=0)


def test_one_voice_has_the_noise_and_the_tails_of_the_synthesizer(file):
    sizes = Synthesizer(file.card, file.arrays).control_channels
    channels = {name: n for name, n in sizes.items() if name != "f0_hz"}
    controls = controls_of(file.card, np.random.default_rng(1), channels)
    want = Synthesizer(file.card, file.arrays, 7, channels).process(controls)
    one = VoiceSynthesizer(file.card, file.arrays, 1, 7, channels)
    for _ in range(2):
        one.reset()
        hops = [one.process([0], {name: v[i : i + 1] for name, v in controls.items()}) for i in range(FRAMES)]
        np.testing.assert_allclose(np.concatenate(hops, axis=1)[0], want, atol=1e-5, rtol=0)


def test_a_voice_that_is_reset_begins_anew_and_the_others_go_on(file):
    sizes = Synthesizer(file.card, file.arrays).control_channels
    channels = {name: n for name, n in sizes.items() if name != "f0_hz"}
    card = file.card
    controls = silent_noise(card, controls_of(card, np.random.default_rng(2), channels))
    frame = {name: np.repeat(v[:1], 2, axis=0) for name, v in controls.items()}

    def first_hops(again):
        bank = VoiceSynthesizer(card, file.arrays, 2, 0, channels)
        hops = [bank.process([0, 1], frame)]
        if again:
            bank.reset_voice(1)
        return hops[0], bank.process([0, 1], frame)

    first, after = first_hops(again=True)
    _, on = first_hops(again=False)
    np.testing.assert_array_equal(after[0], on[0])
    assert np.abs(after[1] - on[1]).max() > 1e-3
    # What rings in the room of a voice is forgotten too: it begins as at first.
    np.testing.assert_allclose(after[1], first[1], atol=1e-6, rtol=0)
