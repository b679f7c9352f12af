"""Options that several commands have, and the types of their values."""

import argparse
import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partial
from typing import Any

from ddsp_edge.cli.command import model_argument, path_argument
from ddsp_edge.errors import DdspError
from ddsp_edge.ranges import CONSONANTS, MAX_VOICES, check_range

MODEL_HELP = "a .tflite by ddsp-tf export, or a name of ddsp-edge models"
VOICES = 4
PITCH = "match"
"""What becomes of a pitch, if nothing is said."""
STRENGTH = 1.0  # of a restoration: all of it
EXPRESSION_HELP = "notes as written (0) to as it plays them (1)"
DEFAULTS: dict[str, Any] = {"octaves": 0, "transposition": 0.0, "block": 0, "osc_host": "127.0.0.1"}
"""Of live commands: what is neither on the command line nor in the settings file."""

# Fields of the settings of live playing, in the order of the help. Defaults are those of the settings.
_SOUND = {
    "gain_db": "gain of the output, before its limiter, dB",
    "harmonic_db": "harmonics louder or softer, dB",
    "noise_db": "noise louder or softer, dB",
    "reverb": "share of the instrument's room, 0 (dry) to 1",
    "loudness_shift_db": "added to the loudness of what sounds, dB",
    "brightness": "octaves brighter, of an instrument that can be",
}
CONSONANTS_HELP = "without a pitch: hold (the last one), noise or mute"
RECORDING_OPTIONS = {
    "match_octave": "choose the best octave, by the whole recording",
    "match_loudness": "map all of its loudness to the instrument's range",
    "softest_db": "from a set range instead: its softest playing, dB",
    "loudest_db": "and its loudest playing, dB",
    "gate": "mute what has no pitch or is softer than --gate-db",
    "gate_db": "loudness at which the gate opens, dB (-60)",
    "consonants": CONSONANTS_HELP,
}
"""Options for recordings alone, by field of the settings of a transfer, with their help."""
_OF_SOUND = ("consonants",)  # what they change is neither pitch nor loudness
_FLAGS = ("gate", "match_loudness", "match_octave")


WIDE = partial(argparse.HelpFormatter, max_help_position=26)
"""Formats the help of commands with long options, each in a line."""


def add_instrument(parser: argparse.ArgumentParser, help: str = MODEL_HELP) -> None:
    """Add the model file that a command is about."""
    parser.add_argument("instrument", metavar="INSTRUMENT", type=model_argument, help=help)


def add_live_options(parser: argparse.ArgumentParser, own: Mapping[str, str]) -> None:
    """Add what all live commands take.

    Args:
        parser: The parser of the command.
        own: Help of the settings that it has for itself, by field.
    """
    parser.add_argument("instrument", metavar="INSTRUMENT", nargs="?", type=model_argument, help=MODEL_HELP)
    parser.add_argument(
        "--settings", metavar="FILE", type=path_argument, help="a TOML file with any of these options"
    )
    parser.add_argument(
        "--list-devices", action="store_true", help="list sound cards and MIDI ports, and end"
    )
    parser.add_argument(
        "--output", metavar="DEVICE", help="number or part of the name of the device to play on"
    )
    parser.add_argument(
        "--rate", metavar="HZ", type=int, help="of the sound card (the instrument's, if it can)"
    )
    parser.add_argument("--block", metavar="N", type=_block, help="samples a block (the card's choice)")
    parser.add_argument("--seconds", metavar="S", type=number, help="end after so many seconds")
    parser.add_argument("--osc", metavar="PORT", type=port, help="hear settings by OSC at this UDP port")
    parser.add_argument(
        "--osc-host", metavar="ADDRESS", help="where: 0.0.0.0 lets the whole network play (127.0.0.1)"
    )
    add_sound_options(parser, own)


def add_sound_options(parser: argparse.ArgumentParser, own: Mapping[str, str]) -> None:
    """Add what of the options of live commands is about sound.

    Args:
        parser: The parser of the command.
        own: As for `add_live_options`.
    """
    parser.add_argument("--octaves", metavar="N", type=int, help="transpose by octaves (-2, 1 ...)")
    parser.add_argument(
        "--transposition", metavar="N", type=partial(number, name="transposition"), help="and by semitones"
    )
    # No defaults here: the settings have them, and would bring numpy into every command.
    for name, text in {**_SOUND, **own}.items():
        option = "--" + name.replace("_", "-")
        if name in _FLAGS:
            parser.add_argument(option, action="store_true", default=None, help=text)
        else:
            of_field = partial(number, name=name)
            parser.add_argument(option, metavar=name.rsplit("_", 1)[-1].upper(), type=of_field, help=text)


def add_transfer_options(parser: argparse.ArgumentParser, sound: bool = True) -> None:
    """Add what `ddsp-edge render` and `ddsp-tf transfer` take: both play a recording on an instrument.

    Args:
        parser: The parser of the command.
        sound: Whether the command writes sound, and not controls alone.
    """
    parser.add_argument("--octaves", metavar="N", type=int, help="transpose by octaves (-2, 1 ...)")
    parser.add_argument("--transposition", metavar="N", type=float, help="and by semitones")
    parser.add_argument("--loudness-shift-db", metavar="DB", type=float, help="add to the loudness, in dB")
    parser.add_argument("--brightness", metavar="OCTAVES", type=float, help=_SOUND["brightness"])
    for name, text in RECORDING_OPTIONS.items():
        if name in _OF_SOUND and not sound:
            continue
        option = "--" + name.replace("_", "-")
        if name in _FLAGS:
            parser.add_argument(option, action="store_true", default=None, help=text)
        elif name == "consonants":
            parser.add_argument(option, metavar="WAY", choices=CONSONANTS, help=text)
        else:
            parser.add_argument(option, metavar="DB", type=float, help=text)
    if sound:
        add_stems_and_seed(parser)
    parser.add_argument("--quiet", action="store_true", help="no progress, no summary")


