"""What a model takes of a passage."""

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.data.further import further_of
from ddsp_tf.data.instruments import Instruments
from ddsp_tf.data.reading import Passage
from ddsp_tf.features.power import level_db
from ddsp_tf.tasks.instrument.model.autoencoder import Autoencoder


def features_of(model: Autoencoder, passage: Passage) -> dict[str, Array]:
    """The features that a model plays a passage by, under the names of `Renderer.render`.

    Pitch, loudness, or power where that is what it was trained on, and further features; the recording for a
    model that listens; of several instruments that of the recording.

    Raises:
        DdspError: If the recording is of none of the model's instruments.
    """
    level = level_db(model.level, passage.audio, passage.loudness_db, model.spec)
    features = {
        "f0_hz": passage.f0_hz,
        "loudness_db": level,
        **further_of(model.further, passage, model.spec),
    }
    if "audio" in model.feature_names:
        features["audio"] = passage.audio
    if "instrument" in model.feature_names:
        patterns = model.instrument["config"]["model"]["instruments"]
        weights = Instruments(patterns).weights_of(passage.source)
        features["instrument"] = np.tile(weights, [len(passage.f0_hz), 1])
    return features
