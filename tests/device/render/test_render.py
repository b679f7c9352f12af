"""Whole files through an instrument."""

import dataclasses
import functools

import numpy as np
import pytest
import soundfile

from ddsp_edge import DdspError, FrameSpec, Instrument, KeySettings, LoudnessMeter, PitchTracker
from ddsp_edge.atomic import name_beside
from ddsp_edge.files.audio_file import read_audio
from ddsp_edge.files.audio_writer import write_audio
from ddsp_edge.render.render import render_audio, render_midi
from tests import oracle
from tests.device.render.test_midi import off, on, save

RATE, HOP = 16_000, 128


@pytest.fixture(scope="module")
def instrument(tiny):
    return Instrument(tiny, seed=1)


def phrase(seconds=2.0, f0_hz=330.0, rate=RATE):
    """A tone with harmonics that swells and fades."""
    frames = int(seconds * rate / 80)
    level = 0.3 * np.sin(np.pi * np.arange(frames) / frames)[:, None] ** 0.5
    return oracle.harmonic(np.full(frames, f0_hz), level * [0.6, 0.3, 0.1], rate, 80)


def pitch_of(audio):
    return np.median(PitchTracker(FrameSpec(RATE, HOP)).push(audio)[0])


def test_the_output_follows_the_input(instrument, tmp_path):
    write_audio(tmp_path / "in.wav", phrase(), RATE)
    report = render_audio(instrument, tmp_path / "in.wav", tmp_path / "out.wav")
    audio, rate = read_audio(tmp_path / "out.wav")
    assert rate == RATE
    # whole hops of the input, the hop that fades out, and the room and filter that ring on
    assert len(audio) == 2 * RATE // HOP * HOP + HOP * (1 + -(-(799 + 16) // HOP))
    tracker, meter = PitchTracker(instrument.spec), LoudnessMeter(instrument.spec)
    f0 = np.concatenate([tracker.push(audio)[0], tracker.flush()[0]])[10:240]
    assert np.mean(np.abs(1200 * np.log2(f0 / 330)) < 20) > 0.98
    loudness = np.concatenate([meter.push(audio), meter.flush()])
    assert loudness[125] > loudness[5] + 3
    assert loudness[125] > loudness[245] + 3
    assert report.warnings == []
    assert report.realtime_factor > 1


def test_rendering_is_streaming_the_features_by_hand(instrument, tmp_path):
    audio = phrase(1.3)
    write_audio(tmp_path / "in.wav", audio, RATE)
    audio, _ = read_audio(tmp_path / "in.wav")
    render_audio(instrument, tmp_path / "in.wav", tmp_path / "out.wav")
    found, _ = read_audio(tmp_path / "out.wav")
    tracker, meter = PitchTracker(instrument.spec), LoudnessMeter(instrument.spec)
    f0, voicing = (np.concatenate(v) for v in zip(tracker.push(audio), tracker.flush(), strict=True))
    loudness = np.concatenate([meter.push(audio), meter.flush()])
    instrument.reset()
    expected = np.concatenate(
        [instrument.process(np.where(voicing >= 0.5, f0, 0), loudness), instrument.flush()]
    )
    np.testing.assert_allclose(found, expected, atol=1 / 32768 + 1e-5)


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (44_100, 2), (48_000, 2)])
def test_any_rate_and_number_of_channels_will_do(instrument, tmp_path, rate, channels):
    audio = phrase(1.0, rate=rate)
    soundfile.write(tmp_path / "in.flac", np.stack([audio] * channels, axis=1), rate)
    report = render_audio(instrument, tmp_path / "in.flac", tmp_path / "out.flac")
    audio, out_rate = read_audio(tmp_path / "out.flac")
    assert out_rate == RATE
    assert report.seconds == pytest.approx(len(audio) / RATE)
    assert report.seconds == pytest.approx(1.06, abs=0.02)


def test_a_file_of_midi_is_played(tiny, tmp_path):
    save(tmp_path / "a.mid", [on(0, 69), off(900, 69)])
    report = render_midi(tiny, tmp_path / "a.mid", tmp_path / "out.wav", seed=1)
    audio, _ = read_audio(tmp_path / "out.wav")
    assert 0.98 < report.seconds < 1.1
    assert pitch_of(audio) == pytest.approx(440, rel=0.002)


