"""Graph and numpy: the same sound from the same seed, whatever is set while they play (law 1)."""

import json
import zipfile

import numpy as np
import pytest

from ddsp_edge import DdspError, Instrument
from ddsp_edge.card import read_model_file
from ddsp_edge.graph_synthesizer import GraphSynthesizer
from ddsp_edge.live import EffectSettings, LiveEffect
from ddsp_edge.synthesizer import Synthesizer
from tests.device.conftest import TINY
from tests.device.live.test_live_effect import phrase
from tests.device.test_instrument import rewritten

LAW = 1e-4  # of full scale, at most; law 1


def played(backend, changes):
    """A phrase on the small instrument, in blocks of 100 samples; `changes` are settings by block."""
    settings = EffectSettings()
    effect = LiveEffect(TINY, settings, seed=3, backend=backend)
    sound, parts = phrase(0.8), []
    for number, start in enumerate(range(0, len(sound), 100)):
        for name, value in changes.get(number, {}).items():
            setattr(settings, name, value)
        parts.append(effect.process(sound[start : start + 100]))
    return np.concatenate(parts)


CHANGES = {
    "nothing": {},
    "balance": {30: {"harmonic_db": -12.0}, 60: {"noise_db": 20.0, "transposition": 7.0}},
    "room": {30: {"reverb": 0.3}, 50: {"reverb": 0.0}, 70: {"reverb": 1.0}, 90: {"reverb": 0.5}},
    "dry from the start": {0: {"reverb": 0.0}},
}


@pytest.mark.parametrize("name", list(CHANGES))
def test_the_graph_plays_what_numpy_plays(name):
    want = played("numpy", CHANGES[name])
    assert np.abs(want).max() > 0.01
    np.testing.assert_allclose(played("graph", CHANGES[name]), want, atol=LAW, rtol=0)


def test_auto_is_the_graph_unless_less_of_the_room_is_heard_when_playing_begins():
    """Told by the rounding, in which the two differ."""
    for reverb, taken, other in ((1.0, "graph", "numpy"), (0.3, "numpy", "graph")):
        found = played("auto", {0: {"reverb": reverb}})
        np.testing.assert_array_equal(found, played(taken, {0: {"reverb": reverb}}))
        assert np.any(found != played(other, {0: {"reverb": reverb}}))


def test_after_a_reset_the_graph_plays_the_same_again():
    effect = LiveEffect(TINY, EffectSettings(reverb=0.5), seed=3, backend="graph")
    first = effect.process(phrase(0.4))
    effect.reset()
    np.testing.assert_array_equal(effect.process(phrase(0.4)), first)


def test_a_minute_through_the_graph_is_that_of_numpy():
    """As long as law 1 asks for: what drifts is not seen in less."""
    file = read_model_file(TINY)
    instrument = Instrument(TINY)
    frames = file.card.spec.frames_for(60.0)
    wave = np.sin(np.arange(frames) / 40.0)
    controls = instrument.controls(220.0 * 2.0 ** (wave / 12.0), -25.0 + 5.0 * wave)
    in_numpy = Synthesizer(file.card, file.arrays, seed=5)
    graph = GraphSynthesizer(file.model, file.card, in_numpy)
    given = {**controls, **graph.noise(frames)}
    np.testing.assert_allclose(graph.process(given), in_numpy.process(controls), atol=LAW, rtol=0)


def test_a_file_without_a_synthesizer_is_played_by_numpy(tmp_path):
    with zipfile.ZipFile(TINY) as archive:
        card = json.loads(archive.read("metadata.json"))
    bare = rewritten(
        TINY, tmp_path / "bare.tflite", {"metadata.json": json.dumps({**card, "synthesis_state_shapes": {}})}
    )
    want = LiveEffect(TINY, seed=3, backend="numpy").process(phrase(0.4))
    np.testing.assert_array_equal(LiveEffect(bare, seed=3).process(phrase(0.4)), want)
    with pytest.raises(DdspError, match="holds no synthesizer"):
        LiveEffect(bare, backend="graph")


def test_a_card_of_other_states_is_refused_by_name(tmp_path):
    with zipfile.ZipFile(TINY) as archive:
        card = json.loads(archive.read("metadata.json"))
    name = next(iter(card["synthesis_state_shapes"]))
    card["synthesis_state_shapes"][name] = [1, 7]
    path = rewritten(TINY, tmp_path / "other.tflite", {"metadata.json": json.dumps(card)})
    with pytest.raises(DdspError, match=f"other.tflite: The inputs of 'synthesize' .* its card: {name}"):
        LiveEffect(path)


def test_an_unknown_backend_is_refused():
    with pytest.raises(DdspError, match="auto, graph, numpy"):
        LiveEffect(TINY, backend="cuda")
