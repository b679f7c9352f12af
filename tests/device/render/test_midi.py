"""MIDI files, played by the engine of the live keys."""

import contextlib
from fractions import Fraction

import mido
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_edge import DdspError, LiveInstrument, read_model_file
from ddsp_edge.files.midi_file import read_midi_file
from ddsp_edge.live.offline import OfflineInstrument
from ddsp_edge.render.midi import MidiScore, play
from ddsp_edge.units import LOUDNESS_FLOOR_DB, hz_to_midi
from tests.device.conftest import TINY

RATE, HOP = 16_000, 128  # 8 ms a frame
LEVEL = read_model_file(TINY).card.loudness_db_range
LOW_DB, HIGH_DB = LEVEL.low, LEVEL.high
TICKS = 500  # a beat of half a second: one tick is one millisecond


def on(ms, note, velocity=127, **more):
    return ms, mido.Message("note_on", note=note, velocity=velocity, **more)


def off(ms, note, **more):
    return ms, mido.Message("note_off", note=note, **more)


def control(ms, number, value, **more):
    return ms, mido.Message("control_change", control=number, value=value, **more)


def bend(ms, pitch, **more):
    return ms, mido.Message("pitchwheel", pitch=pitch, **more)


def tempo(ms, microseconds):
    return ms, mido.MetaMessage("set_tempo", tempo=microseconds)


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


@pytest.fixture(scope="module")
def player():
    return OfflineInstrument(TINY, 1, seed=1)


