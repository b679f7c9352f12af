"""Check the documentation: every Python block runs, every example runs, every relative link resolves.

    python examples/check_docs.py [--dataset DATASET]

Blocks of one file run one after the other, in one process and in an empty folder that holds `dataset`
(prepared from the demo's flute unless one is given) and `instrument.tflite`. Training is cut short.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
INSTRUMENT = ROOT / "tests" / "device" / "data" / "tiny-instrument.tflite"
FLUTE = ROOT / "demo" / "recordings" / "flute-phrase.flac"
SHORTER = {"steps_per_epoch=100, epochs=50": "steps_per_epoch=2, epochs=1"}


def main() -> int:
    """Run all checks; return 1 if one fails."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", type=Path, metavar="DATASET", help="folder from `ddsp-tf prepare`")
    dataset = parser.parse_args().dataset
    failed = [f"{page.name}: no such file: {link}" for page in PAGES for link in dead_links(page)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(INSTRUMENT, folder / "instrument.tflite")
        if dataset is None:
            prepare = "from ddsp_tf.cli.main import main; import sys; sys.exit(main())"
            settings = ["--config", "solo_instrument", "--set", "data.passage_seconds=3"]
            run(folder, "-c", prepare, "prepare", FLUTE, "--out", "dataset", *settings)
        else:
            shutil.copytree(dataset, folder / "dataset")
        for page in PAGES:
            program = program_of(page)
            if program and not run(folder, "-c", program, label=page.name):
                failed.append(f"{page.name}: a Python block fails")
        examples = {
            "write_records.py": ("by-hand",),
            "train_in_keras.py": ("dataset", "glissando.wav", "--steps", "2"),
            "own_processor.py": ("clipped.wav",),
            "minimal_host.py": ("instrument.tflite", "host.wav"),
        }
        for example, arguments in examples.items():
            if not run(folder, ROOT / "examples" / example, *arguments, label=example):
                failed.append(f"examples/{example} fails")
    for line in failed:
        print(line, file=sys.stderr)
    return 1 if failed else 0


def dead_links(page: Path) -> list[str]:
    """Relative links of a page whose file, or heading in it, does not exist."""
    dead = []
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith(("http://", "https://")):
            continue
        file, _, heading = link.partition("#")
        target = page.parent / file if file else page
        if not target.exists() or (heading and heading not in headings(target)):
            dead.append(link)
    return dead


def headings(page: Path) -> set[str]:
    """The headings of a page as GitHub names them in links."""
    found = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def program_of(page: Path) -> str:
    """The Python blocks of a page, joined; `GROUP_YAML` is its first YAML block of a group."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    if not blocks:
        return ""
    groups = re.findall(r"^```yaml\n(inputs:.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    program = "\n".join([f"GROUP_YAML = {groups[0]!r}" if groups else "", *blocks])
    for long, short in SHORTER.items():
        program = program.replace(long, short)
    return program


def run(folder: Path, *arguments: object, label: str = "") -> bool:
    """Run Python in a folder; say what came out, and show errors only when it fails."""
    command = [sys.executable, *(str(argument) for argument in arguments)]
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
    done = subprocess.run(command, cwd=folder, env=quiet, text=True, capture_output=True, check=False)
    if done.returncode:
        print(done.stderr[-2000:], file=sys.stderr)
    if label:
        print(f"{label}: {'failed' if done.returncode else 'ok'}", flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
