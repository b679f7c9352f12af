"""From sound files to a dataset."""

import hashlib
import os
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from ddsp_edge.loudness import loudness_db
from ddsp_edge.units import Array
from ddsp_tf.config import DataConfig
from ddsp_tf.data import DatasetInfo, Passage, load_dataset_info, prepare, read_passages
from ddsp_tf.data.store import DatasetStore
from ddsp_tf.errors import DdspError
from ddsp_tf.features.f0 import F0Estimator, F0Track, make_f0_estimator
from ddsp_tf.frames import FrameSpec
from tests.data.doubles import ConstantEstimator, DeafEstimator, NeighbourhoodEstimator, SpyEstimator
from tests.data.sounds import swelling, tone, write

CHEAP = ConstantEstimator()


def _both(dataset: Path) -> list[tuple[str, Passage]]:
    """All passages with their split, in the order of the recording."""
    pairs = [(split, p) for split in ("train", "validation") for p in read_passages(dataset, split)]
    return sorted(pairs, key=lambda pair: (pair[1].source, pair[1].first_sample))


def _hashes(dataset: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(dataset.iterdir())}


@pytest.mark.parametrize(
    ("ending", "channels"),
    [
        ("wav", 1),
        ("wav", 2),
        ("wav", 6),
        ("flac", 1),
        ("flac", 6),
        ("ogg", 1),
        ("ogg", 2),
        ("mp3", 1),
        ("mp3", 2),
    ],
)
@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
def test_any_format_rate_and_channel_count_is_taken(
    tmp_path: Path, spec: FrameSpec, ending: str, rate: int, channels: int
) -> None:
    mono = swelling(5.0, rate)
    audio = np.stack([mono] * channels, axis=1)
    file = write(tmp_path / f"a.{ending}", audio, rate)
    info = prepare([file], tmp_path / "out", spec, estimator=CHEAP, jobs=1)
    (result,) = info.files
    assert (result.status, result.sample_rate, result.channels) == ("used", rate, channels)
    joined = np.concatenate([p.audio for _, p in _both(tmp_path / "out")])
    wanted = swelling(5.0)
    # MP3 may add up to two of its frames (2 * 1152 samples of its rate) at the ends.
    assert len(wanted) - spec.hop <= len(joined) <= len(wanted) + 2304 * 16_000 / rate
    lossy = ending in ("ogg", "mp3")
    level = float(np.sqrt(np.mean(joined**2)) / np.sqrt(np.mean(wanted**2)))
    assert level == pytest.approx(
        1.0, abs=0.05 if lossy else 0.01
    )  # 8 kHz loses no partial: 1100 Hz is the top
    if not lossy:
        inside = slice(800, len(joined) - 800)  # a resampler rings at the ends
        np.testing.assert_allclose(joined[inside], wanted[: len(joined)][inside], atol=2e-3)


def test_two_channels_are_averaged(tmp_path: Path, spec: FrameSpec) -> None:
    mono = tone(4.0)
    audio = np.stack([mono, np.zeros_like(mono)], axis=1)
    info = prepare([write(tmp_path / "a.wav", audio)], tmp_path / "out", spec, estimator=CHEAP, jobs=1)
    assert info.files[0].channels == 2
    joined = np.concatenate([p.audio for _, p in _both(tmp_path / "out")])
    np.testing.assert_allclose(joined, mono[: len(joined)] / 2, atol=2 / 32768)  # two roundings to 16 bits


def test_samples_beyond_full_scale_are_clipped_and_counted(tmp_path: Path, spec: FrameSpec) -> None:
    loud = tone(4.0, level=1.5)
    file = write(tmp_path / "a.wav", loud, subtype="FLOAT")
    info = prepare([file], tmp_path / "out", spec, estimator=CHEAP, jobs=1)
    beyond = np.abs(loud.astype(np.float32)) >= 1.0
    runs = [len(list(run)) for loud_there, run in groupby(beyond) if loud_there]
    assert info.files[0].clipped_samples == sum(n for n in runs if n >= 3) > 0
    assert max(np.abs(p.audio).max() for _, p in _both(tmp_path / "out")) <= 1.0


def test_a_clipped_recording_of_16_bits_is_noticed(tmp_path: Path, spec: FrameSpec) -> None:
    clipped = np.clip(tone(4.0, level=2.0), -1.0, 1.0)
    stereo = np.stack([clipped, 0.1 * clipped], axis=1)  # their mean is nowhere near full scale
    files = [write(tmp_path / "a.flac", stereo), write(tmp_path / "b.wav", swelling(4.0))]
    info = prepare(files, tmp_path / "out", spec, estimator=CHEAP, jobs=1)
    assert info.files[0].clipped_samples > 1000
    assert info.files[1].clipped_samples == 0


@pytest.mark.parametrize("ending", ["wav", "aiff", "ogg", "mp3"])
def test_a_recording_that_breaks_off_is_used_and_reported(
    tmp_path: Path, spec: FrameSpec, ending: str
) -> None:
    file = write(tmp_path / f"a.{ending}", swelling(12.0))
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    info = prepare([file], tmp_path / "out", spec, estimator=CHEAP, jobs=1)
    (result,) = info.files
    assert result.status == "used"
    assert result.reason.startswith("breaks off: ")
    assert f"{result.seconds:.1f} s are there" in result.reason
    assert load_dataset_info(tmp_path / "out").files == info.files
    again = prepare([file], tmp_path / "out", spec, estimator=CHEAP, jobs=1)
    assert again == info


def test_flac_that_breaks_off_is_not_used(tmp_path: Path, spec: FrameSpec) -> None:
    file = write(tmp_path / "a.flac", swelling(12.0))
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(DdspError, match=r"a\.flac breaks off after"):
        prepare([file], tmp_path / "out", spec, estimator=CHEAP, jobs=1)


