"""Several voices a frame at a time: each is what a synthesizer of its own gives."""

import numpy as np
import pytest

from ddsp_edge import read_model_file
from ddsp_edge.live.voice_synthesizer import VoiceSynthesizer
from ddsp_edge.live.voices import VoiceBank, without_rooms
from ddsp_edge.network import Network
from ddsp_edge.synthesizer import Synthesizer
from tests.device.conftest import TINY

VOICES, FRAMES = 3, 60


def controls_of(card, channels, seed):
    """Controls of a voice that change from frame to frame, `[FRAMES, channels]` by name."""
    rng = np.random.default_rng(seed)
    values = {name: rng.random((FRAMES, n), np.float32) * 0.05 for name, n in channels.items()}
    f0_hz = 220.0 * 2.0 ** np.cumsum(rng.normal(0.0, 0.05, FRAMES))
    return {"f0_hz": f0_hz[:, None], **values}


@pytest.mark.parametrize("silent", ["magnitudes", "amplitude", None])
def test_each_voice_is_a_synthesizer_of_its_own(silent):
    file = read_model_file(TINY)
    channels = Network(file.model, file.card).output_channels
    card, _ = without_rooms(file.card)
    together = VoiceSynthesizer(card, file.arrays, VOICES, 1, channels)
    (noise,) = (node["name"] for node in card.synthesizer["nodes"] if node["type"] == "FilteredNoise")
    given = [controls_of(card, channels, voice) for voice in range(VOICES)]
    # Each voice sounds in some frames only, and hears the white noise that its row was given.
    rng, hop = np.random.default_rng(9), card.hop
    white, heard = np.random.default_rng(1), [[] for _ in range(VOICES)]
    played, frames = [[] for _ in range(VOICES)], [[] for _ in range(VOICES)]
    for controls in given:
        if silent:
            (control,) = (name for name in controls if name.startswith(silent[:9]))
            controls[control][:] = 0.0
    for frame in range(FRAMES):
        numbers = sorted(rng.permutation(VOICES)[: rng.integers(1, VOICES + 1)].tolist())
        rows = {name: np.stack([given[v][name][frame] for v in numbers]) for name in given[0]}
        out = together.process(numbers, rows)
        drawn = white.random((len(numbers), hop), np.float32) * np.float32(2) - np.float32(1)
        for row, voice in enumerate(numbers):
            played[voice].append(out[row])
            heard[voice].append(drawn[row])
            frames[voice].append(frame)
    for voice in range(VOICES):
        alone = Synthesizer(card, file.arrays, 1, channels)
        picked = {name: value[frames[voice]] for name, value in given[voice].items()}
        want = alone.process({**picked, f"{noise}_noise": np.concatenate(heard[voice])})
        assert np.abs(want).max() > 1e-3
        # The same arithmetic; products of other shapes round otherwise.
        np.testing.assert_allclose(np.concatenate(played[voice]), want, atol=1e-6, rtol=0)


def test_a_voice_that_is_reset_leaves_the_others_alone():
    file = read_model_file(TINY)
    channels = Network(file.model, file.card).output_channels
    card, _ = without_rooms(file.card)
    given = [controls_of(card, channels, voice) for voice in range(2)]

    def play(reset):
        together = VoiceSynthesizer(card, file.arrays, 2, 1, channels)
        out = []
        for frame in range(20):
            if reset and frame == 10:
                together.reset_voice(0)
            out.append(
                together.process([0, 1], {k: np.stack([g[k][frame] for g in given]) for k in given[0]})
            )
        return np.array(out)

    kept, reset = play(False), play(True)
    np.testing.assert_array_equal(kept[:, 1], reset[:, 1])
    np.testing.assert_array_equal(kept[:10, 0], reset[:10, 0])
    assert np.abs(kept[10:, 0] - reset[10:, 0]).max() > 1e-3


def test_voices_of_one_pitch_have_noise_of_their_own():
    bank = VoiceBank(TINY, 2, seed=1)
    from ddsp_edge.live import KeySettings

    f0_hz, loudness_db = np.full(2, 220.0, np.float32), np.full(2, -20.0, np.float32)
    settings = KeySettings(harmonic_db=-96.0, noise_db=40.0)
    out = np.concatenate([bank.play_voices([0, 1], f0_hz, loudness_db, settings) for _ in range(40)], axis=1)
    assert abs(np.corrcoef(out)[0, 1]) < 0.1  # 5,000 samples of independent noise: 0.014, filtered some more
