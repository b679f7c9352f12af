"""Keep a player sounding: a device that goes away is opened again, and what goes wrong is told."""

import time
from collections.abc import Callable
from typing import Protocol

from ddsp_edge.errors import DdspError
from ddsp_edge.live.player import Player
from ddsp_edge.live.stream import LiveStream

_LOOK_S = 0.25  # between two looks at the device
_RETRY_S = 1.0


class Device(Protocol):
    """Something that calls `LiveStream.callback` again and again: a sound card."""

    def open(self, player: Player) -> LiveStream:
        """Begin to call; return the stream that is called.

        Raises:
            DdspError: If there is no such device, or it refuses.
        """

    def close(self) -> None:
        """End calling, and let the device go."""

    @property
    def running(self) -> bool:
        """Whether it still calls."""


class Session:
    """Play on a device until told to stop.

    Args:
        device: The device.
        player: What sounds.
        tell: Called with one line about whatever a user should know.
        sleep: Called with seconds to wait; a test has its own.
        health_s: Seconds between two lines on how it goes; None for none.
    """

    def __init__(
        self,
        device: Device,
        player: Player,
        tell: Callable[[str], None],
        sleep: Callable[[float], None] = time.sleep,
        health_s: float | None = None,
    ) -> None:
        self._device, self._player = device, player
        self._tell, self._sleep = tell, sleep
        self._health_looks = None if health_s is None else max(1, round(health_s / _LOOK_S))
        self.xruns = 0
        """Of all streams so far."""
        self.reopened = 0

    def run(self, ended: Callable[[], bool]) -> None:
        """Play until `ended` says so.

        Raises:
            DdspError: If the device cannot be opened at the start.
        """
        stream = self._device.open(self._player)
        seen = failures = looks = 0
        try:
            while not ended():
                self._sleep(_LOOK_S)
                looks += 1
                if self._health_looks is not None and looks % self._health_looks == 0:
                    self._tell(
                        f"playing: {stream.blocks} blocks at {stream.rate} Hz, {self.xruns} xruns, the "
                        f"slowest block took {stream.load_max:.0%} of its time, {self.reopened} times "
                        "reopened"
                    )
                if stream.xruns > seen:
                    self.xruns += stream.xruns - seen
                    seen = stream.xruns
                    self._tell(f"{self.xruns} xruns: the sound broke off; try a larger --block")
                if stream.failures > failures:
                    failures = stream.failures
                    self._tell(f"a block could not be played: {stream.last_failure}")
                if not self._device.running:
                    self._tell("the sound card is gone; waiting for it")
                    self._device.close()
                    again = self._again(ended)
                    if again is None:
                        return
                    stream, seen, failures = again, 0, 0
                    self.reopened += 1
                    self._tell(f"the sound card is back, at {stream.rate} Hz")
        finally:
            self._device.close()

    def _again(self, ended: Callable[[], bool]) -> LiveStream | None:
        # Nobody heard the keys that came up meanwhile; nothing is left sounding.
        self._player.panic()
        while not ended():
            try:
                return self._device.open(self._player)
            except DdspError:
                self._sleep(_RETRY_S)
        return None
