"""Notes that lie beside a recording are found, however their ending is written."""

import pytest

from ddsp_tf.data.scores import read_score, score_beside, stem_of_score
from ddsp_tf.errors import DdspError

# A note of middle C, half a second long at 120 beats a minute.
MIDI = (
    b"MThd\x00\x00\x00\x06\x00\x00\x00\x01\x00\x60MTrk\x00\x00\x00\x0c"
    b"\x00\x90\x3c\x40\x60\x80\x3c\x00\x00\xff\x2f\x00"
)


@pytest.mark.parametrize("ending", [".mid", ".midi", ".MID", ".Midi"])
def test_midi_beside_a_recording_is_found_and_read(tmp_path, ending):
    recording, score = tmp_path / "take 1.flac", tmp_path / f"take 1{ending}"
    score.write_bytes(MIDI)
    assert score_beside(recording).samefile(score)
    assert stem_of_score(score.name) == "take 1"
    (note,) = read_score(score)
    assert (note.pitch, note.velocity) == (60, 64)
    assert (note.onset_s, note.offset_s) == pytest.approx((0.0, 0.5))


def test_what_is_looked_for_is_told_where_there_is_none(tmp_path):
    with pytest.raises(DdspError, match=r"neither take.notes.csv nor take.mid"):
        score_beside(tmp_path / "take.flac")
