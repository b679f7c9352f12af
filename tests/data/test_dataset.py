"""Batches and passages of a dataset."""

import itertools
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ddsp_tf.data import load_dataset_info, read_passages, training_dataset, validation_dataset
from ddsp_tf.errors import DdspError
from ddsp_tf.frames import FrameSpec

CLIP = 50


def _batches(dataset: Any, count: int) -> list[dict[str, Any]]:
    return [
        {name: value.numpy() for name, value in {**inputs, "audio": audio}.items()}
        for inputs, audio in itertools.islice(dataset, count)
    ]


def _equal(a: list[dict[str, Any]], b: list[dict[str, Any]]) -> bool:
    return all(np.array_equal(x[k], y[k]) for x, y in zip(a, b, strict=True) for k in x)


def test_shapes_and_types_are_declared_and_true(made: Path, spec: FrameSpec) -> None:
    dataset = training_dataset(made, spec, batch_size=3, clip_frames=CLIP)
    inputs, audio = dataset.element_spec
    (batch,) = _batches(dataset, 1)
    for name, shape in {"f0_hz": (3, CLIP, 1), "loudness_db": (3, CLIP, 1), "audio": (3, CLIP * 128)}.items():
        declared = audio if name == "audio" else inputs[name]
        assert tuple(declared.shape) == batch[name].shape == shape
        assert declared.dtype.name == batch[name].dtype.name == "float32"
    assert dataset.cardinality() == -1  # endless, and Keras knows


def test_the_same_seed_gives_the_same_batches(made: Path, spec: FrameSpec) -> None:
    def first(seed: int) -> list[dict[str, Any]]:
        return _batches(training_dataset(made, spec, batch_size=4, clip_frames=CLIP, seed=seed), 6)

    assert _equal(first(5), first(5))
    assert not _equal(first(5), first(6))


@pytest.mark.parametrize("skip", [1, 7, 40])
def test_skipping_batches_goes_on_where_the_stream_was(made: Path, spec: FrameSpec, skip: int) -> None:
    whole = _batches(training_dataset(made, spec, batch_size=4, clip_frames=CLIP, seed=2), skip + 3)
    rest = training_dataset(made, spec, batch_size=4, clip_frames=CLIP, seed=2, skip_batches=skip)
    assert _equal(whole[skip:], _batches(rest, 3))


def test_skipping_a_million_batches_costs_nothing(made: Path, spec: FrameSpec) -> None:
    far = training_dataset(made, spec, batch_size=4, clip_frames=CLIP, skip_batches=1_000_000)
    assert len(_batches(far, 1)) == 1


def test_audio_and_features_of_a_clip_belong_together(made: Path, spec: FrameSpec) -> None:
    passages = list(read_passages(made, "train"))
    offsets = set()
    for batch in _batches(training_dataset(made, spec, batch_size=4, clip_frames=CLIP), 5):
        for f0_hz, loudness, audio in zip(batch["f0_hz"], batch["loudness_db"], batch["audio"], strict=True):
            found = [
                (passage, first)
                for passage in passages
                for first in range(len(passage.f0_hz) - CLIP + 1)
                if np.array_equal(passage.loudness_db[first : first + CLIP], loudness[:, 0])
            ]
            (passage, first) = found[0]
            offsets.add(first)
            np.testing.assert_array_equal(audio, passage.audio[first * 128 : (first + CLIP) * 128])
            np.testing.assert_array_equal(f0_hz[:, 0], passage.f0_hz[first : first + CLIP])
    assert len(offsets) > 5


