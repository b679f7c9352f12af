"""Folders that cannot be written: caches of libraries go elsewhere."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ddsp_tf import caches

VARIABLES = ("NUMBA_CACHE_DIR", "MPLCONFIGDIR")


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (*VARIABLES, "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(variable, "anything")  # so that whatever is set is undone
        monkeypatch.delenv(variable)


def test_folders_that_can_be_written_stay_what_they_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    caches.use_writable_caches()
    assert not any(variable in os.environ for variable in VARIABLES)


@pytest.mark.parametrize("home", ["/proc/none", "/dev/null/home"])
def test_where_nothing_can_be_written_a_temporary_folder_is_taken(
    monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    monkeypatch.setenv("HOME", home)
    monkeypatch.setattr(caches, "_package_cache", lambda package: Path("/proc/none"))
    caches.use_writable_caches()
    for variable in VARIABLES:
        assert Path(os.environ[variable]).is_dir()


def test_what_a_user_chose_stays_if_it_can_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", "/proc/none")
    for variable in VARIABLES:
        monkeypatch.setenv(variable, str(tmp_path / variable))
    caches.use_writable_caches()
    assert [os.environ[variable] for variable in VARIABLES] == [str(tmp_path / v) for v in VARIABLES]


@pytest.mark.slow  # compiled anew
def test_pyin_runs_where_nothing_can_be_written(tmp_path: Path) -> None:
    script = (
        "from pathlib import Path; import os, numpy as np\n"
        "from ddsp_tf import caches\n"
        "caches._package_cache = lambda package: Path('/proc/none')\n"
        "from ddsp_tf.features.f0_estimators import make_f0_estimator\n"
        "from ddsp_tf.frames import FrameSpec\n"
        "estimator = make_f0_estimator('pyin')\n"
        "import numba.core.caching as c\n"
        "c.CacheImpl._locator_classes = [c.UserProvidedCacheLocator]  # what NUMBA_CACHE_DIR names\n"
        "estimator.estimate(np.sin(np.arange(16000) / 10).astype('f'), "
        "FrameSpec(16000, 64))\n"
        "print(os.environ['NUMBA_CACHE_DIR'])\n"
    )
    environment = {**os.environ, "HOME": "/proc/none"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not Path(done.stdout.strip()).exists()  # it went with the process


def test_a_home_that_nobody_may_enter_is_one_that_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refused(self: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(Path, "exists", refused)
    assert not caches._writable(tmp_path / "locked" / ".config")
