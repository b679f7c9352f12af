"""Cut a stream of samples into passages, each with the sound around it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.frames import FrameSpec

MIN_SECONDS = 0.1
"""Sound shorter than this is not used: no pitch can be measured in it. Single notes are longer."""
SILENCE_DB = -60.0
"""A passage whose loudness never rises above this (dB, A-weighted) holds nothing to learn."""


@dataclass(frozen=True)
class Cut:
    """A passage of a recording, with the sound around it that its analysis needs.

    Args:
        audio: float32 `[(lead_frames + n_frames) * hop + samples after it]`.
        first_sample: Integer, sample of the recording that the passage begins with.
        lead_frames: Integer, frames in `audio` before the passage.
        n_frames: Integer, frames of the passage.
        source: Name of the recording.
        clipped_samples: Integer, samples near it that are clipped in the file.
        path: The file, for what lies beside it.
        group: Of which group of recordings it is; empty where there is one.
    """

    audio: Array
    first_sample: int
    lead_frames: int
    n_frames: int
    source: str = ""
    clipped_samples: int = 0
    path: str = ""
    group: str = ""


def cut_passages(
    blocks: Iterable[Array], spec: FrameSpec, passage_frames: int, context_frames: int, source: str = ""
) -> Iterator[Cut]:
    """Cut a recording into passages of whole hops that follow each other without a gap.

    Passages have `passage_frames` frames. What is left at the end becomes a passage of its own when it
    is longer than half of that, and joins the one before otherwise: none is shorter than half a passage
    unless the recording is. Memory is bounded by three passages and twice the context.

    Args:
        blocks: The recording as a stream of float32 blocks `[n]`.
        spec: The frame grid.
        passage_frames: Integer > 0, frames of a passage.
        context_frames: Integer >= 0, frames of sound that are wanted on each side of a passage; fewer
            come at the ends of the recording.
        source: Name of the recording.

    Yields:
        Passages in order. A last part of less than one hop is left out.
    """
    hop = spec.hop
    full, context = passage_frames * hop, context_frames * hop
    longest = (passage_frames * 3 // 2 + 1) * hop - 1
    buffer = np.zeros(0, np.float32)
    origin = start = 0  # samples of the recording: where the buffer and the next passage begin

    def cut(n_frames: int) -> Cut:
        end = start + n_frames * hop + context
        return Cut(buffer[: end - origin].copy(), start, (start - origin) // hop, n_frames, source)

    for block in blocks:
        buffer = np.concatenate([buffer, np.asarray(block, np.float32)])
        while origin + len(buffer) - start > max(longest, full + context):
            yield cut(passage_frames)
            start += full
            drop = max(0, start - context - origin)
            buffer, origin = buffer[drop:], origin + drop
    while (left := origin + len(buffer) - start) >= hop:
        n_frames = passage_frames if left > longest else left // hop
        yield cut(n_frames)
        start += n_frames * hop
        drop = max(0, start - context - origin)
        buffer, origin = buffer[drop:], origin + drop
