"""Playing on a sound card until told to stop: what `play` and `midi` have in common."""

import argparse
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from ddsp_edge.cli.command import say, tell
from ddsp_edge.errors import DdspError

if TYPE_CHECKING:
    from ddsp_edge.live.effect import LiveEffect
    from ddsp_edge.live.keys import LiveInstrument
    from ddsp_edge.live.player import Player
    from ddsp_edge.live.sound_card import SoundCard
    from ddsp_edge.restoration.live import LiveRestorer
    from ddsp_edge.voice.live import LiveConverter

_HEALTH_S = 300.0


def play_on_sound_card(
    arguments: argparse.Namespace,
    player: "LiveEffect | LiveInstrument | LiveRestorer | LiveConverter",
    wants_input: bool,
) -> None:
    """Play as the options of a live command say.

    Args:
        arguments: Of the command, see `ddsp_edge.cli.options`.
        player: What sounds.
        wants_input: Whether it hears something.

    Raises:
        DdspError: If the card cannot be opened as it was asked for.
    """
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
    session = Session(_Told(card), player, say, health_s=_HEALTH_S)
    with ExitStack() as stack:
        if arguments.osc is not None:
            port = stack.enter_context(
                # Restorations and voices have no settings that could be heard: `play` refuses to.
                listening_for_osc(player, arguments.osc_host, arguments.osc)  # type: ignore[arg-type]
            )
            say(f"hearing OSC at {arguments.osc_host}, port {port}")
        session.run(ended.is_set)
    tell(f"{session.xruns} xruns, {session.reopened} times reopened")


def list_devices(arguments: argparse.Namespace) -> bool:
    """Tell which devices there are, if that is what was asked for; return whether it was."""
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


class _Told:
    """A sound card that says at which rate and how late it plays, each time it is opened."""

    def __init__(self, card: "SoundCard") -> None:
        self._card = card
        self.close = card.close

    @property
    def running(self) -> bool:
        return self._card.running

    def open(self, player: "Player") -> Any:
        stream = self._card.open(player)
        own_ms = 1e3 * stream.latency_samples / stream.rate
        card_ms = 1e3 * self._card.card_latency_s
        say(f"{stream.rate} Hz, latency {own_ms:.1f} ms and {card_ms:.1f} ms of the sound card. Ctrl-C ends")
        return stream
