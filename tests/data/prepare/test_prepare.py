"""From sound files to a dataset."""

import hashlib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ddsp_edge.features.loudness import loudness_db
from ddsp_edge.units import Array
from ddsp_tf.config import DataConfig
from ddsp_tf.data import DatasetInfo, load_dataset_info, prepare, read_passages
from ddsp_tf.data.records.store import DatasetStore
from ddsp_tf.errors import DdspError
from ddsp_tf.features.f0 import F0Estimator, F0Track
from ddsp_tf.features.f0_estimators import make_f0_estimator
from ddsp_tf.frames import FrameSpec
from tests.data.doubles import ConstantEstimator, DeafEstimator, NeighbourhoodEstimator, SpyEstimator
from tests.data.reading import passages_by_split
from tests.data.sounds import swelling, tone, write

CHEAP = ConstantEstimator()


def _hashes(dataset: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(dataset.iterdir())}


def test_progress_begins_before_the_first_passage_is_measured(tmp_path: Path, spec: FrameSpec) -> None:
    told: list[tuple[float, float]] = []
    estimator = ConstantEstimator()
    monitored = estimator.estimate

    def estimate(audio: Array, grid: FrameSpec) -> F0Track:
        assert told[0] == (0.0, 6.0)
        return monitored(audio, grid)

    estimator.estimate = estimate  # type: ignore[method-assign]
    file = write(tmp_path / "a.wav", swelling(6.0))
    prepare([file], tmp_path / "out", spec, estimator=estimator, jobs=1, progress=lambda *s: told.append(s))
    assert told[-1] == (6.0, 6.0)


@pytest.mark.parametrize("name", ["neighbourhood", "pyin"])
def test_seams_between_passages_do_not_show(tmp_path: Path, spec: FrameSpec, name: str) -> None:
    t = np.arange(9 * 16_000) / 16_000
    glide = 0.3 * np.sin(2.0 * np.pi * (200.0 * t + 10.0 * t**2)) * (0.6 + 0.4 * np.sin(3.0 * t))
    audio = (np.rint(glide * 32768) / 32768).astype(np.float32)
    estimator: F0Estimator = NeighbourhoodEstimator()
    if name == "pyin":
        estimator = make_f0_estimator("pyin", f0_min_hz=100.0, f0_max_hz=1000.0)
    config = DataConfig(passage_seconds=3.0, validation_share=0.3)
    prepare([write(tmp_path / "a.wav", audio)], tmp_path / "out", spec, config, estimator=estimator, jobs=1)
    passages = [p for _, p in passages_by_split(tmp_path / "out")]
    assert len(passages) == 3
    track, loudness = estimator.estimate(audio, spec), loudness_db(audio, spec)
    joined = {
        field: np.concatenate([getattr(p, field) for p in passages])
        for field in ("f0_hz", "voiced", "voicing", "loudness_db")
    }
    # The same windows of the same samples; BLAS may add them up in another order (one float32 step).
    np.testing.assert_allclose(joined["loudness_db"], loudness, rtol=2e-7)
    np.testing.assert_array_equal(joined["voiced"], track.f0_hz > 0)
    voiced = joined["voiced"]
    np.testing.assert_allclose(joined["f0_hz"][voiced], track.f0_hz[voiced], rtol=1e-4)  # 0.2 cent
    if name == "pyin":
        truth = 200.0 + 20.0 * (np.arange(len(voiced)) + 1) * spec.hop / 16_000
        cents = 1200.0 * np.log2(joined["f0_hz"][voiced] / truth[voiced])
        assert voiced.mean() > 0.95
        assert np.abs(cents).max() < 30.0  # pYIN's grid and its half-frame lag on a glide


def test_the_dataset_is_the_same_whatever_the_number_of_jobs(
    tmp_path: Path, spec: FrameSpec, short: DataConfig
) -> None:
    files = [
        write(tmp_path / f"{name}.wav", swelling(seconds, f0_hz=f0_hz))
        for name, seconds, f0_hz in (("a", 9.0, 220.0), ("b", 5.0, 300.0), ("c", 3.0, 500.0))
    ]
    for jobs in (1, 2, 3):
        prepare(files, tmp_path / str(jobs), spec, short, estimator=CHEAP, jobs=jobs)
    assert _hashes(tmp_path / "1") == _hashes(tmp_path / "2") == _hashes(tmp_path / "3")


