"""Instructions that an emulated ARM processor executes for a second of sound: a figure without noise.

    python benchmarks/instructions/count.py [FILE] --python .venv-arm64/python --qemu qemu-aarch64

Counts repeat whatever else the machine does, so that a slower release is seen where times would not show it.
Without a file the instrument of the device tests is counted, whose figures are kept in `budget.json`: more
than 3 % above them is an error. `--keep` writes them anew. That file holds its own graph: what a release of
LiteRT changes shows at once, what the exporter changes when the file is exported anew. Needs what `make
test-arm64` makes, a qemu-aarch64 that loads plug-ins (Debian: qemu-user; the static one does not), and a C
compiler.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
TINY = HERE.parents[1] / "tests" / "device" / "data" / "tiny-instrument.tflite"
KEPT = HERE / "budget.json"
ALLOWED_PERCENT = 3.0
FEW, MANY = 20, 220


def main() -> None:
    """Count each signature and print millions of instructions a second of sound."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("instrument", type=Path, nargs="?", default=TINY)
    parser.add_argument("--python", default=".venv-arm64/python", help="the emulated Python")
    parser.add_argument("--qemu", default="qemu-aarch64", help="an emulator that loads plug-ins")
    parser.add_argument("--cpu", default="cortex-a72")
    parser.add_argument("--signatures", nargs="+", default=["step", "synthesize", "play"])
    parser.add_argument("--keep", action="store_true", help="keep what is counted as the budget")
    given = parser.parse_args()
    with zipfile.ZipFile(given.instrument) as archive:
        card = json.loads(archive.read("metadata.json"))
    frame_rate = card["sample_rate"] / card["hop"]
    with tempfile.TemporaryDirectory() as folder:
        plugin = Path(folder) / "counter.so"
        command = ["gcc", "-O2", "-shared", "-fPIC", "-o", str(plugin), str(HERE / "counter.c")]
        subprocess.run(command, check=True)
        counted: dict[str, float] = {}
        for signature in given.signatures:
            few, many = (count(given, plugin, signature, calls) for calls in (FEW, MANY))
            a_call = (many - few) / (MANY - FEW)
            millions = a_call * frame_rate / 1e6
            print(
                f"{signature}: {a_call / 1e3:.0f} thousand a call, {millions:.1f} million a second of sound"
            )
            counted[signature] = round(millions, 2)
    if given.instrument == TINY and given.keep:
        KEPT.write_text(json.dumps(counted, indent=1) + "\n", encoding="utf-8")
    elif given.instrument == TINY:
        compare(counted, json.loads(KEPT.read_text(encoding="utf-8")))


def compare(counted: dict[str, float], kept: dict[str, float]) -> None:
    """End with an error where millions of instructions a second of sound exceed what is kept."""
    slower = [
        f"{name} takes {value:.2f} million instructions a second of sound, {kept[name]:.2f} are kept"
        for name, value in counted.items()
        if value > kept[name] * (1.0 + ALLOWED_PERCENT / 100.0)
    ]
    if slower:
        sys.exit(f"{'; '.join(slower)}: more than {ALLOWED_PERCENT:g} % slower")


def count(given: argparse.Namespace, plugin: Path, signature: str, calls: int) -> int:
    """Instructions of a process that makes so many calls."""
    environment = {
        **os.environ,
        "QEMU": f"{given.qemu} -plugin {plugin}",
        "QEMU_CPU": given.cpu,
        "PYTHONHASHSEED": "0",
        "OPENBLAS_NUM_THREADS": "1",
    }
    command = [given.python, str(HERE / "calls.py"), str(given.instrument), signature, str(calls)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    found = [line for line in done.stderr.splitlines() if line.startswith("instructions ")]
    if done.returncode or not found:
        sys.exit(f"{' '.join(command)} ended with status {done.returncode}: {done.stderr[-500:]}")
    return int(found[-1].split()[1])


if __name__ == "__main__":
    main()
