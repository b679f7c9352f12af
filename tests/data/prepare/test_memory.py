"""Memory does not grow with the length of a recording, nor with the number of them."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ddsp_tf.data.prepare import pool
from ddsp_tf.data.prepare.pool import jobs_that_fit
from ddsp_tf.features.f0_estimators import make_f0_estimator
from ddsp_tf.features.pyin import PyinEstimator
from ddsp_tf.features.yin_viterbi import YinViterbiEstimator
from tests.data.doubles import ConstantEstimator
from tests.data.sounds import swelling, tone, write

ROOT = Path(__file__).parents[3]
RATE = 11_025  # so that resampling is part of it


def _peaks(recordings: Path, out: Path, *options: str) -> tuple[int, int, int, int]:
    """Seconds of the dataset, peaks of the main process and the largest worker in MiB, and workers."""
    pytest.importorskip("resource")
    done = subprocess.run(
        [sys.executable, "-m", "tests.data.measure_memory", str(recordings), str(out), *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    seconds, main, worker, jobs = map(int, done.stdout.split())
    return seconds, main, worker, jobs


@pytest.mark.parametrize(
    ("name", "most"), [pytest.param("pyin", 4, marks=pytest.mark.slow), ("yin-viterbi", 16)]
)
def test_however_many_cores_there_are_memory_stays_below_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, most: int
) -> None:
    monkeypatch.setattr(pool, "usable_cores", lambda: 64)
    assert jobs_that_fit(make_f0_estimator(name), 15.0, 16_000) == most
    path = write(tmp_path / "a.wav", swelling(34.9, RATE), RATE)  # the last passage is as long as one may be
    _, main, worker, jobs = _peaks(path, tmp_path / "out", name, "2")
    assert jobs == 2
    assert main + most * worker < 1430  # 1.5 GB


def test_wider_settings_have_fewer_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "usable_cores", lambda: 64)
    narrow, wide = PyinEstimator(), PyinEstimator(30.0, 4000.0)
    # 710 MiB were measured for the widest settings and pieces as long as they may be
    assert wide.memory_mib(60.0) == pytest.approx(710.0, rel=0.05)
    assert jobs_that_fit(wide, 60.0, 16_000) < jobs_that_fit(narrow, 15.0, 16_000) == 4
    light, wide_light = YinViterbiEstimator(), YinViterbiEstimator(20.0, 8000.0)
    assert jobs_that_fit(wide_light, 15.0, 48_000) < jobs_that_fit(light, 15.0, 48_000)
    assert jobs_that_fit(light, 60.0, 48_000) < jobs_that_fit(light, 15.0, 48_000)  # passages are held, too


@dataclass
class Parallel(ConstantEstimator):
    """Says that it uses all cores by itself."""

    parallel: bool = True


def test_what_uses_all_cores_by_itself_runs_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "usable_cores", lambda: 64)
    assert jobs_that_fit(Parallel(), 15.0, 16_000) == 1
    assert jobs_that_fit(ConstantEstimator(), 15.0, 16_000) > 4


@pytest.mark.slow
@pytest.mark.parametrize(("few", "many"), [(2, 15), (5, 60)])
def test_an_hour_takes_no_more_memory_than_five_minutes(tmp_path: Path, few: int, many: int) -> None:
    """A quarter of an hour as well: 13 minutes more of this sound are 69 MB wherever they are held."""
    minute = np.stack([swelling(60.0, RATE)] * 2, axis=1)
    peaks = {}
    for minutes in (few, many):
        path = tmp_path / f"{minutes}.wav"
        with soundfile.SoundFile(path, "w", RATE, 2) as file:
            for _ in range(minutes):
                file.write(minute)
        seconds, main, worker, jobs = _peaks(path, tmp_path / f"{minutes}")
        path.unlink()
        assert seconds == 60 * minutes
        peaks[minutes] = main + jobs * worker  # each at most the largest
    assert peaks[many] < 1500
    assert peaks[many] < peaks[few] + 50


@pytest.mark.slow
def test_many_recordings_take_no_more_memory_than_few(tmp_path: Path) -> None:
    peaks = {}
    for count in (50, 500):
        folder = tmp_path / f"{count}"
        folder.mkdir()
        for number in range(count):
            write(folder / f"Aufnahme Nr. {number} – ü.wav", tone(1.0, RATE, f0_hz=200.0 + number), RATE)
        seconds, main, worker, _ = _peaks(folder, tmp_path / f"{count}-out")
        assert seconds == pytest.approx(count, rel=0.01)
        peaks[count] = main, worker
    # Between runs both differ by 1 MiB. 450 lines in the report take 2 MiB; 20 KiB a file would be 9 MiB.
    for few, many in zip(peaks[50], peaks[500], strict=True):
        assert many < few + 6
