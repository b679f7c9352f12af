"""The live effect: any blocks give the rendering of the whole file, as late as is declared."""

import numpy as np
import pytest
import soundfile

from ddsp_edge import DdspError, FrameSpec, Instrument, LoudnessMeter
from ddsp_edge.live import LATENCIES, EffectSettings, LiveEffect
from ddsp_edge.render.render import render_audio
from ddsp_edge.synthesis.limiter import Output
from ddsp_edge.transfer.matching import Gate, OctaveMatch, QuantileMatch
from tests.device.conftest import TINY

RATE, HOP = 16_000, 128
NAN = float("nan")


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
        from ddsp_edge import PitchTracker
        from ddsp_edge.render import tracking

        chosen = PitchTracker(Instrument(TINY).spec, 110.0, 2000.0, 0)
        monkeypatch.setattr(tracking.PitchTracker, "for_card", lambda card: chosen)
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


@pytest.mark.parametrize("gate", [False, True])
@pytest.mark.parametrize("latency", LATENCIES)
@pytest.mark.parametrize("size", [32, 1024])
def test_an_onset_is_heard_after_the_declared_latency(latency, gate, size):
    live = LiveEffect(TINY, EffectSettings(gate=gate), seed=1, **LATENCIES[latency])
    start = 6000
    time = np.arange(RATE) / RATE
    sound = np.where(time >= start / RATE, 0.3 * np.sin(2 * np.pi * 330 * time), 0.0).astype(np.float32)
    out = in_blocks(live, sound, [size])
    # Where the loudness, measured in the same way and sample by sample, passes half of its way up in dB.
    fine = FrameSpec(RATE, 16)
    before, after = (LoudnessMeter(fine).push(x) for x in (sound, out))
    rise = [int(np.argmax(x > (x[100:300].max() + x[-100:].max()) / 2)) for x in (before, after)]
    # Frames of the network's input, and with them the edge, lie on a grid of hops.
    assert abs((rise[1] - rise[0]) * 16 - live.latency_samples) <= HOP


def test_latency_can_be_chosen():
    assert LiveEffect(TINY).latency_samples == 4 * HOP + 292 + HOP - 1  # 30 ms, a period of 55 Hz, a hop
    middle = LiveEffect(TINY, **LATENCIES["middle"])
    assert middle.latency_samples == 292 + HOP - 1
    low = LiveEffect(TINY, **LATENCIES["low"])
    assert low.latency_samples == 192 + HOP - 1  # half of 24 ms, a hop
    assert low.latency_samples <= 0.020 * RATE
    for name, value in (("f0_min_hz", 1.0), ("loudness_ms", 64.0)):
        with pytest.raises(DdspError, match=name):
            LiveEffect(TINY, **{name: value})


def test_a_shorter_window_of_loudness_hears_steady_notes_alike():
    spec, time = FrameSpec(RATE, HOP), np.arange(RATE) / RATE
    for f0_hz in (110.0, 220.0):
        sound = sum(np.sin(2 * np.pi * k * f0_hz * time) / k for k in range(1, 8)).astype(np.float32) * 0.1
        long, short = LoudnessMeter(spec).push(sound), LoudnessMeter(spec, 384).push(sound)
        # The lowest note of "low" ripples by 0.2 dB; a step of 1 dB is just heard.
        np.testing.assert_allclose(short[10:-10], long[10:-10], atol=0.3, rtol=0)


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


# Matching.


def test_loudness_goes_from_the_players_range_to_the_trained_one(effect):
    trained = effect.card.loudness_db_range
    match = QuantileMatch(effect.spec, trained)
    for level in (trained.low, trained.median, trained.high):
        assert match.map(level) == pytest.approx(level, abs=1.0)  # nothing learned yet; bins of 0.5 dB
    rng = np.random.default_rng(0)
    played = np.clip(rng.normal(-45.0, 4.0, 20_000), -80.0, 0.0)
    for level in played:
        match.add(level)
    for share, want in ((5, trained.low), (50, trained.median), (95, trained.high)):
        # what was counted at the start still has a share of some percent
        assert match.map(np.percentile(played, share)) == pytest.approx(want, abs=2.0)
    levels = [match.map(level) for level in np.linspace(-80.0, 0.0, 400)]
    assert (np.diff(levels) >= 0.0).all()
    assert levels[0] == -80.0


def test_a_range_that_was_set_goes_to_the_trained_one():
    settings = EffectSettings(softest_db=-60.0, loudest_db=-30.0, match_loudness=True)
    live = LiveEffect(TINY, settings, seed=1)
    trained, match = live.card.loudness_db_range, QuantileMatch(live.spec, live.card.loudness_db_range)
    want = np.interp([-80.0, -60.0, -45.0, -30.0], [-60.0, -30.0], [trained.low, trained.high])
    want[0] = -80.0  # the floor stays the floor
    found = [match.map_from(-60.0, -30.0, level) for level in (-80.0, -60.0, -45.0, -30.0)]
    np.testing.assert_allclose(found, want)
    assert match.map_from(-60.0, -30.0, -20.0) == trained.high + 10.0
    # Ends below the floor, or that fall together, make no step.
    for ends in ((-80.0, -79.9), (-79.5, -30.0), (-30.0, -30.0)):
        levels = [match.map_from(*ends, level) for level in np.arange(-80.0, 0.0, 0.1)]
        assert levels[0] == pytest.approx(-80.0)
        assert 0.0 <= np.diff(levels).min() <= np.diff(levels).max() < 8.0
    given, play = [], live._bank.play

    def spy(f0_hz, loudness_db, settings, *rest):
        given.extend(loudness_db)
        return play(f0_hz, loudness_db, settings, *rest)

    live._bank.play = spy
    live.process(phrase())
    mapped, given[:] = given.copy(), []
    live.reset()
    live.settings.match_loudness = False  # a range that is set does not switch it on
    live.process(phrase())
    np.testing.assert_allclose(mapped, [match.map_from(-60.0, -30.0, x) for x in given], atol=1e-4)
    assert np.ptp(mapped) > 1.0


