"""MIDI files as pitch and loudness."""

import contextlib

import mido
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_edge import DdspError, FrameSpec, read_model_file
from ddsp_edge.midi import MidiScore
from ddsp_edge.midi_file import read_midi_file
from ddsp_edge.units import LOUDNESS_FLOOR_DB, hz_to_midi
from tests.device.conftest import TINY

SPEC = FrameSpec(16_000, 64)  # 4 ms a frame
LEVEL = read_model_file(TINY).card.loudness_db_range
LOW_DB, HIGH_DB = LEVEL.low, LEVEL.high
TICKS = 500  # a beat of half a second: one tick is one millisecond


@pytest.fixture(scope="module")
def card(tiny):
    return read_model_file(tiny).card


def on(ms, note, velocity=127, **more):
    return ms, mido.Message("note_on", note=note, velocity=velocity, **more)


def off(ms, note, **more):
    return ms, mido.Message("note_off", note=note, **more)


def control(ms, number, value, **more):
    return ms, mido.Message("control_change", control=number, value=value, **more)


def bend(ms, pitch, **more):
    return ms, mido.Message("pitchwheel", pitch=pitch, **more)


def save(path, *tracks):
    """Write tracks of (time in ms at 120 beats a minute, message)."""
    score = mido.MidiFile(ticks_per_beat=TICKS)
    for events in tracks:
        track, now = mido.MidiTrack(), 0
        for ms, message in sorted(events, key=lambda e: e[0]):
            track.append(message.copy(time=ms - now))
            now = ms
        score.tracks.append(track)
    score.save(path)
    return path


@pytest.fixture
def play(tmp_path, card):
    def run(*tracks, block=512):
        score = MidiScore(save(tmp_path / "a.mid", *tracks), SPEC)
        blocks = list(score.blocks(card, block))
        f0, loudness = (np.concatenate(column) for column in zip(*blocks, strict=True))
        assert len(f0) == len(loudness) == score.n_frames
        return hz_to_midi(f0), loudness

    return run


