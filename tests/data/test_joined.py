"""Single notes make a dataset: they are joined with silence until a clip fits into them."""

from pathlib import Path

import numpy as np
import pytest

from ddsp_tf.config import DataConfig
from ddsp_tf.data import load_dataset_info, prepare, read_passages, training_dataset, validation_dataset
from ddsp_tf.data.dataset import PitchedClips
from ddsp_tf.data.joined import FADE_SECONDS
from ddsp_tf.errors import DdspError
from ddsp_tf.frames import FrameSpec
from tests.data.doubles import ConstantEstimator
from tests.data.sounds import tone, write

RATE, NOTES, NOTE_SECONDS = 16_000, 24, 0.5
CLIP = 250  # frames: 2 s


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory, spec: FrameSpec) -> Path:
    folder = tmp_path_factory.mktemp("notes")
    files = [
        write(folder / f"{'flute' if i % 2 else 'horn'}-{i:02}.wav", tone(NOTE_SECONDS) * (i + 1) / NOTES)
        for i in range(NOTES)
    ]
    prepare(files, folder / "dataset", spec, DataConfig(), estimator=ConstantEstimator(), jobs=1)
    return folder / "dataset"


def _clips(folder: Path, spec: FrameSpec, split: str, frames: int = CLIP) -> PitchedClips:
    return PitchedClips(folder, spec, split, frames, None, "loudness", None)


def test_every_note_is_used(notes: Path, spec: FrameSpec) -> None:
    info = load_dataset_info(notes)
    assert sum(file.status == "used" for file in info.files) == NOTES
    clips = _clips(notes, spec, "train")
    places = [place for passage in clips.passages for place in passage.places]
    assert len(places) == len(set(places)) == len(list(read_passages(notes, "train")))
    assert all(passage.n_samples >= CLIP * spec.hop for passage in clips.passages)


def test_between_notes_is_silence_in_the_sound_and_in_the_features(notes: Path, spec: FrameSpec) -> None:
    passage = _clips(notes, spec, "train").passages[0]
    record = passage.read()
    assert len(record.audio) == record.n_frames * record.hop == passage.n_samples
    sounds = np.abs(record.audio.astype(np.float64)).reshape(-1, record.hop).max(axis=1) > 0
    np.testing.assert_array_equal(sounds, record.f0_hz > 0)
    np.testing.assert_array_equal(sounds, record.voicing > 0)
    assert np.all(record.loudness_db[~sounds] == -80.0)
    assert record.loudness_db[sounds].min() > -80.0
    begins = np.flatnonzero(np.diff(sounds.astype(int)) == 1)
    assert len(begins) == len(passage.places) - 1


def test_notes_are_what_was_recorded_but_for_a_fade(notes: Path, spec: FrameSpec) -> None:
    passage = _clips(notes, spec, "train").passages[0]
    joined, alone = passage.read().audio, passage.places[0].read().sounds["audio"]
    fade = round(FADE_SECONDS * RATE)
    np.testing.assert_array_equal(joined[fade : len(alone) - fade], alone[fade:-fade])
    assert np.abs(joined[: len(alone)] - alone.astype(np.float64)).max() > 0


def test_batches_come_of_both_splits(notes: Path, spec: FrameSpec) -> None:
    inputs, audio = next(iter(training_dataset(notes, spec, batch_size=3, clip_frames=CLIP)))
    assert audio.shape == (3, CLIP * spec.hop)
    assert float(np.min(inputs["f0_hz"])) > 0  # held through the silence
    held_back = validation_dataset(notes, spec, batch_size=3, clip_frames=CLIP)
    assert sum(len(audio) for _, audio in held_back) >= 1


def test_held_back_notes_too_few_for_a_clip_get_silence_behind_them(notes: Path, spec: FrameSpec) -> None:
    clips = _clips(notes, spec, "validation", frames=625)  # 5 s, of four notes or fewer
    (passage,) = clips.passages
    ((_, audio),) = validation_dataset(notes, spec, batch_size=3, clip_frames=625)
    assert len(passage.places) == len(list(read_passages(notes, "validation")))
    assert passage.n_samples == 625 * spec.hop
    assert np.any(audio[0, : RATE // 4])
    assert not np.any(audio[0, -RATE:])


def test_notes_of_two_instruments_are_not_mixed(notes: Path, spec: FrameSpec) -> None:
    names = {"flute": "flute-*", "horn": "horn-*"}
    clips = PitchedClips(notes, spec, "train", CLIP, names, "loudness", None)
    for passage in clips.passages:
        assert len({place.read().source.split("-")[0] for place in passage.places}) == 1


def test_more_than_all_notes_together_is_refused(notes: Path, spec: FrameSpec) -> None:
    with pytest.raises(DdspError, match="no train passage is as long as a clip of 16 s"):
        training_dataset(notes, spec, batch_size=1, clip_frames=2000)


def test_what_holds_no_pitch_is_too_short(tmp_path: Path, spec: FrameSpec) -> None:
    files = [write(tmp_path / "long.wav", tone(3.0)), write(tmp_path / "click.wav", tone(0.05))]
    info = prepare(files, tmp_path / "out", spec, estimator=ConstantEstimator(), jobs=1)
    (skipped,) = (file for file in info.files if file.status == "skipped")
    assert skipped.name == "click.wav"
    assert "at least 0.1 s of sound is needed" in skipped.reason


def test_every_instrument_keeps_its_held_back_notes(tmp_path: Path, spec: FrameSpec) -> None:
    """However few they are, and whichever comes first."""
    files = [
        write(tmp_path / f"{name}-{i}.wav", tone(NOTE_SECONDS) * (0.3 + (i + 8 * n) / 40))
        for i in range(8)
        for n, name in enumerate(("flute", "horn"))
    ]
    config = DataConfig(validation_share=0.25)
    prepare(files, tmp_path / "dataset", spec, config, estimator=ConstantEstimator(), jobs=1)
    held_back = {
        passage.source.split("-")[0] for passage in read_passages(tmp_path / "dataset", "validation")
    }
    names = {"flute": "flute-*", "horn": "horn-*"}
    clips = PitchedClips(tmp_path / "dataset", spec, "validation", 625, names, "loudness", None)
    heard = {place.read().source.split("-")[0] for passage in clips.passages for place in passage.places}
    assert heard == held_back == {"flute", "horn"}
