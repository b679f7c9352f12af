"""What is played in a recording: tracked as for a dataset, and mapped to what an instrument knows."""

from collections.abc import Iterator

import numpy as np

from ddsp_edge.card import Range
from ddsp_edge.features.pitch import hold_unvoiced
from ddsp_edge.files.audio_file import AudioReader
from ddsp_edge.transfer.recording import START_HZ, RecordingTransfer, Tracked
from ddsp_edge.transfer.settings import TransferSettings
from ddsp_tf.data.further import further_features
from ddsp_tf.data.prepare.analysis import Analyser, Analysis, context_frames
from ddsp_tf.data.prepare.passages import Cut, cut_passages
from ddsp_tf.features.f0 import F0Estimator
from ddsp_tf.frames import FrameSpec
from ddsp_tf.tasks.instrument.model.autoencoder import Autoencoder

PASSAGE_SECONDS = 10.0


def tracked_passages(
    model: Autoencoder, estimator: F0Estimator, reader: AudioReader
) -> Iterator[tuple[Analysis, Tracked]]:
    """What a model is told of a recording, passage by passage, as it was trained on it."""
    spec = model.spec
    known = _f0_range(model)
    held_hz = START_HZ if known is None else known.median
    for cut, found in _analysed(reader, spec, estimator, model.level):
        f0_hz = hold_unvoiced(found.f0_hz, found.f0_hz > 0.0, held_hz)
        held_hz = float(f0_hz[-1]) if len(f0_hz) else held_hz
        part = slice(cut.lead_frames, cut.lead_frames + cut.n_frames)
        around = np.pad(f0_hz, (cut.lead_frames, len(cut.audio) // spec.hop - part.stop), mode="edge")
        voicing = np.pad(found.voicing, (part.start, len(around) - part.stop))
        further = further_features(model.further, cut.audio, around, voicing, spec, part)
        yield found, Tracked(found.f0_hz, found.loudness_db, further)


def analysed(
    reader: AudioReader, spec: FrameSpec, estimator: F0Estimator, level: str = "loudness"
) -> Iterator[Analysis]:
    """Pitch and loudness of a recording, passage by passage, in memory that does not grow with it."""
    for _, found in _analysed(reader, spec, estimator, level):
        yield found


def _analysed(
    reader: AudioReader, spec: FrameSpec, estimator: F0Estimator, level: str
) -> Iterator[tuple[Cut, Analysis]]:
    analyse = Analyser(spec, estimator, "float32", level)
    context = context_frames(spec, estimator.context_seconds)
    for cut in cut_passages(reader.blocks(), spec, spec.frames_for(PASSAGE_SECONDS), context):
        yield cut, analyse(cut)


def mapping_for(model: Autoencoder, settings: TransferSettings) -> RecordingTransfer:
    """From what was tracked to what a model is told.

    Raises:
        DdspError: If a setting is out of range, or there is nothing to match with.
    """
    level = model.level_db_range
    loudness_db = Range(**level) if level else None
    return RecordingTransfer(model.spec, settings, _f0_range(model), loudness_db, model.usual)


def _f0_range(model: Autoencoder) -> Range | None:
    known = model.instrument.get("f0_hz_range")
    return Range(**known) if known else None