def test_what_was_learned_of_the_player_is_told(effect):
    live = LiveEffect(TINY, EffectSettings(match_loudness=True), seed=1)
    assert live.played_db() is None
    add, levels = live._loudness.add, []

    def spy(level):
        levels.append(level)
        add(level)

    live._loudness.add = spy
    while len(levels) < live.spec.frames_for(100.0):  # past where what was before counts half
        assert live.played_db() is None or len(levels) >= live.spec.frames_for(4.0)
        live.process(phrase(4.0))
    low, high = live.played_db()
    assert low == pytest.approx(np.percentile(levels, 5), abs=0.5)  # bins of half a dB
    assert high == pytest.approx(np.percentile(levels, 95), abs=0.5)
    count = len(levels)
    live.settings.softest_db, live.settings.loudest_db = low, high
    live.process(phrase())
    assert live.played_db() is None
    assert len(levels) == count  # nothing is learned of a player whose range is set
    assert effect.played_db() is None


@pytest.mark.parametrize(
    "ends",
    [
        (None, None),
        (None, -20.0),
        (-60.0, None),
        (-20.0, -50.0),
        (NAN, -20.0),
        (-60.0, NAN),
        (-30.0, "loud"),
        (-30.0, -30.0),
        (-200.0, -150.0),
    ],
)
def test_what_is_no_range_is_none(ends):
    assert EffectSettings(softest_db=ends[0], loudest_db=ends[1]).played_range() is None


def test_the_octave_is_chosen_between_notes(effect):
    match = OctaveMatch(effect.spec, effect.card.f0_hz_range)
    for _ in range(100):
        match.add(effect.card.f0_hz_range.median / 4.1)
    assert match.octaves == 0
    match.add(0.0)
    assert match.octaves == 2


def test_the_gate_holds_then_fades_to_the_floor(effect):
    gate = Gate(effect.spec)
    assert gate.process(0.0, -20.0, -60.0) == -80.0  # no pitch yet
    assert gate.process(220.0, -20.0, -60.0) == -20.0
    after = [gate.process(0.0, -20.0, -60.0) for _ in range(30)]
    assert after[5] == -20.0  # 50 ms are 6 frames
    assert (np.diff(after) <= 0.0).all()
    assert after[-1] == -80.0
    assert gate.process(220.0, -70.0, -60.0) == -80.0  # too soft


def test_the_gate_lets_an_onset_through_until_its_pitch_is_known(effect):
    gate = Gate(effect.spec, doubt_frames=3)
    levels = [gate.process(0.0, level, -60.0) for level in (-80.0, -20.0, -20.0, -20.0, -20.0, -20.0)]
    assert levels[:4] == [-80.0, -20.0, -20.0, -20.0]  # as long as there is doubt
    assert levels[4] > levels[5]
    closed = [gate.process(0.0, -20.0, -60.0) for _ in range(30)]
    assert closed[-1] == -80.0  # noise that goes on is let through once
    assert gate.process(220.0, -20.0, -60.0) == -20.0


def test_matching_does_not_depend_on_the_blocks():
    settings = EffectSettings(gate=True, match_loudness=True, match_octave=True)
    live = LiveEffect(TINY, settings, seed=1)
    want = live.process(phrase())
    live.reset()
    np.testing.assert_allclose(in_blocks(live, phrase(), [77]), want, atol=1e-5, rtol=0)


# Levels and pitches beyond what can be.


def test_a_pitch_is_never_above_nyquist():
    """Eight octaves up every note lies beyond: it sounds as at Nyquist, where no harmonic is left."""
    live = LiveEffect(TINY, EffectSettings(transposition=96.0), seed=1)
    given = []
    play = live._bank.play

    def spy(f0_hz, loudness_db, settings, *rest):
        given.append(f0_hz)
        return play(f0_hz, loudness_db, settings, *rest)

    live._bank.play = spy
    sound = live.process(phrase())
    assert np.isfinite(sound).all()
    assert np.concatenate(given).max() == live.spec.sample_rate / 2


@pytest.mark.parametrize("value", [1.01, -1.3, 40.0])
def test_a_single_sample_beyond_full_scale_is_limited(value):
    stage, audio = Output(FrameSpec(16_000, 128)), np.zeros(128, np.float32)
    audio[50] = value
    found = stage.process(audio.copy(), 1.0)
    assert np.abs(found).max() == 1.0
    np.testing.assert_array_equal(stage.process(0.5 * np.sign(audio), 1.0)[:50], 0.0)


def test_a_single_sample_beyond_any_level_does_no_more_than_the_loudest():
    """18 dB over full scale is the most that is heard."""

    def played(value):
        live, sound = LiveEffect(TINY, seed=1), phrase(0.4)
        sound[3000] = value
        return live.process(sound)

    np.testing.assert_array_equal(played(1e9), played(8.0))
    assert np.any(played(8.0) != played(0.5))


@pytest.mark.filterwarnings("error")
def test_no_sample_makes_numpy_warn():
    live = LiveEffect(TINY, seed=1)
    for value in (1e20, 3e38, np.inf, np.nan):
        assert np.isfinite(live.process(np.full(480, value, np.float32))).all()
