"""Instructions that an emulated ARM processor executes for a second of sound: a figure without noise.

    python benchmarks/instructions/count.py INSTRUMENT.tflite --python .venv-arm64/python --qemu qemu-aarch64

Counts repeat whatever else the machine does, so that a slower release is seen where times would not show it:
`--budget` ends with an error above so many million instructions a second of sound. Needs what `make
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
FEW, MANY = 20, 220


def main() -> None:
    """Count each signature and print millions of instructions a second of sound."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("instrument", type=Path)
    parser.add_argument("--python", default=".venv-arm64/python", help="the emulated Python")
    parser.add_argument("--qemu", default="qemu-aarch64", help="an emulator that loads plug-ins")
    parser.add_argument("--cpu", default="cortex-a72")
    parser.add_argument("--signatures", nargs="+", default=["step", "synthesize", "play"])
    parser.add_argument("--budget", type=float, help="millions of instructions a second that `play` may take")
    given = parser.parse_args()
    with zipfile.ZipFile(given.instrument) as archive:
        card = json.loads(archive.read("metadata.json"))
    frame_rate = card["sample_rate"] / card["hop"]
    with tempfile.TemporaryDirectory() as folder:
        plugin = Path(folder) / "counter.so"
        command = ["gcc", "-O2", "-shared", "-fPIC", "-o", str(plugin), str(HERE / "counter.c")]
        subprocess.run(command, check=True)
        for signature in given.signatures:
            few, many = (count(given, plugin, signature, calls) for calls in (FEW, MANY))
            a_call = (many - few) / (MANY - FEW)
            millions = a_call * frame_rate / 1e6
            print(
                f"{signature}: {a_call / 1e3:.0f} thousand a call, {millions:.1f} million a second of sound"
            )
            if signature == "play" and given.budget is not None and millions > given.budget:
                sys.exit(
                    f"play takes {millions:.1f} million instructions a second; the budget is {given.budget:g}"
                )


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
