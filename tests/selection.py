"""Of many cases of one kind a few are tried at once, and the rest by the slow tests."""

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def slow_but(quick: Collection[Any], cases: Iterable[Any]) -> list[Any]:
    """Parameters of a test: cases that are among `quick` as they are, the rest marked as slow."""
    cases = list(cases)
    missing = [case for case in quick if case not in cases]
    if missing:
        raise ValueError(f"not among the cases: {missing}")
    return [case if case in quick else pytest.param(case, marks=pytest.mark.slow) for case in cases]
