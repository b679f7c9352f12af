"""The report on a dataset: what it says, that it opens offline, and that it is of the dataset as it is."""

import base64
import dataclasses
import io
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ddsp_edge.units import Array
from ddsp_tf.cli.main import main
from ddsp_tf.cli.prepare import summary
from ddsp_tf.config import DataConfig
from ddsp_tf.data import DatasetInfo, load_dataset_info, prepare, read_passages
from ddsp_tf.data.prepare import pitched
from ddsp_tf.data.quality import report
from ddsp_tf.data.quality.advice import advice
from ddsp_tf.data.quality.report import report_is_of, write_dataset_report
from ddsp_tf.data.quality.survey import CONCERNS, Survey, survey_dataset
from ddsp_tf.data.quality.view import rows_of_pitched
from ddsp_tf.frames import FrameSpec
from tests.data.doubles import ConstantEstimator
from tests.data.sounds import swelling, tone, write

SPEC = FrameSpec(16_000, 64)
CONFIG = DataConfig(passage_seconds=4.0, validation_share=0.25)
HOSTILE = "<img src=x onerror=alert(1)> & 'é'.wav"


def _survey(out: Path) -> tuple[DatasetInfo, Survey]:
    info = load_dataset_info(out)
    return info, survey_dataset(out, info)


