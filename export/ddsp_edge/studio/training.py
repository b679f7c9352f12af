"""A model made of recordings, by the commands of `ddsp-tf`, in the process of a job of its own.

Nothing of the library is imported: its commands are run as a user would run them, one after the other, and
what they leave is looked at.
"""

import csv
import importlib.util
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from ddsp_edge.children import module_command
from ddsp_edge.errors import DdspError
from ddsp_edge.studio.heard import Heard


@dataclass(frozen=True)
class Makes:
    """What a configuration makes.

    Args:
        what: In words.
        consent: Whether whoever is heard must have agreed.
    """

    what: str
    consent: bool = False


CONFIGS = {
    "solo_instrument": Makes("an instrument"),
    "solo_24k": Makes("an instrument"),
    "solo_44k": Makes("an instrument"),
    "solo_48k": Makes("an instrument"),
    "voice": Makes("a voice", consent=True),
}
"""Configurations that come with the library and need recordings of one player or speaker alone."""

MAX_STEPS = 1_000_000
MODEL, REPORT = "model.tflite", "report.html"
_COMMANDS = "ddsp_tf.cli.main"
_EVERY_S = 1.0
_PATIENCE_S = 60.0  # until what was told to stop is made to
_STEPS = {
    "prepare": (0.0, 0.1),
    "train": (0.1, 0.75),
    "export": (0.85, 0.05),
    "evaluate": (0.9, 0.1),
}
"""The commands, where they begin on the bar, and how long they are there."""

_DATASET, _RUN, _SAID, _SOUNDS = "dataset", "run", "said.txt", "sounds"


def can_train() -> bool:
    """Whether the library is installed, with what it needs."""
    return all(importlib.util.find_spec(name) is not None for name in ("ddsp_tf", "tensorflow"))


def train(asked: Mapping[str, Any], progress: Callable[..., None]) -> dict[str, Any]:
    """Prepare, train, export and evaluate; what was begun before goes on.

    Args:
        asked: `sources`, `folder`, `heard` (a folder for what is heard meanwhile), `config`, `steps`, `name`,
            and `consent`, whether whoever is heard has agreed.
        progress: Is told how far it is: a share, words, and what is live: the curves, and `sounds`.

    Raises:
        DdspError: If a command fails, with what it said.
    """
    signal.signal(signal.SIGTERM, _stop)
    folder = Path(asked["folder"])
    dataset, run = folder / _DATASET, folder / _RUN
    config, steps = asked["config"], int(asked["steps"])
    heard = Heard(run / _SOUNDS, Path(asked["heard"]))

    def live() -> dict[str, Any]:
        sounds = heard.now()
        return {**curves(run), **({"sounds": sounds} if sounds else {})}

    def command(word: str, *arguments: str) -> None:
        _command(folder, word, progress, live, steps, *arguments)

    if not (dataset / "dataset.json").exists():
        sources = asked["sources"]
        agreed = ["--i-have-consent"] if asked["consent"] else []
        command("prepare", *sources, "--config", config, "--out", str(dataset), *agreed)
    wanted = [config, "--data", str(dataset), "--out", str(run), "--steps", str(steps), "--sounds"]
    named = ["--set", f"name={asked['name']}"]
    resume = ["--resume"] if (run / "checkpoints").exists() else []
    command("train", *wanted, *named, *resume)
    model = folder / MODEL
    command("export", str(run), "--out", str(model))
    files = [{"file": MODEL, "label": "", "kind": "model"}]
    warnings = []
    try:
        command("evaluate", str(run), "--data", str(dataset))
    except DdspError as error:  # the model is there all the same
        warnings.append(f"how good it is could not be measured: {error}")
    if (run / REPORT).exists():
        shutil.copyfile(run / REPORT, folder / REPORT)
        files.append({"file": REPORT, "label": "", "kind": "report"})
    told = [f"{steps} steps; it can be chosen among the models now", f"all of it is in {folder}"]
    return {"told": told, "warnings": warnings, "files": files, "live": live()}


def curves(run: Path) -> dict[str, list[float]]:
    """Steps and losses of a run so far, by name; those that are not there yet are left out."""
    try:
        with (run / "log.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        found = {
            name: [float(row[name]) for row in rows if row.get(name)] for name in ("step", "loss", "val_loss")
        }
    except (OSError, ValueError, csv.Error):  # not there yet, or being written
        return {}
    return {name: values for name, values in found.items() if values}


def _command(
    folder: Path,
    word: str,
    progress: Callable[..., None],
    live: Callable[[], dict[str, Any]],
    steps: int,
    *arguments: str,
) -> None:
    """Run a command of the library to its end; what it says goes into a file."""
    start, length = _STEPS[word]
    with (folder / _SAID).open("ab") as said:
        begin = said.tell()
        process = subprocess.Popen(
            module_command(_COMMANDS, word, *arguments), stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        try:
            while process.poll() is None:
                time.sleep(_EVERY_S)
                now = live()
                done = now.get("step", [0.0])[-1] if word == "train" else 0.0
                progress(start + length * min(1.0, done / steps), _words(word, steps, now), now)
        except BaseException:  # told to stop, or nobody is left to be told how far it is
            process.terminate()  # a training ends after the step that it is in, with a checkpoint
            try:
                process.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
            raise
    if process.returncode:
        raise DdspError(
            _last_words(folder / _SAID, begin) or f"ddsp-tf {word} ended with {process.returncode}"
        )


def _words(word: str, steps: int, live: Mapping[str, Any]) -> str:
    if word == "prepare":
        return "listening to the recordings"
    if word == "export":
        return "writing the model"
    if word == "evaluate":
        return "measuring how good it is"
    if "step" not in live:
        return "beginning to train"
    if live["step"][-1] >= steps:
        return f"all {steps} steps are done; what came of them is written down"
    held_back = f", held back {live['val_loss'][-1]:.2f}" if "val_loss" in live else ""
    return f"step {live['step'][-1]:.0f} of {steps}, loss {live['loss'][-1]:.2f}{held_back}"


def _last_words(said: Path, begin: int) -> str:
    """The error that a command told last, of what was said from a byte on."""
    text = said.read_bytes()[begin:][-8000:].decode(errors="replace")
    errors = [line for line in text.splitlines() if ": error: " in line]
    return errors[-1].split(": error: ", 1)[1] if errors else ""


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
