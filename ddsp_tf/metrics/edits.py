"""How many edits make one sequence of another."""

from collections.abc import Sequence

import numpy as np


def edit_distance(wanted: Sequence[object], found: Sequence[object]) -> int:
    """Fewest insertions, deletions and replacements that make `found` of `wanted`.

    Reference: V. Levenshtein, "Binary codes capable of correcting deletions, insertions, and reversals",
    Soviet Physics Doklady 10, 1966.
    """
    row = np.arange(len(found) + 1)
    for i, item in enumerate(wanted, 1):
        other = np.array([item != one for one in found], np.int64)
        row = np.concatenate([[i], np.minimum(row[1:] + 1, row[:-1] + other)])
        # An insertion after any of these: the least of all before, and one for each step from there.
        row = np.minimum.accumulate(row - np.arange(len(row))) + np.arange(len(row))
    return int(row[-1])
