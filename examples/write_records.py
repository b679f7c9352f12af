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
FEATURES = ("f0_hz", "voicing", "loudness_db")


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
    # Of each feature its rows: one every HOP samples, of one number each.
    form = {"hop": HOP, "shape": [FRAMES]}
    layout = {"sounds": {"audio": "int16"}, "features": dict.fromkeys(FEATURES, form)}
    features = {
        "schema_version": integer(3),
        "layout": data(json.dumps(layout).encode()),
        "sound/audio": data(np.rint(audio * 32768.0).astype("<i2").tobytes()),
        "feature/f0_hz": data(np.full(FRAMES, f0_hz, "<f4").tobytes()),  # 0 where there is no pitch
        "feature/voicing": data(np.ones(FRAMES, "<f4").tobytes()),
        "feature/loudness_db": data(np.full(FRAMES, LOUDNESS_DB, "<f4").tobytes()),
        "source": data(source.encode()),
        "group": data(b""),
        "first_sample": integer(0),
        "sample_rate": integer(SAMPLE_RATE),
        "n_samples": integer(FRAMES * HOP),
    }
    return tf.train.Example(features=tf.train.Features(feature=features))


def describe(
    shards: dict[str, list[dict[str, object]]], notes_hz: dict[str, list[float]]
) -> dict[str, object]:
    """What `dataset.json` holds; `prepare` measures what is stated here."""
    low, median, high = np.percentile(notes_hz["train"], [5, 50, 95])
    seconds = FRAMES * HOP / SAMPLE_RATE
    by_hand = {"name": "by hand"}
    return {
        "schema_version": 3,
        "sample_rate": SAMPLE_RATE,
        "sounds": {"audio": "int16"},
        "features": {name: {"hop": HOP, "shape": []} for name in FEATURES},
        "extractors": dict.fromkeys(FEATURES, by_hand),
        "statistics": {
            "f0_hz_range": {"low": low, "median": median, "high": high},
            "loudness_db_range": {"low": LOUDNESS_DB - 1, "median": LOUDNESS_DB, "high": LOUDNESS_DB + 1},
            "voiced_share": 1.0,
        },
        "train_seconds": seconds * len(notes_hz["train"]),
        "validation_seconds": seconds * len(notes_hz["validation"]),
        "settings": {"data.passage_seconds": seconds, "data.validation_share": 0.25},
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
