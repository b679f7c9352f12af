"""Instructions that an emulated ARM processor executes for a second of sound: a figure without noise.

    python benchmarks/instructions/count.py [FILE] --python .venv-arm64/python --qemu qemu-aarch64

Counts repeat whatever else the machine does, so that a slower release is seen where times would not show it.
Without a file the instrument of the device tests is counted, on a Cortex-A72, whose figures are kept in
`budget.json`: more than 3 % above them is an error. `--keep` writes that file, and nothing else does. The
instrument holds its own graph: what a release of LiteRT changes shows at once, what the exporter changes when
the instrument is exported anew. Needs what `make test-arm64` makes, a qemu-aarch64 that loads plug-ins
(Debian's qemu-user; the static one does not), and a C compiler.
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
CPU = "cortex-a72"
SIGNATURES = ("step", "synthesize", "play", "voice")
ALLOWED_PERCENT = 3.0
FEW, MANY = 20, 220


def main() -> None:
    """Count each signature and print millions of instructions a second of sound."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("instrument", type=Path, nargs="?", default=TINY)
    parser.add_argument("--python", default=".venv-arm64/python", help="the emulated Python")
    parser.add_argument("--qemu", default="qemu-aarch64", help="an emulator that loads plug-ins")
    parser.add_argument("--cpu", default=CPU)
    parser.add_argument("--signatures", nargs="+", default=SIGNATURES)
    parser.add_argument("--keep", action="store_true", help="keep what is counted as the budget")
    given = parser.parse_args()
    of_budget = given.instrument.resolve() == TINY and given.cpu == CPU
    if given.keep and not (of_budget and set(given.signatures) == set(SIGNATURES)):
        parser.error("--keep keeps all signatures of the instrument of the device tests: name no other")
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
    if given.keep:
        KEPT.write_text(json.dumps(counted, indent=1) + "\n", encoding="utf-8")
        print(f"kept in {KEPT.name}")
    elif of_budget:
        print(compare(counted, json.loads(KEPT.read_text(encoding="utf-8"))))


def compare(counted: dict[str, float], kept: dict[str, float]) -> str:
    """Say how millions of instructions a second of sound differ from what is kept.

    Raises:
        SystemExit: If one is not kept, or exceeds what is kept by more than `ALLOWED_PERCENT`.
    """
    unknown = sorted(set(counted) - set(kept))
    if unknown:
        sys.exit(f"{KEPT.name} keeps no figure of {', '.join(unknown)}: keep them with --keep")
    percent = {name: 100.0 * (value / kept[name] - 1.0) for name, value in counted.items()}
    beside = ", ".join(f"{name} {value:+.1f} %" for name, value in percent.items())
    if max(percent.values()) > ALLOWED_PERCENT:
        sys.exit(f"error: more than {ALLOWED_PERCENT:g} % above what {KEPT.name} keeps: {beside}")
    faster = min(percent.values()) < -ALLOWED_PERCENT
    return f"beside {KEPT.name}: {beside}" + ("; keep what was gained with --keep" if faster else "")


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
