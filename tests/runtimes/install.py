"""Install runtimes, each into a folder of its own, to be put in front of the newest one by `PYTHONPATH`.

    python -m tests.runtimes.install FOLDER

installs for the Python that runs it, which has what else the device side needs. A runtime that cannot be had
for this Python is left out, with why in `FOLDER/NAME.missing`; a failure of any other kind is an error.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.runtimes.cases import RUNTIMES

INSTALLED = "installed.txt"
_NOT_TO_BE_HAD = "No matching distribution found"  # no wheel for this Python, or no way to the index
_SHIM = "from tflite_runtime.interpreter import Interpreter as Interpreter\n"


def main(folder: Path) -> None:
    """Install what is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, requirements in RUNTIMES.items():
        place, missing = folder / name, folder / f"{name}.missing"
        wanted = " ".join(requirements)
        if (place / INSTALLED).is_file() and (place / INSTALLED).read_text() == wanted:
            continue
        shutil.rmtree(place, ignore_errors=True)
        missing.unlink(missing_ok=True)
        reason = install(requirements, place)
        if reason:
            missing.write_text(reason, encoding="utf-8")
        else:
            (place / INSTALLED).write_text(wanted)
        print(f"{name}: {reason or 'installed'}", flush=True)


def install(requirements: list[str], folder: Path) -> str:
    """Install one runtime into a folder; return why it cannot be had, or nothing."""
    options = ["--no-deps", "--no-compile", "--only-binary=:all:", "--target", str(folder)]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *options]
    done = subprocess.run([*command, *requirements], capture_output=True, text=True, check=False)
    if done.returncode:
        reason = next((line for line in done.stderr.splitlines() if _NOT_TO_BE_HAD in line), "")
        if not reason:
            sys.exit(f"{' '.join(requirements)} cannot be installed: {done.stderr[-1000:]}")
        return f"pip of Python {sys.version_info.major}.{sys.version_info.minor} says: {reason}"
    if (folder / "tflite_runtime").is_dir():  # the device side asks for it by the name it has had since
        (folder / "ai_edge_litert").mkdir()
        (folder / "ai_edge_litert" / "__init__.py").touch()
        (folder / "ai_edge_litert" / "interpreter.py").write_text(_SHIM)
    return ""


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.runtimes.install FOLDER")
    main(Path(sys.argv[1]))
