"""The whole road on the recording that ships with the repository: `make demo`.

Every step is the command that a user would type; the last one gathers what they wrote in one page.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RECORDINGS = HERE / "recordings"
DATASET, RUN, OUTPUT = HERE / "dataset", HERE / "run", HERE / "output"
REPORT = HERE / "report.html"


def main() -> int:
    """Run the demo."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, help="training steps instead of the configuration's")
    steps = parser.parse_args().steps
    started = time.monotonic()
    for folder in (DATASET, RUN, OUTPUT):
        shutil.rmtree(folder, ignore_errors=True)
    OUTPUT.mkdir()
    flute, melody = RECORDINGS / "flute-phrase.flac", RECORDINGS / "melody.mid"
    int8, float32 = OUTPUT / "saxophone-int8.tflite", OUTPUT / "saxophone-float32.tflite"
    config = HERE.parent / "configs" / "demo.yaml"

    command("ddsp-tf", "prepare", RECORDINGS / "tenor-saxophone.flac", "--out", DATASET, "--config", config)
    command(
        "ddsp-tf",
        *("train", config, "--data", DATASET, "--out", RUN),
        *(("--steps", steps) if steps else ()),
    )
    command("ddsp-tf", "evaluate", RUN, "--data", DATASET)
    command("ddsp-tf", "transfer", RUN, flute, OUTPUT / "flute-as-saxophone.wav")
    command("ddsp-tf", "export", RUN, "--out", int8)
    command("ddsp-tf", "export", RUN, "--out", float32, "--quantize", "float32")
    command("ddsp-edge", "info", int8)
    command("ddsp-edge", "render", int8, flute, OUTPUT / "flute-on-device.wav")
    command("ddsp-edge", "render", int8, melody, OUTPUT / "melody-on-device.wav", "--voices", 1)
    benches = {
        path: json.loads(command("ddsp-edge", "bench", path, "--json", quiet=True))
        for path in (int8, float32)
    }
    print("\nwriting the report ...", flush=True)
    from ddsp_tf.cli.quiet import load_tensorflow

    load_tensorflow()

    from ddsp_tf.tasks.instrument.evaluation.report import DeviceFigures, Rendering, write_report

    write_report(
        REPORT,
        RUN,
        DATASET,
        [
            Rendering("A flute becomes a saxophone", OUTPUT / "flute-as-saxophone.wav", flute),
            Rendering("The same on the device", OUTPUT / "flute-on-device.wav", flute),
            Rendering("A MIDI file on the device", OUTPUT / "melody-on-device.wav"),
        ],
        [DeviceFigures(path, bench) for path, bench in benches.items()],
        title="ddsp_tf demo: a tenor saxophone, from a recording to a device",
    )
    scores = json.loads((RUN / "evaluation.json").read_text(encoding="utf-8"))
    print(summary(scores, benches))
    print(f"\n{REPORT} is ready: open it in a browser. ({(time.monotonic() - started) / 60:.1f} min)")
    missed = [] if steps else shortcomings(scores)
    for text in missed:
        print(f"demo: not good enough: {text}", file=sys.stderr)
    return 1 if missed else 0


def summary(scores: dict[str, Any], benches: dict[Path, dict[str, Any]]) -> str:
    """What came out, as a table of text."""
    names = {"trained": "trained", "untrained": "untrained", "mean_spectrum": "mean spectrum"}
    lines = ["", f"{'':16}{'spectral distance':>18}{'loudness L1, dB':>17}{'f0 within 50 cents':>20}"]
    for key, name in names.items():
        row = scores[key]
        f0 = row["f0_within_50_cents"]
        last = "" if f0 is None else f"{100 * f0:.1f} %"
        lines.append(f"{name:16}{row['spectral_distance']:18.3f}{row['loudness_l1_db']:17.2f}{last:>20}")
    lines += ["", f"{'':28}{'size':>8}{'times real time, one thread':>30}"]
    for path, bench in benches.items():
        factor = bench["realtime_factor"]["the same, following a recording"]
        lines.append(f"{path.name:28}{path.stat().st_size / 1000:5.0f} kB{factor:30.1f}")
    return "\n".join(lines)


def shortcomings(scores: dict[str, Any]) -> list[str]:
    """Which of the promises of docs/instruments.md the trained instrument does not keep."""
    trained = scores["trained"]
    distance, f0 = trained["spectral_distance"], trained["f0_within_50_cents"]
    promises = {
        "not twice as close as the untrained model": 2 * distance <= scores["untrained"]["spectral_distance"],
        "not closer than the mean spectrum": distance < scores["mean_spectrum"]["spectral_distance"],
        "loudness off by 3 dB or more": trained["loudness_l1_db"] < 3.0,
        "f0 off by more than 50 cents in over 5 % of the frames": f0 is not None and f0 >= 0.95,
    }
    return [text for text, kept in promises.items() if not kept]


def command(*arguments: object, quiet: bool = False) -> str:
    """Run one command as it would be typed, from the same installation; return what it printed."""
    words = [str(argument) for argument in arguments]
    print("\n$ " + " ".join(_short(word) for word in words), flush=True)
    program = Path(sys.executable).parent / words[0]
    done = subprocess.run(
        [program, *words[1:]], check=False, text=True, stdout=subprocess.PIPE if quiet else None
    )
    if done.returncode:
        print(f"demo: {words[0]} {words[1]} failed with status {done.returncode}", file=sys.stderr)
        raise SystemExit(done.returncode)
    return done.stdout or ""


def _short(word: str) -> str:
    """A path as seen from the folder of the repository."""
    path = Path(word)
    return (
        str(path.relative_to(HERE.parent))
        if path.is_absolute() and path.is_relative_to(HERE.parent)
        else word
    )


if __name__ == "__main__":
    sys.exit(main())
