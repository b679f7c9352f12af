"""What is played in a recording: tracked as for a dataset, and mapped to what an instrument knows."""

from collections.abc import Iterator

from ddsp_edge.card import Range
from ddsp_edge.files.audio_file import AudioReader
from ddsp_edge.transfer.recording import RecordingTransfer
from ddsp_edge.transfer.settings import TransferSettings
from ddsp_tf.data.prepare.analysis import Analyser, Analysis, context_frames
from ddsp_tf.data.prepare.passages import cut_passages
from ddsp_tf.features.f0 import F0Estimator
from ddsp_tf.frames import FrameSpec
from ddsp_tf.tasks.instrument.model.autoencoder import Autoencoder

PASSAGE_SECONDS = 10.0


def tracked_passages(model: Autoencoder, estimator: F0Estimator, reader: AudioReader) -> Iterator[Analysis]:
    """Pitch and loudness of a recording, passage by passage, as a model was trained on them."""
    yield from analysed(reader, model.spec, estimator, model.level)


def analysed(
    reader: AudioReader, spec: FrameSpec, estimator: F0Estimator, level: str = "loudness"
) -> Iterator[Analysis]:
    """Pitch and loudness of a recording, passage by passage, in memory that does not grow with it."""
    analyse = Analyser(spec, estimator, "float32", level)
    context = context_frames(spec, estimator.context_seconds)
    for cut in cut_passages(reader.blocks(), spec, spec.frames_for(PASSAGE_SECONDS), context):
        yield analyse(cut)


def mapping_for(model: Autoencoder, settings: TransferSettings) -> RecordingTransfer:
    """From what was tracked to what a model is told.

    Raises:
        DdspError: If a setting is out of range, or there is nothing to match with.
    """
    ranges = (_range(model, name) for name in ("f0_hz_range", "loudness_db_range"))
    return RecordingTransfer(model.spec, settings, *ranges)


def _range(model: Autoencoder, name: str) -> Range | None:
    known = model.instrument.get(name)
    return Range(**known) if known else None
