"""Memory does not grow with the length of a recording, nor with the number of them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.data.sounds import swelling, tone, write

ROOT = Path(__file__).parents[2]
RATE = 11_025  # so that resampling is part of it


def _peaks(recordings: Path, out: Path) -> tuple[int, int, int]:
    """Seconds of the dataset, and the peaks of resident memory of the main process and a worker, MiB."""
    pytest.importorskip("resource")
    done = subprocess.run(
        [sys.executable, "-m", "tests.data.measure_memory", str(recordings), str(out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    seconds, main, worker = map(int, done.stdout.split())
    return seconds, main, worker


def test_an_hour_takes_no_more_memory_than_five_minutes(tmp_path: Path) -> None:
    minute = np.stack([swelling(60.0, RATE)] * 2, axis=1)
    peaks = {}
    for minutes in (5, 60):
        path = tmp_path / f"{minutes}.wav"
        with soundfile.SoundFile(path, "w", RATE, 2) as file:
            for _ in range(minutes):
                file.write(minute)
        seconds, main, worker = _peaks(path, tmp_path / f"{minutes}")
        path.unlink()
        assert seconds == 60 * minutes
        peaks[minutes] = main + 2 * worker  # two workers, each at most the largest
    assert peaks[60] < 1500
    assert peaks[60] < peaks[5] + 50


def test_many_recordings_take_no_more_memory_than_few(tmp_path: Path) -> None:
    peaks = {}
    for count in (50, 500):
        folder = tmp_path / f"{count}"
        folder.mkdir()
        for number in range(count):
            write(folder / f"Aufnahme Nr. {number} – ü.wav", tone(1.0, RATE, f0_hz=200.0 + number), RATE)
        seconds, main, worker = _peaks(folder, tmp_path / f"{count}-out")
        assert seconds == pytest.approx(count, rel=0.01)
        peaks[count] = main + 2 * worker
    assert peaks[500] < peaks[50] + 50