def test_channels_that_cancel_each_other_are_not_called_silence(tmp_path: Path, spec: FrameSpec) -> None:
    one = swelling(4.0)
    antiphase = write(tmp_path / "antiphase.wav", np.stack([one, -one], axis=1))
    faint = 1e-4 * one
    silence = write(tmp_path / "silence.wav", np.stack([faint, -faint], axis=1))
    good = write(tmp_path / "good.wav", one)
    info = prepare([antiphase, silence, good], tmp_path / "out", spec, estimator=CHEAP, jobs=1)
    reasons = {file.name: file.reason for file in info.files}
    assert "channels that cancel each other when they are averaged" in reasons["antiphase.wav"]
    assert reasons["silence.wav"].startswith("silent throughout")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_what_is_no_file_is_named_and_the_rest_is_used(tmp_path: Path, spec: FrameSpec) -> None:
    write(tmp_path / "good.wav", swelling(4.0))
    (tmp_path / "loop.wav").symlink_to("loop.wav")
    os.mkfifo(tmp_path / "pipe.wav")
    info = prepare([tmp_path], tmp_path / "out", spec, estimator=CHEAP, jobs=1)
    assert [(f.name, f.status) for f in info.files] == [
        ("good.wav", "used"),
        ("loop.wav", "skipped"),
        ("pipe.wav", "skipped"),
    ]


def test_a_file_that_may_not_be_read_is_named_and_the_rest_is_used(
    tmp_path: Path, spec: FrameSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "good.wav", swelling(4.0))
    write(tmp_path / "locked.wav", swelling(4.0, f0_hz=300.0))
    opened = Path.open

    def locked(path: Path, *arguments: Any, **options: Any) -> Any:  # root may read anything
        if path.name == "locked.wav":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", locked)
    info = prepare([tmp_path], tmp_path / "out", spec, estimator=CHEAP, jobs=1)
    assert [(f.name, f.reason) for f in info.files] == [("good.wav", ""), ("locked.wav", "Permission denied")]


def test_ogg_opus_is_taken(tmp_path: Path, spec: FrameSpec) -> None:
    soundfile.write(tmp_path / "memo.opus", swelling(5.0, 48_000), 48_000, format="OGG", subtype="OPUS")
    info = prepare([tmp_path], tmp_path / "out", spec, estimator=CHEAP, jobs=1)
    assert (info.files[0].status, round(info.files[0].seconds, 1)) == ("used", 5.0)


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
    passages = [p for _, p in _both(tmp_path / "out")]
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
    passages = _both(made)
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
    (_, first), (_, second) = _both(tmp_path / "out")
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
    passages = [p for _, p in _both(tmp_path / "out")]
    rest = next(p for p in passages if p.first_sample == 4 * 16_000)
    assert rest.voiced.mean() < 0.5
    held = rest.f0_hz[20:100][~rest.voiced[20:100]]
    assert np.all(held > 0)
    assert np.all(np.concatenate([p.f0_hz for p in passages]) > 0)


def test_bad_files_are_named_and_the_rest_is_used(tmp_path: Path, spec: FrameSpec) -> None:
    write(tmp_path / "good.wav", swelling(5.0))
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("a poem")
    (tmp_path / "notes.txt").write_text("notes")
    write(tmp_path / "three.wav", np.zeros(3))
    write(tmp_path / "silent.wav", np.zeros(3 * 16_000))
    write(tmp_path / "slow.wav", np.zeros(100), 7)
    bad = tone(3.0)
    bad[30_000] = np.nan
    write(tmp_path / "nan.wav", bad, subtype="FLOAT")
    info = prepare([tmp_path], tmp_path / "out", spec, estimator=CHEAP, jobs=1)
    reasons = {f.name: f.reason for f in info.files if f.status == "skipped"}
    words = {
        "empty.wav": "is empty",
        "text.wav": "is not a readable sound file",
        "notes.txt": "not the ending of a sound file",
        "three.wav": "too short: 3 samples",
        "silent.wav": "silent throughout",
        "slow.wav": "sample rate of 7 Hz",
        "nan.wav": "not finite numbers, the first at 1.875 s",
    }
    assert reasons.keys() == words.keys()
    assert all(words[name] in reasons[name] for name in words)
    assert [f.name for f in info.files if f.status == "used"] == ["good.wav"]
    assert {p.source for _, p in _both(tmp_path / "out")} == {"good.wav"}


def test_when_no_file_can_be_used_all_reasons_are_given(tmp_path: Path, spec: FrameSpec) -> None:
    (tmp_path / "a.wav").touch()
    write(tmp_path / "b.wav", np.zeros(3))
    with pytest.raises(DdspError, match=r"none of the 2 .* a\.wav: is empty.*b\.wav: is too short"):
        prepare([tmp_path], tmp_path / "out", spec, estimator=CHEAP, jobs=1)
    assert not (tmp_path / "out").exists()


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
    assert {p.source for _, p in _both(out)} == {"2.wav"}


def test_an_old_dataset_stays_when_its_replacement_fails(made: Path, tmp_path: Path, spec: FrameSpec) -> None:
    out = tmp_path / "out"
    file = write(tmp_path / "a.wav", swelling(5.0))
    before = prepare([file], out, spec, estimator=CHEAP, jobs=1)
    with pytest.raises(DdspError):
        prepare([file], out, spec, estimator=DeafEstimator(), jobs=1, overwrite=True)
    assert load_dataset_info(out) == before
    assert len(_both(out)) == 2


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
    assert len(_both(tmp_path / "out")) == 7
