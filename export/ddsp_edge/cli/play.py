"""`ddsp-edge play`: live, from a microphone."""

import argparse
import math
from typing import Any

from ddsp_edge.cli.command import tell
from ddsp_edge.cli.options import (
    CONSONANTS_HELP,
    DEFAULTS,
    PITCH,
    STRENGTH,
    add_live_options,
    check_played_range,
    given_settings,
    named_instrument,
    pitch,
    share,
)
from ddsp_edge.cli.settings_file import with_settings_file
from ddsp_edge.cli.sound_card import list_devices, play_on_sound_card
from ddsp_edge.errors import DdspError
from ddsp_edge.ranges import CONSONANTS

_RESTORED_RATE = 48_000  # Hz, that every sound card has
_LATENCIES = ("low", "middle", "full")
_SETTINGS = {
    "gate": "let through only what has a pitch and is louder than --gate-db",
    "gate_db": "loudness at which the gate opens, dB",
    "match_loudness": "map your range of loudness, learned while you play, to the instrument's",
    "softest_db": "map from a set range instead: loudness of your softest playing, dB",
    "loudest_db": "and of your loudest playing, dB",
    "match_octave": "choose the octave that suits the instrument best, learned while you play",
}


def add_play(commands: Any, debug: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Add the command to those of a parser; return its own."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "play",
        parents=[debug],
        help="play live from a microphone",
        description="Play the pitch and loudness of what a microphone hears on an instrument; or, where "
        "INSTRUMENT is a restoration, what it hears without its noise, or a voice, in that voice. "
        "Needs pip install 'ddsp-tf[live]'. Ctrl-C ends.",
    )
    defaults = {**DEFAULTS, "latency": "low"}
    parser.set_defaults(handler=lambda given: _play(with_settings_file(given, parser, defaults)))
    parser.add_argument("--input", metavar="DEVICE", help="number or part of the name of the device to hear")
    parser.add_argument(
        "--latency",
        choices=_LATENCIES,
        help="low (20 ms, notes above 110 Hz), middle, or full: surest, as files are rendered (low)",
    )
    add_live_options(parser, _SETTINGS)
    parser.add_argument(
        "--strength", metavar="S", type=share, help="of a restoration: 0 leaves the sound as it is (1)"
    )
    parser.add_argument("--consonants", metavar="WAY", choices=CONSONANTS, help=f"{CONSONANTS_HELP} (hold)")
    parser.add_argument(
        "--pitch", metavar="P", type=pitch, help="of a voice: match, keep, or semitones (match)"
    )
    return parser


def _play(arguments: argparse.Namespace) -> None:
    if list_devices(arguments):
        return
    from ddsp_edge.model.file import read_model_file
    from ddsp_edge.restoration.restorer import TASK
    from ddsp_edge.voice.card import TASK as VOICE

    path = named_instrument(arguments)
    file = read_model_file(path)
    if file.card.task == TASK:
        _restore(arguments, file)
        return
    if arguments.strength is not None:
        raise DdspError(f"--strength is for restorations, and {path} is none")
    if file.card.task == VOICE:
        _convert(arguments, file)
        return
    if arguments.pitch is not None:
        raise DdspError(f"--pitch is for voices, and {path} is none; --transposition moves an instrument")
    from ddsp_edge.live import LATENCIES, EffectSettings, LiveEffect

    check_played_range(arguments)
    if arguments.match_loudness is None and arguments.softest_db is not None:
        arguments.match_loudness = True  # what else would a range be for
    settings = EffectSettings(**given_settings(arguments, EffectSettings))
    way = arguments.consonants or "hold"
    effect = LiveEffect(path, settings, **LATENCIES[arguments.latency], consonants=way)
    play_on_sound_card(arguments, effect, wants_input=True)
    played = effect.played_db()
    if played:
        low, high = math.floor(played[0]), math.ceil(played[1])
        tell(f"you played from {low} to {high} dB: --softest-db {low} --loudest-db {high} sets that range")


def _restore(arguments: argparse.Namespace, file: Any) -> None:
    """Play what is heard without its noise."""
    from ddsp_edge.live.stream import check_rate
    from ddsp_edge.restoration.live import LiveRestorer

    if arguments.osc is not None:
        raise DdspError("--osc is for instruments, and this is a restoration")
    rate = _RESTORED_RATE if arguments.rate is None else arguments.rate
    check_rate(rate)
    strength = STRENGTH if arguments.strength is None else arguments.strength
    play_on_sound_card(arguments, LiveRestorer(file, rate, strength), wants_input=True)


def _convert(arguments: argparse.Namespace, file: Any) -> None:
    """Play what is heard in another person's voice."""
    from ddsp_edge.voice.live import LiveConverter

    if arguments.osc is not None:
        raise DdspError("--osc is for instruments, and this is a voice")
    wanted = PITCH if arguments.pitch is None else arguments.pitch
    play_on_sound_card(arguments, LiveConverter(file, wanted), wants_input=True)
