"""From recordings to records: two sounds, and two features on a grid of their own."""

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.data.prepare.analysis import to_int16
from ddsp_tf.data.prepare.passages import Cut
from ddsp_tf.data.prepare.preparation import Preparation
from ddsp_tf.data.records.journal import Silence
from ddsp_tf.data.records.parts import FeatureForm
from ddsp_tf.data.records.schema import Feature, Record
from ddsp_tf.frames import FrameSpec
from tests.tasks.gain.config import GainConfig
from tests.tasks.gain.level import level_db

RATIO = 4.0


class LevelExtractor:
    """Measures the level of each hop, and what an ideal compressor would do to it.

    Args:
        spec: The frame grid.
        threshold_db: Level from which on it compresses, dB.
    """

    context_seconds = 0.0
    parallel = False

    def __init__(self, spec: FrameSpec, threshold_db: float) -> None:
        self.spec, self.threshold_db = spec, threshold_db

    def memory_mib(self, seconds: float) -> float:
        """Python and numpy."""
        return 40.0

    def __call__(self, cut: Cut) -> Record | Silence:
        """Measure a passage."""
        hop = self.spec.hop
        audio = cut.audio[cut.lead_frames * hop : (cut.lead_frames + cut.n_frames) * hop]
        level = level_db(audio, hop)
        if level.max() <= -70.0:
            return Silence(cut.source, cut.first_sample, len(audio))
        gain = ideal_gain(level, self.threshold_db)
        compressed = audio * np.repeat(gain[:, 0], hop)
        return Record(
            sounds={"audio": to_int16(audio), "compressed": to_int16(compressed)},
            features={"level_db": Feature(level, hop), "gain": Feature(gain, hop)},
            source=cut.source,
            first_sample=cut.first_sample,
            sample_rate=self.spec.sample_rate,
        )


def ideal_gain(level: Array, threshold_db: float) -> Array:
    """Linear gain `[frames, 1]` of levels in dB `[frames, 1]`."""
    above = np.maximum(level - threshold_db, 0.0)
    return np.asarray(10.0 ** (-above * (1.0 - 1.0 / RATIO) / 20.0), np.float32)


def preparation(config: GainConfig) -> Preparation:
    """What is made of recordings."""
    spec = config.spec
    form = FeatureForm(spec.hop, (1,))
    return Preparation(
        spec,
        LevelExtractor(spec, config.threshold_db),
        sounds={"audio": "int16", "compressed": "int16"},
        features={"level_db": form, "gain": form},
        extractors={"level_db": {"name": "mean square"}, "gain": {"name": "ideal", "ratio": RATIO}},
        settings={"sample_rate": spec.sample_rate, "hop": spec.hop, "threshold_db": config.threshold_db},
        passage_seconds=config.data.passage_seconds,
        validation_share=config.data.validation_share,
    )
