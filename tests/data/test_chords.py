"""Clips with chords in them are left out of training where chords can be told from notes that ring."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.signal

from ddsp_edge.units import Array
from ddsp_tf.config import DataConfig
from ddsp_tf.config.sections import AugmentationConfig
from ddsp_tf.data import prepare, training_dataset
from ddsp_tf.data.augment import frames_taken
from ddsp_tf.data.chords import OneNote
from ddsp_tf.data.dataset import PitchedClips
from ddsp_tf.data.pitched import PitchedRecord
from ddsp_tf.data.records.info import load_dataset_info
from ddsp_tf.data.records.shards import read_records
from ddsp_tf.errors import DdspError
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
    second = note(369.0, LAST - FIRST - 0.3)
    audio[round(FIRST * RATE) : round(FIRST * RATE) + len(second)] += second
    return audio


@pytest.fixture(scope="module")
def dry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return dataset(tmp_path_factory.mktemp("dry"), playing())


def dataset(folder: Path, audio: Array) -> Path:
    data = DataConfig(passage_seconds=5.0, validation_share=0.1)
    prepare([write(folder / "melody.wav", audio)], folder / "dataset", SPEC, data, jobs=1)
    return folder / "dataset"


def clips_of(folder: Path, several_notes: str, **more: Any) -> PitchedClips:
    given = {"instruments": None, "level": "loudness", "on_damage": None, **more}
    frames = SPEC.frames_for(CLIP_S)
    return PitchedClips(folder, SPEC, "train", frames, several_notes=several_notes, **given)


def shares(folder: Path, several_notes: str, count: int = 300) -> Array:
    """Of clips that are drawn, how much of each lies in the seconds with a second note."""
    clips = clips_of(folder, several_notes)
    slots = np.repeat(np.arange(len(clips.passages)), clips.fitting())
    found = []
    for number in range(count):
        clip = clips.draw(int(slots[number % len(slots)]), 0, number)
        start = clips.passages[clip.passage].read().first_sample / RATE + clip.first * SPEC.hop / RATE
        found.append(max(0.0, min(LAST, start + CLIP_S) - max(FIRST, start)) / CLIP_S)
    return np.array(found)


def stretches_of(folder: Path) -> list[tuple[float, float]]:
    info = load_dataset_info(folder)
    return [
        stretch
        for split in ("train", "validation")
        for _, record in read_records(folder, info, split)
        for stretch in PitchedRecord.of(record).quality.several_notes_seconds
    ]


def test_where_several_notes_sound_is_kept_in_the_records(dry: Path) -> None:
    stretches = stretches_of(dry)
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
    assert stretches_of(folder)
    np.testing.assert_array_equal(shares(folder, "leave_out"), shares(folder, "keep"))


def test_where_nothing_would_be_left_of_an_instrument_its_clips_all_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = np.concatenate([note(f0_hz, 1.3) for f0_hz in (220.0, 294.0) * 5])
    two = one + np.concatenate([note(f0_hz, 1.3) for f0_hz in (369.0, 247.0) * 5])
    files = [write(tmp_path / "solo.wav", one), write(tmp_path / "chords.wav", two)]
    data = DataConfig(passage_seconds=4.0, validation_share=0.1)
    prepare(files, tmp_path / "dataset", SPEC, data, jobs=1)
    monkeypatch.setattr("ddsp_tf.data.chords.room_seconds", lambda decays: 0.2)
    monkeypatch.setattr(OneNote, "starts", lambda self, frames: np.zeros(0, int))
    apart = clips_of(tmp_path / "dataset", "leave_out", instruments={"solo": "solo.*", "chords": "chords.*"})
    assert apart.fitting().all()
    together = clips_of(tmp_path / "dataset", "leave_out")
    chords = [bool(p.read().quality.several_notes_seconds) for p in together.passages]
    assert sum(chords) > 1
    np.testing.assert_array_equal(together.fitting() == 0, chords)


def test_clips_that_are_shifted_end_within_their_passage(dry: Path) -> None:
    clips = clips_of(dry, "leave_out", augmentation=AugmentationConfig(pitch_semitones=3.0))
    for number in range(200):
        clip = clips.draw(number % len(clips.passages), 0, number)
        frames = SPEC.n_frames(clips.passages[clip.passage].n_samples)
        assert clip.first + min(frames, frames_taken(SPEC.frames_for(CLIP_S), clip.change.ratio)) <= frames


@pytest.mark.parametrize("frames", [99, 100, 101, 102, 150, 300])
def test_of_a_passage_that_is_shorter_than_a_clip_none_will_do(frames: int) -> None:
    starts = OneNote(np.arange(100) >= 90).starts(frames)
    np.testing.assert_array_equal(starts, [0] if frames == 99 else [0] if frames == 100 else [])


def test_recordings_that_are_hardly_shorter_than_a_clip_are_heard_whole(tmp_path: Path) -> None:
    """Silence makes them as long as one: they are no records as they are."""
    files = []
    for f0_hz in (220.0, 247.0, 262.0, 294.0):
        audio = note(f0_hz, 0.67)  # 0.97 s
        second = np.pad(note(1.68 * f0_hz, 0.6), (0, len(audio)))[: len(audio)]
        files.append(write(tmp_path / f"{f0_hz:.0f}.wav", audio + second))
    data = DataConfig(passage_seconds=2.0, validation_share=0.25)
    prepare(files, tmp_path / "dataset", SPEC, data, jobs=1)
    clips = clips_of(tmp_path / "dataset", "leave_out")
    assert clips.fitting().tolist() == [1] * len(clips.passages)
    assert clips.draw(0, 0, 0).first >= 0


def test_another_wish_is_refused(dry: Path) -> None:
    with pytest.raises(DdspError, match=r"must be one of leave_out, keep\. Received: 'drop'"):
        clips_of(dry, "drop")


def test_batches_go_on_where_the_stream_was(dry: Path) -> None:
    def batches(skip: int) -> Any:
        frames = SPEC.frames_for(CLIP_S)
        return training_dataset(
            dry, SPEC, batch_size=4, clip_frames=frames, several_notes="leave_out", skip_batches=skip
        )

    *_, third = batches(0).take(3)
    (again,) = batches(2).take(1)
    np.testing.assert_array_equal(third[1].numpy(), again[1].numpy())
