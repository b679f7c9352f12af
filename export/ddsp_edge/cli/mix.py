"""`ddsp-edge mix`: a MIDI file of several parts, each on an instrument of its own."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddsp_edge.cli.command import path_argument, tell
from ddsp_edge.cli.file_use import Outcome, pace_of, tell_outcome
from ddsp_edge.cli.options import EXPRESSION_HELP, VOICES, WIDE, seed, share, voices
from ddsp_edge.cli.progress import seconds_bar
from ddsp_edge.errors import DdspError, did_you_mean, printable
from ddsp_edge.shipped import instrument_of_program, model_path

if TYPE_CHECKING:
    from ddsp_edge.files.midi_parts import Part

NOBODY = "none"


def add_mix(commands: Any, debug: argparse.ArgumentParser) -> None:
    """Add the command to those of a parser."""
    parser = commands.add_parser(
        "mix",
        parents=[debug],
        help="play a MIDI file of several parts on several instruments",
        usage="ddsp-edge mix [options] SONG OUTPUT",
        description="Play each part of SONG, a MIDI file, on an instrument of its own, into OUTPUT (.wav or "
        ".flac, stereo). PART is its number in --list, a part of its name, program:N, or * for all others. "
        "Drums are left out.",
        formatter_class=WIDE,
    )
    parser.set_defaults(handler=_mix)
    parser.add_argument("song", metavar="SONG", type=path_argument, help=argparse.SUPPRESS)
    parser.add_argument("output", metavar="OUTPUT", nargs="?", type=path_argument, help=argparse.SUPPRESS)
    parser.add_argument("--list", action="store_true", help="list the parts, and end")
    for option, metavar, text in (
        ("--map", "PART=INSTRUMENT", f"who plays it: a .tflite, a name of ddsp-edge models, or {NOBODY}"),
        ("--pan", "PART=P", "where it stands, -1 (left) to 1 (right); else as the file has it"),
        ("--level", "PART=DB", "how loud, dB"),
    ):
        parser.add_argument(option, metavar=metavar, action="append", default=[], type=_pair, help=text)
    parser.add_argument(
        "--room", metavar="ROOM", default="own", help="own, dry, or an instrument whose room all play in"
    )
    parser.add_argument("--voices", metavar="N", type=voices, default=VOICES, help=f"of each ({VOICES})")
    parser.add_argument("--expression", metavar="E", type=share, default=1.0, help=EXPRESSION_HELP)
    parser.add_argument("--stems", action="store_true", help="also write each part: OUTPUT-1, -2 ...")
    parser.add_argument("--seed", metavar="N", type=seed, help="of the noise: same seed, same sound")
    parser.add_argument("--quiet", action="store_true", help="no progress, no summary")


def _mix(arguments: argparse.Namespace) -> None:
    from ddsp_edge.files.midi_parts import parts_of
    from ddsp_edge.render.midi_score import open_midi

    file, _ = open_midi(arguments.song)
    parts, drums = parts_of(file)
    if not parts:
        raise DdspError(f"{arguments.song} holds no notes (drums on channel 10 are left out)")
    if arguments.list:
        for number, part in enumerate(parts, 1):
            tell(f"{number}: {_about(part)}")
        return
    if arguments.output is None:
        raise DdspError("name a file to write, or --list to see the parts")
    _render(arguments, parts, drums)


def _render(arguments: argparse.Namespace, parts: Sequence["Part"], drums: int) -> None:
    from ddsp_edge.render.mix import DRY, OWN, Player, render_mix

    pans = _numbers(parts, arguments.pan, "--pan", (-1.0, 1.0))
    levels = _numbers(parts, arguments.level, "--level", (-80.0, 80.0))
    players = [
        Player(part, path, pans.get(n, part.pan or 0.0), levels.get(n, 0.0))
        for n, (part, path) in enumerate(zip(parts, _instruments(parts, arguments.map), strict=True))
        if path is not None
    ]
    room = arguments.room if arguments.room in (OWN, DRY) else model_path(arguments.room)
    with seconds_bar(arguments.quiet) as progress:
        report = render_mix(
            arguments.song,
            arguments.output,
            players,
            room=room,
            voices=arguments.voices,
            expression=arguments.expression,
            stems=arguments.stems,
            seed=arguments.seed,
            progress=progress,
        )
    if drums:
        report.warnings.append(f"notes of channel 10, which are drums and left out: {drums}")
    told = f"{len(players)} of {len(parts)} parts, {pace_of(report)}"
    tell_outcome(Outcome([told], report.warnings), arguments.output, arguments.quiet)


def _instruments(parts: Sequence["Part"], given: Sequence[tuple[str, str]]) -> list[Path | None]:
    """Who plays each part; None for nobody."""
    chosen = _chosen(parts, given, "--map")
    found = list[Path | None]()
    for number, part in enumerate(parts):
        name = chosen.get(number)
        shipped = None if part.program is None else instrument_of_program(part.program)
        if name is None and shipped is None:
            n, about = number + 1, printable(_about(part))
            raise DdspError(
                f"nobody plays part {n} ({about}): name an instrument, such as --map '{n}=violin.tflite', or "
                f"--map '{n}={NOBODY}'; '*=...' is for all others"
            )
        if name is None:
            found.append(shipped)
        else:
            found.append(None if name == NOBODY else model_path(name))
    return found


def _chosen(parts: Sequence["Part"], given: Sequence[tuple[str, str]], option: str) -> Mapping[int, str]:
    """What was said of each part, by its index: by number before name, program, and all others."""
    found = dict[int, tuple[int, str]]()
    for key, value in given:
        matched = False
        for index, part in enumerate(parts):
            rank = _rank(key, index, part)
            if rank is not None:
                matched = True
                if index not in found or rank < found[index][0]:
                    found[index] = (rank, value)
        if not matched:
            names = [part.name for part in parts if part.name]
            raise DdspError(
                f"{option} {printable(key)}: no part has this number, name or program; --list shows them."
                + did_you_mean(key, names)
            )
    return {index: value for index, (_, value) in found.items()}


def _rank(key: str, index: int, part: "Part") -> int | None:
    """How narrowly a key names a part, the lower the more; None if it does not."""
    if key == str(index + 1):
        return 0
    if key == "*":
        return 3
    if key.startswith("program:"):
        return 2 if key == f"program:{part.program}" else None
    return 1 if not key.isdecimal() and key.casefold() in part.name.casefold() else None


def _about(part: "Part") -> str:
    name = f"{printable(part.name)}, " if part.name else ""
    program = "no program" if part.program is None else f"program {part.program}"
    notes = "1 note" if part.notes == 1 else f"{part.notes} notes"
    return f"{name}channel {part.place[1] + 1}, {program}, {notes}"


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.rpartition("=")
    if not (key and equals and value):
        raise argparse.ArgumentTypeError(f"PART=VALUE is wanted. Received: {text!r}")
    return key, value


def _numbers(
    parts: Sequence["Part"], given: Sequence[tuple[str, str]], option: str, ends: tuple[float, float]
) -> dict[int, float]:
    """A number for each part of which one was said."""
    found = {}
    for index, text in _chosen(parts, given, option).items():
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not ends[0] <= value <= ends[1]:
            raise DdspError(f"{option} must be from {ends[0]:g} to {ends[1]:g}. Received: {text!r}")
        found[index] = value
    return found
