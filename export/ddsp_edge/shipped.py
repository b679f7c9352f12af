"""Models that come with the package, by name.

Each is a file `models/NAME.tflite` in the package, with a page `NAME.md` beside it: what it was made from,
whose work that is, how well it does, and the command that makes it again.
"""

from pathlib import Path

from ddsp_edge.errors import DdspError, did_you_mean

FOLDER = Path(__file__).with_name("models")
_GENERAL_MIDI = {
    40: "violin",
    42: "cello",
    56: "trumpet",
    57: "trombone",
    60: "horn",
    65: "saxophone",
    70: "bassoon",
    71: "clarinet",
    73: "flute",
}
"""Instruments that come with the package, or may, by the program of General MIDI that calls for them."""


def shipped_models() -> dict[str, Path]:
    """The models that come with the package: file by name, sorted."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.tflite"))}


def instrument_of_program(program: int) -> Path | None:
    """The instrument that comes along for a program of General MIDI, 0 to 127; None if none does."""
    return shipped_models().get(_GENERAL_MIDI.get(program, ""))


def model_path(text: str | Path) -> Path:
    """The file that somebody means who writes the name of a model, or of a file.

    A file of the name comes first; a bare word that is none is the name of a model that comes with the
    package. A `Path` is meant as it is.

    Raises:
        DdspError: If it is neither; the names are told.
    """
    path = Path(text)
    if isinstance(text, Path):
        return text
    shipped = shipped_models()
    if path.is_file() or path.suffix or path.name != text:
        return path
    if text in shipped:
        return shipped[text]
    if path.exists():
        return path  # a folder, a pipe: what reads it says what it thinks of that
    names, hint = ", ".join(shipped) or "none", did_you_mean(text, list(shipped))
    raise DdspError(f"{text!r} is no file, and no model of that name comes with ddsp-edge ({names}).{hint}")
