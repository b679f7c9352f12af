"""Instruments that take more than pitch and loudness."""

import dataclasses
import json

import numpy as np
import pytest
import soundfile

from ddsp_edge import DdspError, FrameSpec, Instrument
from ddsp_edge.card import Range
from ddsp_edge.features.brightness import brightness_of
from ddsp_edge.features.pitch import hold_unvoiced
from ddsp_edge.features.spectral import spectral_features, weighted_spectra
from ddsp_edge.files.audio_file import AudioReader
from ddsp_edge.further import FURTHER, PARTIALS, Usual, brighter, complete
from ddsp_edge.instrument_card import InstrumentCard
from ddsp_edge.live import EffectSettings, KeySettings, LiveEffect, LiveInstrument
from ddsp_edge.live.following import Follower
from ddsp_edge.live.voices import VoiceBank
from ddsp_edge.model.file import read_instrument_file
from ddsp_edge.render.render import render_audio
from ddsp_edge.render.tracking import RecordingTracker
from ddsp_edge.transfer.further import FurtherMapping
from ddsp_edge.transfer.matching import WholeQuantileMatch
from tests.device.conftest import BRIGHT, TINY

RATE, HOP = 16_000, 128
SPEC = FrameSpec(RATE, HOP)
CARD = read_instrument_file(BRIGHT).card
FRAMES = 200
AT = np.arange(FRAMES)
F0_HZ = 220.0 * 2.0 ** (np.sin(AT / 30.0) / 4.0)
LOUDNESS_DB = -25.0 + 5.0 * np.sin(AT / 11.0)
TOLD = {
    "voicing": 0.5 + 0.5 * np.cos(AT / 9.0) ** 2,
    "brightness": 1.5 + np.sin(AT / 17.0),
    **{name: 25.0 + 10.0 * np.sin(AT / (5.0 + first)) for name, first in PARTIALS.items()},
}


def sung(seconds=3.0):
    """Notes with more and fewer overtones, with hiss between them, float32."""
    time = np.arange(round(seconds * RATE)) / RATE
    phase = 2.0 * np.pi * np.cumsum(250.0 * 2.0 ** (np.floor(2.0 * time) % 5 / 12.0)) / RATE
    share = 0.5 + 0.3 * np.sin(2.0 * np.pi * 0.7 * time)
    tone = sum(share**k * np.sin((k + 1) * phase) for k in range(12))
    hiss = 0.03 * np.random.default_rng(0).normal(size=len(time))
    return np.where(2.0 * time % 1.0 < 0.8, 0.15 * tone, hiss).astype(np.float32)


