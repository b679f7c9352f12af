"""What a dataset with pitch and loudness holds, in a few lines, and what may be mended."""

from pathlib import Path

from ddsp_edge.units import note_name
from ddsp_tf.data.quality.advice import advice
from ddsp_tf.data.quality.report import report_is_of, write_dataset_report
from ddsp_tf.data.quality.survey import survey_dataset
from ddsp_tf.data.records.info import DatasetInfo


def rows_of_pitched(info: DatasetInfo) -> list[tuple[str, str]]:
    """Pitch, loudness and form of a dataset, as pairs of a word and a value."""
    f0, loudness = info.f0_hz_range, info.loudness_db_range
    return [
        ("pitch", f"{note_name(f0.low)} to {note_name(f0.high)} ({f0.low:.0f} to {f0.high:.0f} Hz)"),
        ("voiced", f"{info.voiced_share:.0%} of the frames, by {info.f0_estimator['name']}"),
        ("loudness", f"{loudness.low:.0f} to {loudness.high:.0f} dB, median {loudness.median:.0f}"),
        ("stored", f"{info.audio} at {info.sample_rate} Hz, features every {info.hop} samples"),
    ]


def look_at_pitched(folder: Path, info: DatasetInfo) -> list[str]:
    """Survey a dataset, and write its report where it has none of what it holds now.

    Returns:
        Sentences on what is wrong with the recordings, and what to do.
    """
    survey = survey_dataset(folder, info)
    if not report_is_of(folder):
        write_dataset_report(folder, info, survey)
    return advice(survey)
