"""The commands of `ddsp-edge` that make sound at once: `play` (from a microphone) and `midi` (from keys)."""

import argparse
import math
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddsp_edge.cli.command import path_argument, tell
from ddsp_edge.cli.settings_file import with_settings_file
from ddsp_edge.errors import DdspError, printable
from ddsp_edge.ranges import MAX_VOICES, check_range

if TYPE_CHECKING:
    from ddsp_edge.live.block_player import BlockPlayer
    from ddsp_edge.live.effect import LiveEffect
    from ddsp_edge.live.keys import LiveInstrument
    from ddsp_edge.live.settings import KeySettings
    from ddsp_edge.live.sound_card import SoundCard

# Fields of the settings, in the order of the help. Defaults are those of the settings.
_SOUND = {
    "gain_db": "gain of the output, before its limiter, dB",
    "harmonic_db": "harmonics louder or softer, dB",
    "noise_db": "noise louder or softer, dB",
    "reverb": "share of the instrument's room, 0 (dry) to 1",
    "loudness_shift_db": "added to the loudness of what sounds, dB",
}
_EFFECT = {
    "gate": "let through only what has a pitch and is louder than --gate-db",
    "gate_db": "loudness at which the gate opens, dB",
    "match_loudness": "map your range of loudness, learned while you play, to the instrument's",
    "softest_db": "map from a set range instead: loudness of your softest playing, dB",
    "loudest_db": "and of your loudest playing, dB",
    "match_octave": "choose the octave that suits the instrument best, learned while you play",
}
_KEYS = {
    "attack_s": "time from silence to full level, s",
    "decay_s": "time from the first level of a note to where it stays, s",
    "sustain_db": "where it stays, dB re its first level",
    "release_s": "time from full level to silence, s",
    "glide_s": "time of a slur from note to note, with one voice, s",
    "velocity_curve": "exponent on velocity: above 1 soft playing is softer",
    "vibrato_semitones": "depth of the vibrato at full modulation wheel, semitones",
    "vibrato_hz": "rate of the vibrato, Hz",
}
VOICES = 4
_LATENCIES = ("low", "middle", "full")
# What is neither on the command line nor in the settings file.
_DEFAULTS: dict[str, Any] = {"octaves": 0, "transposition": 0.0, "block": 0, "osc_host": "127.0.0.1"}
_HEALTH_S = 300.0


def add_live_commands(commands: Any, debug: argparse.ArgumentParser) -> None:
    """Add `play`, `midi` and `install-service` to the commands of a parser."""

    def command(
        name: str, handler: Callable[[argparse.Namespace], None], defaults: dict[str, Any], **texts: str
    ) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = commands.add_parser(name, parents=[debug], **texts)
        defaults = {**_DEFAULTS, **defaults}
        parser.set_defaults(handler=lambda given: handler(with_settings_file(given, parser, defaults)))
        return parser

    play = command(
        "play",
        _play,
        {"latency": "low"},
        help="play live from a microphone",
        description="Play the pitch and loudness of what a microphone hears on an instrument. "
        "Needs pip install 'ddsp-tf[live]'. Ctrl-C ends.",
    )
    play.add_argument("--input", metavar="DEVICE", help="number or part of the name of the device to hear")
    play.add_argument(
        "--latency",
        choices=_LATENCIES,
        help="low (20 ms, notes above 110 Hz), middle, or full: surest, as files are rendered (low)",
    )
    _common(play)
    _settings(play, _EFFECT)

    midi = command(
        "midi",
        _midi,
        {"voices": VOICES},
        help="play live from a MIDI keyboard, or the computer's",
        description="Play an instrument from a MIDI keyboard, or from the computer's keys where there is "
        "none: a is C, w C sharp and so on, z and x move by an octave, space ends a note, Escape all sound. "
        "Needs pip install 'ddsp-tf[live]'. Ctrl-C ends.",
    )
    _midi_options(midi)

    service = commands.add_parser(
        "install-service",
        parents=[debug],
        help="play whenever this machine runs (systemd)",
        description="Write a systemd unit of the user's own that runs ddsp-edge play or midi with a settings "
        "file. Nothing is started; what to type next is printed.",
    )
    players = {"play": play, "midi": midi}
    service.set_defaults(handler=lambda given: _install_service(given, players[given.what]))
    service.add_argument("what", choices=("play", "midi"), help="which command")
    service.add_argument("settings", metavar="FILE", type=path_argument, help="its TOML settings")
    service.add_argument("--folder", type=path_argument, help="for the unit (~/.config/systemd/user)")