def test_octaves_and_loudness_are_shifted(tiny, tmp_path):
    save(tmp_path / "a.mid", [on(0, 57), off(900, 57)])
    loud = render_midi(tiny, tmp_path / "a.mid", tmp_path / "loud.wav", octaves=1)
    audio, _ = read_audio(tmp_path / "loud.wav")
    assert pitch_of(audio) == pytest.approx(440, rel=0.002)
    settings = KeySettings(loudness_shift_db=-20, transposition=5)
    soft = render_midi(tiny, tmp_path / "a.mid", tmp_path / "soft.wav", 1, settings, octaves=1)
    audio, _ = read_audio(tmp_path / "soft.wav")
    assert pitch_of(audio) == pytest.approx(440 * 2 ** (5 / 12), rel=0.002)
    assert soft.peak < 0.7 * loud.peak


def test_a_pitch_out_of_range_suggests_octaves(instrument, tmp_path):
    trained = instrument.card.f0_hz_range
    write_audio(tmp_path / "low.wav", phrase(1.0, trained.low / 1.5), RATE)
    report = render_audio(instrument, tmp_path / "low.wav", tmp_path / "out.wav")
    assert len(report.warnings) == 1
    hint = f"trained on ({trained.low:.0f} to {trained.high:.0f} Hz); try --octaves 1"
    assert hint in report.warnings[0]
    assert render_audio(instrument, tmp_path / "low.wav", tmp_path / "out.wav", octaves=1).warnings == []


def test_pitches_are_looked_for_where_the_training_data_was_searched(tiny, tmp_path):
    instrument = Instrument(tiny, seed=1)
    settings = {**instrument.card.f0_estimator, "f0_min_hz": 35.0, "f0_max_hz": 800.0}
    instrument.card = dataclasses.replace(instrument.card, f0_estimator=settings)
    write_audio(tmp_path / "in.wav", phrase(2.0, 42.0), RATE)  # lower than a tracker looks unless told
    report = render_audio(instrument, tmp_path / "in.wav", tmp_path / "out.wav")
    assert "the pitch played (42 to 42 Hz)" in report.warnings[0]


@pytest.mark.parametrize("source", ["in.wav", "in.mid"])
def test_what_is_beyond_full_scale_is_held_there_as_it_is_live(tiny, tmp_path, monkeypatch, source):
    write_audio(tmp_path / "in.wav", phrase(0.5), RATE)
    save(tmp_path / "in.mid", [on(0, 69), off(400, 69)])
    gain = 10.0 ** (36.0 / 20.0)
    if source == "in.wav":
        render = functools.partial(render_audio, Instrument(tiny, seed=1), tmp_path / source)
    else:
        render = functools.partial(render_midi, tiny, tmp_path / source, seed=1)
    soft = render(tmp_path / "soft.wav")
    heard = []
    monkeypatch.setattr(
        "ddsp_edge.files.audio_writer.AudioWriter.write", lambda _, audio: heard.append(audio)
    )
    render(tmp_path / "soft.wav")  # not rounded to 16 bits
    sound = np.concatenate(heard) * gain
    monkeypatch.undo()
    if source == "in.wav":
        play, flush = Instrument.render_stems, Instrument.flush_stems
        monkeypatch.setattr(Instrument, "render_stems", lambda *given: louder(play(*given), gain))
        monkeypatch.setattr(Instrument, "flush_stems", lambda *given: louder(flush(*given), gain))
    else:
        render = functools.partial(render, settings=KeySettings(gain_db=36.0))
    loud = render(tmp_path / "loud.wav")
    assert soft.warnings == []
    assert loud.peak == pytest.approx(gain * soft.peak, rel=1e-5)
    assert "dB over full scale, where the limiter held it" in loud.warnings[0]
    decay, level, want = np.exp(-1 / (0.1 * RATE)), 0.0, []  # the limiter by its definition
    for x in sound.tolist():
        level = max(abs(x), decay * level)
        want.append(x / max(1.0, level))
    np.testing.assert_allclose(read_audio(tmp_path / "loud.wav")[0], want, atol=1 / 32768 + 1e-5, rtol=0)


def louder(signals, gain):
    return {name: audio * np.float32(gain) for name, audio in signals.items()}


def test_progress_rises_to_the_whole(instrument, tmp_path):
    write_audio(tmp_path / "in.wav", phrase(4.0), RATE)
    seen = []
    render_audio(instrument, tmp_path / "in.wav", tmp_path / "out.wav", progress=lambda *a: seen.append(a))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (4.0, 4.0)


