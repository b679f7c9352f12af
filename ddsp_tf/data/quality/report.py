"""`report.html`: what a dataset holds, what is wrong with it, and where to hear that."""

import hashlib
import re
from pathlib import Path

import numpy as np
import soxr

from ddsp_edge.units import Array, minutes, note_name
from ddsp_tf.data.pitched import PitchedRecord
from ddsp_tf.data.prepare.analysis import as_float
from ddsp_tf.data.quality.advice import advice, meaning
from ddsp_tf.data.quality.excerpt import worst_excerpt
from ddsp_tf.data.quality.survey import (
    CONCERNS,
    LOUDNESS_EDGES_DB,
    PITCH_EDGES_MIDI,
    RecordingSurvey,
    Survey,
    Worst,
)
from ddsp_tf.data.records.info import INFO_NAME, DatasetInfo
from ddsp_tf.data.records.parts import FileResult
from ddsp_tf.data.records.store import REPORT_NAME
from ddsp_tf.errors import printable
from ddsp_tf.frames import FrameSpec
from ddsp_tf.reports import plots
from ddsp_tf.reports.html import Page

_EXCERPT_S = 8.0
_EXCERPT_HZ = 24_000  # at most; what is wrong is heard below 12 kHz
_ROWS = 200  # of the table of recordings
_MARK = re.compile(rb"dataset\.json has SHA-256 ([0-9a-f]{64})")


def report_is_of(folder: Path) -> bool:
    """Whether a dataset has a report, and it is of what the dataset holds now."""
    report = folder / REPORT_NAME
    if not report.is_file():
        return False
    with report.open("rb") as file:
        file.seek(max(0, report.stat().st_size - 1000))
        found = _MARK.search(file.read())
    return found is not None and found[1].decode() == _digest(folder)


def write_dataset_report(folder: Path, info: DatasetInfo, survey: Survey) -> Path:
    """Write a report beside a dataset: one file that opens offline, beside and renamed.

    Args:
        folder: Folder of the dataset.
        info: What it says of itself.
        survey: What was found in it.

    Returns:
        Where it is.

    Raises:
        DdspError: If an excerpt cannot be read.
    """
    page = Page(f"Dataset {printable(folder.resolve().name)}")
    _overview(page, info, survey)
    page.heading("What to do")
    if not survey.measured:
        page.text("The records do not hold what prepare measures of their quality.")
    for sentence in advice(survey) or ["Nothing was found that needs to be changed."]:
        page.text(sentence)
    _features(page, survey)
    _listen(page, info, survey)
    _recordings(page, info, survey)
    page.text(f"Of the dataset whose {INFO_NAME} has SHA-256 {_digest(folder)}.")
    path = folder / REPORT_NAME
    page.write(path)
    return path


def _digest(folder: Path) -> str:
    return hashlib.sha256((folder / INFO_NAME).read_bytes()).hexdigest()


def _overview(page: Page, info: DatasetInfo, survey: Survey) -> None:
    used = [file for file in info.files if file.status == "used"]
    skipped = [file for file in info.files if file.status != "used"]
    f0, loudness = info.f0_hz_range, info.loudness_db_range
    facts = {
        "kept": f"{minutes(survey.seconds)} of {len(used)} recordings",
        "held back for validation": minutes(info.validation_seconds),
        "dropped, silent": minutes(sum(file.silent_seconds for file in info.files)),
        "dropped, recordings that cannot be used": str(len(skipped)),
        "voiced": f"{info.voiced_share:.0%} of the frames, by {info.f0_estimator['name']}",
        "pitch, 5 % to 95 %": f"{note_name(f0.low)} to {note_name(f0.high)}",
        "loudness, 5 % to 95 %": f"{loudness.low:.0f} to {loudness.high:.0f} dB",
    }
    if survey.measured:
        facts |= {f"suspected: {name}": minutes(survey.concern_seconds(name)) for name in CONCERNS}
        strays = sum(found.seconds for found in survey.strays())
        facts["suspected: pitches beyond the instrument"] = (
            minutes(strays) if strays >= 1.0 else f"{strays:.1f} s"
        )
        room = survey.room_seconds
        facts["reverberation time"] = "too few free ends of notes" if room is None else f"about {room:.1f} s"
        snr = [r.snr_db for r in survey.recordings.values() if np.isfinite(r.snr_db)]
        if snr:
            facts["background below the instrument, worst recording"] = f"{min(snr):.0f} dB"
    page.facts(facts)


def _features(page: Page, survey: Survey) -> None:
    page.heading("Pitch and loudness")
    page.figure(
        plots.plot_pitch_histogram(survey.pitch, PITCH_EDGES_MIDI),
        "How often each pitch is there; what is missing the instrument will have to guess",
    )
    page.figure(
        plots.plot_histogram(survey.loudness, LOUDNESS_EDGES_DB, "loudness, dB (A-weighted)"),
        "How often each loudness is there",
    )


def _listen(page: Page, info: DatasetInfo, survey: Survey) -> None:
    worst = {concern: survey.worst(concern) for concern in CONCERNS}
    if not any(worst.values()):
        return
    page.heading("The worst passages")
    for concern, passages in worst.items():
        for passage in passages:
            _passage(page, info, concern, passage)


def _passage(page: Page, info: DatasetInfo, concern: str, passage: Worst) -> None:
    record = PitchedRecord.of(passage.place.read())
    first, frames = worst_excerpt(record, concern, _EXCERPT_S)
    audio = record.audio[first * record.hop : (first + frames) * record.hop]
    audio = as_float(audio)
    f0_hz, rate = record.f0_hz[first : first + frames], record.sample_rate
    if rate > _EXCERPT_HZ:
        audio, rate = soxr.resample(audio, rate, _EXCERPT_HZ), _EXCERPT_HZ
    where = f"{printable(passage.source)}, from {minutes(passage.first_second + info.spec.seconds(first))}"
    page.sound(audio, rate, f"{concern}: {where}. Listen for {meaning(concern)}")
    page.figure(
        plots.plot_spectrogram(audio, rate, f0=(_times(frames, info.spec), f0_hz)),
        f"Spectrogram of {where}; the line is the pitch that was found",
    )


def _times(frames: int, spec: FrameSpec) -> Array:
    return (np.arange(frames) + 1) * (spec.hop / spec.sample_rate)


def _recordings(page: Page, info: DatasetInfo, survey: Survey) -> None:
    page.heading("The recordings")

    def about(file: FileResult) -> tuple[RecordingSurvey | None, list[str]]:
        found = survey.recordings.get(file.name) if file.status == "used" else None
        return found, [name for name in CONCERNS if found and found.concern_seconds[name]]

    rows = []
    troubled_first = sorted(info.files, key=lambda file: file.status == "used" and not any(about(file)[1]))
    for file in troubled_first[:_ROWS]:
        found, concerns = about(file)
        room = found.room_seconds if found else None
        rows.append(
            (
                printable(file.name),
                file.status,
                minutes(found.seconds) if found else "",
                f"{found.voiced_seconds / found.seconds:.0%}" if found and found.seconds else "",
                f"{found.snr_db:.0f}" if found and np.isfinite(found.snr_db) else "",
                "" if room is None else f"{room:.1f}",
                printable(", ".join(concerns + [file.reason] * bool(file.reason))),
            )
        )
    page.table(
        ["", "", "kept", "voiced", "background below, dB", "reverberation, s", "what was noticed"], rows
    )
    if len(info.files) > _ROWS:
        page.text(f"And {len(info.files) - _ROWS} more; {INFO_NAME} names them all.")
