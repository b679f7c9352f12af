"""How long notes take to speak: to be heard after their onset, which differs from pitch to pitch."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ddsp_edge.expression.network import MOST_LATE_S
from ddsp_edge.units import Array
from ddsp_tf.tasks.instrument.expression.performance import Performance, PlayedNote

ONSET_DB = 10.0
"""A note has begun when it is no further below its loudest than that."""
_AFTER_REST_S = 0.05  # a note that begins after at least as long a rest has an onset of its own
_BEGINS_S = 0.3  # within which its loudest counts


def has_own_onset(note: PlayedNote) -> bool:
    """Whether a note begins after a rest, so that it can be told when it does."""
    return note.context.gap_s >= _AFTER_REST_S and note.frames.stop > note.frames.start


def begun_s(loudness_db: Array, frame_rate: float) -> float:
    """Seconds from the first frame of a note to where it has begun, by a line between frames.

    A note that begins loud has begun at once.

    Args:
        loudness_db: Of the frames of a note, `[frames]`, one at least.
        frame_rate: Frames a second.
    """
    first = loudness_db[: max(1, round(_BEGINS_S * frame_rate))]
    wanted = first.max() - ONSET_DB
    at = int(np.argmax(first >= wanted))
    if at == 0:
        return 0.0
    return float(at - 1 + (wanted - first[at - 1]) / (first[at] - first[at - 1])) / frame_rate


def onsets(performance: Performance, loudness_db: Array) -> Iterator[tuple[int, float]]:
    """Pitch of each note that has an onset of its own, and how many seconds after it the note has begun.

    Args:
        performance: Whose notes.
        loudness_db: As they are heard, dB, `[frames]`.
    """
    rate = float(performance.spec.frame_rate)
    for note in filter(has_own_onset, performance.notes):
        yield note.pitch, begun_s(loudness_db[note.frames], rate)


def late_by_pitch(performances: Sequence[Performance]) -> Array:
    """How much later than usual each pitch is heard after its onset.

    Args:
        performances: Of one instrument.

    Returns:
        Seconds, float32 `[128]`, as half precision has them; 0 everywhere where pitches do not differ.
    """
    heard: dict[int, list[float]] = {}
    for performance in performances:
        for pitch, seconds in onsets(performance, performance.loudness_db):
            heard.setdefault(pitch, []).append(seconds)
    every = [time for times in heard.values() for time in times]
    usual = float(np.median(every)) if every else 0.0
    return _bounded(by_pitch(heard, usual))


def late_corrected(late: Array, performances: Sequence[Performance], played: Sequence[Array]) -> Array:
    """What `late_by_pitch` gave, corrected by when notes are heard that were played with it.

    Args:
        late: Seconds, `[128]`.
        performances: What was learned from.
        played: Loudness of each as a device plays its notes, dB, `[frames]`.

    Returns:
        Seconds, float32 `[128]`, as half precision has them.
    """
    missing: dict[int, list[float]] = {}
    for performance, loudness_db in zip(performances, played, strict=True):
        both = (onsets(performance, level) for level in (performance.loudness_db, loudness_db))
        for (pitch, recorded), (_, ours) in zip(*both, strict=True):
            missing.setdefault(pitch, []).append(recorded - ours)
    return _bounded(late + by_pitch(missing, 0.0))


def by_pitch(seconds: Mapping[int, Sequence[float]], usual: float) -> Array:
    """Medians by pitch above what is usual, seconds `[128]`.

    They are nearer to 0 where there are few notes of a pitch and these differ among each other, by a line
    between pitches, and beyond the lowest and highest those of these. Where that tells less of a note than
    the usual alone, by notes that it was not made of, all is 0.
    """
    doubt = _doubt(list(seconds.values()))

    def above(times: Sequence[float]) -> float:
        return (float(np.median(times)) - usual) * len(times) / (len(times) + doubt) if times else 0.0

    left = [
        (times[i] - usual, times[i] - usual - above([*times[:i], *times[i + 1 :]]))
        for times in seconds.values()
        for i in range(len(times))
    ]
    if not left or np.abs(left).mean(axis=0)[1] >= np.abs(left).mean(axis=0)[0]:
        return np.zeros(128)
    pitches = sorted(seconds)
    return np.interp(np.arange(128), pitches, [above(seconds[pitch]) for pitch in pitches])


def _bounded(late: Array) -> Array:
    return np.clip(late, -MOST_LATE_S, MOST_LATE_S).astype(np.float16).astype(np.float32)


def _doubt(times: Sequence[Sequence[float]]) -> float:
    """How many notes of a pitch say as much of it as others do: variance within pitches by that between."""
    several = [np.asarray(each) for each in times if len(each) > 1]
    if len(several) < 2:
        return float("inf")
    freedom = sum(len(each) - 1 for each in several)
    within = sum(float(np.square(each - each.mean()).sum()) for each in several) / freedom
    count = float(np.mean([len(each) for each in several]))
    between = float(np.var([each.mean() for each in several])) - within / count
    return within / between if between > 0.0 else float("inf")
