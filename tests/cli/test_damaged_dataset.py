"""A damaged dataset is refused by the commands that read one, before they do any work."""

import os
from pathlib import Path

import pytest

from ddsp_tf.cli.main import main
from ddsp_tf.data import load_dataset_info, prepare, read_passages
from ddsp_tf.errors import DdspError
from ddsp_tf.frames import FrameSpec
from tests import tiny
from tests.data.doubles import ConstantEstimator
from tests.data.sounds import swelling, write


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A dataset of 30 s on the grid of the shipped configuration."""
    file = write(tmp_path / "a.wav", swelling(30.0))
    prepare([file], tmp_path / "data", FrameSpec(16_000, 128), estimator=ConstantEstimator(), jobs=1)
    return tmp_path / "data"


def _train(dataset: Path, capsys: pytest.CaptureFixture[str]) -> str:
    run = dataset.parent / "run"
    status = main(["train", "solo_instrument", "--data", str(dataset), "--out", str(run), "--steps", "1"])
    error = capsys.readouterr().err
    assert status == 1
    assert error.count("\n") == 1, error
    assert not list(run.glob("*.keras"))
    return error


def test_training_refuses_a_truncated_shard(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shard,) = dataset.glob("train-*.tfrecord")
    os.truncate(shard, shard.stat().st_size - 1000)
    error = _train(dataset, capsys)
    assert f"{shard.name}: record 1 is damaged or cut short" in error
    assert "`ddsp-tf prepare --overwrite` makes the dataset anew; `ddsp-tf train --skip-damaged`" in error


@pytest.mark.parametrize("damage", ["{", '{"schema_version": 2}', '{"schema_version": 1}', b"\xff\xfe"])
def test_a_damaged_description_names_its_cure(
    dataset: Path, damage: str | bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (dataset / "dataset.json").write_bytes(damage if isinstance(damage, bytes) else damage.encode())
    with pytest.raises(DdspError, match=r"dataset\.json.*--overwrite"):
        load_dataset_info(dataset)
    again = ["prepare", str(dataset.parent / "a.wav"), "--out", str(dataset)]
    assert main(again) == 1
    assert "--overwrite" in capsys.readouterr().err


def test_a_missing_shard_names_its_cure(dataset: Path) -> None:
    (shard,) = dataset.glob("train-*.tfrecord")
    shard.unlink()
    with pytest.raises(DdspError, match=rf"{shard.name} is missing.*prepare --overwrite.*--skip-damaged"):
        list(read_passages(dataset, "train"))


def test_training_leaves_damage_out_on_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, config = write(tmp_path / "a.wav", swelling(16.0)), tiny.config()
    prepare([file], tmp_path / "data", config.spec, config.data, estimator=ConstantEstimator(), jobs=1)
    (shard,) = (tmp_path / "data").glob("train-*.tfrecord")
    damaged = bytearray(shard.read_bytes())
    damaged[1000] ^= 1
    shard.write_bytes(damaged)
    arguments = ["train", str(tiny.write_config(tmp_path / "tiny.yaml")), "--data", str(tmp_path / "data")]
    arguments += ["--out", str(tmp_path / "run"), "--steps", "1", "--no-report"]
    assert main(arguments) == 1
    words = f"{shard.name}: record 0 is damaged or cut short, at byte 0 of {len(damaged)}"
    assert words in capsys.readouterr().err
    assert main([*arguments, "--skip-damaged"]) == 0
    said, told = capsys.readouterr()
    assert told.count(words) == 1
    assert "1/1 - " in said  # an epoch
    assert not {"\b", "\r", "\x1b"} & set(said)  # of a bar that moves, where nobody would see it move


def test_training_refuses_what_is_no_dataset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no such dataset" in _train(tmp_path / "gone", capsys)
