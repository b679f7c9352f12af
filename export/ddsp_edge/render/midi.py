"""Standard MIDI Files, played by the engine that plays live keys.

All tracks and channels play together, each channel with wheels and pedals of its own; drums (channel 10) are
left out.
"""

from collections.abc import Iterator
from itertools import repeat

import numpy as np

from ddsp_edge.errors import DdspError
from ddsp_edge.expression.notes import Ahead
from ddsp_edge.live.messages import hear
from ddsp_edge.live.offline import OfflineInstrument
from ddsp_edge.render.look_ahead import notes_ahead
from ddsp_edge.render.midi_score import MidiScore
from ddsp_edge.units import Array

__all__ = ["MidiScore", "play"]


def play(
    score: MidiScore, player: OfflineInstrument, block_hops: int = 64
) -> Iterator[tuple[Array, dict[str, Array]]]:
    """Play a piece from its beginning until the last of it has rung out.

    What is heard is what the player gives live when the messages of the file are sent to it at their
    samples, less its latency: a note begins where the file has it, or less than a hop before. An instrument
    that knows how notes are played hears what comes as well.

    Args:
        score: The piece.
        player: What plays it; it is reset.
        block_hops: Integer > 0, hops a block.

    Yields:
        The sound, float32 `[n]`, whole hops, and as much of the signals of all nodes; see
        `OfflineInstrument.take_signals`.

    Raises:
        DdspError: At the end, if nothing has sounded.
    """
    hops, audible = list[Array](), False
    for hop in _hops(score, player):
        audible |= player.audible
        hops.append(hop)
        if len(hops) == block_hops:
            yield np.concatenate(hops), player.take_signals()
            hops.clear()
    if not audible:
        raise DdspError(f"{score.path} holds no notes that sound: the volume or the expression of each is 0")
    yield np.concatenate([np.zeros(0, np.float32), *hops]), player.take_signals()


def _hops(score: MidiScore, player: OfflineInstrument) -> Iterator[Array]:
    player.reset()
    hop = player.spec.hop
    aheads: Iterator[Ahead | None] = repeat(None)
    if player.expressive:
        aheads = notes_ahead(score, player.spec.sample_rate)
    now = -hop  # sample of the piece at which the next hop that is heard begins
    for sample, message in score.events():
        while sample >= now + 2 * hop:
            yield from _hop(player, now)
            now += hop
        offset = sample - (now + hop)
        if message.type == "end_of_track":
            player.let_all_go(offset)
        else:
            strikes = message.type == "note_on" and message.velocity > 0
            hear(player, message, offset, next(aheads) if strikes else None)
    while now <= score.n_samples or player.sounding:
        yield from _hop(player, now)
        now += hop
    player.rest()
    for _ in range(1 - (-player.tail_samples // hop)):
        yield from _hop(player, now)


def _hop(player: OfflineInstrument, now: int) -> Iterator[Array]:
    audio = player.render(player.spec.hop)
    if now >= 0:
        yield audio
    else:
        player.take_signals()  # of the latency: silence
