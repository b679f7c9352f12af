"""From rolls to notes."""

import numpy as np
import pytest

from ddsp_edge.errors import DdspError
from ddsp_edge.frames import FrameSpec
from ddsp_edge.transcription.decode import OFFSET, ONSET, SOUNDING, VELOCITY, NoteDecoder, Thresholds

SPEC = FrameSpec(16_000, 320)
LIMITS = Thresholds(onset=0.5, sounding=0.5, offset=0.8, late=0.9, late_frames=4)


def roll(frames: int = 60) -> np.ndarray:
    return np.zeros((frames, 12, 4), np.float32)


def with_note(values: np.ndarray, pitch: int, begin: int, end: int, onset: float = 0.9) -> np.ndarray:
    values[begin - 1 : begin + 2, pitch, ONSET] = np.maximum(
        values[begin - 1 : begin + 2, pitch, ONSET], (0.4 * onset, onset, 0.4 * onset)
    )
    values[begin:end, pitch, SOUNDING] = 0.9
    values[begin, pitch, VELOCITY] = 0.5
    return values


def decode(values: np.ndarray, limits: Thresholds = LIMITS, lookahead: int = 5, sizes=(60,)):
    decoder, at, notes, begun = NoteDecoder(SPEC, 60, lookahead, limits), 0, [], []
    i = 0
    while at < len(values):
        found = decoder.push(values[at : at + sizes[i % len(sizes)]])
        at, i = at + sizes[i % len(sizes)], i + 1
        notes += found.notes
        begun += found.begun
    last = decoder.flush()
    return notes + last.notes, begun + last.begun


def test_a_note_begins_where_its_onset_peaks_and_ends_where_it_no_longer_sounds():
    (note,), ((pitch, onset_s, velocity),) = decode(with_note(roll(), 4, 20, 40))
    assert note.pitch == pitch == 64
    assert note.onset_s == pytest.approx((20 - 5 + 1) * 0.02)  # frame i stands for (i + 1) * 20 ms
    assert onset_s == note.onset_s
    assert note.offset_s == pytest.approx((40 - 5 + 1) * 0.02)
    assert note.velocity == velocity == round(0.5 * 127)
    assert note.confidence == pytest.approx(0.9)


def test_an_onset_between_two_frames_is_found_between_them():
    values = roll()
    values[19:22, 4, ONSET] = (0.5, 0.8, 0.7)
    values[20:40, 4, SOUNDING] = 0.9
    (note,), _ = decode(values)
    # The parabola through the three has its top at 0.25 frames.
    assert note.onset_s == pytest.approx((20.25 - 5 + 1) * 0.02)


def test_a_key_that_is_struck_again_is_two_notes():
    values = with_note(with_note(roll(), 4, 10, 30), 4, 20, 30)
    notes, _ = decode(values)
    assert [n.onset_s for n in notes] == pytest.approx([0.12, 0.32])
    assert notes[0].offset_s == pytest.approx(notes[1].onset_s)


def test_short_gaps_do_not_end_a_note_and_long_ones_do():
    values = with_note(roll(), 4, 10, 40)
    values[20:22, 4, SOUNDING] = 0.1
    assert len(decode(values)[0]) == 1
    values[20:24, 4, SOUNDING] = 0.1
    notes, _ = decode(values)
    assert notes[0].offset_s == pytest.approx((20 - 5 + 1) * 0.02)
    assert len(notes) == 2  # what sounds on begins late, without an onset
    assert len(decode(values, Thresholds(onset=0.5, sounding=0.5, late=2.0))[0]) == 1


def test_a_peak_of_the_end_ends_a_note():
    values = with_note(roll(), 4, 10, 40)
    values[29:32, 4, OFFSET] = (0.3, 0.9, 0.3)
    values[31:, 4, SOUNDING] = 0.6  # a room: too soft to begin late
    (note,), _ = decode(values)
    assert note.offset_s == pytest.approx((30 - 5 + 1) * 0.02)


def test_what_is_too_short_or_too_faint_is_left_out():
    assert decode(with_note(roll(), 4, 20, 21))[0] == []
    assert decode(with_note(roll(), 4, 20, 40, onset=0.4), Thresholds(onset=0.5, late=2.0))[0] == []


@pytest.mark.parametrize("sizes", [(1,), (7, 3), (59,)])
def test_cuts_of_the_stream_do_not_matter(sizes):
    values = np.random.default_rng(0).random((200, 12, 4)).astype(np.float32) ** 2
    assert decode(values, sizes=sizes) == decode(values, sizes=(200,))


def test_a_note_that_sounds_at_the_end_ends_there():
    (note,), _ = decode(with_note(roll(), 4, 50, 60))
    assert note.offset_s == pytest.approx((60 - 5 + 1) * 0.02)


def test_thresholds_that_cannot_be_are_refused():
    with pytest.raises(DdspError, match="no threshold onsett; there are explains, gap_frames"):
        Thresholds.from_plain({"onsett": 0.3})
    with pytest.raises(DdspError, match="onset must be above 0"):
        Thresholds.from_plain({"onset": -1})