def test_workers_do_not_load_tensorflow(tmp_path: Path, spec: FrameSpec, short: DataConfig) -> None:
    file = write(tmp_path / "a.wav", swelling(8.0))
    info = prepare([file], tmp_path / "out", spec, short, estimator=SpyEstimator(), jobs=2)
    assert info.files[0].passages == 4


def test_no_validation_second_overlaps_a_training_one(made: Path) -> None:
    passages = passages_by_split(made)
    assert {split for split, _ in passages} == {"train", "validation"}
    for (_, a), (_, b) in pairwise(passages):
        assert a.source != b.source or a.first_sample + len(a.audio) == b.first_sample
    train = np.concatenate([p.audio for split, p in passages if split == "train"])
    windows = {train[i : i + 128].tobytes() for i in range(len(train) - 128)}
    for split, passage in passages:
        if split == "validation":
            hops = passage.audio[: len(passage.audio) // 128 * 128].reshape(-1, 128)
            assert not any(hop.tobytes() in windows for hop in hops)


def test_the_description_adds_up(made: Path, spec: FrameSpec) -> None:
    info = load_dataset_info(made)
    assert info.spec == spec
    assert info.f0_estimator == {"name": "constant", "f0_hz": 220.0}
    assert info.train_seconds + info.validation_seconds == pytest.approx(27.0, abs=0.01)
    assert info.f0_hz_range.median == pytest.approx(220.0, rel=1e-3)
    assert info.voiced_share > 0.9
    for split in ("train", "validation"):
        passages = list(read_passages(made, split))
        assert sum(shard.records for shard in info.shards[split]) == len(passages)
    assert [(f.name, f.status, f.passages) for f in info.files] == [
        ("one.wav", "used", 10),
        ("two.flac", "used", 3),
    ]


def test_one_passage_alone_is_cut_in_two(tmp_path: Path, spec: FrameSpec) -> None:
    file = write(tmp_path / "a.wav", swelling(6.0))
    info = prepare([file], tmp_path / "out", spec, estimator=CHEAP, jobs=1)
    assert info.train_seconds == pytest.approx(info.validation_seconds, abs=0.01)
    (_, first), (_, second) = passages_by_split(tmp_path / "out")
    assert first.first_sample + len(first.audio) == second.first_sample


def test_a_passage_too_short_to_be_cut_in_two_is_refused(tmp_path: Path, spec: FrameSpec) -> None:
    file = write(tmp_path / "a.wav", tone(1.5))
    with pytest.raises(DdspError, match=r"1\.5 s of sound; at least 2 s are needed"):
        prepare([file], tmp_path / "out", spec, estimator=CHEAP, jobs=1)
    assert not (tmp_path / "out").exists()


def test_silent_passages_are_dropped_and_counted(tmp_path: Path, spec: FrameSpec, short: DataConfig) -> None:
    audio = np.concatenate([swelling(4.0), np.zeros(4 * 16_000), swelling(4.0)])
    file = write(tmp_path / "a.wav", audio)
    info = prepare([file], tmp_path / "out", spec, short, estimator=CHEAP, jobs=1)
    (result,) = info.files
    assert (result.passages, result.silent_passages, result.silent_seconds) == (4, 2, 4.0)


def test_unvoiced_frames_hold_the_pitch_across_passages(
    tmp_path: Path, spec: FrameSpec, short: DataConfig
) -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(2 * 16_000)
    audio = np.concatenate([tone(4.0, f0_hz=220.0), noise, tone(2.0, f0_hz=330.0)])
    estimator = make_f0_estimator("pyin", f0_min_hz=100.0, f0_max_hz=1000.0)
    prepare([write(tmp_path / "a.wav", audio)], tmp_path / "out", spec, short, estimator=estimator, jobs=1)
    passages = [p for _, p in passages_by_split(tmp_path / "out")]
    rest = next(p for p in passages if p.first_sample == 4 * 16_000)
    assert rest.voiced.mean() < 0.5
    held = rest.f0_hz[20:100][~rest.voiced[20:100]]
    assert np.all(held > 0)
    assert np.all(np.concatenate([p.f0_hz for p in passages]) > 0)


def test_sound_without_any_pitch_is_refused(tmp_path: Path, spec: FrameSpec) -> None:
    file = write(tmp_path / "a.wav", tone(5.0))
    with pytest.raises(DdspError, match="no pitch between 55 and 2000 Hz"):
        prepare([file], tmp_path / "out", spec, estimator=DeafEstimator(), jobs=1)


def test_a_dataset_is_replaced_only_when_asked(tmp_path: Path, spec: FrameSpec, short: DataConfig) -> None:
    one, two = (write(tmp_path / n, swelling(s)) for n, s in (("1.wav", 5.0), ("2.wav", 9.0)))
    out = tmp_path / "out"
    before = prepare([one], out, spec, short, estimator=CHEAP, jobs=1)
    with pytest.raises(DdspError, match="was prepared with other settings"):
        prepare([two], out, spec, estimator=CHEAP, jobs=1)
    assert load_dataset_info(out) == before
    after = prepare([two], out, spec, short, estimator=CHEAP, jobs=1, overwrite=True)
    assert load_dataset_info(out) == after
    assert {p.source for _, p in passages_by_split(out)} == {"2.wav"}


def test_an_old_dataset_stays_when_its_replacement_fails(made: Path, tmp_path: Path, spec: FrameSpec) -> None:
    out = tmp_path / "out"
    file = write(tmp_path / "a.wav", swelling(5.0))
    before = prepare([file], out, spec, estimator=CHEAP, jobs=1)
    with pytest.raises(DdspError):
        prepare([file], out, spec, estimator=DeafEstimator(), jobs=1, overwrite=True)
    assert load_dataset_info(out) == before
    assert len(passages_by_split(out)) == 2


def test_nothing_half_written_is_a_dataset(tmp_path: Path, spec: FrameSpec, short: DataConfig) -> None:
    file = write(tmp_path / "a.wav", swelling(9.0))
    out = tmp_path / "out"

    def stop(done: float, total: float) -> None:
        assert 0 <= done <= total
        if done > 5.0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare([file], out, spec, short, estimator=CHEAP, jobs=1, progress=stop)
    with pytest.raises(DdspError, match=r"has no dataset\.json"):
        load_dataset_info(out)


def test_a_folder_that_cannot_be_written_is_refused_before_any_work(tmp_path: Path, spec: FrameSpec) -> None:
    file = write(tmp_path / "a.wav", swelling(5.0))
    with pytest.raises(DdspError, match=r"a\.wav/out cannot be written: Not a directory"):
        prepare([file], file / "out", spec, estimator=CHEAP, jobs=1)
    with pytest.raises(DdspError, match=r"a\.wav is a file; name a folder for the dataset"):
        prepare([file], file, spec, estimator=CHEAP, jobs=1)
    with pytest.raises(DdspError, match="the dataset's folder has an empty name"):
        prepare([file], "", spec, estimator=CHEAP, jobs=1)


def test_jobs_must_be_positive(tmp_path: Path, spec: FrameSpec) -> None:
    with pytest.raises(DdspError, match="jobs must be at least 1"):
        prepare([write(tmp_path / "a.wav", tone(3.0))], tmp_path / "out", spec, jobs=0)


def test_shards_are_bounded(tmp_path: Path, spec: FrameSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = dict(DatasetStore.__init__.__kwdefaults__, shard_bytes=100_000)
    monkeypatch.setattr(DatasetStore.__init__, "__kwdefaults__", defaults)
    config = DataConfig(passage_seconds=2.0)
    info: DatasetInfo = prepare(
        [write(tmp_path / "a.wav", swelling(14.0))], tmp_path / "out", spec, config, estimator=CHEAP, jobs=1
    )
    names = [shard.file for shard in info.shards["train"]]
    for number, name in enumerate(names):
        digest = hashlib.sha256((tmp_path / "out" / name).read_bytes()).hexdigest()
        assert name == f"train-{number:05d}-{digest[:8]}.tfrecord"
    assert len(names) == 3  # six passages of 64 kB, two a shard
    assert len(passages_by_split(tmp_path / "out")) == 7
