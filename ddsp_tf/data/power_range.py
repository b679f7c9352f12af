"""How loud training data is, as power: what a network that is told of power has heard."""

from collections.abc import Iterable

from ddsp_edge.card import Range
from ddsp_tf.data.prepare.statistics import FeatureStatistics
from ddsp_tf.data.reading import Passage
from ddsp_tf.features.power import power_db
from ddsp_tf.frames import FrameSpec


def power_range(passages: Iterable[Passage], spec: FrameSpec) -> Range:
    """5th, 50th and 95th percentile of the power of the frames that can be heard, dB.

    Args:
        passages: The training data; one by one, in memory that does not grow with them.
        spec: The frame grid.
    """
    statistics = FeatureStatistics()
    for passage in passages:
        statistics.add(passage.f0_hz, power_db(passage.audio, spec))
    return statistics.loudness_db_range()
