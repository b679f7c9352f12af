"""The same file gives the same sound on every processor: what x86-64 played is kept beside the file.

`make test-arm64` runs this on an emulated Cortex-A72 (Raspberry Pi 4) and Cortex-A76 (Raspberry Pi 5).
`python -m tests.device.data.make_reference` plays it again, on x86-64, after the file was made anew.
"""

import numpy as np
import pytest

from ddsp_edge import Instrument
from tests.device.data.make_reference import REFERENCE, play


@pytest.fixture(scope="module")
def here(tiny):
    return play(tiny)


@pytest.fixture(scope="module")
def x86():
    with np.load(REFERENCE) as values:
        return dict(values)


def test_the_network_of_8_bit_weights_gives_the_same_controls(here, x86):
    """Activations are rounded to 256 steps: one that differs in its last bit may go the other way."""
    names = [name for name in x86 if name.startswith("control_")]
    assert len(names) == 3
    for name in names:
        assert here[name].shape == x86[name].shape
        # The most of 250 frames fed back was 0.022, of raw outputs, which controls are a squashed image of.
        assert np.abs(here[name] - x86[name]).max() < 0.02, name


def test_the_synthesizer_gives_the_same_samples_of_the_same_controls(tiny, x86):
    instrument = Instrument(tiny)
    controls = {k.removeprefix("control_"): v for k, v in x86.items() if k.startswith("control_")}
    audio = instrument.render(
        {**controls, "f0_hz": x86["f0_hz"][:, None], "noise_noise": x86["noise"].ravel()}
    )
    np.testing.assert_allclose(audio, x86["audio"], atol=1e-5)  # float32 on both sides; the law asks for 1e-4


@pytest.mark.parametrize("name", ["audio", "audio_by_play", "audio_by_voices"])
def test_the_sound_is_the_same(here, x86, name):
    """From features to sound, by the device synthesizer and by those in the model."""
    loudest = np.abs(x86[name]).max()
    assert loudest > 0.01
    assert np.abs(here[name] - x86[name]).max() < 0.02 * loudest
