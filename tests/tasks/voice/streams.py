"""A voice as a stream, held to the whole by Keras."""

import numpy as np
import tensorflow as tf

from ddsp_edge.features.pitch import hold_unvoiced
from ddsp_edge.voice.matching import Shift
from ddsp_tf.tasks.voice.convert import converter_of

HOP = 128


class Rest:
    """The noise from a place on, as long as whoever takes it needs."""

    def __init__(self, noise, at):
        self.noise, self.at = noise, at


def fit_noise(monkeypatch):
    """Let a synthesizer take as much of given noise as it has frames."""
    from ddsp_edge.voice.synthesis import VoiceSynthesizer

    render = VoiceSynthesizer.render

    def fitting(self, f0_hz, controls, noise=None):
        if isinstance(noise, Rest):
            noise = noise.noise[noise.at : noise.at + len(f0_hz) * HOP]
        return render(self, f0_hz, controls, noise)

    monkeypatch.setattr(VoiceSynthesizer, "render", fitting)


def in_blocks(converter, speech, noise, sizes):
    """Push a sound in blocks, each with the noise of the hops that come out; all of it."""
    out, at, given = [], 0, 0
    for size in sizes:
        # How many hops will come out is not known before: noise is handed over by a view that is cut to fit.
        part = converter.push(speech[at : at + size], Rest(noise, given))
        out.append(part)
        at, given = at + size, given + len(part)
    out.append(converter.flush(Rest(noise, given)))
    return np.concatenate(out)


def assert_any_cut_is_the_whole(model, speech, *others):
    """The stream of a model, and other converters, give what Keras gives of the whole, however it is cut."""
    noise = np.random.default_rng(5).uniform(-1, 1, len(speech) + HOP).astype(np.float32)
    whole = converter_of(model, shift=Shift())
    heard = whole._hearing.push(speech)
    last = whole._hearing.flush()
    ahead = model.ahead
    frames = len(speech) // HOP
    pitches = np.concatenate([heard.f0_hz, last.f0_hz])[ahead : ahead + frames]
    levels = np.concatenate([heard.loudness_db, last.loudness_db])[ahead : ahead + frames]
    start_hz = model.facts["f0_hz_range"]["median"]
    inputs = {
        "audio": speech,
        "f0_hz": hold_unvoiced(pitches, pitches > 0, start_hz)[:, np.newaxis],
        "voiced": (pitches > 0).astype(np.float32)[:, np.newaxis],
        "loudness_db": levels[:, np.newaxis],
    }
    batch = {name: tf.constant(np.asarray(value, np.float32)[np.newaxis]) for name, value in inputs.items()}
    converted = model.converted(batch, noise=tf.constant(noise[np.newaxis]))
    expected = converted[0].numpy()[0]
    assert np.abs(expected).max() > 1e-3
    late = whole.delay_samples
    sizes = np.random.default_rng(1).integers(1, 900, 400)
    for converter in (whole, *others):
        for cut in ([len(speech)], sizes[: int(np.searchsorted(np.cumsum(sizes), len(speech))) + 1]):
            converter.reset()
            sound = in_blocks(converter, speech, noise, cut)
            assert len(sound) == len(speech) + HOP
            np.testing.assert_allclose(sound[late : late + len(speech)], expected, atol=1e-4)
