"""Notes in and out of files."""

import numpy as np
import pytest

from ddsp_edge.errors import DdspError
from ddsp_edge.files.midi_file import read_midi_file
from ddsp_edge.files.midi_writer import MidiNote, MidiPart, write_midi
from ddsp_edge.transcription.files import write_notes
from ddsp_edge.transcription.names import NAMES, checked_names, known_name, name_of_program, program_of
from ddsp_edge.transcription.note import Note, read_table
from ddsp_edge.transcription.resynthesis import played, played_blocks

NOTES = [
    Note(0.1, 0.5, 60, 100, "violin", 0.9),
    Note(0.2, 0.9, 48, 64, "cello", 0.8),
    Note(0.5, 1.25, 62, 90, "violin", 0.7),
]


def messages(path):
    midi = read_midi_file(path.read_bytes())
    assert midi.warnings == ()
    return midi, list(midi.messages())


def test_a_table_comes_back_as_it_was_written(tmp_path):
    write_notes(tmp_path / "notes.csv", NOTES)
    again = read_table(tmp_path / "notes.csv")
    assert [(n.onset_s, n.offset_s, n.pitch, n.velocity, n.instrument) for n in again] == [
        (n.onset_s, n.offset_s, n.pitch, n.velocity, n.instrument) for n in NOTES
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n", "no column onset_s, offset_s, midi_pitch"),
        ("onset_s,offset_s,midi_pitch\n1,x,60\n", "line 2: a note needs numbers"),
        ("onset_s,offset_s,midi_pitch\n1,0.5,60\n", "line 2: a note ends after it begins"),
        ("onset_s,offset_s,midi_pitch\n1,2,260\n", "pitch 260"),
        ("onset_s,offset_s,midi_pitch\n1,nan,60\n", "a note ends after it begins"),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path, text, words):
    (tmp_path / "notes.csv").write_text(text)
    with pytest.raises(DdspError, match=words):
        read_table(tmp_path / "notes.csv")


def test_midi_has_a_track_an_instrument_and_a_channel_for_each(tmp_path):
    write_notes(tmp_path / "notes.mid", NOTES)
    midi, found = messages(tmp_path / "notes.mid")
    assert (midi.kind, len(midi.tracks)) == (1, 3)
    programs = {m.channel: m.program for _, m in found if m.type == "program_change"}
    assert programs == {0: 40, 1: 42}
    per_second = midi.ticks_per_beat * 2
    struck = [(t / per_second, m.channel, m.note, m.velocity) for t, m in found if m.type == "note_on"]
    let_go = [(t / per_second, m.note) for t, m in found if m.type == "note_off"]
    assert [s[1:] for s in struck] == [(0, 60, 100), (1, 48, 64), (0, 62, 90)]
    np.testing.assert_allclose([s[0] for s in struck], [0.1, 0.2, 0.5], atol=6e-4)
    np.testing.assert_allclose([t for t, _ in let_go], [0.5, 0.9, 1.25], atol=6e-4)


def test_mido_reads_the_same(tmp_path):
    import mido

    write_notes(tmp_path / "notes.mid", NOTES)
    file = mido.MidiFile(tmp_path / "notes.mid")
    assert [track.name for track in file.tracks[1:]] == ["violin", "cello"]
    assert file.length == pytest.approx(1.25, abs=1e-3)


def test_a_key_is_let_go_before_it_is_struck_again(tmp_path):
    notes = [MidiNote(0.0, 0.6, 60, 90), MidiNote(0.5, 0.9, 60, 90)]
    write_midi(tmp_path / "x.mid", [MidiPart("a", 0, notes)])
    kinds = [m.type for _, m in messages(tmp_path / "x.mid")[1] if m.type.startswith("note")]
    assert kinds == ["note_on", "note_off", "note_on", "note_off"]


def test_bends_are_those_of_two_semitones(tmp_path):
    bends = ((0.0, 0.0), (0.1, 1.0), (0.2, -2.0), (0.3, 5.0))
    write_midi(tmp_path / "x.mid", [MidiPart("a", 0, [MidiNote(0.0, 0.6, 60, 90, bends)])])
    values = [m.pitch for _, m in messages(tmp_path / "x.mid")[1] if m.type == "pitchwheel"]
    assert values == [0, 4096, -8192, 8191]


def test_more_parts_than_channels_leave_out_that_of_drums(tmp_path):
    parts = [MidiPart(f"{i}", i, [MidiNote(0.0, 1.0, 60, 90)]) for i in range(18)]
    write_midi(tmp_path / "x.mid", parts)
    used = {m.channel for _, m in messages(tmp_path / "x.mid")[1] if m.type == "note_on"}
    assert used == set(range(16)) - {9}


def test_what_is_no_note_is_refused(tmp_path):
    with pytest.raises(DdspError, match="a MIDI note must have"):
        write_midi(tmp_path / "x.mid", [MidiPart("a", 0, [MidiNote(1.0, 0.5, 60, 90)])])
    assert not (tmp_path / "x.mid").exists()
    with pytest.raises(DdspError, match=r"written as \.mid or \.csv"):
        write_notes(tmp_path / "x.txt", NOTES)


def test_names_are_known_by_their_spellings():
    assert known_name("Alto Sax") == "saxophone"
    assert known_name("French-Horn") == "horn"
    assert known_name("kazoo") == ""
    assert checked_names(["violin", "Violin", "double bass"]) == ("violin", "contrabass")
    with pytest.raises(DdspError, match=r"'violn' here\. Did you mean 'violin'"):
        checked_names(["violn"])
    for name in NAMES:
        if name != "bassclarinet":  # General MIDI has none
            assert name_of_program(program_of(name)) == name


@pytest.mark.parametrize("block", [1000, 4096, 100_000])
def test_what_is_played_does_not_depend_on_blocks(block):
    whole = played(NOTES, 16_000, 24_000)
    parts = np.concatenate(list(played_blocks(NOTES, 16_000, 24_000, block)))
    np.testing.assert_allclose(parts, whole, atol=1e-6)
    assert np.abs(whole[:1600]).max() == 0.0
    assert np.abs(whole).max() > 0.05
