"""Folders in which libraries keep what they have compiled or found, where those cannot be written.

In a container the packages and HOME are often read-only. Numba then refuses to compile what librosa wants
compiled, and matplotlib warns. They get a temporary folder, which goes when the process ends.
"""

import atexit
import functools
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path


def use_writable_caches() -> None:
    """Set `NUMBA_CACHE_DIR` and `MPLCONFIGDIR` for this process and its children where they are needed.

    Raises:
        OSError: If they are needed and no temporary folder can be written.
    """
    home = _home()
    if not _writable(_of("NUMBA_CACHE_DIR")) and not any(
        map(_writable, (_package_cache("librosa"), _in_home("XDG_CACHE_HOME", home, ".cache")))
    ):
        os.environ["NUMBA_CACHE_DIR"] = _temporary("numba")
    if not _writable(_of("MPLCONFIGDIR")) and not _writable(_in_home("XDG_CONFIG_HOME", home, ".config")):
        os.environ["MPLCONFIGDIR"] = _temporary("matplotlib")


def _of(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value) if value else None


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:  # nobody knows it
        return None


def _in_home(variable: str, home: Path | None, name: str) -> Path | None:
    return _of(variable) or (home / name if home is not None else None)


def _package_cache(package: str) -> Path | None:
    found = importlib.util.find_spec(package)
    return Path(found.origin).parent / "__pycache__" if found is not None and found.origin else None


def _writable(folder: Path | None) -> bool:
    """Whether a file can be made in a folder, or in a new folder of that name; asks by doing it."""
    if folder is None:
        return False
    try:
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


@functools.cache
def _temporary(name: str) -> str:
    folder = tempfile.mkdtemp(prefix=f"ddsp-tf-{name}-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
