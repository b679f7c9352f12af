"""`ddsp-edge play`: live, from a microphone."""

import argparse
import math
from typing import Any

from ddsp_edge.cli.command import tell
from ddsp_edge.cli.options import (
    DEFAULTS,
    add_live_options,
    check_played_range,
    given_settings,
    named_instrument,
)
from ddsp_edge.cli.settings_file import with_settings_file
from ddsp_edge.cli.sound_card import list_devices, play_on_sound_card

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
        description="Play the pitch and loudness of what a microphone hears on an instrument. "
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
    return parser


def _play(arguments: argparse.Namespace) -> None:
    if list_devices(arguments):
        return
    from ddsp_edge.live import LATENCIES, EffectSettings, LiveEffect

    check_played_range(arguments)
    if arguments.match_loudness is None and arguments.softest_db is not None:
        arguments.match_loudness = True  # what else would a range be for
    settings = EffectSettings(**given_settings(arguments, EffectSettings))
    effect = LiveEffect(named_instrument(arguments), settings, **LATENCIES[arguments.latency])
    play_on_sound_card(arguments, effect, wants_input=True)
    played = effect.played_db()
    if played:
        low, high = math.floor(played[0]), math.ceil(played[1])
        tell(f"you played from {low} to {high} dB: --softest-db {low} --loudest-db {high} sets that range")
