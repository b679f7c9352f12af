"""Records and `dataset.json`: written, read back, and refused when damaged."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ddsp_tf.data import DatasetInfo, load_dataset_info, prepare, read_passages, training_dataset
from ddsp_tf.data.pitched import PitchedRecord
from ddsp_tf.data.records.example import decode_example, encode_example
from ddsp_tf.data.records.schema import Feature, Record, parse, serialize
from ddsp_tf.data.records.shards import read_records
from ddsp_tf.errors import DdspError
from ddsp_tf.frames import FrameSpec
from tests import tiny

SCHEMA_2 = Path(__file__).parent / "schema-2"
"""A dataset of schema 2, of `tiny.write_phrase(..., 6.0)`, as it was prepared when there was no other."""


def _record() -> Record:
    """Two sounds, a feature on a grid, one of several numbers on another, and a table on none."""
    rng = np.random.default_rng(0)
    return Record(
        sounds={
            "audio": rng.integers(-32768, 32768, 8 * 64).astype(np.int16),
            "clean": rng.uniform(-1, 1, 8 * 64).astype(np.float32),
        },
        features={
            "f0_hz": Feature(np.array([0, 220, 221, 0, 0, 0, 0, 330], np.float32), 64),
            "bands_db": Feature(rng.uniform(-80, 0, (4, 5)).astype(np.float32), 128),
            "notes": Feature(rng.uniform(0, 1, (3, 2)).astype(np.float32), 0),
        },
        source="Übung 1.wav",
        first_sample=2**40,
        sample_rate=16_000,
        group="noise",
        notes={"who": "Ü", "levels": [1.5, -2.0]},
    )


def _pitched() -> PitchedRecord:
    rng = np.random.default_rng(0)
    return PitchedRecord(
        audio=rng.integers(-32768, 32768, 5 * 128).astype(np.int16),
        f0_hz=np.array([0, 220, 221, 0, 0], np.float32),
        voicing=rng.random(5).astype(np.float32),
        loudness_db=rng.uniform(-80, 0, 5).astype(np.float32),
        held_f0_hz=110.0,
        source="Übung 1.wav",
        first_sample=2**40,
        sample_rate=16_000,
        hop=128,
    )


def _assert_equal(record: Record, other: Record) -> None:
    assert dataclasses.replace(record, sounds={}, features={}) == dataclasses.replace(
        other, sounds={}, features={}
    )
    assert set(record.sounds) == set(other.sounds)
    for name, sound in record.sounds.items():
        assert other.sounds[name].dtype == sound.dtype
        np.testing.assert_array_equal(other.sounds[name], sound)
    assert set(record.features) == set(other.features)
    for name, feature in record.features.items():
        assert other.features[name].hop == feature.hop
        np.testing.assert_array_equal(other.features[name].values, feature.values)


def test_a_record_survives_the_round_trip() -> None:
    _assert_equal(parse(serialize(_record())), _record())


def test_a_record_with_pitch_survives_the_round_trip() -> None:
    again = PitchedRecord.of(parse(serialize(_pitched().record())))
    for field in dataclasses.fields(PitchedRecord):
        np.testing.assert_array_equal(getattr(again, field.name), getattr(_pitched(), field.name))


def test_equal_records_give_equal_bytes() -> None:
    assert serialize(_record()) == serialize(_record())


def test_a_part_of_a_record_has_the_rows_of_its_samples_and_the_whole_table() -> None:
    part = _record().part(256, 512)
    assert part.first_sample == 2**40 + 256
    assert part.n_samples == 256
    np.testing.assert_array_equal(part.sounds["clean"], _record().sounds["clean"][256:])
    np.testing.assert_array_equal(part.features["f0_hz"].values, [0, 0, 0, 330])
    np.testing.assert_array_equal(part.features["bands_db"].values, _record().features["bands_db"].values[2:])
    assert len(part.features["notes"].values) == 3


def test_a_passage_knows_the_last_pitch_that_was_heard() -> None:
    assert _pitched().last_f0_hz == 221.0
    silent = dataclasses.replace(_pitched(), f0_hz=np.zeros(5, np.float32))
    assert silent.last_f0_hz == 110.0


def test_what_has_no_pitch_is_not_read_as_if_it_had() -> None:
    with pytest.raises(DdspError, match="has no voicing, loudness_db: it is of a dataset for another task"):
        PitchedRecord.of(_record())
    record = _pitched().record()
    other = {**record.features, "voicing": Feature(np.zeros(10, np.float32), 64)}
    with pytest.raises(DdspError, match="on one grid"):
        PitchedRecord.of(dataclasses.replace(record, features=other))


def test_bytes_that_are_no_record_are_refused() -> None:
    for data in (b"", b"\xff\xff\xff", serialize(_record())[: 5 * 128], b"a poem of some length"):
        with pytest.raises(DdspError, match="record"):
            parse(data)


@pytest.mark.parametrize(
    ("layout", "words"),
    [
        ({}, "needs a layout"),
        ({"sounds": {}, "features": {}}, "needs a layout"),
        ({"sounds": {"audio": "int24"}, "features": {}}, "audio as 'int24'"),
        ({"sounds": {"gone": "int16"}, "features": {}}, "lacks fields: sound/gone"),
        ({"sounds": {"audio": "float32"}, "features": {}}, "256 values of audio where 512 belong"),
        ({"sounds": {"audio": "int16"}, "features": {"f0_hz": 3}}, "f0_hz of the impossible form '3'"),
        (
            {"sounds": {"audio": "int16"}, "features": {"f0_hz": {"hop": 64, "shape": [7]}}},
            "7 rows of f0_hz where 8 belong",
        ),
        (
            {"sounds": {"audio": "int16"}, "features": {"f0_hz": {"hop": 0, "shape": [2**40, 2**40]}}},
            "8 values of f0_hz where",
        ),
        ({"sounds": {"audio": "int16"}, "features": {"f0_hz": {"hop": -1, "shape": [8]}}}, "impossible form"),
        ({"sounds": {"audio": "int16"}, "features": {"f0_hz": {"hop": 64, "shape": []}}}, "impossible form"),
    ],
)
def test_a_layout_that_cannot_be_is_refused(layout: dict[str, Any], words: str) -> None:
    values = decode_example(serialize(_record()))
    values["layout"] = json.dumps(layout).encode()
    with pytest.raises(DdspError, match=words):
        parse(encode_example(values))


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("f0_hz", np.nan, "values of f0_hz that are not finite numbers"),
        ("f0_hz", -1.0, "values of f0_hz below 0"),
        ("loudness_db", -np.inf, "values of loudness_db that are not finite numbers"),
        ("audio", np.inf, "values of audio that are not finite numbers"),
    ],
)
def test_values_that_cannot_be_are_refused(field: str, value: float, words: str) -> None:
    record = dataclasses.replace(_pitched(), audio=np.zeros(5 * 128, np.float32))
    values = getattr(record, field).copy()
    values[3] = value
    with pytest.raises(DdspError, match=words):
        parse(serialize(dataclasses.replace(record, **{field: values}).record()))


@pytest.mark.parametrize("kind", [np.int16, np.float32])
def test_tensorflow_reads_the_documented_features(kind: type) -> None:
    import tensorflow as tf

    record = dataclasses.replace(_pitched(), audio=_pitched().audio.astype(kind))
    feature = tf.train.Example.FromString(serialize(record.record())).features.feature
    layout = json.loads(feature["layout"].bytes_list.value[0])
    assert layout["sounds"] == {"audio": np.dtype(kind).name}
    assert layout["features"]["f0_hz"] == {"hop": 128, "shape": [5]}
    audio = np.frombuffer(feature["sound/audio"].bytes_list.value[0], kind)
    np.testing.assert_array_equal(audio, record.audio)
    f0_hz = np.frombuffer(feature["feature/f0_hz"].bytes_list.value[0], "<f4")
    np.testing.assert_array_equal(f0_hz, record.f0_hz)
    assert feature["first_sample"].int64_list.value[0] == 2**40
    assert json.loads(feature["notes"].bytes_list.value[0]) == {"held_f0_hz": 110.0}


DATA = {"passage_seconds": 2.0, "f0_min_hz": 150.0, "f0_max_hz": 500.0, "validation_share": 0.34}


def test_a_dataset_of_schema_2_is_read_as_the_same_of_schema_3(tmp_path: Path) -> None:
    from ddsp_tf.config import DataConfig

    phrase = tiny.write_phrase(tmp_path / "phrase.wav", 6.0)
    new = prepare([phrase], tmp_path / "new", FrameSpec(16_000, 64), DataConfig(**DATA), jobs=1)
    old = load_dataset_info(SCHEMA_2)
    assert dataclasses.replace(old, extractors={}, shards=new.shards) == dataclasses.replace(
        new, extractors={}
    )
    assert (old.f0_estimator, old.loudness) == (new.f0_estimator, new.loudness)
    for split in ("train", "validation"):
        pairs = zip(
            read_records(SCHEMA_2, old, split), read_records(tmp_path / "new", new, split), strict=True
        )
        for (_, before), (_, now) in pairs:
            _assert_equal(before, now)
    batches = [
        next(iter(training_dataset(folder, FrameSpec(16_000, 128), batch_size=2, clip_frames=100)))
        for folder in (SCHEMA_2, tmp_path / "new")
    ]
    np.testing.assert_array_equal(batches[0][1], batches[1][1])


def test_recordings_are_added_to_a_dataset_of_schema_2(tmp_path: Path) -> None:
    from ddsp_tf.config import DataConfig

    shutil.copytree(SCHEMA_2, tmp_path / "data")
    other = tiny.write_phrase(tmp_path / "other.wav", 4.0, 22_050)
    info = prepare([other], tmp_path / "data", FrameSpec(16_000, 64), DataConfig(**DATA), jobs=1)
    assert info.schema_version == 3
    assert [file.name for file in info.files] == ["phrase.wav", "other.wav"]
    sources = [p.source for split in info.shards for p in read_passages(tmp_path / "data", split)]
    assert sorted(sources) == ["other.wav"] * 2 + ["phrase.wav"] * 3


def test_the_description_survives_the_round_trip(made: Path) -> None:
    info = load_dataset_info(made)
    assert DatasetInfo.from_json(info.to_json(), "x") == info


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schema_version": 99}, "schema version 99"),
        ({"schema_version": True}, "schema version True"),
        ({"sample_rate": "fast"}, "sample_rate must be int"),
        ({"features": {"f0_hz": {"hop": -1, "shape": []}}}, "hop must be a positive integer"),
        ({"features": {"f0_hz": {"hop": 64}}}, "f0_hz lacks shape"),
        ({"sounds": {"audio": "mp3"}}, "the sound 'audio' is 'mp3'"),
        ({"statistics": {"f0_hz_range": [1, 2, 3]}}, "f0_hz_range must be an object"),
        ({"statistics": {"f0_hz_range": {"low": 1.0}}}, "f0_hz_range lacks high, median"),
        ({"settings": {}}, "settings lacks data.passage_seconds"),
        ({"shards": {}}, "shards must name train and validation"),
        ({"shards": {"train": [{"file": "../x", "records": 1, "bytes": 1}], "validation": []}}, "no shard"),
        ({"files": 3}, "files must be list"),
    ],
)
def test_a_mangled_description_is_refused(
    made: Path, tmp_path: Path, change: dict[str, object], words: str
) -> None:
    document = json.loads((made / "dataset.json").read_text()) | change
    (tmp_path / "dataset.json").write_text(json.dumps(document))
    with pytest.raises(DdspError, match=words):
        load_dataset_info(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"schema_version": NaN}', "[" * 100_000])
def test_a_description_that_is_no_json_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "dataset.json").write_text(text)
    with pytest.raises(DdspError, match=r"dataset\.json"):
        load_dataset_info(tmp_path)


def test_a_missing_field_is_named(made: Path, tmp_path: Path) -> None:
    document = json.loads((made / "dataset.json").read_text())
    del document["extractors"]
    (tmp_path / "dataset.json").write_text(json.dumps(document))
    with pytest.raises(DdspError, match="lacks extractors"):
        load_dataset_info(tmp_path)


def test_what_is_no_dataset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DdspError, match="no such dataset"):
        load_dataset_info(tmp_path / "gone")
    with pytest.raises(DdspError, match=r"has no dataset\.json"):
        load_dataset_info(tmp_path)