def _chord(seconds: float) -> Array:
    return np.asarray(0.5 * (tone(seconds) + tone(seconds, f0_hz=277.2) + tone(seconds, f0_hz=329.6)))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Notes; chords; clipped notes; notes with hum. Half of it is clean. No test may change it."""
    folder = tmp_path_factory.mktemp("report")
    clipped = np.clip(6.0 * swelling(8.0), -1.0, 1.0)
    t = np.arange(8 * 16_000) / 16_000
    hum = 0.003 * sum(np.sin(2.0 * np.pi * 50.0 * k * t) / k for k in (1, 2, 3))
    quiet = (np.arange(len(t)) % 32_000 < 24_000) * swelling(8.0)
    files = [
        write(folder / HOSTILE, swelling(32.0)),
        write(folder / "chords.wav", _chord(8.0)),
        write(folder / "clipped.wav", clipped),
        write(folder / "hum.wav", quiet + hum),
    ]
    (folder / "broken.wav").touch()
    prepare(
        [*files, folder / "broken.wav"], folder / "out", SPEC, CONFIG, estimator=ConstantEstimator(), jobs=1
    )
    return folder / "out"


def test_each_concern_is_found_where_it_is(dataset: Path) -> None:
    _, survey = _survey(dataset)
    assert survey.measured
    found = {name: [c for c in CONCERNS if r.concern_seconds[c]] for name, r in survey.recordings.items()}
    assert found == {
        HOSTILE: [],
        "chords.wav": ["polyphony"],
        "clipped.wav": ["clipping"],
        "hum.wav": ["hum"],
    }
    assert survey.seconds == pytest.approx(56.0, abs=0.1)
    assert survey.concern_seconds("polyphony") == pytest.approx(8.0, abs=0.1)
    assert survey.pitch.argmax() == 57 - 12  # A3: the first bin is MIDI note 12
    frames = sum(len(p.f0_hz) for s in ("train", "validation") for p in read_passages(dataset, s))
    assert survey.loudness.sum() == frames


def test_advice_is_plain_and_names_recordings(dataset: Path) -> None:
    told = advice(_survey(dataset)[1])
    assert told[0].startswith("8 of 56 seconds look polyphonic")
    assert told[0].endswith(
        "a monophonic model will smear them. Leave out, or record again one note at a time "
        "(then prepare again with --overwrite): chords.wav"
    )
    assert any(re.search(r"hum of the mains \(50 Hz, up to -5[123] dB, in hum\.wav\)", line) for line in told)
    assert any("8 of 56 seconds have clipped samples, in clipped.wav" in line for line in told)
    assert told[-1].startswith("0:56 min of sound is little")
    assert len(told) == 4


def test_minutes_are_counted_in_minutes() -> None:
    survey = Survey(measured=True)
    from ddsp_tf.data.quality.survey import RecordingSurvey

    for name, seconds in (("a.wav", 14 * 60.0), ("b.wav", 22 * 60.0)):
        survey.recordings[name] = RecordingSurvey(seconds=seconds, voiced_seconds=seconds)
    survey.recordings["a.wav"].concern_seconds["polyphony"] = 14 * 60.0
    (sentence,) = advice(survey)
    assert sentence.startswith("14 of 36 minutes look polyphonic")


def test_the_page_is_one_file_and_shows_names_as_text(dataset: Path) -> None:
    path = write_dataset_report(dataset, *_survey(dataset))
    text = path.read_text(encoding="utf-8")
    assert "<img src=x" not in text
    assert "&lt;img src=x onerror=alert(1)&gt; &amp; &#x27;é&#x27;.wav" in text
    assert set(re.findall(r'(?:src|href)="([a-z]+:?)', text)) == {"data:"}
    assert "http" not in re.sub(r"base64,[A-Za-z0-9+/=]*", "", text)  # letters of sounds and plots
    assert "broken.wav" in text
    assert "is empty (0 bytes)" in text
    assert path.stat().st_size < 6e6


def test_what_is_wrong_comes_first_where_recordings_are_many(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "_ROWS", 4)
    text = write_dataset_report(dataset, *_survey(dataset)).read_text(encoding="utf-8")
    rows = text[text.index("The recordings") :]
    assert all(f"{name}.wav" in rows for name in ("broken", "chords", "clipped", "hum"))
    assert "onerror" not in rows
    assert "And 1 more" in rows


def test_the_terminal_tells_what_was_dropped(dataset: Path) -> None:
    info = _survey(dataset)[0]
    assert "  dropped   1 file" in summary(info, rows_of_pitched(info))
    [skipped] = [file for file in info.files if file.status == "skipped"]
    silent = dataclasses.replace(skipped, silent_seconds=8.0)
    others = tuple(file for file in info.files if file is not skipped)
    told = summary(dataclasses.replace(info, files=(*others, silent)), [])
    assert "  dropped   0:08 min of silence, and 1 file" in told


def test_the_worst_passages_can_be_heard(dataset: Path) -> None:
    info, survey = _survey(dataset)
    text = write_dataset_report(dataset, info, survey).read_text(encoding="utf-8")
    sounds = re.findall(r'src="data:audio/wav;base64,([^"]+)"', text)
    assert len(sounds) == 3
    audio, rate = soundfile.read(io.BytesIO(base64.b64decode(sounds[0])))
    (worst,) = survey.worst("polyphony")
    assert (rate, worst.source) == (16_000, "chords.wav")
    (passage,) = [
        p
        for split in ("train", "validation")
        for p in read_passages(dataset, split)
        if p.source == "chords.wav" and p.first_sample == round(worst.first_second * 16_000)
    ]
    np.testing.assert_allclose(audio, passage.audio, atol=1 / 32768)


def test_excerpts_are_short_whatever_the_passages(tmp_path: Path) -> None:
    file = write(tmp_path / "a.wav", np.clip(6.0 * swelling(40.0, 48_000), -1.0, 1.0), 48_000)
    config = DataConfig(passage_seconds=20.0)
    spec = FrameSpec(48_000, 192)
    info = prepare([file], tmp_path / "out", spec, config, estimator=ConstantEstimator(), jobs=1)
    text = write_dataset_report(tmp_path / "out", info, survey_dataset(tmp_path / "out", info)).read_text()
    for sound in re.findall(r'src="data:audio/wav;base64,([^"]+)"', text):
        audio, rate = soundfile.read(io.BytesIO(base64.b64decode(sound)))
        assert (len(audio) / rate, rate) == (pytest.approx(8.0, abs=0.01), 24_000)


def test_a_dataset_that_grew_has_the_survey_of_one_made_at_once(tmp_path: Path) -> None:
    files = [write(tmp_path / "a.wav", _chord(9.0)), write(tmp_path / "b.wav", swelling(9.0))]
    for out, batches in (("grown", [files[:1], files]), ("at once", [files])):
        for batch in batches:
            prepare(batch, tmp_path / out, SPEC, CONFIG, estimator=ConstantEstimator(), jobs=1)
    grown, at_once = (_survey(tmp_path / out)[1] for out in ("grown", "at once"))
    assert advice(grown) == advice(at_once)
    np.testing.assert_array_equal(grown.pitch, at_once.pitch)
    for name, recording in grown.recordings.items():
        other = at_once.recordings[name]
        assert recording.concern_seconds == other.concern_seconds
        assert recording.noise_db == other.noise_db


def test_a_report_is_of_the_dataset_as_it_is(tmp_path: Path) -> None:
    files = [write(tmp_path / "a.wav", swelling(9.0)), write(tmp_path / "b.wav", swelling(9.0, f0_hz=300.0))]
    out = tmp_path / "out"
    prepare(files[:1], out, SPEC, CONFIG, estimator=ConstantEstimator(), jobs=1)
    assert not report_is_of(out)
    first = write_dataset_report(out, *_survey(out)).read_bytes()
    assert report_is_of(out)
    assert write_dataset_report(out, *_survey(out)).read_bytes() == first
    prepare(files[:1], out, SPEC, CONFIG, estimator=ConstantEstimator(), jobs=1)  # nothing new
    assert report_is_of(out)
    prepare(files, out, SPEC, CONFIG, estimator=ConstantEstimator(), jobs=1)
    assert not (out / "report.html").exists()


def test_records_made_by_hand_have_a_report_too(dataset: Path, tmp_path: Path) -> None:
    from ddsp_tf.data.quality import survey as module

    info = load_dataset_info(dataset)
    read = module.read_records
    try:
        module.read_records = lambda *a, **k: (  # type: ignore[assignment]
            (place, dataclasses.replace(record, notes={})) for place, record in read(*a, **k)
        )
        found = survey_dataset(dataset, info)
    finally:
        module.read_records = read
    assert advice(found) == []
    assert not found.measured
    text = write_dataset_report(dataset, info, found).read_text(encoding="utf-8")
    assert "do not hold what prepare measures" in text


def test_the_command_writes_it_and_tells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path / "a.wav", _chord(6.0))
    command = ["prepare", str(file), "--out", str(tmp_path / "out"), "--jobs", "1"]
    monkeypatch.setattr(pitched, "make_f0_estimator", lambda *_, **__: ConstantEstimator())
    assert main(command) == 0
    text = capsys.readouterr().out
    assert re.search(r"notice +6 of 6 seconds look polyphonic", text)
    assert max(map(len, text.splitlines())) <= 110
    assert "out/report.html, to look at and to listen to" in text.replace("\n            ", " ")
    report = tmp_path / "out" / "report.html"
    written = report.stat().st_mtime_ns
    assert main(command) == 0
    assert report.stat().st_mtime_ns == written  # nothing has changed
    report.unlink()
    assert main(command) == 0
    assert report_is_of(tmp_path / "out")
