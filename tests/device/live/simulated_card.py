"""A sound card without sound: blocks in lockstep, and everything that can go wrong with a real one."""

from collections.abc import Callable, Iterator

import numpy as np

from ddsp_edge.errors import DdspError
from ddsp_edge.live.stream import LiveStream

WORST = (np.nan, np.inf, -np.inf, 1e30, -1e30)


class SimulatedCard:
    """Calls a stream whenever a session sleeps, as a card would from its thread.

    Args:
        rng: Decides on blocks and faults.
        rates: Rates, Hz; another each time it is opened.
        block: Usual samples a block; 0 for another size every time.
        inputs: Channels heard; 0 for none.
        faults: Whether blocks come late (an xrun), get lost, and are cut short.
    """

    def __init__(self, rng, rates=(48_000,), block=480, inputs=1, faults=True):
        self._rng, self._rates, self._block, self._inputs, self._faults = rng, rates, block, inputs, faults
        self.opened = self.refused = 0
        self.lost = self.xruns = 0
        self.seconds = 0.0  # of sound
        self.peak = 0.0
        self.bad_samples = 0
        self.running = False
        self.stream: LiveStream | None = None
        self.sound = self._sounds()
        self.listen: Callable[[np.ndarray], None] = lambda out: None
        self.before_block: Callable[[int, int], None] = lambda n, rate: None

    def open(self, player):
        """As a card that is found at the second try once it was unplugged."""
        if self.opened and self.refused < self.opened:
            self.refused += 1
            raise DdspError("there is no such sound card")
        self.stream = LiveStream(player, self._rates[self.opened % len(self._rates)])
        self.opened += 1
        self.running = True
        return self.stream

    def close(self):
        self.running = False

    def unplug(self):
        self.running = False

    def play(self, seconds):
        """Call as often as a card does in so many seconds."""
        rate, left = self.stream.rate, int(seconds * self.stream.rate)
        while left > 0 and self.running:
            n = min(self._block or int(self._rng.integers(1, 1500)), left)
            if self._faults and self._rng.random() < 0.05:
                n = int(self._rng.integers(0, n + 1))  # jitter
            left -= max(n, 1)
            self.seconds += n / rate
            heard = next(self.sound)(n) if self._inputs else None
            fault = self._rng.random() if self._faults else 1.0
            if fault < 0.01:  # dropped: the player is not called
                self.lost += 1
                continue
            self.xruns += fault < 0.03
            self.before_block(n, rate)
            out = np.full((n, 2), 7.0, np.float32)  # what is not written is seen
            self.stream.callback(heard, out, xrun=fault < 0.03)
            magnitude = np.abs(out)
            self.bad_samples += int(np.count_nonzero(~(magnitude <= 1.0)))
            self.peak = max(self.peak, float(magnitude.max(initial=0.0)))
            self.listen(out)

    def _sounds(self) -> Iterator[Callable[[int], np.ndarray]]:
        """Notes, silence, noise, full scale and what is no sound, by turns."""
        rng, phase = self._rng, 0.0
        kind, f0_hz, left = 0, 220.0, 0

        def block(n):
            nonlocal phase
            time = np.arange(1, n + 1) * f0_hz / self.stream.rate + phase
            phase = float(time[-1] % 1.0) if n else phase
            if kind < 6:
                mono = 0.2 * np.sin(2 * np.pi * time) + 0.1 * np.sin(4 * np.pi * time)
            elif kind == 6:
                mono = np.zeros(n)
            elif kind == 7:
                mono = rng.normal(size=n) * 0.1
            elif kind == 8:
                mono = np.sign(np.sin(2 * np.pi * time))
            else:
                mono = np.full(n, rng.choice(WORST))
            return np.repeat(mono.astype(np.float32)[:, None], self._inputs, axis=1)

        while True:
            if left <= 0:
                kind, f0_hz, left = (
                    int(rng.integers(0, 10)),
                    float(rng.uniform(60, 1500)),
                    int(rng.integers(5, 60)),
                )
            left -= 1
            yield block
