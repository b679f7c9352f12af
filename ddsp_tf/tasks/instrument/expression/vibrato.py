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
_ROUNDING_S = 1e-9


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
    turns = 2.0 * np.pi * hz * times
    columns = np.stack([np.ones(len(times)), times, np.cos(turns), np.sin(turns)], axis=1)
    counted = columns * good[:, None]
    products = _sums(counted[:, :, None] * columns[:, None, :])
    values = _sums(counted * np.where(good, cents, 0.0)[:, None])
    first_s, last_s = times[good][[0, -1]]
    reach = min(WINDOW_S, last_s - first_s) / 2
    centres = np.clip(times, first_s + reach, last_s - reach)
    begin = np.searchsorted(times, centres - reach - _ROUNDING_S)
    end = np.searchsorted(times, centres + reach + _ROUNDING_S)
    product, value = products[end] - products[begin], values[end] - values[begin]
    found = np.linalg.solve(product + _ROUNDING_S * np.eye(4), value[:, :, None])[:, :, 0]
    # A line that goes on far beyond its window goes anywhere: there the mean stands.
    near = np.abs(times - centres) <= 2 * EDGE_S
    mean = value[:, 0] / np.maximum(product[:, 0, 0], 1.0)
    return np.hypot(found[:, 2], found[:, 3]), np.where(near, found[:, 0] + found[:, 1] * times, mean)


def _sums(rows: Array) -> Array:
    """Running sums, of which the first is of nothing."""
    return np.concatenate([np.zeros_like(rows[:1]), np.cumsum(rows, axis=0)])
