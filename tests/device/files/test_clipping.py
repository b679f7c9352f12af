"""Clipping: runs of samples at full scale, counted in each channel of a file as it is read."""

from itertools import groupby

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from ddsp_edge.files.audio_file import AudioReader
from ddsp_edge.files.clipping import ClippingCounter

RATE = 16_000


def counted(path):
    with AudioReader(path) as reader:
        for _ in reader.blocks():
            pass
        return reader.clipped_samples


def one_by_one(samples, level):
    runs = [len(list(run)) for loud, run in groupby(np.abs(samples) >= level) if loud]
    return sum(run for run in runs if run >= 3)


@given(
    st.lists(st.sampled_from([0.0, 1.0, -1.0, 1.0]), min_size=1, max_size=60),
    st.lists(st.integers(1, 60), max_size=8),
)
def test_runs_are_counted_wherever_blocks_end(samples, cuts):
    stereo = np.stack([samples, samples[::-1]], axis=1)
    counter = ClippingCounter(1.0, 2)
    for block in np.split(stereo, sorted(c for c in cuts if c < len(stereo))):
        if len(block):
            counter.add(block)
    assert counter.samples == one_by_one(stereo[:, 0], 1.0) + one_by_one(stereo[:, 1], 1.0)


@pytest.mark.parametrize(
    ("ending", "subtype"),
    [("wav", s) for s in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "ULAW", "ALAW")]
    + [("flac", "PCM_16"), ("flac", "PCM_24"), ("aiff", "PCM_16")],
)
def test_clipping_is_noticed_however_samples_are_stored(tmp_path, ending, subtype):
    t = np.arange(100_000) / RATE
    sine = np.sin(2.0 * np.pi * 220.0 * t)
    path = tmp_path / f"a.{ending}"
    for level, wanted in ((2.0, True), (0.9, False)):
        soundfile.write(path, np.clip(level * sine, -1.0, 1.0), RATE, subtype=subtype)
        # a sine of twice full scale is beyond it for two thirds of the time: arcsin(1/2) is 30 degrees
        assert counted(path) == (pytest.approx(len(t) * 2 / 3, rel=0.02) if wanted else 0)


def test_channels_are_looked_at_before_they_are_averaged(tmp_path):
    clipped = np.clip(2.0 * np.sin(2.0 * np.pi * 220.0 * np.arange(RATE) / RATE), -1.0, 1.0)
    soundfile.write(tmp_path / "a.wav", np.stack([clipped, 0.1 * clipped], axis=1), RATE)
    assert counted(tmp_path / "a.wav") == pytest.approx(RATE * 2 / 3, rel=0.02)


def test_a_peak_that_is_normalised_to_full_scale_is_no_clipping(tmp_path):
    sine = np.sin(2.0 * np.pi * 1000.0 * np.arange(RATE) / RATE)  # touches 1 once in a period
    soundfile.write(tmp_path / "a.wav", sine, RATE)
    assert counted(tmp_path / "a.wav") == 0
