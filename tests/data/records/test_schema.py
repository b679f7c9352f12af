"""Records and `dataset.json`: written, read back, and refused when damaged."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from ddsp_tf.data import DatasetInfo, load_dataset_info
from ddsp_tf.data.records.schema import Record, parse, serialize
from ddsp_tf.errors import DdspError


def _record() -> Record:
    rng = np.random.default_rng(0)
    return Record(
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


def test_a_record_survives_the_round_trip() -> None:
    record = _record()
    again = parse(serialize(record))
    for field in dataclasses.fields(Record):
        np.testing.assert_array_equal(getattr(again, field.name), getattr(record, field.name))


def test_equal_records_give_equal_bytes() -> None:
    assert serialize(_record()) == serialize(_record())


def test_a_part_of_a_record_knows_the_pitch_before_it() -> None:
    part = _record().frames(3, 5)
    assert part.held_f0_hz == 221.0
    assert part.first_sample == 2**40 + 3 * 128
    assert len(part.audio) == 2 * 128
    assert _record().frames(1, 5).held_f0_hz == 110.0


def test_bytes_that_are_no_record_are_refused() -> None:
    for data in (b"", b"\xff\xff\xff", serialize(_record())[: 5 * 128], b"a poem of some length"):
        with pytest.raises(DdspError, match="record"):
            parse(data)


def test_a_record_that_contradicts_itself_is_refused() -> None:
    record = dataclasses.replace(_record(), voicing=np.zeros(4, np.float32))
    with pytest.raises(DdspError, match="4 values of voicing where 5 belong"):
        parse(serialize(record))


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
    record = dataclasses.replace(_record(), audio=np.zeros(5 * 128, np.float32))
    values = getattr(record, field).copy()
    values[3] = value
    with pytest.raises(DdspError, match=words):
        parse(serialize(dataclasses.replace(record, **{field: values})))


@pytest.mark.parametrize("kind", [np.int16, np.float32])
def test_tensorflow_reads_the_documented_features(kind: type) -> None:
    import tensorflow as tf

    record = dataclasses.replace(_record(), audio=_record().audio.astype(kind))
    feature = tf.train.Example.FromString(serialize(record)).features.feature
    assert feature["audio_format"].bytes_list.value[0].decode() == np.dtype(kind).name
    np.testing.assert_array_equal(np.frombuffer(feature["audio"].bytes_list.value[0], kind), record.audio)
    np.testing.assert_array_equal(np.frombuffer(feature["f0_hz"].bytes_list.value[0], "<f4"), record.f0_hz)
    assert feature["first_sample"].int64_list.value[0] == 2**40
    assert feature["held_f0_hz"].float_list.value[0] == 110.0


def test_the_description_survives_the_round_trip(made: Path) -> None:
    info = load_dataset_info(made)
    assert DatasetInfo.from_json(info.to_json(), "x") == info


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schema_version": 99}, "schema version 99"),
        ({"schema_version": True}, "schema version True"),
        ({"sample_rate": "fast"}, "sample_rate must be int"),
        ({"hop": 0}, "hop must be a positive integer"),
        ({"f0_hz_range": [1, 2, 3]}, "f0_hz_range must be an object"),
        ({"f0_hz_range": {"low": 1.0}}, "f0_hz_range lacks high, median"),
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
    del document["loudness"]
    (tmp_path / "dataset.json").write_text(json.dumps(document))
    with pytest.raises(DdspError, match="lacks loudness"):
        load_dataset_info(tmp_path)


def test_what_is_no_dataset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DdspError, match="no such dataset"):
        load_dataset_info(tmp_path / "gone")
    with pytest.raises(DdspError, match=r"has no dataset\.json"):
        load_dataset_info(tmp_path)