def centroid_octaves(sound, f0_hz=220.0):
    """Octaves from f0 to the centroid, in the middle of a sound."""
    powers = weighted_spectra(sound, SPEC)
    part = slice(len(powers) // 3, 2 * len(powers) // 3)
    return float(np.median(brightness_of(powers[part], np.full(len(powers[part]), f0_hz), RATE)))


def test_the_card_tells_what_is_taken_and_what_it_usually_is():
    assert tuple(CARD.further) == ("voicing", "brightness", *PARTIALS)
    assert CARD.inputs["brightness_scaled"].meaning == "clip(brightness / 4, -1, 2)"
    assert CARD.extractors["brightness"]["definition"] == FURTHER["brightness"].definition
    usual = CARD.further["brightness"]
    assert usual.range.low < usual.range.median < usual.range.high
    voicing = CARD.further["voicing"]
    level = CARD.loudness_db_range
    assert voicing.at([220.0], [level.median])[0] > 0.95  # while a note sounds
    assert voicing.at([220.0], [level.low - 30.0])[0] < 0.5  # in its release
    assert read_instrument_file(TINY).card.further == {}


@pytest.mark.parametrize("backend", ["step", "numpy"])
def test_all_backends_play_the_same(backend):
    """Law 1, and what 8-bit activations add where last bits differ; see docs/model-file.md."""
    want = Instrument(BRIGHT, seed=1, backend="play").process(F0_HZ, LOUDNESS_DB, **TOLD)
    found = Instrument(BRIGHT, seed=1, backend=backend).process(F0_HZ, LOUDNESS_DB, **TOLD)
    assert np.abs(want).max() > 0.02
    np.testing.assert_allclose(found, want, atol=3e-3, rtol=0)


@pytest.mark.parametrize("voices", ["together", "alone"])
def test_voices_are_the_same_in_the_graph_and_in_numpy(voices):
    def played(backend):
        bank, settings = VoiceBank(BRIGHT, 2, 1, backend), EffectSettings(brightness=0.5)
        f0_hz, loudness_db = F0_HZ.astype(np.float32), LOUDNESS_DB.astype(np.float32)
        if voices == "alone":
            return bank.play(f0_hz, loudness_db, settings, TOLD)
        frames = (slice(i, i + 1) for i in range(FRAMES))
        return np.concatenate(
            [bank.play_voices([1], f0_hz[part], loudness_db[part], settings)[0] for part in frames]
        )

    want = played("graph")
    assert np.abs(want).max() > 0.02
    np.testing.assert_allclose(played("numpy"), want, atol=3e-3, rtol=0)


def test_what_is_left_out_is_what_it_usually_is():
    instrument = Instrument(BRIGHT, seed=1)
    usual = {name: known.at(F0_HZ, LOUDNESS_DB) for name, known in CARD.further.items()}
    want = instrument.process(F0_HZ, LOUDNESS_DB, **usual)
    for told in ({}, {"brightness": np.full(FRAMES, np.nan)}):
        instrument.reset()
        instrument = Instrument(BRIGHT, seed=1)
        np.testing.assert_allclose(instrument.process(F0_HZ, LOUDNESS_DB, **told), want, atol=1e-6)


def test_what_is_not_taken_or_of_another_length_is_refused():
    with pytest.raises(DdspError, match=r"takes no brightness; further features .*: none"):
        Instrument(TINY).process(F0_HZ, LOUDNESS_DB, brightness=F0_HZ)
    with pytest.raises(DdspError, match="f0 has 200 frames and voicing 3"):
        Instrument(BRIGHT).process(F0_HZ, LOUDNESS_DB, voicing=[1.0] * 3)


def test_the_knob_of_brightness_is_heard_and_monotone():
    found = []
    for octaves in (-1.0, -0.5, 0.0, 0.5, 1.0):
        keys = LiveInstrument(BRIGHT, settings=KeySettings(brightness=octaves, reverb=0.0), seed=1)
        keys.note_on(57, 80)
        found.append(centroid_octaves(keys.render(RATE // 2)))
    assert np.diff(found).min() > 0.02
    assert found[-1] - found[0] > 0.5


def test_a_recording_is_tracked_as_it_is_live(tmp_path):
    """Streaming equals offline: pitch, loudness and all further features, frame by frame."""
    sound = sung()
    soundfile.write(tmp_path / "in.wav", sound, RATE, "FLOAT")
    with AudioReader(tmp_path / "in.wav", RATE) as reader:
        blocks = [tracked for tracked, _ in RecordingTracker(CARD).blocks(reader)]
    f0_hz, loudness_db = (np.concatenate([getattr(b, n) for b in blocks]) for n in ("f0_hz", "loudness_db"))
    further = {name: np.concatenate([b.further[name] for b in blocks]) for name in CARD.further}
    follower = Follower(CARD, 1024)
    ends = range(0, len(sound) + RATE, 700)
    padded = np.concatenate([sound, np.zeros(RATE, np.float32)])
    live = [frame for start in ends for frame in follower.push(padded[start : start + 700])]
    table = np.array(live)[: len(f0_hz)]
    assert len(f0_hz) == len(sound) // HOP
    assert 0.1 < (f0_hz > 0).mean() < 0.95
    for column, want in enumerate((f0_hz, loudness_db, *further.values())):
        np.testing.assert_allclose(table[:, column], want, atol=1e-3)
    # And those of the spectrum are those of the whole sound, by their definitions.
    held = hold_unvoiced(f0_hz, f0_hz > 0, CARD.f0_hz_range.median)
    for name, want in spectral_features(FURTHER, weighted_spectra(sound, SPEC), held, RATE).items():
        np.testing.assert_allclose(further[name], want, atol=1e-3)


def test_live_and_rendered_sound_differ_by_matching_alone(tmp_path):
    """With the player's range known beforehand they are the same, to the law's tolerance."""
    sound = sung()
    soundfile.write(tmp_path / "in.wav", sound, RATE, "FLOAT")
    render_audio(Instrument(BRIGHT, seed=1), tmp_path / "in.wav", tmp_path / "out.wav", gate_db=-80.0)
    want, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    live = LiveEffect(BRIGHT, EffectSettings(gate_db=-80.0), seed=1)
    with AudioReader(tmp_path / "in.wav", RATE) as reader:
        blocks = [tracked for tracked, _ in RecordingTracker(CARD).blocks(reader)]
    known = FurtherMapping(SPEC, CARD.further, WholeQuantileMatch)
    for block in blocks:
        known.learn(block.f0_hz > 0, block.further)
    known.stop_learning()
    live._further = known
    found = live.process(np.concatenate([sound, np.zeros(live.latency_samples, np.float32)]))
    n = len(sound) // HOP * HOP
    assert np.abs(want[:n]).max() > 0.02
    # 8-bit activations make more of the last bit, see docs/model-file.md.
    np.testing.assert_allclose(found[live.latency_samples :][:n], want[:n], atol=3e-3, rtol=0)


@pytest.mark.parametrize(
    ("name", "trained", "range_of_player", "most", "told_at_most", "tolerance"),
    [
        ("brightness", (0.5, 1.5, 2.0), (2.0, 5.0), 7.9, 2.5, 0.06),  # half an octave beyond what it knows
        ("partials_3", (12.0, 20.0, 30.0), (5.0, 25.0), 40.0, 33.0, 0.6),  # 3 dB beyond
    ],
)
def test_the_players_range_goes_to_the_trained_one(
    name, trained, range_of_player, most, told_at_most, tolerance
):
    known = Usual(Range(*trained), (trained[1], 0.0, 0.0))
    mapping = FurtherMapping(SPEC, {name: known}, WholeQuantileMatch)
    rng = np.random.default_rng(0)
    played = rng.uniform(*range_of_player, 2000)
    sounds = np.ones(2000, bool)
    mapping.learn(sounds, {name: played})
    mapping.stop_learning()
    told = mapping.map(sounds, {name: played})[name]
    np.testing.assert_allclose(np.percentile(told, [5, 50, 95]), trained, atol=tolerance)
    order = np.argsort(played)
    assert (np.diff(told[order]) >= 0.0).all()
    hissing = mapping.map(np.zeros(1, bool), {name: np.array([most])})[name]
    assert hissing[0] == told_at_most


def test_a_player_without_upper_partials_makes_no_leaps():
    """More than half of the frames have none: their percentiles fall together at 0."""
    mapping = FurtherMapping(
        SPEC, {"partials_15": Usual(Range(5.0, 15.0, 25.0), (15.0, 0.0, 0.0))}, WholeQuantileMatch
    )
    played = np.concatenate([np.zeros(600), np.linspace(0.0, 6.0, 400)])
    mapping.learn(np.ones(1000, bool), {"partials_15": played})
    mapping.stop_learning()
    steps = np.linspace(0.0, 6.0, 601)
    told = mapping.map(np.ones(601, bool), {"partials_15": steps})["partials_15"]
    assert (np.diff(told) >= 0.0).all()
    assert np.diff(told).max() <= 0.11  # of a hundredth of a dB: ten times as much at most
    assert told[0] == 2.0  # 3 dB below what it knows
    assert told[-1] > 20.0


def test_a_brighter_sound_has_louder_upper_partials():
    told = brighter({name: np.full(3, 20.0) for name in ("voicing", "brightness", *PARTIALS)}, 0.5)
    assert told["voicing"].tolist() == [20.0] * 3
    assert told["brightness"].tolist() == [20.5] * 3
    levels = [told[name][0] for name in PARTIALS]
    assert (np.diff(levels) > 0.0).all()
    assert levels[2] == 20.0  # the third is the pivot
    assert levels[0] == pytest.approx(20.0 - 0.5 * 6.0 * np.log2(3.0), abs=0.01)


@pytest.mark.parametrize("octaves", [-0.8, 0.8])
def test_brightness_of_a_transfer_is_added_after_matching(tmp_path, octaves):
    soundfile.write(tmp_path / "in.wav", sung(), RATE, "FLOAT")
    sounds = []
    for name, brightness in (("as-it-is", 0.0), ("changed", octaves)):
        path = tmp_path / f"{name}.wav"
        render_audio(Instrument(BRIGHT, seed=1), tmp_path / "in.wav", path, brightness=brightness)
        sounds.append(soundfile.read(path)[0])
    before, after = (centroid_octaves(sound) for sound in sounds)
    assert (after - before) * np.sign(octaves) > 0.15


def test_brightness_of_an_instrument_that_has_none_is_refused(tmp_path):
    soundfile.write(tmp_path / "in.wav", sung(0.5), RATE)
    with pytest.raises(DdspError, match=r"brightness=0.5 is for an instrument that was trained with"):
        render_audio(Instrument(TINY), tmp_path / "in.wav", tmp_path / "out.wav", brightness=0.5)


@pytest.mark.parametrize("way", ["mute", "noise"])
def test_consonants_are_live_what_they_are_in_a_file(tmp_path, way):
    sound = sung()
    soundfile.write(tmp_path / "in.wav", sound, RATE, "FLOAT")
    render_audio(Instrument(TINY, seed=1), tmp_path / "in.wav", tmp_path / "out.wav", consonants=way)
    want, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    live = LiveEffect(TINY, seed=1, consonants=way)
    found = live.process(np.concatenate([sound, np.zeros(live.latency_samples, np.float32)]))
    n = len(sound) // HOP * HOP
    held = LiveEffect(TINY, seed=1).process(np.concatenate([sound, np.zeros(live.latency_samples)]))
    assert np.abs(held - found).max() > 0.005
    np.testing.assert_allclose(found[live.latency_samples :][:n], want[:n], atol=1e-4, rtol=0)


def test_consonants_need_controls():
    with pytest.raises(DdspError, match="consonants=mute is for the backends auto and numpy"):
        VoiceBank(TINY, backend="graph", consonants="mute")
    with pytest.raises(DdspError, match="consonants must be one of hold, noise, mute"):
        LiveEffect(TINY, consonants="mut")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"further": {}}, "tells of the further features none, and its inputs are brightness, partials_1"),
        ({"further": {name: {} for name in FURTHER}}, "line of voicing in its card must be three numbers"),
        (
            {"further": {name: {"line": [0, 0, 0]} for name in FURTHER}},
            "voicing in its card needs low, median and high",
        ),
        ({"further": []}, "further in its card must be dict"),
    ],
)
def test_a_card_that_does_not_say_what_is_usual_is_refused(change, words):
    document = {**json.loads(CARD.to_json()), **change}
    with pytest.raises(DdspError, match=words):
        InstrumentCard.from_document(document, "x.tflite")


def test_a_card_is_read_as_it_was_written():
    read = InstrumentCard.from_document(json.loads(CARD.to_json()), "x.tflite")
    assert read.further == CARD.further
    assert dataclasses.asdict(read) == dataclasses.asdict(CARD)


def test_values_that_are_not_finite_are_the_usual_ones():
    usual = {"brightness": Usual(Range(0.0, 1.0, 2.0), (1.25, 0.0, 0.0))}
    told = complete(usual, {"brightness": [np.nan, 3.0]}, np.array([220.0, 220.0]), np.array([-20.0, -20.0]))
    assert told["brightness"].tolist() == [1.25, 3.0]
