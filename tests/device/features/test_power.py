"""Power on the device: its definition, its stream, and what an instrument that hears it is told."""

import dataclasses
import json

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_edge import DdspError, FrameSpec, read_model_file
from ddsp_edge.features.level import DEFINITIONS, level_meter
from ddsp_edge.features.loudness import LoudnessMeter
from ddsp_edge.features.power import PowerMeter, power_db, power_window_size
from ddsp_edge.files.audio_file import AudioReader
from ddsp_edge.instrument_card import LEVELS
from ddsp_edge.live.following import Follower
from ddsp_edge.model.file import read_card, write_model_file
from ddsp_edge.render.tracking import RecordingTracker
from tests.device.conftest import TINY
from tests.device.features.test_features import blocks_of

CARD = read_model_file(TINY).card
POWER = dataclasses.replace(CARD, level="power")


def mean_squares(audio, hop, size):
    """The definition, frame by frame in float64; beyond the ends is silence."""
    padded = np.concatenate([np.zeros(size), np.asarray(audio, np.float64), np.zeros(size)])
    starts = [size + (frame + 1) * hop - size // 2 for frame in range(len(audio) // hop)]
    means = np.array([np.mean(padded[start : start + size] ** 2) for start in starts])
    return 10.0 * np.log10(np.maximum(means, 1e-10))


def test_it_is_the_mean_square_of_1024_samples():
    """Of which the plug-in's own detector differs by 0.0000 dB."""
    audio = np.random.default_rng(0).normal(0.0, 0.1, 16_000).astype(np.float32)
    meter = PowerMeter(FrameSpec(16_000, 320))
    found = np.concatenate([meter.push(audio), meter.flush()])
    assert (meter.window_samples, meter.latency_samples) == (1024, 512)
    np.testing.assert_allclose(found, mean_squares(audio, 320, 1024), atol=2e-6)  # float32
    np.testing.assert_allclose(power_db(audio, FrameSpec(16_000, 320)), found, atol=4e-6)


@settings(max_examples=15, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 3000), min_size=1, max_size=5),
    rate=st.sampled_from([16_000, 22_050, 44_100]),  # 1411 samples at 22.05 kHz: an odd window
    hop=st.sampled_from([64, 320, 3000]),
)
def test_power_in_blocks_is_the_whole(sizes, rate, hop):
    audio = np.random.default_rng(0).normal(size=8000).astype(np.float32) * 0.1
    audio[3000:6000] = 0.0
    meter = PowerMeter(FrameSpec(rate, hop))
    found = np.concatenate([*(meter.push(b) for b in blocks_of(audio, sizes)), meter.flush()])
    want = mean_squares(audio, hop, round(0.064 * rate))
    np.testing.assert_allclose(found, want, atol=1e-5)
    np.testing.assert_allclose(power_db(audio, FrameSpec(rate, hop)), want, atol=1e-5)


def test_a_sine_has_half_its_square_and_silence_the_floor():
    audio = np.sin(2 * np.pi * 100.0 * np.arange(16_000) / 16_000)
    spec = FrameSpec(16_000, 160)
    np.testing.assert_allclose(power_db(audio, spec)[10:-10], -3.0103, atol=0.1)  # no whole periods
    assert set(power_db(np.zeros(1600), spec)) == {np.float32(-100.0)}
    assert PowerMeter(spec).follow(np.zeros(1024, np.float32)) == -100.0


@pytest.mark.parametrize("level", LEVELS)
def test_each_level_has_a_meter_and_a_definition(level):
    spec = FrameSpec(16_000, 320)
    assert type(level_meter(level, spec)) is {"loudness": LoudnessMeter, "power": PowerMeter}[level]
    assert level_meter(level, spec, 384).window_samples == 384
    assert level_meter(level, spec).window_samples == {"loudness": 512, "power": 1024}[level]
    assert ("A-weighted" in DEFINITIONS[level]) == (level == "loudness")


def test_an_instrument_of_power_is_told_power_from_a_file_and_live(tmp_path):
    """The same, to the last bit; an instrument of loudness is told that, as ever."""
    rng = np.random.default_rng(0)
    audio = (0.2 * np.sin(2 * np.pi * 60.0 * np.arange(16_000) / 16_000)).astype(np.float32)
    audio += rng.normal(0.0, 1e-3, 16_000).astype(np.float32)
    soundfile.write(tmp_path / "low.wav", audio, 16_000, "FLOAT")
    told = {}
    for card in (CARD, POWER):
        with AudioReader(tmp_path / "low.wav", 16_000) as reader:
            sound = np.concatenate(list(reader.blocks(1 << 20)))
        with AudioReader(tmp_path / "low.wav", 16_000) as reader:
            blocks = [block for block, _ in RecordingTracker(card).blocks(reader)]
        told[card.level] = np.concatenate([block.loudness_db for block in blocks])
        follower = Follower(card, 1024)
        live = [frame for block in blocks_of(sound, [777]) for frame in follower.push(block)]
        assert follower.latency_samples >= power_window_size(16_000) // 2
        heard = np.array([frame[1] for frame in live], np.float32)
        np.testing.assert_array_equal(heard, told[card.level][: len(heard)])
    np.testing.assert_allclose(told["power"], mean_squares(sound, CARD.hop, 1024), atol=1e-5)
    middle = slice(20, -20)
    assert (told["power"][middle] - told["loudness"][middle]).min() > 10.0  # 60 Hz: A-weighting is -26 dB


def test_the_level_of_a_card_is_read_and_loudness_is_not_told(tmp_path):
    """Cards of loudness are written as they were before there was anything else."""
    assert CARD.level == "loudness"
    assert "level" not in json.loads(CARD.to_json())
    assert json.loads(POWER.to_json())["level"] == "power"
    assert read_card(POWER.to_json(), "x") == POWER
    file = read_model_file(TINY)
    write_model_file(tmp_path / "power.tflite", file.model, POWER, file.arrays)
    assert read_model_file(tmp_path / "power.tflite").card.level == "power"
    for wrong, words in (
        ("volume", r"loudness or power\. Received: 'volume'"),
        (3, "must be str"),
        ({}, "must be str"),
    ):
        document = {**json.loads(POWER.to_json()), "level": wrong}
        with pytest.raises(
            DdspError, match=f"^x.tflite: level in its card must be .*{words.removeprefix('must be ')}"
        ):
            read_card(json.dumps(document), "x.tflite")
