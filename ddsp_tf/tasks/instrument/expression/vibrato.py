"""The vibrato of a note: its rate, and its depth along time.

A vibrato of known rate is a sine that a least-squares fit finds beside the mean and the drift of the pitch,
in a window of two or three of its cycles.
"""

from dataclasses import dataclass

import numpy as np

from ddsp_edge.expression.network import VIBRATO_HZ
from ddsp_edge.units import Array

LEAST_S = 0.35
"""Of a shorter note the vibrato is not known."""
EDGE_S = 0.04  # at both ends of a note its pitch is that of a change
WINDOW_S = 0.4
CLEAR = 0.25
"""Share of what moves within a window that is vibrato where there is one."""
_STEP_HZ = 0.1


@dataclass(frozen=True)
class Vibrato:
    """The vibrato of a note.

    Args:
        hz: Its rate.
        depth_cents: `[frames]`, how far the pitch goes up, and down.
        middle_cents: `[frames]`, the pitch without it.
        clear: Share of what moves that is vibrato, 0 to 1.
    """

    hz: float
    depth_cents: Array
    middle_cents: Array
    clear: float


def find_vibrato(cents: Array, frame_rate: float) -> Vibrato | None:
    """Find the vibrato of a note.

    Args:
        cents: `[frames]`, pitch in cents, of one note; what is not finite is passed over.
        frame_rate: Frames a second.

    Returns:
        The vibrato; None of a note that is too short, or of which half has no pitch.
    """
    edge = round(EDGE_S * frame_rate)
    inner = slice(edge, len(cents) - edge)
    good = np.isfinite(cents)
    good[:edge] = good[len(cents) - edge :] = False
    if len(cents) < LEAST_S * frame_rate or good[inner].mean() < 0.5:
        return None
    times = np.arange(len(cents)) / frame_rate
    rates = np.arange(VIBRATO_HZ[0], VIBRATO_HZ[1] + _STEP_HZ / 2, _STEP_HZ)
    shares = [_explained(times[good], cents[good], hz) for hz in rates]
    best = int(np.argmax(shares))
    depth, middle = _along(times, cents, good, float(rates[best]))
    return Vibrato(float(rates[best]), depth, middle, float(shares[best]))


def _explained(times: Array, cents: Array, hz: float) -> float:
    """Share of what moves about a slow curve that a sine of this rate explains."""
    slow = [times**k for k in range(4)]
    base = _residual(np.stack(slow, axis=1), cents)
    waves = [np.cos(2 * np.pi * hz * times), np.sin(2 * np.pi * hz * times)]
    rest = _residual(np.stack([*slow, *waves], axis=1), cents)
    return 1.0 - float(rest @ rest) / max(float(base @ base), 1e-9)


def _residual(columns: Array, values: Array) -> Array:
    found, *_ = np.linalg.lstsq(columns, values, rcond=None)
    return np.asarray(values - columns @ found)


def _along(times: Array, cents: Array, good: Array, hz: float) -> tuple[Array, Array]:
    """Depth and middle `[frames]` at a rate, in windows that lie within what is good."""
    depth, middle = np.zeros(len(times)), np.zeros(len(times))
    places = np.flatnonzero(good)
    reach = min(WINDOW_S, times[places[-1]] - times[places[0]]) / 2
    for i, now in enumerate(times):
        centre = min(max(now, times[places[0]] + reach), times[places[-1]] - reach)
        near = places[np.abs(times[places] - centre) <= reach + 1e-9]
        away = times[near] - now
        columns = np.stack(
            [np.ones(len(near)), away, np.cos(2 * np.pi * hz * away), np.sin(2 * np.pi * hz * away)], axis=1
        )
        found, *_ = np.linalg.lstsq(columns, cents[near], rcond=None)
        inside = np.abs(now - centre) <= EDGE_S * 2
        depth[i] = np.hypot(found[2], found[3])
        middle[i] = found[0] if inside else np.mean(cents[near])
    return depth, middle
