"""Files are restored whole: rate, channels and length stay, and what was taken out can be had."""

import numpy as np
import pytest
import soundfile

from ddsp_edge.errors import DdspError
from ddsp_edge.frames import FrameSpec
from ddsp_edge.restoration.bands import Bands
from ddsp_edge.restoration.files import restore_file
from ddsp_edge.restoration.restorer import Restorer
from tests.device.restoration.networks import Constant, Follower

BANDS = Bands(FrameSpec(16_000, 128), 64, 32)
STEP = 2.0**-15  # of 16 bits


def at(network):
    return lambda rate, channels: Restorer(network, BANDS, rate, channels)


def write(path, rate, channels, samples, seed=1):
    audio = np.random.default_rng(seed).uniform(-0.5, 0.5, (samples, channels))
    soundfile.write(path, audio, rate, subtype="PCM_16")
    return soundfile.read(path, dtype="float32", always_2d=True)[0]


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (16_000, 2), (44_100, 2), (48_000, 6)])
@pytest.mark.parametrize("samples", [1, 127, 30_001])
def test_a_file_keeps_rate_channels_and_length_and_its_sound_its_place(tmp_path, rate, channels, samples):
    audio = write(tmp_path / "in.wav", rate, channels, samples)
    report = restore_file(at(Constant(1.0)), tmp_path / "in.wav", tmp_path / "out.flac")
    given, given_rate = soundfile.read(tmp_path / "out.flac", dtype="float32", always_2d=True)
    assert (given_rate, given.shape) == (rate, audio.shape)
    np.testing.assert_allclose(given, audio, atol=STEP)
    assert report.seconds == samples / rate
    assert report.removed_db < -80.0
    assert report.taken_out == "nothing taken out"
    assert not report.warnings


def test_stems_hold_what_was_taken_out(tmp_path):
    audio = write(tmp_path / "in.wav", 16_000, 2, 40_000)
    report = restore_file(at(Follower(BANDS)), tmp_path / "in.wav", tmp_path / "out.wav", stems=True)
    kept, removed = (
        soundfile.read(tmp_path / name, always_2d=True)[0] for name in ("out.wav", "out-removed.wav")
    )
    np.testing.assert_allclose(kept + removed, audio, atol=2 * STEP)
    wanted = 10.0 * np.log10(np.sum(removed**2) / np.sum(audio**2))
    assert report.removed_db == pytest.approx(wanted, abs=0.1)
    assert -30.0 < wanted < 0.0
    assert report.taken_out.startswith("what was taken out has ")


def test_one_is_told_where_nearly_everything_is_gone(tmp_path):
    write(tmp_path / "in.wav", 16_000, 1, 40_000)
    half = restore_file(at(Constant(0.5)), tmp_path / "in.wav", tmp_path / "out.wav")
    assert half.taken_out == "what was taken out has 25.00% of its power"
    assert not half.warnings  # a quarter is left
    (told,) = restore_file(at(Constant(0.3)), tmp_path / "in.wav", tmp_path / "out.wav").warnings
    assert told.startswith("less than a tenth of its power is left")
    soundfile.write(tmp_path / "nothing.wav", np.zeros(4_000), 16_000)
    report = restore_file(at(Constant(0.02)), tmp_path / "nothing.wav", tmp_path / "out.wav")
    assert report.taken_out == "silence, of which nothing was taken out"
    assert not report.warnings


def test_progress_is_told_in_seconds(tmp_path):
    write(tmp_path / "in.wav", 16_000, 1, 40_000)
    told = []
    restore_file(
        at(Constant(0.5)),
        tmp_path / "in.wav",
        tmp_path / "out.wav",
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == sorted(told)
    assert told[-1] == (2.5, 2.5)


def test_nothing_is_overwritten_that_is_read(tmp_path):
    write(tmp_path / "in.wav", 16_000, 1, 1_000)
    with pytest.raises(DdspError, match="would be overwritten"):
        restore_file(at(Constant(1.0)), tmp_path / "in.wav", tmp_path / "in.wav")
    write(tmp_path / "a-removed.wav", 16_000, 1, 1_000)
    with pytest.raises(DdspError, match="would be overwritten"):
        restore_file(at(Constant(1.0)), tmp_path / "a-removed.wav", tmp_path / "a.wav", stems=True)


def test_what_is_no_sound_leaves_nothing_behind(tmp_path):
    audio = np.zeros(20_000, np.float32)
    audio[15_000] = np.nan
    soundfile.write(tmp_path / "in.wav", audio, 16_000, subtype="FLOAT")
    with pytest.raises(DdspError, match="not finite numbers"):
        restore_file(at(Constant(1.0)), tmp_path / "in.wav", tmp_path / "out.wav", stems=True)
    assert [path.name for path in tmp_path.iterdir()] == ["in.wav"]