def add_stems_and_seed(parser: argparse.ArgumentParser) -> None:
    """Add what is for sound files of instruments."""
    stems_help = "also write its parts: OUTPUT-harmonic, -noise ..."
    parser.add_argument("--stems", action="store_true", default=None, help=stems_help)
    parser.add_argument("--seed", metavar="N", type=seed, help="of the noise: same seed, same sound")


def add_restoration_options(parser: argparse.ArgumentParser) -> None:
    """Add what `ddsp-edge restore` and `ddsp-tf restore` take."""
    parser.add_argument(
        "--strength",
        metavar="S",
        type=share,
        help=f"how much is done of it: 0 leaves all as it is ({STRENGTH})",
    )
    stems_help = "also write what was taken out: OUTPUT-removed"
    parser.add_argument("--stems", action="store_true", default=None, help=stems_help)
    parser.add_argument("--quiet", action="store_true", help="no progress, no summary")


def add_conversion_options(parser: argparse.ArgumentParser) -> None:
    """Add what `ddsp-edge convert` and `ddsp-tf convert` take."""
    parser.add_argument(
        "--pitch",
        metavar="P",
        type=pitch,
        help=f"match: the median pitch of the voice; keep; or semitones ({PITCH})",
    )
    parser.add_argument("--voice", metavar="NAME", help="which voice, of a model of several")
    parser.add_argument("--seed", metavar="N", type=seed, help="of the noise: same seed, same sound")
    parser.add_argument("--quiet", action="store_true", help="no progress, no summary")


def pitch(text: str) -> str | float:
    """What becomes of a pitch: `keep`, `match`, or semitones."""
    from ddsp_edge.voice.matching import pitch_setting

    try:
        return pitch_setting(text)
    except DdspError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def transfer_changes(arguments: argparse.Namespace) -> dict[str, Any]:
    """What was given of the fields of `ddsp_edge.transfer.settings.TransferSettings`."""
    names = ("octaves", "transposition", "loudness_shift_db", "brightness", *RECORDING_OPTIONS)
    return {name: value for name in names if (value := getattr(arguments, name, None)) is not None}


def given_settings(arguments: argparse.Namespace, kind: Callable[..., Any]) -> dict[str, Any]:
    """What was given of the fields of a class of live settings; the others keep their defaults."""
    from ddsp_edge.transfer.transposition import check_shifts

    check_shifts(arguments.octaves, arguments.loudness_shift_db or 0.0)
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    given = {name: value for name, value in vars(arguments).items() if name in names and value is not None}
    given["transposition"] = 12.0 * arguments.octaves + arguments.transposition
    return given


def check_played_range(arguments: argparse.Namespace) -> None:
    """Refuse a range of loudness that has one end, or that does not rise.

    Raises:
        DdspError: Naming the settings file, if there is one, and what was given.
    """
    from ddsp_edge.transfer.settings import check_played_range as check

    where = "" if arguments.settings is None else f"{arguments.settings}: "
    check(getattr(arguments, "softest_db", None), getattr(arguments, "loudest_db", None), where)


def named_instrument(arguments: argparse.Namespace) -> Any:
    """The instrument of a live command, which the command line or the settings file names.

    Raises:
        DdspError: If neither does.
    """
    if arguments.instrument is None:
        raise DdspError("Name an instrument: a .tflite file by ddsp-tf export")
    return arguments.instrument


def number(text: str, name: str | None = None) -> float:
    """A finite number; within its range, where the name of a setting is given."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"a number is wanted. Received: {text!r}")
    if name is not None:
        try:
            check_range(name, value)
        except DdspError as error:
            raise argparse.ArgumentTypeError(str(error)) from error
    return value


def share(text: str) -> float:
    """A number from 0 to 1."""
    value = number(text)
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"a number from 0 to 1 is wanted. Received: {text!r}")
    return value


def voices(text: str) -> int:
    """How many notes sound at a time."""
    if not text.isdecimal() or not 1 <= int(text) <= MAX_VOICES:
        raise argparse.ArgumentTypeError(
            f"voices must be a whole number from 1 to {MAX_VOICES}. Received: {text!r}"
        )
    return int(text)


def seed(text: str) -> int:
    """The seed of a noise."""
    try:
        value = int(text)
    except ValueError:
        value = -1
    if value < 0:
        raise argparse.ArgumentTypeError(f"a seed is a whole number from 0. Received: {text!r}")
    return value


def port(text: str) -> int:
    """A port; 0 lets the system choose one, where something is listened at."""
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"a port is from 1 to 65535. Received: {text!r}")
    return int(text)


def _block(text: str) -> int:
    if not text.isdecimal() or not 16 <= int(text) <= 8192:
        raise argparse.ArgumentTypeError(f"a block has 16 to 8192 samples. Received: {text!r}")
    return int(text)