def at(values, ms):
    """Value at the frame that stands for a time in ms (a whole number of frames)."""
    return values[ms * 16 // 64 - 1]


def test_a_note_has_its_pitch_its_loudness_and_its_length(play):
    note, loudness = play([on(100, 69), off(500, 69)])
    assert at(loudness, 96) == LOUDNESS_FLOOR_DB
    assert at(loudness, 112) == pytest.approx(HIGH_DB)
    assert at(note, 300) == pytest.approx(69, abs=1e-4)
    assert at(loudness, 496) == pytest.approx(HIGH_DB)
    assert at(loudness, 580) == pytest.approx(LOUDNESS_FLOOR_DB)
    assert 580 <= len(note) * 4 <= 600


def test_velocity_spans_the_loudness_of_the_training_data(play):
    levels = [at(play([on(0, 60, v), off(200, 60)])[1], 100) for v in (1, 64, 127)]
    np.testing.assert_allclose(levels, [LOW_DB, (LOW_DB + HIGH_DB) / 2, HIGH_DB], atol=0.1)


def test_newest_note_wins_and_the_held_one_returns(play):
    note, loudness = play([on(0, 60), on(200, 64), off(400, 64), off(600, 60)])
    assert [round(float(at(note, ms))) for ms in (160, 360, 560)] == [60, 64, 60]
    assert (loudness[3:145] > LOUDNESS_FLOOR_DB + 1).all()  # slurred: never let go


def test_a_released_older_note_changes_nothing(play):
    note, _ = play([on(0, 60), on(200, 64), off(300, 60), off(600, 64)])
    assert at(note, 560) == pytest.approx(64, abs=1e-4)


def test_slurs_glide_and_detached_notes_do_not(play):
    slurred, _ = play([on(0, 60), on(200, 72), off(400, 60), off(400, 72)])
    assert 60 < at(slurred, 208) < 72
    detached, loudness = play([on(0, 60), off(200, 60), on(200, 72), off(400, 72)])
    assert at(detached, 200) == pytest.approx(72, abs=1e-4)
    assert loudness[45:55].min() <= HIGH_DB


def test_pitch_bend_moves_two_semitones_unless_told(play):
    note, _ = play([on(0, 60), bend(100, -8192), bend(200, 4096), off(400, 60)])
    assert at(note, 152) == pytest.approx(58, abs=1e-4)
    assert at(note, 300) == pytest.approx(61, abs=1e-4)
    wide = [control(0, 101, 0), control(0, 100, 0), control(0, 6, 12), control(0, 38, 50)]
    note, _ = play([*wide, on(0, 60), bend(100, -8192), off(400, 60)])
    assert at(note, 300) == pytest.approx(60 - 12.5, abs=1e-4)


def test_data_entry_of_other_parameters_is_left_alone(play):
    other = [control(0, 101, 0), control(0, 100, 1), control(0, 6, 12)]
    note, _ = play([*other, on(0, 60), bend(100, -8192), off(400, 60)])
    assert at(note, 300) == pytest.approx(58, abs=1e-4)


def test_expression_and_volume_follow_the_square_law(play):
    _, loudness = play([on(0, 60), control(200, 11, 64), control(400, 7, 50), off(800, 60)])
    half = 40 * np.log10(64 / 127)
    assert at(loudness, 360) == pytest.approx(HIGH_DB + half, abs=0.01)
    assert at(loudness, 560) == pytest.approx(HIGH_DB + half + 40 * np.log10(0.5), abs=0.01)
    _, loudness = play([on(0, 60), control(200, 11, 0), off(800, 60)])
    assert at(loudness, 360) == LOUDNESS_FLOOR_DB


def test_all_notes_off_lets_go(play):
    _, loudness = play([on(0, 60), control(200, 123, 0), control(800, 1, 0)])
    assert at(loudness, 160) == pytest.approx(HIGH_DB)
    assert at(loudness, 400) == LOUDNESS_FLOOR_DB


def test_tracks_and_tempi_are_merged(play):
    slower = 200, mido.MetaMessage("set_tempo", tempo=1_000_000)
    note, loudness = play(
        [slower], [on(0, 60, channel=2), off(100, 60, channel=2)], [on(200, 67), off(300, 67)]
    )
    assert at(note, 80) == pytest.approx(60, abs=1e-4)
    assert at(loudness, 196) == LOUDNESS_FLOOR_DB
    assert at(note, 300) == pytest.approx(67, abs=1e-4)
    assert at(loudness, 396) == pytest.approx(HIGH_DB)  # 100 ticks at half the tempo: 200 ms
    assert at(loudness, 480) == pytest.approx(LOUDNESS_FLOOR_DB)


def test_a_note_never_let_go_ends_with_the_piece(play):
    _, loudness = play([on(0, 60), control(500, 1, 0)])
    assert loudness[-1] == pytest.approx(LOUDNESS_FLOOR_DB)
    assert 580 <= len(loudness) * 4 <= 600


def with_meta(path, *metas):
    """Meta events, each after 100 ms, and after another 100 ms a note of 200 ms, as bytes."""
    events = b"".join(bytes([100, 0xFF, kind, len(data), *data]) for kind, data in metas)
    note = bytes([100, 0x90, 69, 127, 0x81, 0x48, 0x80, 69, 0])
    track = events + note + bytes([0, 0xFF, 0x2F, 0])
    head = b"MThd" + (6).to_bytes(4, "big") + bytes([0, 0, 0, 1]) + TICKS.to_bytes(2, "big")
    path.write_bytes(head + b"MTrk" + len(track).to_bytes(4, "big") + track)
    return path


@pytest.mark.parametrize(
    "meta",
    [(0x59, b"\x09\x01"), (0x59, b""), (0x58, b"\x04"), (0x54, b"\xff"), (0x51, b"\x01"), (0x7E, b"?")],
    ids=["nine sharps", "no key", "short time signature", "short offset", "short tempo", "unknown"],
)
def test_meta_events_that_mean_nothing_here_are_passed_over_with_their_time(tmp_path, card, meta):
    score = MidiScore(with_meta(tmp_path / "a.mid", meta, meta), SPEC)
    _, loudness = next(score.blocks(card))
    assert at(loudness, 296) == LOUDNESS_FLOOR_DB
    assert at(loudness, 312) == pytest.approx(HIGH_DB)
    assert at(loudness, 496) == pytest.approx(HIGH_DB)
    assert at(loudness, 576) == LOUDNESS_FLOOR_DB


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_messages_are_those_that_mido_reads(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "mido.mid"
    values = st.integers(0, 127)
    kinds = st.one_of(
        st.builds(on, st.integers(0, 10**6), values, values, channel=st.integers(0, 15)),
        st.builds(off, st.integers(0, 10**6), values),
        st.builds(control, st.integers(0, 10**6), values, values),
        st.builds(bend, st.integers(0, 10**6), st.integers(-8192, 8191)),
        st.tuples(
            st.integers(0, 10**6), st.builds(lambda n: mido.Message("program_change", program=n), values)
        ),
        st.tuples(
            st.integers(0, 10**6), st.builds(lambda n: mido.Message("sysex", data=n), st.lists(values))
        ),
        st.tuples(
            st.integers(0, 10**6),
            st.builds(lambda n: mido.MetaMessage("set_tempo", tempo=n), st.integers(0, 2**24 - 1)),
        ),
    )
    save(path, *data.draw(st.lists(st.lists(kinds, max_size=8), max_size=3)))

    def played(score):
        merged, now = [], 0
        for message in mido.merge_tracks(score.tracks):
            now += message.time
            if message.type not in ("sysex", "program_change"):
                merged.append((now, message.copy(time=0)))
        return merged

    assert played(read_midi_file(path.read_bytes())) == played(mido.MidiFile(path))


@settings(max_examples=10, deadline=None)
@given(block=st.integers(1, 300))
def test_blocks_of_any_size_are_the_whole(card, tmp_path_factory, block):
    path = tmp_path_factory.getbasetemp() / "blocks.mid"
    save(path, [on(0, 60), on(200, 72), bend(250, 3000), off(400, 60), off(430, 72)])
    score = MidiScore(path, SPEC)
    whole = next(score.blocks(card, score.n_frames))
    parts = [np.concatenate(c) for c in zip(*score.blocks(card, block), strict=True)]
    np.testing.assert_array_equal(parts, whole)


def test_files_that_cannot_be_played_are_refused_in_words(tmp_path):
    path = tmp_path / "a.mid"
    cases = {
        "holds no notes": lambda: save(path, [control(0, 7, 100)]),
        "drums": lambda: save(path, [on(0, 36, channel=9), off(100, 36, channel=9)]),
        "no such file": lambda: path.unlink(),
        "not a readable MIDI file": lambda: path.write_bytes(b"not a midi file at all"),
        "readable MIDI file: it breaks off": lambda: path.write_bytes(b""),
        "longer than 24 hours": lambda: save(path, [on(0, 60), off(90_000_000, 60)]),
    }
    for message, make in cases.items():
        make()
        with pytest.raises(DdspError, match=message) as caught:
            MidiScore(path, SPEC)
        assert "\n" not in str(caught.value)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_files_are_refused_or_played_never_worse(card, tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "damaged.mid"
    save(path, [on(0, 60), bend(50, 100), control(60, 7, 90), on(100, 64), off(300, 64), off(400, 60)])
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    f0, loudness = np.zeros(0), np.zeros(0)
    with contextlib.suppress(DdspError):
        f0, loudness = next(MidiScore(path, SPEC).blocks(card))
    assert np.isfinite(f0).all()
    assert np.isfinite(loudness).all()
