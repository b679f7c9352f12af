"""Clips with chords in them are left out of training where chords can be told from notes that ring."""

from pathlib import Path

import numpy as np
import pytest
import scipy.signal

from ddsp_edge.units import Array
from ddsp_tf.config import DataConfig
from ddsp_tf.data import prepare, training_dataset
from ddsp_tf.data.dataset import PitchedClips
from ddsp_tf.data.pitched import PitchedRecord
from ddsp_tf.data.records.info import load_dataset_info
from ddsp_tf.data.records.shards import read_records
from ddsp_tf.frames import FrameSpec
from tests.data.sounds import write

RATE, CLIP_S = 16_000, 1.0
SPEC = FrameSpec(RATE, 128)
FIRST, LAST = 8.0, 13.0  # seconds in which a second note sounds


def note(f0_hz: float, seconds: float) -> Array:
    """Eight partials that begin and end in 20 ms, and a rest of 0.3 s."""
    t = np.arange(round(seconds * RATE)) / RATE
    shape = np.minimum(1.0, np.minimum(t, seconds - t - 1.0 / RATE) / 0.02).clip(0.0)
    tone = sum(np.sin(2.0 * np.pi * k * f0_hz * t + k) / k for k in range(1, 9))
    return np.concatenate([0.15 * shape * tone, np.zeros(round(0.3 * RATE))])


def playing() -> Array:
    """A melody of 20 s, for 5 s of which a second note goes with it."""
    audio = np.concatenate([note(f0_hz, 1.3) for f0_hz in np.tile([220.0, 294.0, 262.0, 349.0], 4)])[
        : 20 * RATE
    ]
    second = np.concatenate([note(f0_hz, LAST - FIRST - 0.3) for f0_hz in (369.0,)])
    audio[round(FIRST * RATE) : round(FIRST * RATE) + len(second)] += second
    return audio


@pytest.fixture(scope="module")
def dry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return dataset(tmp_path_factory.mktemp("dry"), playing())


def dataset(folder: Path, audio: Array) -> Path:
    data = DataConfig(passage_seconds=5.0, validation_share=0.1)
    prepare([write(folder / "melody.wav", audio)], folder / "dataset", SPEC, data, jobs=1)
    return folder / "dataset"


def shares(folder: Path, several_notes: str, count: int = 300) -> Array:
    """Of clips that are drawn, how much of each lies in the seconds with a second note."""
    frames = SPEC.frames_for(CLIP_S)
    clips = PitchedClips(folder, SPEC, "train", frames, None, "loudness", None, several_notes=several_notes)
    slots = np.repeat(np.arange(len(clips.passages)), clips.fitting())
    found = []
    for number in range(count):
        clip = clips.draw(int(slots[number % len(slots)]), 0, number)
        start = clips.passages[clip.passage].read().first_sample / RATE + clip.first * SPEC.hop / RATE
        found.append(max(0.0, min(LAST, start + CLIP_S) - max(FIRST, start)) / CLIP_S)
    return np.array(found)


def test_where_several_notes_sound_is_kept_in_the_records(dry: Path) -> None:
    info = load_dataset_info(dry)
    stretches = [
        stretch
        for split in ("train", "validation")
        for _, record in read_records(dry, info, split)
        for stretch in PitchedRecord.of(record).quality.several_notes_seconds
    ]
    within = sum(end - begin for begin, end in stretches if begin > FIRST - 0.3 and end < LAST + 0.3)
    assert within > 0.5 * (LAST - FIRST - 0.3)  # where no partials fall together
    assert within > 0.9 * sum(end - begin for begin, end in stretches)


def test_clips_with_chords_are_left_out_or_kept(dry: Path) -> None:
    assert (shares(dry, "keep") > 0.5).mean() > 0.15
    assert (shares(dry, "leave_out") > 0.5).mean() < 0.02
    assert (shares(dry, "leave_out") == 0.0).mean() > 0.8


def test_what_rings_is_no_chord(tmp_path: Path) -> None:
    """In a room of two seconds nothing is left out."""
    rng = np.random.default_rng(0)
    t = np.arange(2 * RATE) / RATE
    room = np.concatenate([[1.0], 0.05 * rng.standard_normal(len(t) - 1) * 10.0 ** (-3.0 * t[1:] / 2.0)])
    wet = scipy.signal.fftconvolve(playing(), room)[: 20 * RATE]
    folder = dataset(tmp_path, wet / np.abs(wet).max())
    np.testing.assert_array_equal(shares(folder, "leave_out"), shares(folder, "keep"))


def test_where_nothing_would_be_left_all_clips_stay(tmp_path: Path) -> None:
    audio = np.concatenate([note(220.0, 1.3), note(294.0, 1.3)] * 4)
    both = audio + np.concatenate([note(369.0, 1.3), note(247.0, 1.3)] * 4)
    folder = dataset(tmp_path, both)
    np.testing.assert_array_equal(shares(folder, "leave_out"), shares(folder, "keep"))


def test_batches_are_made_of_such_clips(dry: Path) -> None:
    def first(several_notes: str) -> Array:
        batches = training_dataset(
            dry, SPEC, batch_size=16, clip_frames=SPEC.frames_for(CLIP_S), several_notes=several_notes
        )
        return next(iter(batches.take(1)))[1].numpy()

    assert not np.array_equal(first("keep"), first("leave_out"))