def test_each_pass_visits_passages_by_their_length(made: Path, spec: FrameSpec) -> None:
    passages = list(read_passages(made, "train"))
    fitting = [len(p.f0_hz) // CLIP for p in passages]
    batches = _batches(training_dataset(made, spec, batch_size=1, clip_frames=CLIP, seed=4), sum(fitting))
    visits = [0] * len(passages)
    for batch in batches:
        audio = batch["audio"][0].tobytes()
        (at,) = [i for i, p in enumerate(passages) if audio in p.audio.tobytes()]
        visits[at] += 1
    assert visits == fitting


def test_validation_is_the_held_back_sound_in_order(made: Path, spec: FrameSpec) -> None:
    dataset = validation_dataset(made, spec, batch_size=4, clip_frames=CLIP)
    clips = np.concatenate([audio.numpy() for _, audio in dataset])
    wanted = [
        passage.audio[at : at + CLIP * 128]
        for passage in read_passages(made, "validation")
        for at in range(0, len(passage.audio) - CLIP * 128 + 1, CLIP * 128)
    ]
    np.testing.assert_array_equal(clips, wanted)
    assert int(dataset.cardinality()) == -(-len(wanted) // 4)


def test_no_f0_is_zero(made: Path, spec: FrameSpec) -> None:
    for batch in _batches(training_dataset(made, spec, batch_size=8, clip_frames=CLIP), 4):
        assert np.all(batch["f0_hz"] > 0)


def test_another_sample_rate_is_refused(made: Path) -> None:
    with pytest.raises(DdspError, match="has a sample rate of 16000 Hz, not 8000 Hz"):
        training_dataset(made, FrameSpec(8_000, 64), batch_size=1, clip_frames=CLIP)


def test_a_clip_longer_than_every_passage_is_refused(made: Path, spec: FrameSpec) -> None:
    with pytest.raises(DdspError, match=r"no train passage is as long as a clip of 10\.24 s\. Set training"):
        training_dataset(made, spec, batch_size=1, clip_frames=1280)


@pytest.mark.parametrize(
    "arguments", [{"batch_size": 0, "clip_frames": 5}, {"batch_size": 5, "clip_frames": 0}]
)
def test_sizes_must_be_positive(made: Path, spec: FrameSpec, arguments: dict[str, int]) -> None:
    with pytest.raises(DdspError, match="must be at least 1"):
        training_dataset(made, spec, **arguments)


def test_an_unknown_split_is_refused(made: Path) -> None:
    with pytest.raises(DdspError, match=r"split must be one of train, validation\. Received: 'test'"):
        next(read_passages(made, "test"))


def _train_shard(folder: Path) -> Path:
    (shard,) = folder.glob("train-*.tfrecord")
    return shard


@pytest.mark.parametrize("kept", [0, 1, 11, 13, 0.5, -1, "record"])
def test_a_truncated_shard_is_named_with_its_record(
    made: Path, tmp_path: Path, spec: FrameSpec, kept: float | str
) -> None:
    shutil.copytree(made, tmp_path / "d")
    shard = _train_shard(tmp_path / "d")
    data = shard.read_bytes()
    first = 16 + int.from_bytes(data[:8], "little")
    if kept == "record":  # cut between two records, where the framing itself is whole
        data = data[:first]
    elif kept == 0.5:
        data = data[: len(data) // 2]
    else:
        data = data[: int(kept)]
    shard.write_bytes(data)
    with pytest.raises(DdspError, match=rf"{shard.name}.*record \d+"):
        training_dataset(tmp_path / "d", spec, batch_size=1, clip_frames=CLIP)
    with pytest.raises(DdspError, match=shard.name):
        list(read_passages(tmp_path / "d", "train"))


def test_a_flipped_bit_is_named_with_its_record(made: Path, tmp_path: Path, spec: FrameSpec) -> None:
    shutil.copytree(made, tmp_path / "d")
    shard = _train_shard(tmp_path / "d")
    data = bytearray(shard.read_bytes())
    second = 16 + int.from_bytes(data[:8], "little")
    data[second + 5000] ^= 4
    shard.write_bytes(data)
    with pytest.raises(
        DdspError,
        match=rf"{shard.name}: record 1 is damaged or cut short, at byte {second} of {len(data)}: its",
    ):
        training_dataset(tmp_path / "d", spec, batch_size=1, clip_frames=CLIP)


@pytest.mark.parametrize("where", [3, 9, 500, -2])  # of the record: length, its checksum, data, checksum
def test_damage_is_skipped_and_told_on_request(
    made: Path, tmp_path: Path, spec: FrameSpec, where: int
) -> None:
    shutil.copytree(made, tmp_path / "d")
    shard = _train_shard(tmp_path / "d")
    data = bytearray(shard.read_bytes())
    second = 16 + int.from_bytes(data[:8], "little")
    third = second + 16 + int.from_bytes(data[second : second + 8], "little")
    data[second + where if where > 0 else third + where] ^= 4
    shard.write_bytes(data)
    told: list[str] = []
    found = list(read_passages(tmp_path / "d", "train", on_damage=told.append))
    before = list(read_passages(made, "train"))
    assert [p.first_sample for p in found] == [p.first_sample for p in before[:1] + before[2:]]
    (sentence,) = told
    assert f"{shard.name}: record 1 is damaged or cut short, at byte {second} of {len(data)}" in sentence
    clips = training_dataset(
        tmp_path / "d", spec, batch_size=1, clip_frames=CLIP, on_damage=lambda text: told.append(text)
    )
    assert len(_batches(clips, 30)) == 30
    assert told == [sentence, sentence]


def test_lost_records_and_shards_are_told_too(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "d")
    shard = _train_shard(tmp_path / "d")
    data = shard.read_bytes()
    first = 16 + int.from_bytes(data[:8], "little")
    told: list[str] = []
    shard.write_bytes(data[:first])
    assert len(list(read_passages(tmp_path / "d", "train", on_damage=told.append))) == 1
    assert f"it has 1 records in {first} bytes; dataset.json counts" in told.pop()
    shard.write_bytes(data[: first + 100])
    assert len(list(read_passages(tmp_path / "d", "train", on_damage=told.append))) == 1
    assert f"record 1 is damaged or cut short, at byte {first} of {first + 100}" in told[0]
    told.clear()
    shard.unlink()
    assert list(read_passages(tmp_path / "d", "train", on_damage=told.append)) == []
    assert "is missing" in told.pop()


def test_a_record_that_is_damaged_while_training_runs_is_named(
    made: Path, tmp_path: Path, spec: FrameSpec
) -> None:
    from ddsp_tf.data.records.shards import read_records

    shutil.copytree(made, tmp_path / "d")
    shard = _train_shard(tmp_path / "d")
    places = [place for place, _ in read_records(tmp_path / "d", load_dataset_info(made), "train")]
    data = bytearray(shard.read_bytes())
    data[places[2].offset + 5000] ^= 1
    shard.write_bytes(data)
    assert places[1].read().source == "one.wav"
    with pytest.raises(DdspError, match=f"record 2 is damaged or cut short, at byte {places[2].offset}"):
        places[2].read()


def test_a_missing_shard_is_named(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "d")
    shard = _train_shard(tmp_path / "d")
    shard.unlink()
    with pytest.raises(DdspError, match=f"{shard.name} is missing"):
        list(read_passages(tmp_path / "d", "train"))


def test_records_of_another_grid_are_refused(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "d")
    document = json.loads((tmp_path / "d" / "dataset.json").read_text())
    document["features"]["f0_hz"]["hop"] = 64
    (tmp_path / "d" / "dataset.json").write_text(json.dumps(document))
    with pytest.raises(DdspError, match="record 0: made for 16000 Hz, audio, f0_hz with hop 128"):
        list(read_passages(tmp_path / "d", "train"))
