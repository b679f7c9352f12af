"""Cutting a stream into passages."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_tf.data.prepare.passages import cut_passages
from ddsp_tf.frames import FrameSpec

HOP = 4
SPEC = FrameSpec(100, HOP)


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 60), max_size=20),
    st.integers(1, 12),
    st.integers(0, 30),
)
def test_passages_are_the_recording_without_gap_or_overlap(
    sizes: list[int], passage: int, context: int
) -> None:
    audio = np.arange(sum(sizes), dtype=np.float32)
    blocks = np.split(audio, np.cumsum(sizes)[:-1]) if sizes else []
    cuts = list(cut_passages(blocks, SPEC, passage, context, "x"))
    at = 0
    for cut in cuts:
        assert cut.first_sample == at
        assert cut.source == "x"
        lead = cut.lead_frames * HOP
        np.testing.assert_array_equal(
            cut.audio[lead : lead + cut.n_frames * HOP], audio[at : at + cut.n_frames * HOP]
        )
        assert cut.lead_frames == min(context, at // HOP)
        end = at + cut.n_frames * HOP
        assert len(cut.audio) == lead + cut.n_frames * HOP + min(context * HOP, len(audio) - end)
        at = end
    assert at == len(audio) // HOP * HOP


@settings(deadline=None)
@given(st.integers(0, 400), st.integers(1, 12), st.integers(0, 30), st.integers(1, 50))
def test_no_passage_is_shorter_than_half_or_longer_than_one_and_a_half(
    samples: int, passage: int, context: int, block: int
) -> None:
    audio = np.zeros(samples, np.float32)
    blocks = [audio[i : i + block] for i in range(0, samples, block)]
    lengths = [cut.n_frames for cut in cut_passages(blocks, SPEC, passage, context)]
    assert lengths == [
        cut.n_frames for cut in cut_passages([audio], SPEC, passage, context)
    ]  # whatever the blocks
    assert all(2 * n <= 3 * passage for n in lengths)
    if len(lengths) > 1:
        assert all(2 * n >= passage for n in lengths)
