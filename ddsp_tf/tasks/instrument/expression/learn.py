"""From recordings with their notes to an expression, judged on notes that are held back."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from ddsp_edge.card import Range
from ddsp_edge.expression.network import LATE, ExpressionNetwork
from ddsp_edge.units import Array
from ddsp_tf.data.prepare.sources import find_recordings
from ddsp_tf.data.scores import score_beside
from ddsp_tf.errors import DdspError
from ddsp_tf.features.f0 import F0Estimator
from ddsp_tf.frames import FrameSpec
from ddsp_tf.tasks.instrument.expression.fit import fit_expression
from ddsp_tf.tasks.instrument.expression.judge import Distance, Judge
from ddsp_tf.tasks.instrument.expression.performance import Performance, read_performance
from ddsp_tf.tasks.instrument.expression.playing import play_notes
from ddsp_tf.tasks.instrument.expression.speaking import late_corrected
from ddsp_tf.tasks.instrument.expression.store import Expression

HELD_BACK = 0.1
"""Share of the notes of each recording, its last, that are judged on and not learned from."""
WAYS: dict[str, tuple[bool, bool]] = {"plain": (False, False), "live": (True, False), "file": (True, True)}
"""How notes may be played: by an expression or without, and knowing what comes or not."""


def recordings_with_notes(paths: Sequence[str | Path]) -> tuple[list[Path], int]:
    """Recordings that have their notes beside them, and how many have none.

    Raises:
        DdspError: If none has, or a path is none.
    """
    found, without = list[Path](), list[DdspError]()
    for source in find_recordings(paths).recordings:
        try:
            score_beside(source.path)
        except DdspError as error:
            without.append(error)
        else:
            found.append(source.path)
    if not found:
        raise without[0]
    return found, len(without)


def read_performances(
    recordings: Sequence[Path],
    spec: FrameSpec,
    estimator: F0Estimator,
    loudness_db_range: Range,
    progress: Callable[[int, int], None] | None = None,
    level: str = "loudness",
) -> list[Performance]:
    """Measure recordings; see `read_performance`."""
    performances = []
    for done, path in enumerate(recordings, 1):
        performances.append(read_performance(path, spec, estimator, loudness_db_range, level))
        if progress is not None:
            progress(done, len(recordings))
    return performances


def learn_expression(
    performances: Sequence[Performance],
    loudness_db_range: Range,
    *,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Expression:
    """Learn how an instrument is played.

    Args:
        performances: At least some minutes.
        loudness_db_range: Loudness of the instrument.
        seed: Integer from 0: the same seed and performances give the same expression.
        progress: Called with the epochs done and in all.

    Raises:
        DdspError: If there are too few notes.
    """
    learned, held_back = list[Performance](), list[Performance]()
    for performance in performances:
        count = len(performance.notes) - round(HELD_BACK * len(performance.notes))
        learned.append(replace(performance, notes=performance.notes[:count]))
        held_back.append(replace(performance, notes=performance.notes[count:]))
    arrays = _speaking_in_time(
        fit_expression(learned, seed=seed, progress=progress), learned, loudness_db_range
    )
    distances = judge(held_back, loudness_db_range, ExpressionNetwork(arrays))
    about: dict[str, Any] = {
        "recordings": len(performances),
        "notes": sum(len(performance.notes) for performance in learned),
        "seed": seed,
        "held_back": {way: _plain_data(distance) for way, distance in distances.items()},
    }
    return Expression(arrays, about)


def _speaking_in_time(
    arrays: dict[str, Array], performances: Sequence[Performance], loudness_db_range: Range
) -> dict[str, Array]:
    """The arrays, with each pitch heard when it is in the performances that they were learned from.

    Notes are played as live for that: what comes after a note says next to nothing of how it begins.
    """
    network = ExpressionNetwork(arrays)
    played = [
        play_notes(p.notes, len(p.midi), p.spec, loudness_db_range, network, known=False)[1]
        for p in performances
    ]
    late = late_corrected(arrays.get(LATE, np.zeros(128)), performances, played)
    return {**arrays, LATE: late} if late.any() else arrays


def judge(
    performances: Sequence[Performance], loudness_db_range: Range, network: ExpressionNetwork
) -> dict[str, Distance]:
    """Play the notes of performances in each way of `WAYS`, as a device does, and compare."""
    found = {}
    for way, (expressive, known) in WAYS.items():
        judging = Judge(loudness_db_range)
        for performance in performances:
            if performance.notes:
                midi, loudness = play_notes(
                    performance.notes,
                    len(performance.midi),
                    performance.spec,
                    loudness_db_range,
                    network if expressive else None,
                    known=known,
                )
                judging.hear(performance, midi, loudness)
        found[way] = judging.distance()
    return found


def _plain_data(distance: Distance) -> dict[str, float | None]:
    return {name: round(value, 3) if value == value else None for name, value in asdict(distance).items()}
