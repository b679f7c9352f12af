"""What notes mean, by an interpreter that knows nothing but intervals: files and live playing alike."""

import mido
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_edge.frames import FrameSpec
from ddsp_edge.instrument import Instrument
from ddsp_edge.live.keyboard import Keyboard
from ddsp_edge.live.messages import hear
from ddsp_edge.live.offline import OfflineInstrument
from ddsp_edge.live.settings import KeySettings
from ddsp_edge.render.midi import MidiScore, play
from tests.device.conftest import TINY

RATE, HOP = 16_000, 128  # 8 ms a frame
TICKS = 500  # a beat of half a second: one tick is one millisecond
FRAMES_HELD = 2  # by which a note of no length, 10 ms at least, may be longer than the file has it


def on(ms, note, channel=0, velocity=100):
    return ms, mido.Message("note_on", note=note, velocity=velocity, channel=channel)


def off(ms, note, channel=0):
    return ms, mido.Message("note_off", note=note, channel=channel)


def control(ms, number, value, channel=0):
    return ms, mido.Message("control_change", control=number, value=value, channel=channel)


def save(path, tracks):
    """Write tracks of (ms, message), each in the order in which it stands."""
    score = mido.MidiFile(ticks_per_beat=TICKS)
    for events in tracks:
        track, now = mido.MidiTrack(), 0
        for ms, message in events:
            track.append(message.copy(time=ms - now))
            now = ms
        score.tracks.append(track)
    score.save(path)
    return path


@pytest.fixture(scope="module")
def keyed(tmp_path_factory):
    """Play tracks of a file; (channel, note) of the voices that are keyed at each frame."""
    players = {voices: OfflineInstrument(TINY, voices, seed=1) for voices in (1, 32)}
    for player in players.values():  # how it sounds is told elsewhere
        player._bank.play_voices = lambda numbers, *_, names=player._bank._names: np.zeros(
            (len(names), len(numbers), HOP), np.float32
        )
    path = tmp_path_factory.mktemp("notes") / "a.mid"

    def run(tracks, voices=32):
        frames, keyboard = [], players[voices]._keyboard
        with pytest.MonkeyPatch.context() as patch:

            def tick(passed=keyboard.tick):
                frames.append({(v.channel, v.note) for v in keyboard.voices if v.keyed})
                passed()

            patch.setattr(keyboard, "tick", tick)
            for _ in play(MidiScore(save(path, tracks), RATE), players[voices]):
                pass
        return frames

    run.players = players
    return run