@pytest.fixture
def follow(tmp_path, player, monkeypatch):
    """MIDI note and loudness of one voice, `[frames]`; the floor where it rests."""
    frames = {}
    play_voices = player._bank.play_voices

    def spy(numbers, f0_hz, loudness_db, settings):
        frames[player._frames] = float(hz_to_midi(f0_hz[0])), float(loudness_db[0])
        return play_voices(numbers, f0_hz, loudness_db, settings)

    def run(*tracks):
        frames.clear()
        score = MidiScore(save(tmp_path / "a.mid", *tracks), RATE)
        count = sum(len(audio) // HOP for audio, _ in play(score, player))
        return tuple(np.array([frames.get(i, (np.nan, LOUDNESS_FLOOR_DB)) for i in range(count)]).T)

    monkeypatch.setattr(player._bank, "play_voices", spy)
    return run


def at(values, ms):
    """Value at the last frame that is not after a time in ms."""
    return values[ms * 16 // HOP - 1]


def test_a_note_has_its_pitch_its_loudness_and_its_length(follow):
    note, loudness = follow([on(100, 69), off(500, 69)])
    assert at(loudness, 96) == LOUDNESS_FLOOR_DB
    assert at(loudness, 112) == pytest.approx(HIGH_DB)
    assert at(note, 300) == pytest.approx(69, abs=1e-4)
    assert at(loudness, 496) == pytest.approx(HIGH_DB)
    assert at(loudness, 584) == pytest.approx(LOUDNESS_FLOOR_DB)


def test_velocity_spans_the_loudness_of_the_training_data(follow):
    levels = [at(follow([on(0, 60, v), off(200, 60)])[1], 100) for v in (1, 64, 127)]
    np.testing.assert_allclose(levels, [LOW_DB, (LOW_DB + HIGH_DB) / 2, HIGH_DB], atol=0.1)


def test_newest_note_of_one_voice_wins_and_the_held_one_returns(follow):
    note, loudness = follow([on(0, 60), on(200, 64), off(400, 64), off(600, 60)])
    assert [round(float(at(note, ms))) for ms in (160, 360, 560)] == [60, 64, 60]
    assert (loudness[2:72] > LOUDNESS_FLOOR_DB + 1).all()  # slurred: never let go


def test_a_released_older_note_of_one_voice_changes_nothing(follow):
    note, _ = follow([on(0, 60), on(200, 64), off(300, 60), off(600, 64)])
    assert at(note, 560) == pytest.approx(64, abs=1e-4)


def test_slurs_glide_and_detached_notes_do_not(follow):
    slurred, _ = follow([on(0, 60), on(200, 72), off(400, 60), off(400, 72)])
    assert 60 < at(slurred, 208) < 72
    detached, loudness = follow([on(0, 60), off(200, 60), on(200, 72), off(400, 72)])
    assert at(detached, 208) == pytest.approx(72, abs=1e-4)
    assert loudness[23:28].min() < HIGH_DB


def test_pitch_bend_moves_two_semitones_unless_told(follow):
    note, _ = follow([on(0, 60), bend(100, -8192), bend(200, 4096), off(400, 60)])
    assert at(note, 152) == pytest.approx(58, abs=1e-4)
    assert at(note, 300) == pytest.approx(61, abs=1e-4)
    wide = [control(0, 101, 0), control(0, 100, 0), control(0, 6, 12), control(0, 38, 50)]
    note, _ = follow([*wide, on(0, 60), bend(100, -8192), off(400, 60)])
    assert at(note, 300) == pytest.approx(60 - 12.5, abs=1e-4)


def test_data_entry_of_other_parameters_is_left_alone(follow):
    other = [control(0, 101, 0), control(0, 100, 3), control(0, 6, 12)]  # tuning program
    note, _ = follow([*other, on(0, 60), bend(100, -8192), off(400, 60)])
    assert at(note, 300) == pytest.approx(58, abs=1e-4)


def test_expression_and_volume_follow_the_square_law(follow):
    _, loudness = follow([on(0, 60), control(200, 11, 64), control(400, 7, 50), off(800, 60)])
    half = 40 * np.log10(64 / 127)
    assert at(loudness, 360) == pytest.approx(HIGH_DB + half, abs=0.01)
    assert at(loudness, 560) == pytest.approx(HIGH_DB + half + 40 * np.log10(0.5), abs=0.01)
    _, loudness = follow([on(0, 60), control(200, 11, 0), off(800, 60)])
    assert at(loudness, 360) == LOUDNESS_FLOOR_DB


def test_all_notes_off_lets_go(follow):
    _, loudness = follow([on(0, 60), control(200, 123, 0), control(800, 1, 0)])
    assert at(loudness, 160) == pytest.approx(HIGH_DB)
    assert at(loudness, 400) == LOUDNESS_FLOOR_DB


def test_no_message_is_lost_where_thousands_come_at_one_time(follow):
    note, loudness = follow(
        [control(0, 64, 127), on(0, 60), *[control(0, 1, 0)] * 5000, on(0, 64), off(400, 64)]
    )
    assert at(note, 200) == pytest.approx(64, abs=1e-4)
    assert at(loudness, 200) == pytest.approx(HIGH_DB)


def test_the_pedal_holds_and_the_wheel_shakes(follow):
    note, loudness = follow(
        [control(0, 64, 127), on(0, 60), off(100, 60), control(200, 1, 127), control(600, 64, 0)]
    )
    assert at(loudness, 592) == pytest.approx(HIGH_DB)
    assert at(loudness, 696) == LOUDNESS_FLOOR_DB
    assert np.ptp(note[1:24]) < 1e-4
    assert np.ptp(note[26:72]) == pytest.approx(1.0, abs=0.05)  # half a semitone up and down


def test_tracks_and_tempi_are_merged(follow):
    note, loudness = follow(
        [tempo(200, 1_000_000)],
        [on(0, 60, channel=2), off(100, 60, channel=2)],
        [on(200, 67), off(300, 67)],
    )
    assert at(note, 80) == pytest.approx(60, abs=1e-4)
    assert at(loudness, 192) == LOUDNESS_FLOOR_DB
    assert at(note, 300) == pytest.approx(67, abs=1e-4)
    assert at(loudness, 392) == pytest.approx(HIGH_DB)  # 100 ticks at half the tempo: 200 ms
    assert at(loudness, 488) == pytest.approx(LOUDNESS_FLOOR_DB)


def test_wheels_of_one_channel_leave_the_others_alone(follow):
    other = {"channel": 2}
    note, loudness = follow(
        [on(0, 60, channel=1), off(400, 60, channel=1)],
        [bend(100, 8191, **other), control(100, 7, 20, **other), control(200, 123, 0, **other)],
    )
    assert at(note, 300) == pytest.approx(60, abs=1e-4)
    assert at(loudness, 300) == pytest.approx(HIGH_DB)


def test_a_note_never_let_go_ends_with_the_piece(follow):
    _, loudness = follow([control(0, 64, 127), on(0, 60), control(500, 1, 0)])
    assert at(loudness, 496) == pytest.approx(HIGH_DB)
    assert at(loudness, 592) == LOUDNESS_FLOOR_DB


# A track of tempi and two parts: chords, a slur, a repeated note, the pedal, bend, wheel, volume, a rest
# longer than voices stay awake, drums, and notes that are never let go.
PARTS = (
    [tempo(0, 500_000), tempo(300, 750_000), tempo(700, 333_333), tempo(1000, 600_000)],
    [
        *(on(0, 60, 90), on(0, 64, 100), on(7, 67, 110), control(100, 64, 127)),
        *(off(200, 60), off(210, 64), off(211, 67), on(250, 60, 50), control(333, 64, 0), off(400, 60)),
        *(on(2400, 55, 127), on(2500, 57, 80), off(2550, 55), off(2700, 57)),
    ],
    [
        *(on(150, 72, 127, channel=3), bend(200, 3000, channel=3), control(220, 1, 100, channel=3)),
        *(control(260, 7, 60, channel=3), off(500, 72, channel=3), on(500, 72, 100, channel=3)),
        *(bend(600, -8192, channel=3), control(640, 11, 90, channel=3), off(801, 72, channel=3)),
        *(on(2450, 76, 120, channel=3), on(30, 40, channel=9), off(2750, 40, channel=9)),
    ],
)


def by_hand(tempi, *tracks):
    """Sample, method, arguments of the messages, their times counted in fractions of a second."""

    def sample(tick):
        seconds = Fraction(0)
        for (start, message), (end, _) in zip(tempi, [*tempi[1:], (10**9, None)], strict=True):
            seconds += max(0, min(tick, end) - start) * Fraction(message.tempo, 1_000_000 * TICKS)
        return -int(-seconds * RATE // 1)  # the first that is not before it

    messages = [event for track in tracks for event in sorted(track, key=lambda e: e[0])]
    for ms, m in sorted(messages, key=lambda e: e[0]):
        if m.channel == 9:
            continue
        name, arguments = {
            "note_on": lambda m: ("note_on", (m.note, m.velocity)),
            "note_off": lambda m: ("note_off", (m.note,)),
            "pitchwheel": lambda m: ("pitch_bend", (m.pitch / 8192,)),
            "control_change": lambda m: ("control_change", (m.control, m.value)),
        }[m.type](m)
        yield sample(ms), name, arguments, m.channel


@pytest.mark.parametrize("voices", [1, 3])
def test_a_file_sounds_as_its_messages_do_live(tmp_path, voices):
    score = MidiScore(save(tmp_path / "a.mid", *PARTS), RATE)
    parts = [audio for audio, _ in play(score, OfflineInstrument(TINY, voices, seed=4), block_hops=7)]
    assert {len(part) for part in parts[:-1]} == {7 * HOP}
    found = np.concatenate(parts)
    live = LiveInstrument(TINY, voices, seed=4)
    n = (score.n_samples - 1) // HOP * HOP  # before the end of the file lets go of what still sounds
    rng, waiting, heard = np.random.default_rng(0), list(by_hand(*PARTS)), [np.zeros(0)]
    while (position := sum(map(len, heard))) < n + live.latency_samples:
        size = int(rng.integers(1, 999))
        while waiting and waiting[0][0] < position + size:
            sample, name, arguments, channel = waiting.pop(0)
            getattr(live, name)(*arguments, offset=sample - position, channel=channel)
        heard.append(live.render(size))
    want = np.concatenate(heard)[live.latency_samples :][:n]
    assert np.abs(want).max() > 0.05
    assert np.abs(want[-HOP:]).max() > 1e-3
    np.testing.assert_array_equal(found[:n], want)
    assert np.abs(found[n:]).max() > 1e-3
    assert len(found) < n + RATE // 2


def test_an_onset_is_at_most_a_hop_before_where_the_file_has_it(tmp_path):
    player = OfflineInstrument(TINY, 2, seed=1)
    for ms in (80, 83, 88):
        score = MidiScore(save(tmp_path / "a.mid", [on(ms, 69), off(ms + 200, 69)]), RATE)
        sound = np.concatenate([audio for audio, _ in play(score, player)])
        first = int(np.argmax(sound != 0.0))
        assert ms * 16 - HOP <= first <= ms * 16
        assert np.abs(sound[first : first + 3 * HOP]).max() > 1e-3


def test_a_long_piece_is_more_blocks_and_no_more_memory(tmp_path, player):
    """Nothing is kept from block to block, neither messages nor sound."""
    for seconds in (1, 6):
        notes = [(on(ms, 60), off(ms + 50, 60)) for ms in range(0, seconds * 1000, 100)]
        score = MidiScore(save(tmp_path / "a.mid", [event for pair in notes for event in pair]), RATE)
        sizes = []
        for audio, signals in play(score, player, block_hops=5):
            sizes.append(len(audio))
            assert {len(signal) for signal in signals.values()} == {len(audio)}
            assert len(player._events) <= 4
            assert len(player._queue) <= HOP
        assert max(sizes) == 5 * HOP
        assert sum(sizes) >= (seconds - 0.05) * RATE


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
def test_meta_events_that_mean_nothing_here_are_passed_over_with_their_time(tmp_path, meta):
    score = MidiScore(with_meta(tmp_path / "a.mid", meta, meta), RATE)
    assert [(sample, m.type) for sample, m in score.events()] == [
        (300 * 16, "note_on"),
        (500 * 16, "note_off"),
        (500 * 16, "end_of_track"),
    ]


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

    want, now = [], 0
    for message in mido.merge_tracks(mido.MidiFile(path).tracks):
        now += message.time
        if message.type != "sysex":
            want.append((now, message.copy(time=0)))
    found = list(read_midi_file(path.read_bytes()).messages())

    def text(event):
        return event[0], str(event[1])

    # What tracks have at one tick is in an order of our own, and that of one track in its order.
    assert sorted(map(text, found)) == sorted(map(text, want))
    if len(mido.MidiFile(path).tracks) == 1:
        assert found == want


def test_files_that_cannot_be_played_are_refused_in_words(tmp_path):
    path = tmp_path / "a.mid"
    cases = {
        "holds no notes": lambda: save(path, [control(0, 7, 100)]),
        "drums": lambda: save(path, [on(0, 36, channel=9), off(100, 36, channel=9)]),
        "no such file": lambda: path.unlink(),
        "readable MIDI file: it does not begin with MThd": lambda: path.write_bytes(b"note"),
        "readable MIDI file: it is empty": lambda: path.write_bytes(b""),
        "readable MIDI file: it breaks off in its header": lambda: path.write_bytes(b"MThd"),
        "longer than 24 hours": lambda: save(path, [on(0, 60), off(90_000_000, 60)]),
    }
    for message, make in cases.items():
        make()
        with pytest.raises(DdspError, match=message) as caught:
            MidiScore(path, RATE)
        assert "\n" not in str(caught.value)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_files_are_refused_or_timed_never_worse(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "damaged.mid"
    save(path, [on(0, 60), bend(50, 100), control(60, 7, 90), on(100, 64), off(300, 64), off(400, 60)])
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    with contextlib.suppress(DdspError):
        score = MidiScore(path, RATE)
        samples = [sample for sample, _ in score.events()]
        assert samples == sorted(samples)
        assert samples[-1] == score.n_samples
        assert np.isfinite(score.f0_hz).all()
