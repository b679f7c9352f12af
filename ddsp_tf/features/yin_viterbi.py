"""Periods of windows of several lengths, and the best path through all of them; numpy alone.

The candidates are those of the device's tracker (`ddsp_edge.features.periods`), of a short window and of
longer ones. The short one is the most exact where sound changes; at the ends of notes, where it holds
little, longer ones still hear the note. A Viterbi path through all candidates of the whole sound changes
pitch, and begins and ends notes, as seldom as the sound lets it; as in M. Mauch and S. Dixon, "pYIN",
ICASSP 2014, it keeps a pitch where the sound is unvoiced.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ddsp_edge.features.periods import NONE, PeriodFinder
from ddsp_edge.features.windows import CenteredWindows
from ddsp_edge.units import Array
from ddsp_tf.features.f0_grid import EstimatorInPieces, Instants, silent
from ddsp_tf.features.hmm import Posterior
from ddsp_tf.features.period import refine_f0
from ddsp_tf.frames import FrameSpec

_STEP_SECONDS = 0.005
_WINDOW_SECONDS = 2 / 55  # and no less than two of the longest periods
# Costs in units of aperiodicity over 10 ms; docs/pitch.md says what they were tuned on.
_LONGER = (1.0, 1.5, 2.75)  # windows, in lengths of the shortest
_COUNTS = (6, 4, 4)  # candidates of each
_LATER = (0.0, 0.2, 0.4)  # of a voiced pitch that is heard only in a window of this length
_UNVOICED = 0.45
_NOTHING = 0.5  # of an unvoiced pitch that no candidate stands for
_GUESS = 0.2  # share of a candidate's cost that counts where it is unvoiced
_LEAP = 2.0  # of a change of pitch, for each octave
_UNVOICED_LEAP = 1.0
_ONSET = 0.1  # of becoming voiced or unvoiced
_LEVEL_DB = -80.0  # RMS of the short window below which nothing is heard as a pitch: the floor of loudness
_TRUSTED = 0.3  # periodicity below which an unvoiced frame's own candidate is worth no guess
_WINDOWS_AT_ONCE = 256  # bounds memory; their spectra stay in the cache
_BIN_OCTAVES = 1.0 / 60.0  # of the posterior: 20 cents, as CREPE's
_PER_E_FOLD = 0.1  # cost that makes a candidate less likely by a factor e
_REACH_CENTS = 15.0  # the candidates are as good; see `refine_f0`


@dataclass(frozen=True)
class _Heard:
    """Candidates `[instants, candidates]` of all windows together, and what else is known of the instants.

    `later` is of each candidate, `steps` the distance of instants in 10 ms, and `refine` maps f0 in Hz and a
    reach in cents to the exact f0, 0 in silence.
    """

    at: Array
    f0_hz: Array
    aperiodicity: Array
    cost: Array
    later: Array
    level_db: Array
    silent: Array
    steps: float
    refine: Callable[[Array, float], Array]


class YinViterbiEstimator(EstimatorInPieces):
    """Candidates every 5 ms, the best path through them, interpolated onto the frame grid.

    Args:
        f0_min_hz: Lowest fundamental frequency looked for, Hz.
        f0_max_hz: Highest fundamental frequency looked for, Hz.

    Raises:
        DdspError: If the range is too narrow to be searched.
    """

    name = "yin-viterbi"
    context_seconds = 1.0  # the path has forgotten its past by then
    parallel = False

    def __init__(self, f0_min_hz: float = 55.0, f0_max_hz: float = 2000.0) -> None:
        rate = min(48_000, max(16_000, round(8 * f0_max_hz)))
        shortest = max(_WINDOW_SECONDS, 2 / f0_min_hz)
        self._finders = [
            PeriodFinder(rate, f0_min_hz, f0_max_hz, count, round(longer * rate * shortest), lag_steps=2)
            for longer, count in zip(_LONGER, _COUNTS, strict=True)
        ]
        self.settings: dict[str, Any] = {
            "f0_min_hz": f0_min_hz,
            "f0_max_hz": f0_max_hz,
            "sample_rate": rate,
            "hop": round(_STEP_SECONDS * rate),
            "windows": [finder.size for finder in self._finders],
            "refined": True,
        }

    def memory_mib(self, seconds: float) -> float:
        """See `F0Estimator`; most of it is the spectra of the longest windows, whatever the length.

        72 MiB were measured with the default range and 234 with the widest, for 15 s of sound with what
        `prepare` does besides.
        """
        return 30.0 + 64.0 * _WINDOWS_AT_ONCE * max(self.settings["windows"]) / 2**20

    def _analyse(self, audio: Array, sample_rate: int) -> Instants:
        heard = self._listen(audio, sample_rate)
        chosen, voiced = best_path(heard.f0_hz, heard.cost, heard.later, heard.level_db, heard.steps)
        row = np.arange(len(chosen))
        there = heard.cost[row, chosen] < NONE
        periodicity = np.where(there, np.clip(1.0 - heard.aperiodicity[row, chosen], 0.0, 1.0), 0.0)
        coarse = np.where(there, heard.f0_hz[row, chosen], 0.0)
        guess = _nearest(coarse, (voiced & there) | (periodicity > _TRUSTED))
        guess = heard.refine(guess, _REACH_CENTS)
        voiced &= there & ~heard.silent
        periodicity = periodicity * ~heard.silent
        voicing = np.where(voiced, 0.5 + 0.5 * periodicity, 0.499 * periodicity)
        return Instants(heard.at, guess, voiced, voicing, periodicity)

    def posterior(self, audio: Array, sample_rate: int) -> Posterior:
        """Look at a sound `[n]`; see `PosteriorEstimator`. The cheaper a candidate, the likelier."""
        heard = self._listen(audio, sample_rate)
        low, high = (np.log2(self.settings[key]) for key in ("f0_min_hz", "f0_max_hz"))
        bins = int(np.ceil((high - low) / _BIN_OCTAVES)) + 1
        weight = np.exp(-(heard.cost + heard.later) / _PER_E_FOLD)  # 0 where a candidate is not there
        place = np.clip((np.log2(heard.f0_hz) - low) / _BIN_OCTAVES, 0.0, bins - 1.0)
        below = np.minimum(place.astype(np.intp), bins - 2)
        pitch = np.full((len(weight), bins), 1e-6)
        row = np.arange(len(weight))[:, None]
        np.add.at(pitch, (row, below), weight * (1.0 - (place - below)))
        np.add.at(pitch, (row, below + 1), weight * (place - below))
        pitch /= np.sum(pitch, axis=1, keepdims=True)
        least = np.min(heard.cost + heard.later, axis=1) + np.where(heard.level_db < _LEVEL_DB, 1.0, 0.0)
        voicing = 1.0 / (1.0 + np.exp(np.minimum((least - _UNVOICED) / _PER_E_FOLD, 50.0)))
        return Posterior(
            heard.at,
            self.settings["hop"] / self.settings["sample_rate"],
            np.exp2(low + _BIN_OCTAVES * np.arange(bins)),
            pitch,
            np.where(heard.silent, 0.0, voicing),
            lambda f0_hz: heard.refine(f0_hz, 1200.0 * _BIN_OCTAVES),
        )

    def _listen(self, audio: Array, sample_rate: int) -> "_Heard":
        """Find the candidates of all windows."""
        import soxr

        rate, hop = self.settings["sample_rate"], self.settings["hop"]
        sound = soxr.resample(audio - np.mean(audio), sample_rate, rate).astype(np.float32)
        sound = np.pad(sound, (0, hop))  # so that the last instant is not before the end
        found = [self._candidates(sound, finder) for finder in self._finders]
        f0_hz, aperiodicity, cost = (np.concatenate([f[k] for f in found], axis=1) for k in range(3))
        size = self._finders[0].size
        centres = (np.arange(len(cost)) + 1) * hop
        quiet = silent(sound, centres, size)

        def refine(coarse: Array, reach_cents: float) -> Array:
            return refine_f0(sound, rate, centres, size, coarse * ~quiet, reach_cents)[0]

        return _Heard(
            at=centres * (sample_rate / rate),
            f0_hz=f0_hz,
            aperiodicity=aperiodicity,
            cost=cost,
            later=np.repeat(_LATER, _COUNTS),
            level_db=found[0][3],
            silent=quiet,
            steps=hop / rate / 0.01,
            refine=refine,
        )

    def _candidates(self, sound: Array, finder: PeriodFinder) -> tuple[Array, Array, Array, Array]:
        """F0 in Hz, aperiodicity and cost `[instants, candidates]`, and level in dB `[instants]`."""
        hop = self.settings["hop"]
        windows = CenteredWindows(FrameSpec(self.settings["sample_rate"], hop), finder.size)
        block = _WINDOWS_AT_ONCE * hop
        parts = []
        for first in range(0, len(sound), block):
            parts.append(finder.find(windows.push(sound[first : first + block])))
        for rest in np.array_split(last := windows.flush(), len(last) // _WINDOWS_AT_ONCE + 1):
            parts.append(finder.find(rest))
        mean_square = np.concatenate([part.mean_square for part in parts])
        return (
            np.concatenate([part.f0_hz for part in parts]),
            np.concatenate([part.aperiodicity for part in parts]),
            np.concatenate([part.cost for part in parts]),
            10.0 * np.log10(mean_square + 1e-12),
        )


def best_path(f0_hz: Array, cost: Array, later: Array, level_db: Array, steps: float) -> tuple[Array, Array]:
    """Find the cheapest path through candidates, each of which may be voiced or a guess while unvoiced.

    Args:
        f0_hz: `[instants, candidates]`, Hz.
        cost: `[instants, candidates]`, of each; `NONE` where it is not there.
        later: `[candidates]`, cost of each as a voiced pitch, besides.
        level_db: `[instants]`.
        steps: Step between instants, in the 10 ms of which the costs are.

    Returns:
        The candidate, int `[instants]`, and whether it is voiced, bool `[instants]`.
    """
    instants, n = cost.shape
    there = cost < NONE
    quiet = np.where(level_db < _LEVEL_DB, 2.0 * _UNVOICED, 0.0)[:, None]
    as_voiced = np.where(there, cost + later + quiet, NONE)
    as_guess = _UNVOICED + np.where(there, _GUESS * cost, _NOTHING)
    local = np.concatenate([as_voiced, as_guess], axis=1) * steps
    octaves = np.log2(f0_hz)
    came_from = np.zeros((instants, 2 * n), np.int16)
    total = local[0].copy()
    step = np.empty((2 * n, 2 * n))
    states = np.arange(2 * n)
    for t in range(1, instants):
        leap = np.abs(octaves[t][:, None] - octaves[t - 1])
        unvoiced_leap = _UNVOICED_LEAP * leap
        step[:n, :n] = _LEAP * leap
        step[n:, n:] = unvoiced_leap
        step[:n, n:] = step[n:, :n] = unvoiced_leap + _ONSET
        step += total
        came_from[t] = best = np.argmin(step, axis=1)
        total = step[states, best] + local[t]
        total -= total.min()
    path = np.zeros(instants, np.intp)
    path[-1] = np.argmin(total)
    for t in range(instants - 1, 0, -1):
        path[t - 1] = came_from[t, path[t]]
    return path % n, path < n


def _nearest(values: Array, good: Array) -> Array:
    """Give the other instants the value of the good one nearest to them; 0 if there is none."""
    known = np.flatnonzero(good)
    if len(known) == 0:
        return np.zeros_like(values)
    here = np.arange(len(values))
    after = np.clip(np.searchsorted(known, here), 0, len(known) - 1)
    before = np.maximum(after - 1, 0)
    nearer = np.where(here - known[before] <= np.abs(known[after] - here), before, after)
    return np.asarray(values[known[nearer]])
