"""The shipped model hears chords, in files and live."""

import sys
import threading
import time
import types

import numpy as np
import pytest

from ddsp_edge.cli.main import main
from ddsp_edge.errors import DdspError
from ddsp_edge.files.audio_writer import write_audio
from ddsp_edge.model.file import read_model_file
from ddsp_edge.model.step_model import StepModel
from ddsp_edge.shipped import model_path
from ddsp_edge.transcription.files import named_transcript, transcribe_file
from ddsp_edge.transcription.live import NoteBegins, NoteEnds, NoteEvents
from ddsp_edge.transcription.naming import Namer, RunningNames
from ddsp_edge.transcription.note import Note, read_table
from ddsp_edge.transcription.resynthesis import played
from ddsp_edge.transcription.transcriber import Transcriber

RATE = 16_000
CHORDS = [
    Note(begin, begin + 0.55, pitch, 100)
    for begin, pitches in ((0.3, (48, 64)), (0.9, (50, 62, 69)), (1.5, (55, 59)), (2.1, (48, 60, 67)))
    for pitch in pitches
]
SECONDS = 3.0


@pytest.fixture(scope="module")
def audio():
    return played(CHORDS, RATE, int(SECONDS * RATE)) * 0.5


@pytest.fixture(scope="module")
def model():
    return StepModel(model_path("notes"))


def heard(model, audio, sizes):
    transcriber = Transcriber.of_card(model, model.card)
    transcriber.reset()
    notes, at, i = [], 0, 0
    while at < len(audio):
        notes += transcriber.push(audio[at : at + sizes[i % len(sizes)]]).notes
        at, i = at + sizes[i % len(sizes)], i + 1
    return notes + transcriber.flush().notes


def found_of(notes):
    """Notes of the chords that were found, each once."""
    return [
        want
        for want in CHORDS
        if any(n.pitch == want.pitch and abs(n.onset_s - want.onset_s) <= 0.05 for n in notes)
    ]


def test_chords_are_heard(model, audio):
    notes = heard(model, audio, (4000,))
    assert len(found_of(notes)) >= 0.8 * len(CHORDS)
    assert len(notes) <= 1.4 * len(CHORDS)


def test_cuts_of_the_stream_do_not_matter(model, audio):
    whole = heard(model, audio, (len(audio),))
    for sizes in ((320,), (77, 5000)):
        parts = heard(model, audio, sizes)
        assert [n.pitch for n in parts] == [n.pitch for n in whole]
        # Products of matrices of other sizes round differently.
        np.testing.assert_allclose([n.onset_s for n in parts], [n.onset_s for n in whole], atol=2e-3)


def test_a_note_is_told_within_three_tenths_of_a_second(model, audio):
    transcriber = Transcriber.of_card(model, model.card)
    events = NoteEvents(transcriber, RATE)
    late = []
    for start in range(0, len(audio), 160):
        for event in events.push(audio[start : start + 160]):
            if isinstance(event, NoteBegins):
                late.append((start + 160) / RATE - event.onset_s)
    assert len(late) >= 0.8 * len(CHORDS)
    assert max(late) <= 0.3
    assert transcriber.latency_samples <= 0.25 * RATE


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_live_every_note_that_begins_ends_once(model, audio, rate):
    if rate != RATE:
        audio = np.interp(np.arange(int(SECONDS * rate)) * RATE / rate, np.arange(len(audio)), audio)
    names = RunningNames(Namer(read_model_file(model_path("notes")).arrays), ("violin", "cello"))
    events = NoteEvents(Transcriber.of_card(model, model.card), rate, names)
    happened = []
    for start in range(0, len(audio), 441):
        happened += events.push(audio[start : start + 441])
    happened += events.close()
    on: set[int] = set()
    for event in happened:
        if isinstance(event, NoteBegins):
            assert event.pitch not in on
            on.add(event.pitch)
        else:
            assert isinstance(event, NoteEnds)
            on.remove(event.pitch)
            assert event.note is None or event.note.instrument in ("violin", "cello")
    assert not on
    assert sum(isinstance(e, NoteBegins) for e in happened) >= 0.8 * len(CHORDS)


def test_samples_that_are_not_finite_are_silence(model, audio):
    events = NoteEvents(Transcriber.of_card(model, model.card), RATE)
    bad = audio.copy()
    bad[100:200] = np.nan
    events.push(bad)
    assert np.isfinite(sum(event.onset_s for event in events.push(audio) if isinstance(event, NoteBegins)))


