"""`ddsp-edge midi`: live, from a MIDI keyboard or the computer's keys."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ddsp_edge.cli.command import say
from ddsp_edge.cli.options import (
    DEFAULTS,
    EXPRESSION_HELP,
    VOICES,
    add_live_options,
    add_sound_options,
    add_stems_and_seed,
    given_settings,
    named_instrument,
    voices,
)
from ddsp_edge.cli.settings_file import with_settings_file
from ddsp_edge.cli.sound_card import list_devices, play_on_sound_card
from ddsp_edge.errors import DdspError

if TYPE_CHECKING:
    from ddsp_edge.live.keys import LiveInstrument
    from ddsp_edge.live.settings import KeySettings

_SETTINGS = {
    "attack_s": "time from silence to full level, s",
    "decay_s": "time from the first level of a note to where it stays, s",
    "sustain_db": "where it stays, dB re its first level",
    "release_s": "time from full level to silence, s",
    "glide_s": "time of a slur from note to note, with one voice, s",
    "velocity_curve": "exponent on velocity: above 1 soft playing is softer",
    "vibrato_semitones": "depth of the vibrato at full modulation wheel, semitones",
    "vibrato_hz": "rate of the vibrato, Hz",
    "expression": EXPRESSION_HELP,
}


def add_midi(commands: Any, debug: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Add the command to those of a parser; return its own."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "midi",
        parents=[debug],
        help="play live from a MIDI keyboard, or the computer's",
        description="Play an instrument from a MIDI keyboard, or from the computer's keys where there is "
        "none: a is C, w C sharp and so on, z and x move by an octave, space ends a note, Escape all sound. "
        "Needs pip install 'ddsp-tf[live]'. Ctrl-C ends.",
    )
    defaults = {**DEFAULTS, "voices": VOICES}
    parser.set_defaults(handler=lambda given: _midi(with_settings_file(given, parser, defaults)))
    _options(parser)
    return parser


class SoundOfKeys(NamedTuple):
    """How a MIDI file is played.

    Args:
        settings: Without the octaves.
        voices: Notes at a time.
        octaves: To transpose by.
        seed: Of the noise; None for another one every time.
        stems: Whether the parts of the sound are written too.
    """

    settings: "KeySettings"
    voices: int
    octaves: int
    seed: int | None
    stems: bool


def add_sound_of_keys(parser: argparse.ArgumentParser) -> None:
    """Add those options of `ddsp-edge midi` that are about sound, and what is for files beside."""
    _add_voices(parser)
    add_sound_options(parser, _SETTINGS)
    add_stems_and_seed(parser)


def sound_of_keys(file: Path | None, **given: Any) -> SoundOfKeys:
    """How `ddsp-edge midi` would sound with a settings file; what it says of devices is passed over.

    Args:
        file: The TOML file, or None.
        given: Options that go before it, by name; None where one was left out.

    Raises:
        DdspError: As `with_settings_file`.
    """
    from ddsp_edge.live import KeySettings

    parser = argparse.ArgumentParser()
    _options(parser)
    add_stems_and_seed(parser)
    arguments = parser.parse_args([])
    vars(arguments).update(given, settings=file)
    arguments = with_settings_file(arguments, parser, {**DEFAULTS, "voices": VOICES})
    settings = {**given_settings(arguments, KeySettings), "transposition": arguments.transposition}
    sound = KeySettings(**settings)
    return SoundOfKeys(sound, arguments.voices, arguments.octaves, arguments.seed, bool(arguments.stems))


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", metavar="NAME", help="part of the name of the MIDI port")
    parser.add_argument(
        "--computer-keys", action="store_true", default=None, help="play on the computer's keys in any case"
    )
    _add_voices(parser)
    add_live_options(parser, _SETTINGS)


def _add_voices(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--voices", metavar="N", type=voices, help=f"notes at a time; 1 plays legato ({VOICES})"
    )


def _midi(arguments: argparse.Namespace) -> None:
    if list_devices(arguments):
        return
    from ddsp_edge.live import KeySettings, LiveInstrument

    settings = KeySettings(**given_settings(arguments, KeySettings))
    keys = LiveInstrument(named_instrument(arguments), arguments.voices, settings)
    with _keys_of(arguments, keys):
        play_on_sound_card(arguments, keys, wants_input=False)


@contextmanager
def _keys_of(arguments: argparse.Namespace, keys: "LiveInstrument") -> Iterator[None]:
    from ddsp_edge.live.messages import ComputerKeys, listening, terminal_keys

    with ExitStack() as stack:
        computer = arguments.computer_keys
        if not computer:
            try:
                say(f"playing from {stack.enter_context(listening(keys, arguments.port))}")
            except DdspError as error:
                if arguments.port is not None:  # one that was asked for by name is a must
                    raise
                say(f"{error}; playing on the computer's keys instead (a is C; --help tells more)")
                computer = True
        if computer:
            stack.enter_context(terminal_keys(ComputerKeys(keys).press, sys.stdin))
        yield
