"""Any recording is taken, and what cannot be used is named."""

import os
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from ddsp_tf.data import load_dataset_info, prepare
from ddsp_tf.errors import DdspError
from ddsp_tf.frames import FrameSpec
from tests.data.doubles import ConstantEstimator
from tests.data.reading import passages_by_split
from tests.data.sounds import swelling, tone, write

CHEAP = ConstantEstimator()


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
    joined = np.concatenate([p.audio for _, p in passages_by_split(tmp_path / "out")])
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
    joined = np.concatenate([p.audio for _, p in passages_by_split(tmp_path / "out")])
    np.testing.assert_allclose(joined, mono[: len(joined)] / 2, atol=2 / 32768)  # two roundings to 16 bits


def test_samples_beyond_full_scale_are_clipped_and_counted(tmp_path: Path, spec: FrameSpec) -> None:
    loud = tone(4.0, level=1.5)
    file = write(tmp_path / "a.wav", loud, subtype="FLOAT")
    info = prepare([file], tmp_path / "out", spec, estimator=CHEAP, jobs=1)
    beyond = np.abs(loud.astype(np.float32)) >= 1.0
    runs = [len(list(run)) for loud_there, run in groupby(beyond) if loud_there]
    assert info.files[0].clipped_samples == sum(n for n in runs if n >= 3) > 0
    assert max(np.abs(p.audio).max() for _, p in passages_by_split(tmp_path / "out")) <= 1.0


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


def test_flac_that_breaks_off_is_used_as_far_as_it_goes(tmp_path: Path, spec: FrameSpec) -> None:
    file = write(tmp_path / "a.flac", swelling(12.0))
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    info = prepare([file], tmp_path / "out", spec, estimator=CHEAP, jobs=1)
    [result] = info.files
    assert 4.0 < result.seconds < 8.0
    assert result.reason == f"its header says 12.0 s, {result.seconds:.1f} s are there"


def test_flac_that_is_damaged_in_the_middle_is_not_used(tmp_path: Path, spec: FrameSpec) -> None:
    file = write(tmp_path / "a.flac", swelling(12.0))
    data = bytearray(file.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 50] = b"\x55" * 50
    file.write_bytes(data)
    with pytest.raises(DdspError, match=r"a\.flac breaks off after [4-8]\.\d s"):
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
    assert {p.source for _, p in passages_by_split(tmp_path / "out")} == {"good.wav"}


def test_when_no_file_can_be_used_all_reasons_are_given(tmp_path: Path, spec: FrameSpec) -> None:
    (tmp_path / "a.wav").touch()
    write(tmp_path / "b.wav", np.zeros(3))
    with pytest.raises(DdspError, match=r"none of the 2 .* a\.wav: is empty.*b\.wav: is too short"):
        prepare([tmp_path], tmp_path / "out", spec, estimator=CHEAP, jobs=1)
    assert not (tmp_path / "out").exists()
