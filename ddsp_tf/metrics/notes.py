"""How many notes were found: matches between two lists of notes, and what is counted of them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ddsp_edge.transcription.note import Note

ONSET_S = 0.05
"""Onsets that are as near as this are the same, as everywhere since MIREX 2007."""
_OFFSET_SHARE, _OFFSET_S = 0.2, 0.05  # of the note's length, and at least; as in mir_eval


@dataclass(frozen=True)
class Score:
    """What was found of some notes.

    Args:
        matched: Integer, notes of the reference that were found.
        reference: Integer, notes that there are.
        estimated: Integer, notes that were given.
    """

    matched: int
    reference: int
    estimated: int

    @property
    def precision(self) -> float:
        """Share of the notes given that are right."""
        return self.matched / max(1, self.estimated)

    @property
    def recall(self) -> float:
        """Share of the notes there are that were found."""
        return self.matched / max(1, self.reference)

    @property
    def f1(self) -> float:
        """Harmonic mean of both; 1 where there is nothing and nothing was given."""
        total = self.reference + self.estimated
        return 2.0 * self.matched / total if total else 1.0

    def __add__(self, other: "Score") -> "Score":
        return Score(
            self.matched + other.matched, self.reference + other.reference, self.estimated + other.estimated
        )


def match_notes(
    reference: Sequence[Note], estimated: Sequence[Note], *, offsets: bool = False, names: bool = False
) -> list[tuple[int, int]]:
    """Pair notes with the same pitch, to the semitone, and onsets within 50 ms, each at most once.

    Along time the earliest that fits is taken, which gives as many pairs as can be had where onsets alone
    count; where ends count too it may give one fewer, seldom.

    Args:
        reference: Notes that there are.
        estimated: Notes that were found.
        offsets: Whether ends must agree too, within a fifth of the note's length or 50 ms.
        names: Whether instruments must agree too.

    Returns:
        Pairs of numbers, of the reference and of the estimate.
    """
    of_pitch: dict[tuple[int, str], list[int]] = defaultdict(list)
    for index in sorted(range(len(estimated)), key=lambda i: estimated[i].onset_s):
        note = estimated[index]
        of_pitch[round(note.pitch), note.instrument if names else ""].append(index)
    pairs = []
    used: set[int] = set()
    for index in sorted(range(len(reference)), key=lambda i: reference[i].onset_s):
        note = reference[index]
        for other in of_pitch[round(note.pitch), note.instrument if names else ""]:
            found = estimated[other]
            if found.onset_s > note.onset_s + ONSET_S:
                break
            if other in used or found.onset_s < note.onset_s - ONSET_S:
                continue
            near = max(_OFFSET_S, _OFFSET_SHARE * (note.offset_s - note.onset_s))
            if offsets and abs(found.offset_s - note.offset_s) > near:
                continue
            used.add(other)
            pairs.append((index, other))
            break
    return pairs


def score_notes(
    reference: Sequence[Note], estimated: Sequence[Note], *, offsets: bool = False, names: bool = False
) -> Score:
    """Count the pairs of `match_notes`."""
    pairs = match_notes(reference, estimated, offsets=offsets, names=names)
    return Score(len(pairs), len(reference), len(estimated))
