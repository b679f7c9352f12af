"""A new note over an old one that rings on, told apart in the correlation of their sum.

While both sound, the sum repeats itself after neither period: what fits best is one that holds both, a note
far below that nobody plays. Where the old pitch is known it can be taken away, as A. de Cheveigné (JASA 93,
1993) does to hear one voice beside another: of `y[n] = x[n] - x[n + old]` the correlation is

    c_y(lag) = 2 c(lag) - c(lag - old) - c(lag + old).
"""

from collections.abc import Callable, Sequence

from ddsp_edge.features.periods import Candidate

SAME = 0.03
"""Share by which two pitches may differ and still be one."""

# In units of aperiodicity. Tuned on rendered leaps and on 33 short recordings made anew with known pitch.
_FAINT = 0.6  # aperiodicity of a note from which on too little of it is heard
_LEFT = 0.15  # of what remains, up to which it is a note
_OVER_OTHER = 0.05  # cost of a note over another
_LOUDER = 1.5  # times the energy beside the old note, which that beside the new one is below
_ALONE = 0.15  # energy beside the old note, below which there is no other
_BELOW = 0.3  # cost of a period that is several of the new note's
_BELOW_WITHIN = 0.2  # difference up to which it is, less and less


def hear_over(
    old: float,
    found: Sequence[Candidate],
    likeness: Callable[[float], float],
    lags_per_second: float,
    longest: int,
) -> list[Candidate]:
    """Give new notes the cost that they have without the old one, and doubt the notes far below them.

    Args:
        old: Hz, the pitch that sounded so far.
        found: Candidates.
        likeness: The normalised correlation at a lag, 1 where the sound repeats itself.
        lags_per_second: Lags in a second.
        longest: Integer, the longest lag of which the likeness is known.

    Returns:
        The same candidates, some at other costs.
    """
    period = lags_per_second / old
    if period > longest:
        return list(found)
    beside = 1.0 - likeness(period)
    notes = list[tuple[float, float, float]]()
    if beside >= _ALONE:
        for _, f0_hz, depth in found:
            lag = lags_per_second / f0_hz
            if (
                depth >= min(_LOUDER * beside, _FAINT)
                or abs(f0_hz - old) < SAME * old
                or lag + period > longest
            ):
                continue
            around = likeness(abs(lag - period)) + likeness(lag + period)
            left = max(1.0 - (2.0 * (1.0 - depth) - around) / (2.0 * beside), 0.0)
            if left < _LEFT and left + _OVER_OTHER < depth:
                notes.append((f0_hz, left + _OVER_OTHER, depth))
    return [_costed(candidate, notes) for candidate in found] if notes else list(found)


def _costed(candidate: Candidate, notes: Sequence[tuple[float, float, float]]) -> Candidate:
    cost, f0_hz, depth = candidate
    for note_hz, own, heard in notes:
        if note_hz == f0_hz:
            cost -= heard - own
            continue
        times = note_hz / f0_hz
        whole = int(times + 0.5)
        if whole >= 2 and abs(times - whole) < 0.02 * whole:
            cost += _BELOW * max(0.0, min(1.0 - (own - depth) / _BELOW_WITHIN, 1.0))
    return cost, f0_hz, depth