def test_names_are_those_that_were_told(model, audio, tmp_path):
    write_audio(tmp_path / "chords.wav", audio, RATE)
    file = read_model_file(model_path("notes"))
    found = transcribe_file(Transcriber.of_card(model, model.card), tmp_path / "chords.wav")
    told = named_transcript(found, file.arrays, ("violin", "cello"))
    assert {note.instrument for note in told.notes} <= {"violin", "cello"}
    assert all(0.0 < note.name_confidence <= 1.0 for note in told.notes)
    assert all(note.instrument for note in named_transcript(found, file.arrays).notes)


def test_the_command_writes_tables_and_midi(audio, tmp_path, capsys):
    source = tmp_path / "chords.wav"
    write_audio(source, audio, RATE)
    assert main(["transcribe", "notes", str(source), str(tmp_path / "a.csv"), "--unnamed"]) == 0
    assert len(found_of(read_table(tmp_path / "a.csv"))) >= 0.8 * len(CHORDS)
    assert main(["transcribe", "notes", str(source), str(tmp_path / "a.mid"), "--instruments", "organ"]) == 0
    assert "organ: " in capsys.readouterr().out
    assert (tmp_path / "a.mid").read_bytes()[:4] == b"MThd"
    command = ["transcribe", "notes", str(source), str(tmp_path / "b.csv"), "--voices", "1", "--quiet"]
    assert main(command) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["x.wav", "x.txt"], "notes are written as .mid or .csv"),
        (["x.wav"], "name a recording and a file to write"),
        (["x.wav", "x.mid", "--voices", "3"], "--voices is 1"),
        (["x.wav", "x.mid", "--unnamed", "--instruments", "oboe"], "contradict each other"),
        (
            ["x.wav", "x.mid", "--voices", "1", "--instruments", "oboe,flute"],
            "one voice is of one instrument",
        ),
        (["x.wav", "x.mid", "--live"], "--live hears a microphone"),
        (["--live", "--osc", "nowhere"], "--osc is HOST:PORT"),
        (["missing.wav", "x.mid"], "missing.wav"),
    ],
)
def test_what_cannot_be_meant_is_refused(options, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["transcribe", "notes", *options]) == 1
    assert words in capsys.readouterr().err


def test_silence_and_another_kind_of_model_are_refused(tiny, tmp_path, capsys):
    write_audio(tmp_path / "silence.wav", np.zeros(RATE, np.float32), RATE)
    arguments = [str(tmp_path / "silence.wav"), str(tmp_path / "x.mid")]
    assert main(["transcribe", "notes", *arguments]) == 1
    assert "is silent" in capsys.readouterr().err
    assert main(["transcribe", str(tiny), *arguments]) == 1
    assert "not a transcriber" in capsys.readouterr().err
    assert not (tmp_path / "x.mid").exists()


def test_a_card_that_lacks_what_is_needed_is_refused(model):
    with pytest.raises(DdspError, match="must tell lookahead_frames"):
        Transcriber(model, {"lowest_midi": 28}, model.spec)


def test_a_microphone_is_heard_live(audio, monkeypatch, capsys):
    """A module that stands for the sound card plays the chords."""
    module = types.ModuleType("sounddevice")
    module.PortAudioError = type("PortAudioError", (Exception,), {})
    module.check_input_settings = lambda **_: None
    module.query_devices = lambda *_: {"max_input_channels": 1, "default_samplerate": RATE}

    class InputStream:
        def __init__(self, callback, **how):
            assert (how["samplerate"], how["channels"]) == (RATE, 1)
            self._callback = callback
            self._thread = threading.Thread(target=self._play, daemon=True)

        def start(self):
            self._thread.start()

        def _play(self):
            for start in range(0, len(audio), 480):
                block = audio[start : start + 480, None]
                self._callback(block, len(block), None, None)
                time.sleep(0.002)

        def close(self, ignore_errors=True):
            self._thread.join(5.0)

    module.InputStream = InputStream
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    assert main(["transcribe", "notes", "--live", "--seconds", "2.5"]) == 0
    said = capsys.readouterr()
    assert said.out.count(" on ") >= 0.7 * len(CHORDS)
    assert "notes are told 248 ms after they began" in said.err