def sound_of_keys(file: Path | None, **given: Any) -> tuple["KeySettings", int, int]:
    """How `ddsp-edge midi` would sound with a settings file; what it says of devices is passed over.

    Args:
        file: The TOML file, or None.
        given: Options that go before it, by name; None where one was left out.

    Returns:
        The settings, without the octaves; voices; octaves.

    Raises:
        DdspError: As `with_settings_file`.
    """
    from ddsp_edge.live import KeySettings

    parser = argparse.ArgumentParser()
    _midi_options(parser)
    arguments = parser.parse_args([])
    vars(arguments).update(given, settings=file)
    arguments = with_settings_file(arguments, parser, {**_DEFAULTS, "voices": VOICES})
    settings = {**_given(arguments, KeySettings), "transposition": arguments.transposition}
    return KeySettings(**settings), arguments.voices, arguments.octaves


def _midi_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", metavar="NAME", help="part of the name of the MIDI port")
    parser.add_argument(
        "--computer-keys", action="store_true", default=None, help="play on the computer's keys in any case"
    )
    parser.add_argument(
        "--voices", metavar="N", type=_voices, help=f"notes at a time; 1 plays legato ({VOICES})"
    )
    _common(parser)
    _settings(parser, _KEYS)


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "instrument", metavar="INSTRUMENT", nargs="?", type=path_argument, help="a .tflite by ddsp-tf export"
    )
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
    parser.add_argument("--seconds", metavar="S", type=_number, help="end after so many seconds")
    parser.add_argument("--osc", metavar="PORT", type=_port, help="hear settings by OSC at this UDP port")
    parser.add_argument(
        "--osc-host", metavar="ADDRESS", help="where: 0.0.0.0 lets the whole network play (127.0.0.1)"
    )
    parser.add_argument("--octaves", metavar="N", type=int, help="transpose by octaves (-2, 1 ...)")
    parser.add_argument(
        "--transposition", metavar="N", type=partial(_number, name="transposition"), help="and by semitones"
    )


def _settings(parser: argparse.ArgumentParser, own: dict[str, str]) -> None:
    # No defaults here: the settings have them, and would bring numpy into every command.
    for name, text in {**_SOUND, **own}.items():
        option = "--" + name.replace("_", "-")
        if name in ("gate", "match_loudness", "match_octave"):
            parser.add_argument(option, action="store_true", default=None, help=text)
        else:
            of_field = partial(_number, name=name)
            parser.add_argument(option, metavar=name.rsplit("_", 1)[-1].upper(), type=of_field, help=text)


def _play(arguments: argparse.Namespace) -> None:
    if _listed(arguments):
        return
    from ddsp_edge.live import LATENCIES, EffectSettings, LiveEffect

    _check_played_range(arguments)
    if arguments.match_loudness is None and arguments.softest_db is not None:
        arguments.match_loudness = True  # what else would a range be for
    settings = EffectSettings(**_given(arguments, EffectSettings))
    effect = LiveEffect(_instrument(arguments), settings, **LATENCIES[arguments.latency])
    _run(arguments, effect, wants_input=True)
    played = effect.played_db()
    if played:
        low, high = math.floor(played[0]), math.ceil(played[1])
        tell(f"you played from {low} to {high} dB: --softest-db {low} --loudest-db {high} sets that range")


def _check_played_range(arguments: argparse.Namespace) -> None:
    ends = {name: getattr(arguments, name.replace("-", "_"), None) for name in ("softest-db", "loudest-db")}
    softest, loudest = ends.values()
    if softest is None and loudest is None:
        return
    if softest is None or loudest is None or softest >= loudest:
        where = "" if arguments.settings is None else f"{arguments.settings}: "
        received = [f"{name}={value:g}" for name, value in ends.items() if value is not None]
        raise DdspError(
            f"{where}softest-db and loudest-db set a range together, the first below the second. "
            f"Received: {', '.join(received)}"
        )


def _midi(arguments: argparse.Namespace) -> None:
    if _listed(arguments):
        return
    from ddsp_edge.live import KeySettings, LiveInstrument

    settings = KeySettings(**_given(arguments, KeySettings))
    keys = LiveInstrument(_instrument(arguments), arguments.voices, settings)
    with _keys_of(arguments, keys):
        _run(arguments, keys, wants_input=False)


def _run(arguments: argparse.Namespace, player: "LiveEffect | LiveInstrument", wants_input: bool) -> None:
    from ddsp_edge.live.remote import listening_for_osc
    from ddsp_edge.live.session import Session
    from ddsp_edge.live.sound_card import SoundCard
    from ddsp_edge.live.stream import check_rate

    if arguments.rate is not None:  # told before a card is missed
        check_rate(arguments.rate)
    heard = arguments.input if wants_input else None
    card = SoundCard(wants_input, heard, arguments.output, arguments.rate, arguments.block)
    ended = threading.Event()
    if arguments.seconds is not None:
        timer = threading.Timer(arguments.seconds, ended.set)
        timer.daemon = True
        timer.start()
    session = Session(_Told(card), player, _say, health_s=_HEALTH_S)
    with ExitStack() as stack:
        if arguments.osc is not None:
            port = stack.enter_context(listening_for_osc(player, arguments.osc_host, arguments.osc))
            _say(f"hearing OSC at {arguments.osc_host}, port {port}")
        session.run(ended.is_set)
    tell(f"{session.xruns} xruns, {session.reopened} times reopened")