def frame(ms):
    """Index of the first frame that hears what happens at a time."""
    return max(-(-ms * RATE // 1000 // HOP) - 1, 0)


def sounding(frames, ms):
    """Notes that are keyed after what happens at a time was heard."""
    return sorted(note for _, note in frames[min(frame(ms), len(frames) - 1)])


def together(*tracks):
    return [list(tracks[number]) for number in range(len(tracks))]


QUARTERS = [(ms, ms + 200) for ms in range(0, 1200, 200)]


def one_track_on_first():
    events = [event for begin, end in QUARTERS for event in (on(begin, 69), off(end, 69))]
    return [sorted(events, key=lambda e: (e[0], e[1].type == "note_off"))]


def two_tracks(first, channels=(0, 0), late=0):
    parts = [
        [
            e
            for begin, end in QUARTERS[n::2]
            for e in (on(begin, 69, channels[n]), off(end + late, 69, channels[n]))
        ]
        for n in (0, 1)
    ]
    return [parts[first], parts[1 - first]]


HANDOVERS = {
    "on before off": one_track_on_first(),
    "two tracks": two_tracks(0),
    "two tracks, other order": two_tracks(1),
    "two tracks, legato of one tick": two_tracks(0, late=1),
    "two tracks, other order, legato of one tick": two_tracks(1, late=1),
    "two channels": two_tracks(0, (0, 1)),
    "two channels, other order": two_tracks(1, (0, 1)),
    "two channels, legato of one tick": two_tracks(0, (0, 1), late=1),
}


@pytest.mark.parametrize("voices", [1, 32])
@pytest.mark.parametrize("name", HANDOVERS)
def test_a_pitch_that_is_handed_over_sounds_to_the_end_of_the_last_note(keyed, name, voices):
    frames = keyed(HANDOVERS[name], voices)
    assert all(set(sounding(frames, ms)) == {69} for ms in range(20, 1180, 10))
    assert sounding(frames, 1220) == []


STRUCK_TWICE = {
    "let go twice": ([off(400, 69), off(600, 69)], {300: [69], 500: [69], 640: []}),
    "let go twice at once": ([off(400, 69), off(400, 69)], {300: [69], 440: []}),
    "let go three times": ([off(400, 69), off(600, 69), off(700, 69)], {500: [69], 640: []}),
    "let go once, and struck no more": ([off(400, 69)], {300: [69], 440: []}),
    "let go once, and struck later": (
        [off(400, 69), on(600, 69), off(800, 69)],
        {440: [], 700: [69], 840: []},
    ),
    "let go at once, and held to the end": ([off(201, 69)], {300: [69], 900: [69]}),
    "all notes off": ([control(400, 123, 0)], {300: [69], 440: []}),
    "all sound off": ([control(400, 120, 0)], {300: [69], 420: []}),
    "pedal down, let go twice, pedal up": (
        [control(300, 64, 127), off(400, 69), off(500, 69), control(700, 64, 0)],
        {600: [69], 740: []},
    ),
    "pedal down, let go once, pedal up, let go": (
        [control(300, 64, 127), off(400, 69), control(500, 64, 0), off(700, 69)],
        {600: [69], 740: []},
    ),
}


@pytest.mark.parametrize("voices", [1, 32])
@pytest.mark.parametrize("name", STRUCK_TWICE)
def test_a_key_that_was_struck_twice(keyed, name, voices):
    events, wanted = STRUCK_TWICE[name]
    frames = keyed([[on(0, 69), on(200, 69), *events, control(1000, 1, 0)]], voices)
    assert {ms: sounding(frames, ms) for ms in wanted} == wanted


@pytest.mark.parametrize("voices", [1, 32])
def test_a_note_of_no_length_sounds_for_ten_milliseconds(keyed, voices):
    for events in (
        [on(100, 69), off(100, 69)],
        [on(100, 69), off(101, 69)],
        [on(100, 69), on(100, 69, velocity=0)],
    ):
        frames = keyed([[*events, on(200, 60), off(300, 60)]], voices)
        assert [(0, 69) in held for held in frames[:20]] == [index == frame(100) for index in range(20)]
        assert sounding(frames, 250) == [60]
        assert sounding(frames, 320) == []


def test_a_note_of_no_length_under_a_held_one_leaves_that_one_sounding(keyed):
    frames = keyed([[on(0, 60), on(100, 69), off(100, 69), off(300, 60)]], 1)
    assert [sounding(frames, ms) for ms in (60, 100, 120, 280, 320)] == [[60], [69], [60], [60], []]


def test_a_key_let_go_in_another_track_at_the_tick_at_which_it_is_struck_does_not_hang(keyed):
    for tracks in ([[on(100, 69)], [off(100, 69)]], [[off(100, 69)], [on(100, 69)]]):
        frames = keyed([*tracks, [on(200, 60), off(300, 60)]])
        assert [sounding(frames, ms) for ms in (100, 150, 250)] == [[69], [], [60]]


@st.composite
def pieces(draw):
    """Notes with a length, on some channels and pitches, written into tracks in any order at each tick."""
    notes = draw(
        st.lists(
            st.tuples(
                st.integers(0, 60),
                st.integers(1, 40),
                st.integers(60, 62),
                st.integers(0, 1),
                st.integers(0, 2),
            ),
            min_size=1,
            max_size=10,
        )
    )
    tracks = [[], [], []]
    for begin, length, note, channel, track in notes:
        tracks[track] += [on(8 * begin + 4, note, channel), off(8 * (begin + length) + 4, note, channel)]
    orders = [draw(st.permutations(events)) for events in tracks]
    return notes, [sorted(events, key=lambda event: event[0]) for events in orders]


@settings(max_examples=150, deadline=None)
@given(pieces())
def test_every_note_with_a_length_sounds_whatever_the_order(keyed, piece):
    notes, tracks = piece
    frames = keyed(tracks)
    for index, held in enumerate(frames):
        active = {(channel, note) for begin, n, note, channel, _ in notes if begin <= index < begin + n}
        recent = {
            (channel, note)
            for begin, n, note, channel, _ in notes
            if begin <= index < begin + n + FRAMES_HELD
        }
        assert active <= held <= recent
    assert not frames[-1]


@settings(max_examples=150, deadline=None)
@given(pieces())
def test_one_voice_sounds_as_long_as_any_key_is_down(keyed, piece):
    notes, tracks = piece
    for index, held in enumerate(keyed(tracks, 1)):
        active = {(channel, note) for begin, n, note, channel, _ in notes if begin <= index < begin + n}
        assert (held <= active and len(held) == 1) if active else len(held) <= 1


@settings(max_examples=50, deadline=None)
@given(pieces(), st.integers(1, 999))
def test_messages_sent_live_mean_what_they_mean_in_a_file(keyed, piece, size):
    _, tracks = piece
    messages = sorted((event for events in tracks for event in events), key=lambda event: event[0])
    player = keyed.players[32]
    player.reset()
    frames, keyboard, position = [], player._keyboard, 0
    with pytest.MonkeyPatch.context() as patch:

        def tick(passed=keyboard.tick):
            frames.append({(v.channel, v.note) for v in keyboard.voices if v.keyed})
            passed()

        patch.setattr(keyboard, "tick", tick)
        while messages or player.sounding:
            while messages and messages[0][0] * RATE // 1000 < position + size:
                ms, message = messages.pop(0)
                hear(player, message, ms * RATE // 1000 - position)
            player.render(size)
            position += size
    want = keyed(tracks)
    count = min(len(frames), len(want))
    assert frames[:count] == want[:count]
    assert not any(frames[count:])
    assert not any(want[count:])


def test_chords_that_follow_each_other_leave_a_held_note_its_voice():
    """Keys that come up in the frame in which others go down make room, whichever came first."""
    keyboard = Keyboard(FrameSpec(RATE, HOP), Instrument(TINY).card.loudness_db_range, 4, KeySettings())

    def hear(*keys):
        for note in keys:
            keyboard.press(note, 100) if note > 0 else keyboard.release(-note, sustained=False)
        keyboard.settle()
        for voice in keyboard.voices:
            voice.frame(0.0, KeySettings())
        keyboard.tick()
        return sorted(voice.note for voice in keyboard.voices if voice.keyed)

    assert hear(40, 60, 64, 67) == [40, 60, 64, 67]
    assert hear() == [40, 60, 64, 67]
    assert hear(62, 65, 69, -60, -64, -67) == [40, 62, 65, 69]
    assert hear(-62, -65, -69, 60, 64, 67) == [40, 60, 64, 67]
    assert keyboard.stolen == 0
    assert hear(72) == [60, 64, 67, 72]
    assert keyboard.stolen == 1


def test_one_voice_takes_a_repeated_note_anew_and_slurs_to_another():
    keyboard = Keyboard(FrameSpec(RATE, HOP), Instrument(TINY).card.loudness_db_range, 1, KeySettings())
    voice = keyboard.voices[0]

    def level(note, channel=0):
        for _ in range(40):
            voice.frame(0.0, KeySettings())
            keyboard.tick()
        before = voice.loudness_db
        keyboard.press(note, 100, channel)
        return voice.loudness_db - before

    keyboard.press(60, 100)
    assert level(60) < -6  # struck again while it is down
    assert level(64) == 0
    assert level(60) == 0  # it is down, yet another sounds
    assert level(60, channel=1) < -6
