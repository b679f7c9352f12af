"""The transfer of a whole recording: what was tracked in, what the instrument is to do out."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_edge import DdspError, FrameSpec
from ddsp_edge.card import Range
from ddsp_edge.transfer.matching import Gate
from ddsp_edge.transfer.recording import FeatureStore, RecordingTransfer, Tracked
from ddsp_edge.transfer.settings import TransferSettings

SPEC = FrameSpec(16_000, 128)
PITCHES, LEVELS = Range(180.0, 220.0, 400.0), Range(-50.0, -30.0, -12.0)
ALL = {
    "octaves": 1,
    "transposition": -3.5,
    "loudness_shift_db": 2.0,
    "match_octave": True,
    "match_loudness": True,
    "gate": True,
    "gate_db": -55.0,
}
CHANGES = [
    {},
    {"octaves": -1},
    {"transposition": 3.5},
    {"loudness_shift_db": -6.1},
    {"match_octave": True},
    {"match_loudness": True},
    {"softest_db": -55.0, "loudest_db": -25.0},
    {"gate": True},
    {"gate": True, "gate_db": -42.0},
    {"consonants": "noise"},
    {"consonants": "mute"},
    ALL,
]


def played(frames=2000):
    """Notes around 900 Hz with pauses, that begin without pitch, and swell, float32."""
    at = np.arange(frames)
    f0_hz = 900.0 * 2.0 ** (np.round(4.0 * np.sin(at / 90.0)) / 12.0)
    f0_hz[(at % 200 > 170) | (at < 20)] = 0.0
    loudness_db = -40.0 + 8.0 * np.sin(at / 130.0) + 2.0 * np.sin(at / 3.0)
    loudness_db[(at % 200 > 175) | (at < 15)] = -78.0
    return f0_hz.astype(np.float32), loudness_db.astype(np.float32)


def transferred(blocks, trained=(PITCHES, LEVELS), **changes):
    transfer = RecordingTransfer(SPEC, TransferSettings(**changes), *trained)
    found = list(transfer.process((Tracked(*block) for block in blocks), 300))
    nothing = np.zeros(0, np.float32), np.zeros(0, np.float32), np.zeros(0, bool)
    found = [(part.f0_hz, part.loudness_db, part.pitched) for part in found]
    f0_hz, loudness_db, _ = (np.concatenate(column) for column in zip(nothing, *found, strict=True))
    assert f0_hz.dtype == loudness_db.dtype == np.float32
    return f0_hz, loudness_db, transfer


def held(f0_hz, start):
    """Each pitch until the next, by a loop."""
    out = []
    for f0 in f0_hz.tolist():
        start = f0 if f0 > 0.0 else start
        out.append(start)
    return np.array(out, np.float32)


def test_without_changes_pitch_is_held_and_the_rest_is_as_it_was():
    f0_hz, loudness_db = played()
    found_hz, found_db, _ = transferred([(f0_hz, loudness_db)])
    np.testing.assert_array_equal(found_hz, held(f0_hz, PITCHES.median))
    np.testing.assert_array_equal(found_db, loudness_db)


def test_shifts_move_what_was_played_and_not_the_middle_that_is_held_before():
    f0_hz, loudness_db = played()
    found_hz, found_db, _ = transferred(
        [(f0_hz, loudness_db)], octaves=-1, transposition=7.0, loudness_shift_db=-6.1
    )
    np.testing.assert_allclose(found_hz, held(f0_hz * 2.0 ** (-5.0 / 12.0), PITCHES.median), rtol=1e-6)
    np.testing.assert_array_equal(found_db, loudness_db - 6.1)
    # Whole octaves are exact, to the bit.
    found_hz, _, _ = transferred([(f0_hz, loudness_db)], octaves=-1)
    np.testing.assert_array_equal(found_hz, held(f0_hz / 2.0, PITCHES.median))


def test_no_pitch_goes_beyond_nyquist():
    f0_hz, loudness_db = played()
    assert transferred([(f0_hz, loudness_db)], octaves=4)[0].max() == 8000.0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 400), max_size=12), st.sampled_from(CHANGES))
def test_any_cut_gives_the_same(sizes, changes):
    f0_hz, loudness_db = played()
    want = transferred([(f0_hz, loudness_db)], **changes)[:2]
    edges = np.minimum(np.cumsum([0, *sizes, 2000]), 2000)
    blocks = [(f0_hz[a:b], loudness_db[a:b]) for a, b in itertools.pairwise(edges)]
    for found, expected in zip(transferred(blocks, **changes)[:2], want, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_the_octave_is_that_of_the_whole_recording_from_its_first_note_on():
    f0_hz, loudness_db = played()
    found_hz, _, _ = transferred([(f0_hz, loudness_db)], match_octave=True)
    np.testing.assert_array_equal(found_hz, held(f0_hz / 4.0, PITCHES.median))  # 900 Hz to 225 Hz
    # What is softer than the gate's level does not count: the high notes are all that does.
    loudness_db[f0_hz < 900.0] = -70.0
    f0_hz[f0_hz < 900.0] /= 16.0
    found_hz, _, _ = transferred([(f0_hz, loudness_db)], match_octave=True)
    np.testing.assert_array_equal(found_hz, held(f0_hz / 4.0, PITCHES.median))


def test_loudness_goes_from_the_range_of_the_whole_recording_to_the_trained_one():
    f0_hz, loudness_db = played()
    _, found_db, _ = transferred([(f0_hz, loudness_db)], match_loudness=True)
    sounding = (f0_hz > 0.0) & (loudness_db >= -60.0)
    for share, want in ((5, LEVELS.low), (50, LEVELS.median), (95, LEVELS.high)):
        # Levels are counted in bins of half a dB, which are stretched with the range, twofold here.
        level = np.percentile(loudness_db[sounding], share)
        assert np.interp(level, np.sort(loudness_db), np.sort(found_db)) == pytest.approx(want, abs=1.5)
    order = np.argsort(loudness_db)
    assert (np.diff(found_db[order]) >= 0.0).all()
    assert found_db.min() < -75.0


def test_a_range_that_is_set_asks_for_matching_and_takes_its_place():
    f0_hz, loudness_db = played()
    _, found_db, transfer = transferred([(f0_hz, loudness_db)], softest_db=-50.0, loudest_db=-30.0)
    assert transfer.settings.match_loudness
    inside = (loudness_db > -50.0) & (loudness_db < -30.0)
    want = np.interp(loudness_db[inside], [-50.0, -30.0], [LEVELS.low, LEVELS.high])
    np.testing.assert_allclose(found_db[inside], want, atol=1e-4)


@pytest.mark.parametrize("level", [-60.0, -40.0, 0.0])
def test_a_recording_that_is_as_loud_throughout_makes_no_leaps(level):
    f0_hz = np.full(4000, 220.0, np.float32)
    loudness_db = np.float32(level) + np.random.default_rng(0).uniform(-0.25, 0.25, 4000).astype(np.float32)
    _, found_db, _ = transferred([(f0_hz, loudness_db)], match_loudness=True, gate_db=-70.0)
    # 6 dB go to the 38 dB that were trained: half a dB is 3, and the half of a bin.
    assert np.ptp(found_db) < 5.0
    assert np.median(found_db) == pytest.approx(LEVELS.median, abs=3.0)


def test_where_nothing_sounds_nothing_is_matched():
    silence = np.zeros(500, np.float32), np.full(500, -75.0, np.float32)
    found_hz, found_db, transfer = transferred([silence], match_octave=True, match_loudness=True)
    assert (found_hz == PITCHES.median).all()
    assert found_db.max() <= LEVELS.low
    assert transfer.advice() == ["no pitch was found in the input: the instrument held its middle pitch"]
    assert [len(x) for x in transferred([], match_octave=True)[:2]] == [0, 0]


def test_the_gate_is_that_of_live_playing():
    f0_hz, loudness_db = played()
    _, found_db, _ = transferred([(f0_hz, loudness_db)], gate=True, gate_db=-42.0)
    gate = Gate(SPEC, 2)  # 16 ms in frames of 8 ms
    want = [gate.process(f0, db, -42.0) for f0, db in zip(f0_hz.tolist(), loudness_db.tolist(), strict=True)]
    np.testing.assert_allclose(found_db, want, atol=1e-4)
    assert (found_db == -80.0).any()


def test_advice_counts_what_is_transposed_and_matched():
    blocks = [played()]
    advice = transferred(blocks)[2].advice()
    assert "the pitch played (7" in advice[0]
    assert "try --octaves -2" in advice[0]
    assert transferred(blocks, octaves=-2)[2].advice() == []
    assert transferred(blocks, transposition=-24.0)[2].advice() == []
    assert transferred(blocks, match_octave=True)[2].advice() == []
    assert "try --octaves 0" in transferred(blocks, match_octave=True, octaves=2)[2].advice()[0]
    assert transferred(blocks, trained=(None, None))[2].advice() == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"octaves": 9}, "octaves must be from -8 to 8. Received: 9"),
        ({"transposition": 97.0}, "transposition must be from -96 to 96. Received: 97"),
        ({"transposition": float("nan")}, "transposition must be from -96 to 96. Received: nan"),
        ({"octaves": 8, "transposition": 1.0}, "together must be from -96 to 96 semitones"),
        ({"loudness_shift_db": 81.0}, "loudness_shift_db must be from -80 to 80. Received: 81"),
        ({"gate_db": -81.0}, "gate_db must be from -80 to 80. Received: -81"),
        ({"softest_db": -40.0}, "set a range together, the first below the second. Received: softest-db=-40"),
        ({"loudest_db": -40.0}, "Received: loudest-db=-40"),
        ({"softest_db": -20.0, "loudest_db": -40.0}, "Received: softest-db=-20, loudest-db=-40"),
        (
            {"softest_db": float("nan"), "loudest_db": -40.0},
            "softest_db must be from -80 to 80. Received: nan",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(changes, words):
    with pytest.raises(DdspError, match=words):
        RecordingTransfer(SPEC, TransferSettings(**changes), PITCHES, LEVELS)


@pytest.mark.parametrize(
    ("changes", "trained", "words"),
    [
        ({"match_octave": True}, (None, LEVELS), "does not know the pitches"),
        ({"match_loudness": True}, (PITCHES, None), "does not know the loudness"),
        ({"softest_db": -60.0, "loudest_db": -20.0}, (PITCHES, None), "does not know the loudness"),
    ],
)
def test_there_must_be_something_to_match(changes, trained, words):
    with pytest.raises(DdspError, match=words):
        RecordingTransfer(SPEC, TransferSettings(**changes), *trained)


def test_a_store_gives_back_what_it_got_and_says_when_there_is_no_room():
    f0_hz, loudness_db = played(1000)
    with FeatureStore() as store:
        for start in range(0, 1000, 77):
            store.write(f0_hz[start : start + 77], loudness_db[start : start + 77])
        for _ in range(2):
            blocks = [(part.f0_hz, part.loudness_db) for part in store.blocks(300)]
            found = [np.concatenate(column) for column in zip(*blocks, strict=True)]
            np.testing.assert_array_equal(found, [f0_hz, loudness_db])

        class Full:
            def write(self, data):
                raise OSError(28, "No space left on device")

        store._file.close()
        store._file = Full()
        with pytest.raises(DdspError, match="cannot be kept in a temporary file: No space left on device"):
            store.write(f0_hz, loudness_db)
        store._file.close = lambda: None


def test_an_hour_is_matched_in_memory_that_does_not_grow():
    """Peak of what Python and numpy allocate, of a minute and of an hour."""
    import tracemalloc

    def peak(minutes):
        block = played(7500)
        tracemalloc.start()
        transfer = RecordingTransfer(SPEC, TransferSettings(**ALL), PITCHES, LEVELS)
        for _ in transfer.process((Tracked(*block) for _ in range(minutes)), 1024):
            pass
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(1)
    assert peak(8) < 1.2 * peak(2)