def test_rendering_twice_gives_the_same(tiny, tmp_path):
    instrument = Instrument(tiny, seed=5)
    write_audio(tmp_path / "in.wav", phrase(0.5), RATE)
    for name in ("a.wav", "b.wav"):
        render_audio(instrument, tmp_path / "in.wav", tmp_path / name)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


def test_a_failure_leaves_no_file_and_keeps_the_old_one(instrument, tmp_path):
    write_audio(tmp_path / "silent.wav", np.zeros(RATE), RATE)
    out = tmp_path / "out.wav"
    out.write_bytes(b"precious")
    with pytest.raises(DdspError, match="is silent: nothing to follow"):
        render_audio(instrument, tmp_path / "silent.wav", out)
    assert out.read_bytes() == b"precious"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.wav", "silent.wav"]


def test_memory_does_not_grow_with_the_length(instrument, tmp_path):
    import tracemalloc

    peaks = []
    for seconds in (4, 16):
        write_audio(tmp_path / "in.wav", np.tile(phrase(2.0), seconds // 2), RATE)
        tracemalloc.start()
        render_audio(instrument, tmp_path / "in.wav", tmp_path / "out.wav")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0] + 500_000


@pytest.mark.parametrize("source", ["in.wav", "in.mid"])
def test_stems_add_up_to_the_sound(tiny, tmp_path, source):
    write_audio(tmp_path / "in.wav", phrase(0.7), RATE)
    save(tmp_path / "in.mid", [on(0, 69), on(550, 76), off(700, 69), off(700, 76)])
    if source == "in.wav":
        render = functools.partial(render_audio, Instrument(tiny, seed=1), tmp_path / source)
    else:
        settings = KeySettings(gain_db=-3.0, harmonic_db=-6.0, reverb=0.6)
        render = functools.partial(render_midi, tiny, tmp_path / source, settings=settings, seed=1)
    render(tmp_path / "alone.flac")
    report = render(tmp_path / "out.flac", stems=True)
    whole, _ = read_audio(tmp_path / "out.flac")
    np.testing.assert_array_equal(whole, read_audio(tmp_path / "alone.flac")[0])
    parts = [read_audio(tmp_path / f"out-{name}.flac")[0] for name in ("harmonic", "noise", "reverb")]
    for part in parts:
        assert len(part) == len(whole)
        assert np.abs(part).max() > 1e-3
    # Four files of 16 bits are rounded, each by half a step at most.
    np.testing.assert_allclose(sum(parts), whole, atol=2 / 32768 + 1e-6, rtol=0)
    assert report.seconds == len(whole) / RATE
    assert pitch_of(parts[0]) == pytest.approx(330 if source == "in.wav" else 440, rel=0.005)
    assert not parts[0][-5 * HOP :].any()
    if source == "in.wav":  # it ends in the middle of a note: the room goes on where harmonics have ended
        assert parts[2][-5 * HOP :].any()


def test_a_stem_does_not_overwrite_what_it_is_made_from(tiny, tmp_path):
    write_audio(tmp_path / "a-noise.wav", phrase(0.5), RATE)
    before = (tmp_path / "a-noise.wav").read_bytes()
    with pytest.raises(DdspError, match="recording that is to be played"):
        render_audio(Instrument(tiny), tmp_path / "a-noise.wav", tmp_path / "a.wav", stems=True)
    assert (tmp_path / "a-noise.wav").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a-noise.wav"]


def test_a_failure_leaves_no_stems(tiny, tmp_path, monkeypatch):
    write_audio(tmp_path / "in.wav", np.zeros(RATE), RATE)
    with pytest.raises(DdspError, match="silent"):
        render_audio(Instrument(tiny), tmp_path / "in.wav", tmp_path / "out.wav", stems=True)
    (tmp_path / "folder").mkdir()

    def beside(path):  # the third of four files cannot be opened
        return tmp_path / "folder" if path.name == "out-noise.wav" else name_beside(path)

    monkeypatch.setattr("ddsp_edge.files.audio_writer.name_beside", beside)
    with pytest.raises(DdspError, match="out-noise"):
        render_audio(Instrument(tiny), tmp_path / "in.wav", tmp_path / "out.wav", stems=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "in.wav"]