def _install_service(arguments: argparse.Namespace, player: argparse.ArgumentParser) -> None:
    from ddsp_edge.cli.service import NAME, install_service
    from ddsp_edge.model.file import read_instrument_file

    # What would not start is refused here, where somebody reads it.
    asked = argparse.Namespace(**{**vars(player.parse_args([])), "settings": arguments.settings})
    asked = with_settings_file(asked, player, {})
    _check_played_range(asked)
    instrument: Path | None = asked.instrument
    if instrument is None:
        raise DdspError(f'{arguments.settings} names no instrument: instrument = "FILE.tflite"')
    read_instrument_file(instrument)
    path, before = install_service(arguments.what, arguments.settings, arguments.folder)
    if before:
        tell(f"There is one service; this one takes the place of the one that ran {printable(before)}")
    tell(
        f"{printable(path)} is written. To start it now and with the machine:\n"
        f"  systemctl --user daemon-reload\n"
        f"  systemctl --user enable --now {NAME}\n"
        f"  loginctl enable-linger\n"
        f"What it says: journalctl --user --unit {NAME} --follow"
    )


class _Told:
    """A sound card that says at which rate and how late it plays, each time it is opened."""

    def __init__(self, card: "SoundCard") -> None:
        self._card = card
        self.close = card.close

    @property
    def running(self) -> bool:
        return self._card.running

    def open(self, player: "BlockPlayer") -> Any:
        stream = self._card.open(player)
        own_ms = 1e3 * stream.latency_samples / stream.rate
        card_ms = 1e3 * self._card.card_latency_s
        _say(f"{stream.rate} Hz, latency {own_ms:.1f} ms and {card_ms:.1f} ms of the sound card. Ctrl-C ends")
        return stream


@contextmanager
def _keys_of(arguments: argparse.Namespace, keys: "LiveInstrument") -> Iterator[None]:
    from ddsp_edge.live.messages import ComputerKeys, listening, terminal_keys

    with ExitStack() as stack:
        computer = arguments.computer_keys
        if not computer:
            try:
                _say(f"playing from {stack.enter_context(listening(keys, arguments.port))}")
            except DdspError as error:
                if arguments.port is not None:  # one that was asked for by name is a must
                    raise
                _say(f"{error}; playing on the computer's keys instead (a is C; --help tells more)")
                computer = True
        if computer:
            stack.enter_context(terminal_keys(ComputerKeys(keys).press, sys.stdin))
        yield


def _listed(arguments: argparse.Namespace) -> bool:
    if not arguments.list_devices:
        return False
    from ddsp_edge.live.messages import port_names
    from ddsp_edge.live.sound_card import device_table

    tell(device_table())
    try:
        names = port_names()
    except DdspError as error:
        tell(f"MIDI: {error}")
    else:
        tell("MIDI: " + (", ".join(names) or "no ports"))
    return True


def _instrument(arguments: argparse.Namespace) -> Any:
    if arguments.instrument is None:
        raise DdspError("Name an instrument: a .tflite file by ddsp-tf export")
    return arguments.instrument


def _given(arguments: argparse.Namespace, kind: Callable[..., Any]) -> dict[str, Any]:
    """What was given of the fields of a settings class; the others keep their defaults."""
    from ddsp_edge.transfer.transposition import check_shifts

    check_shifts(arguments.octaves, arguments.loudness_shift_db or 0.0)
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    given = {name: value for name, value in vars(arguments).items() if name in names and value is not None}
    given["transposition"] = 12.0 * arguments.octaves + arguments.transposition
    return given


def _say(text: str) -> None:
    print(f"ddsp-edge: {text}", file=sys.stderr, flush=True)


def _number(text: str, name: str | None = None) -> float:
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


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"a port is from 1 to 65535. Received: {text!r}")
    return int(text)


def _voices(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MAX_VOICES:
        raise argparse.ArgumentTypeError(
            f"voices must be a whole number from 1 to {MAX_VOICES}. Received: {text!r}"
        )
    return int(text)


def _block(text: str) -> int:
    if not text.isdecimal() or not 16 <= int(text) <= 8192:
        raise argparse.ArgumentTypeError(f"a block has 16 to 8192 samples. Received: {text!r}")
    return int(text)
