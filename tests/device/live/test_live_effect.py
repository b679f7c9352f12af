"""The live effect: any blocks give the rendering of the whole file, as late as is declared."""

import numpy as np
import pytest
import soundfile

from ddsp_edge import DdspError, Instrument, LoudnessMeter
from ddsp_edge.live import EffectSettings, LiveEffect
from ddsp_edge.render import render_audio
from tests.device.conftest import TINY

RATE, HOP = 16_000, 128


def phrase(seconds=1.5):
    """Two notes with a pause between them, some partials each, float32."""
    time = np.arange(int(seconds * RATE)) / RATE
    f0_hz = np.where(time < seconds / 2, 220.0, 330.0) * 2.0 ** (np.sin(2 * np.pi * 5 * time) / 60)
    phase = 2 * np.pi * np.cumsum(f0_hz) / RATE
    sound = sum(np.sin(k * phase) / k for k in range(1, 6))
    level = 0.2 * np.clip(np.sin(2 * np.pi * 2 * time / seconds - 0.3), 0.0, 1.0)
    noise = np.random.default_rng(0).normal(size=len(time)) * 1e-3
    return (level * sound + noise).astype(np.float32)


def in_blocks(player, sound, sizes):
    """Play a sound in blocks of these sizes, again and again."""
    parts, start, number = [], 0, 0
    while start < len(sound):
        size = sizes[number % len(sizes)]
        parts.append(player.process(sound[start : start + size]))
        assert len(parts[-1]) == len(sound[start : start + size])
        start, number = start + size, number + 1
    return np.concatenate(parts)


@pytest.fixture(scope="module")
def effect():
    return LiveEffect(TINY, seed=1)


@pytest.fixture(scope="module")
def whole(effect):
    effect.reset()
    return effect.process(phrase())


@pytest.mark.parametrize("sizes", [[1], [17], [32], [64], [100], [256], [1024], [5000], [3, 700, 1, 129]])
def test_any_blocks_give_the_samples_of_one_call(effect, whole, sizes):
    effect.reset()
    np.testing.assert_allclose(in_blocks(effect, phrase(), sizes), whole, atol=1e-5, rtol=0)


@pytest.mark.parametrize("tracker", [{}, {"f0_min_hz": 110.0, "lookahead_frames": 0}])
@pytest.mark.parametrize("octaves", [0, 1])
def test_the_output_is_that_of_the_whole_file_as_late_as_is_declared(tmp_path, monkeypatch, tracker, octaves):
    sound = phrase()
    soundfile.write(tmp_path / "in.wav", sound, RATE, "FLOAT")
    if tracker:
        from ddsp_edge import PitchTracker, render

        chosen = PitchTracker(Instrument(TINY).spec, 110.0, 2000.0, 0)
        monkeypatch.setattr(render.PitchTracker, "for_card", lambda card: chosen)
    instrument = Instrument(TINY, seed=1)
    render_audio(instrument, tmp_path / "in.wav", tmp_path / "out.wav", octaves=octaves)
    monkeypatch.undo()
    want, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    live = LiveEffect(TINY, EffectSettings(transposition=12.0 * octaves), seed=1, **tracker)
    found = in_blocks(live, np.concatenate([sound, np.zeros(live.latency_samples, np.float32)]), [480])
    assert not found[: live.latency_samples].any()
    # The law's tolerance, with the rounding of a file of 24 bits. The last frames of the file are windows
    # that its end fills with zeros, as the zeros that follow here do.
    n = len(sound) // HOP * HOP
    assert np.abs(want[:n]).max() > 0.05
    np.testing.assert_allclose(found[live.latency_samples :][:n], want[:n], atol=1e-4, rtol=0)


@pytest.mark.parametrize("tracker", [{}, {"f0_min_hz": 110.0, "lookahead_frames": 0}])
def test_an_onset_is_heard_after_the_declared_latency(tracker):
    live = LiveEffect(TINY, seed=1, **tracker)
    start = 8000
    time = np.arange(2 * RATE) / RATE
    sound = np.where(time >= start / RATE, 0.3 * np.sin(2 * np.pi * 330 * time), 0.0).astype(np.float32)
    out = in_blocks(live, sound, [256])
    spec = live.spec
    # Where the loudness, measured in the same way, passes half of its way up in dB.
    before, after = (LoudnessMeter(spec).push(x) for x in (sound, out))
    rise = [int(np.argmax(x > (x[:40].max() + x[-40:].max()) / 2)) for x in (before, after)]
    # The measure counts in hops, and the network and the noise filter have a say of a hop.
    assert abs((rise[1] - rise[0]) * HOP - live.latency_samples) <= 2 * HOP


def test_latency_can_be_chosen():
    assert LiveEffect(TINY).latency_samples == 4 * HOP + 292 + HOP - 1  # 30 ms, a period of 55 Hz, a hop
    quick = LiveEffect(TINY, f0_min_hz=110.0, lookahead_frames=0)
    assert quick.latency_samples == 256 + HOP - 1  # half of 32 ms, a hop
    with pytest.raises(DdspError, match="f0_min_hz"):
        LiveEffect(TINY, f0_min_hz=1.0)


def test_what_is_no_number_in_the_input_is_silence_and_leaves_nothing_behind(effect):
    sound, hole = phrase(), slice(6000, 6400)
    clean = sound.copy()
    clean[hole] = 0.0
    effect.reset()
    want = effect.process(clean)
    for bad in (np.nan, np.inf, -np.inf):
        sound[hole] = bad
        effect.reset()
        np.testing.assert_array_equal(effect.process(sound), want)


def test_settings_change_the_sound(effect, whole):
    try:
        for name, value in (("harmonic_db", -80.0), ("noise_db", 20.0), ("reverb", 0.0), ("gain_db", -20.0)):
            effect.reset()
            setattr(effect.settings, name, value)
            changed = effect.process(phrase())
            assert np.abs(changed - whole).max() > 1e-3, name
            setattr(effect.settings, name, getattr(EffectSettings(), name))
        effect.settings.gain_db = 60.0
        effect.reset()
        loud = effect.process(phrase())
        assert 0.9 < np.abs(loud).max() <= 1.0
        effect.settings.gain_db = float("nan")  # no number: as it is at the start
        effect.reset()
        np.testing.assert_array_equal(effect.process(phrase()), whole)
    finally:
        effect.settings.gain_db = 0.0


def test_a_block_of_two_dimensions_is_refused(effect):
    with pytest.raises(DdspError, match=r"one dimension.*\[4, 2\]"):
        effect.process(np.zeros((4, 2)))
