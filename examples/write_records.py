"""Write a dataset by hand: pitch and loudness of your own, in records that training reads.

    python examples/write_records.py DATASET

Here the "recordings" are computed, so everything about them is known. docs/dataset.md has the schema.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import tensorflow as tf

SAMPLE_RATE, HOP = 16_000, 64  # frame i stands for sample (i + 1) * HOP of its passage
FRAMES = 1000  # of a passage: 4 seconds
LOUDNESS_DB = -20.0


def main() -> None:
    """Write two splits of a few passages, then what the dataset says of itself."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("dataset", metavar="DATASET", type=Path)
    folder: Path = parser.parse_args().dataset
    folder.mkdir()
    shards, notes_hz = {}, {"train": [220.0, 247.0, 262.0], "validation": [233.0]}
    for split, notes in notes_hz.items():
        path = folder / f"{split}.tfrecord"
        with tf.io.TFRecordWriter(str(path)) as writer:
            for number, f0_hz in enumerate(notes):
                writer.write(record(f0_hz, f"{split} {number}").SerializeToString())
        shards[split] = [{"file": path.name, "records": len(notes), "bytes": path.stat().st_size}]
    # Last: a folder without dataset.json is no dataset.
    description = describe(shards, notes_hz)
    (folder / "dataset.json").write_text(json.dumps(description, indent=1), encoding="utf-8")


def record(f0_hz: float, source: str) -> tf.train.Example:
    """A passage of one note: all features that a record has."""
    t = np.arange(FRAMES * HOP) / SAMPLE_RATE
    audio = 0.1 * np.sin(2.0 * np.pi * f0_hz * t) + 0.05 * np.sin(4.0 * np.pi * f0_hz * t)
    features = {
        "schema_version": integer(2),
        "audio_format": data(b"int16"),
        "audio": data(np.rint(audio * 32768.0).astype("<i2").tobytes()),
        "f0_hz": data(np.full(FRAMES, f0_hz, "<f4").tobytes()),  # 0 where there is no pitch
        "voicing": data(np.ones(FRAMES, "<f4").tobytes()),
        "loudness_db": data(np.full(FRAMES, LOUDNESS_DB, "<f4").tobytes()),
        "held_f0_hz": tf.train.Feature(float_list=tf.train.FloatList(value=[0.0])),
        "source": data(source.encode()),
        "first_sample": integer(0),
        "sample_rate": integer(SAMPLE_RATE),
        "hop": integer(HOP),
        "n_frames": integer(FRAMES),
    }
    return tf.train.Example(features=tf.train.Features(feature=features))


def describe(
    shards: dict[str, list[dict[str, object]]], notes_hz: dict[str, list[float]]
) -> dict[str, object]:
    """What `dataset.json` holds; `prepare` measures what is stated here."""
    low, median, high = np.percentile(notes_hz["train"], [5, 50, 95])
    seconds = FRAMES * HOP / SAMPLE_RATE
    return {
        "schema_version": 2,
        "sample_rate": SAMPLE_RATE,
        "hop": HOP,
        "audio": "int16",
        "f0_estimator": {"name": "by hand"},
        "loudness": "by hand",
        "f0_hz_range": {"low": low, "median": median, "high": high},
        "loudness_db_range": {"low": LOUDNESS_DB - 1, "median": LOUDNESS_DB, "high": LOUDNESS_DB + 1},
        "voiced_share": 1.0,
        "train_seconds": seconds * len(notes_hz["train"]),
        "validation_seconds": seconds * len(notes_hz["validation"]),
        "passage_seconds": seconds,
        "validation_share": 0.25,
        "shards": shards,
        "files": [],
    }


def integer(value: int) -> tf.train.Feature:
    """A feature of one integer."""
    return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))


def data(value: bytes) -> tf.train.Feature:
    """A feature of bytes."""
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))


if __name__ == "__main__":
    main()
