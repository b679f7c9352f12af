"""What a sound card calls: a player at the card's rate, which never raises and never exceeds full scale."""

import time
from math import ceil

import numpy as np

from ddsp_edge.errors import DdspError
from ddsp_edge.live.player import Player
from ddsp_edge.live.resampler import Resampler
from ddsp_edge.live.sample_queue import SampleQueue
from ddsp_edge.units import Array, silence_bad

_CHUNK = 4096  # samples looked at together
_RATES = (4_000, 768_000)  # Hz


def check_rate(rate: int) -> None:
    """Refuse a rate in Hz that no sound card has.

    Raises:
        DdspError: With what would be valid.
    """
    if type(rate) is not int or not _RATES[0] <= rate <= _RATES[1]:
        raise DdspError(
            f"The rate of a sound card must be from {_RATES[0]} to {_RATES[1]} Hz. Received: {rate!r}"
        )


class LiveStream:
    """Play blocks for a sound card.

    Args:
        player: A `LiveEffect` or `LiveInstrument`.
        rate: Integer, Hz, of the card. Where it is not the player's, sound is resampled both ways.

    Raises:
        DdspError: If the rate is out of range.
    """

    def __init__(self, player: Player, rate: int) -> None:
        check_rate(rate)
        own = player.spec.sample_rate
        self.rate = rate
        self.latency_samples = ceil(player.latency_samples * rate / own)
        """Samples at the card's rate by which the output follows the input, the card's own left out."""
        self.blocks = 0
        self.xruns = 0
        self.failures = 0
        self.last_failure = ""
        self.load_max = 0.0
        """Largest share of a block's duration that playing it took."""
        self._player = player
        self._resamplers: tuple[Resampler, Resampler] | None = None
        if rate != own:
            down, up = Resampler(rate, own), Resampler(own, rate)
            # What of a block both hold back, at most, so that as many samples can be given as came.
            held = ceil(down.half_taps + (up.half_taps + 2) * rate / own) + 2
            self._queue = SampleQueue(4 * (held + 2 * _CHUNK))
            self._queue.clear(zeros=held)
            self._resamplers = down, up
            self.latency_samples = held + ceil(player.latency_samples * rate / own)

    def callback(self, heard: Array | None, out: Array, xrun: bool = False) -> None:
        """Play a block.

        Args:
            heard: `[n, channels]` from the card's input, averaged; None for a card without one.
            out: `[n, channels]`, filled with the same in all channels, within full scale.
            xrun: Whether the card had too little or too much since the last call.
        """
        began = time.perf_counter()
        self.blocks += 1
        self.xruns += xrun
        try:
            mono = np.zeros(len(out), np.float32) if heard is None else heard.mean(axis=1, dtype=np.float32)
            for start in range(0, len(out), _CHUNK):
                part = slice(start, start + _CHUNK)
                out[part] = self._play(mono[part])[:, None]
        # Whatever it is: an exception in here would end the sound for good, and in silence.
        except Exception as error:  # noqa: BLE001
            self.failures += 1
            self.last_failure = f"{type(error).__name__}: {error}"[:200]
            out[:] = 0.0
        if len(out):
            self.load_max = max(self.load_max, (time.perf_counter() - began) * self.rate / len(out))

    def _play(self, mono: Array) -> Array:
        if self._resamplers is None:
            return self._player.process(mono)
        down, up = self._resamplers
        played = up.process(self._player.process(down.process(silence_bad(mono))))
        # Between samples of the player's rate a limited wave may swing beyond full scale.
        self._queue.write(np.clip(played, -1.0, 1.0))
        out = np.empty(len(mono), np.float32)
        self._queue.read_into(out)
        return out
