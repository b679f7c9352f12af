"""Graph and numpy: the same sound from the same seed, whatever is set while they play (law 1)."""

import json
import zipfile

import numpy as np
import pytest

from ddsp_edge import DdspError
from ddsp_edge.live import EffectSettings, KeySettings, LiveEffect, LiveInstrument
from ddsp_edge.live.voices import VoiceBank
from ddsp_edge.model.file import read_model_file
from ddsp_edge.synthesis.voice_graph import VoiceFrames, VoiceGraph, VoiceLayout
from tests.device.conftest import TINY
from tests.device.live.test_live_effect import phrase
from tests.device.test_instrument import rewritten

LAW = 1e-4  # of full scale, at most; law 1


@pytest.fixture
def card():
    """The card of the small instrument, as plain data."""
    with zipfile.ZipFile(TINY) as archive:
        return json.loads(archive.read("metadata.json"))


def carded(card, path):
    """The small instrument with another card."""
    return rewritten(TINY, path, {"metadata.json": json.dumps(card)})


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


def test_chords_sound_the_same_by_graph_and_numpy():
    """Three voices of which one starts late, is let go and is taken again, with wheel and balance."""

    def chords(backend):
        settings = KeySettings(release_s=0.02)
        keys = LiveInstrument(TINY, 3, settings, seed=3, backend=backend)
        keys.note_on(57, 90)
        keys.note_on(61, 60)
        parts = [keys.render(3000)]
        keys.note_on(64, 110)
        keys.pitch_bend(0.4)
        parts.append(keys.render(4000))
        keys.note_off(57)
        settings.noise_db, settings.reverb = 12.0, 0.4
        parts.append(keys.render(20_000))  # a voice sleeps after a second of silence
        keys.note_on(69)
        parts.append(keys.render(4000))
        return np.concatenate(parts)

    want = chords("numpy")
    assert np.abs(want).max() > 0.01
    np.testing.assert_allclose(chords("graph"), want, atol=LAW, rtol=0)


def test_auto_is_the_graph():
    """Told by the rounding, in which the two differ."""
    found = played("auto", {})
    np.testing.assert_array_equal(found, played("graph", {}))
    assert np.any(found != played("numpy", {}))


def test_after_a_reset_the_graph_plays_the_same_again():
    effect = LiveEffect(TINY, EffectSettings(reverb=0.5), seed=3, backend="graph")
    first = effect.process(phrase(0.4))
    effect.reset()
    np.testing.assert_array_equal(effect.process(phrase(0.4)), first)


def test_a_minute_through_the_graph_is_that_of_numpy():
    """As long as law 1 asks for: what drifts is not seen in less."""
    in_numpy, graph = (VoiceBank(TINY, 1, 5, backend) for backend in ("numpy", "graph"))
    frames = in_numpy.spec.frames_for(60.0)
    wave = np.sin(np.arange(frames) / 40.0)
    given = 220.0 * 2.0 ** (wave / 12.0), -25.0 + 5.0 * wave, EffectSettings()
    want = in_numpy.play(*given)
    assert np.abs(want).max() > 0.01
    np.testing.assert_allclose(graph.play(*given), want, atol=LAW, rtol=0)


def test_a_file_without_the_signature_is_played_by_numpy(card, tmp_path):
    bare = carded({**card, "voice": {}}, tmp_path / "bare.tflite")
    want = LiveEffect(TINY, seed=3, backend="numpy").process(phrase(0.4))
    np.testing.assert_array_equal(LiveEffect(bare, seed=3).process(phrase(0.4)), want)
    with pytest.raises(DdspError, match="no signature 'voice': export it again, without --no-play"):
        LiveEffect(bare, backend="graph")


def test_a_card_of_another_state_is_refused_by_name(card, tmp_path):
    card["voice"]["state_size"] = 7
    path = carded(card, tmp_path / "other.tflite")
    with pytest.raises(DdspError, match=r"other\.tflite: The inputs of 'voice' in the model .* card: state$"):
        LiveEffect(path)


@pytest.mark.parametrize("wrong", [{"gains": []}, {"rooms": ["noise"]}, {"state_size": "x"}, {"noises": 3}])
def test_a_card_whose_voice_is_not_that_of_its_synthesizer_is_refused(card, tmp_path, wrong):
    path = carded({**card, "voice": {**card["voice"], **wrong}}, tmp_path / "other.tflite")
    with pytest.raises(DdspError, match=r"other\.tflite: .* 'voice' .* does not fit its synthesizer"):
        LiveInstrument(path)


def test_a_voice_that_gives_no_numbers_is_silent_and_begins_anew():
    file = read_model_file(TINY)
    graph = VoiceGraph(file.model, file.card, VoiceLayout.of(file.card.synthesizer), 2, [0])
    numbers = [0, 1]
    frames = VoiceFrames(np.array([300.0, 200.0]), np.array([-20.0, -20.0]), [1.0, 0.0])

    def hops(count):
        return np.stack([graph.play_voices(numbers, frames) for _ in range(count)])

    want = hops(5)
    graph.reset()
    good = graph.play_voices(numbers, frames._replace(gains=[np.nan, 0.0]))
    assert not good.any()
    np.testing.assert_array_equal(hops(5), want)


def test_an_unknown_backend_is_refused():
    for player in (LiveEffect, LiveInstrument):
        with pytest.raises(DdspError, match="auto, graph, numpy"):
            player(TINY, backend="cuda")
