"""Mixtures: the notes are where the sound is, and chance is repeatable."""

import numpy as np
import pytest

from ddsp_edge.transcription.decode import OFFSET, ONSET, SOUNDING, VELOCITY
from ddsp_edge.transcription.files import write_notes
from ddsp_edge.transcription.note import Note
from ddsp_tf.data.scores import read_score, score_beside
from ddsp_tf.errors import DdspError
from ddsp_tf.frames import FrameSpec
from ddsp_tf.tasks.transcription.config import MixingConfig
from ddsp_tf.tasks.transcription.mixing import Solo, mixed, stretch
from ddsp_tf.tasks.transcription.rolls import note_roll

RATE = 16_000
SPEC = FrameSpec(RATE, 320)


def click_solo(at_s: float, seconds: float = 4.0) -> Solo:
    audio = np.zeros(int(RATE * seconds), np.float32)
    audio[int(at_s * RATE)] = 1.0
    return Solo(audio, np.array([[at_s, at_s + 0.2, 60.0, 90.0, 3.0]], np.float32))


@pytest.mark.parametrize("steps", [-3, 0, 2])
def test_a_note_stays_where_its_sound_is_when_it_is_transposed(steps):
    for seed in range(6):
        part = stretch(click_solo(2.0), 2 * RATE, RATE, steps, 0.1, np.random.default_rng(seed))
        if not len(part.notes) or part.notes[0, 0] < 0.0 or np.abs(part.audio).max() < 0.1:
            continue
        onset_s, offset_s, pitch = part.notes[0, :3]
        assert abs(np.abs(part.audio).argmax() / RATE - onset_s) < 2.0 / RATE
        assert pitch == 60 + steps
        np.testing.assert_allclose(offset_s - onset_s, 0.2 / 2 ** ((steps + 0.1) / 12), rtol=1e-4)


def test_the_same_seed_gives_the_same_mixture():
    solos = [click_solo(0.5), click_solo(1.0)]
    one, other = (mixed(solos, RATE, RATE, MixingConfig(), np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(one.audio, other.audio)
    np.testing.assert_array_equal(one.notes, other.notes)


def test_the_softer_part_has_the_lower_velocities():
    rng = np.random.default_rng(1)
    tone = np.sin(2 * np.pi * 220.0 * np.arange(2 * RATE) / RATE).astype(np.float32)
    solos = [Solo(tone, np.array([[0.0, 2.0, p, 100.0, 0.0]], np.float32)) for p in (57.0, 60.0)]
    config = MixingConfig(semitones=0, cents=0.0, level_db=20.0, room_share=0.0)
    velocities = mixed(solos, RATE, RATE, config, rng).notes[:, 3]
    assert velocities.max() == 100.0
    assert velocities.min() < 99.0


def test_a_roll_shows_a_note_in_its_frames():
    table = np.array([[0.1, 0.5, 64.2, 127.0, 0.0], [0.3, 0.6, 200.0, 1.0, 0.0]], np.float32)
    roll = note_roll(table, SPEC, 40, 60, 12)
    assert roll[4, 4, ONSET] == 1.0  # frame 4 stands for 0.1 s
    assert list(np.flatnonzero(roll[:, 4, ONSET])) == [3, 4, 5]
    assert list(np.flatnonzero(roll[:, 4, SOUNDING])) == list(range(4, 24))
    assert roll[24, 4, OFFSET] == 1.0
    assert roll[4, 4, VELOCITY] == 1.0
    assert (roll[10:, :, VELOCITY] == -1.0).all()
    assert not roll[:, :4, :3].any()


def test_notes_of_midi_files_are_read_with_their_times_and_instruments(tmp_path):
    notes = [Note(0.1, 0.5, 60, 100, "violin"), Note(0.5, 1.25, 48, 64, "cello")]
    write_notes(tmp_path / "song.mid", notes)
    assert score_beside(tmp_path / "song.flac") == tmp_path / "song.mid"
    found = read_score(tmp_path / "song.mid")
    assert [(n.pitch, n.velocity, n.instrument) for n in found] == [(60, 100, "violin"), (48, 64, "cello")]
    times = [(n.onset_s, n.offset_s) for n in found]
    np.testing.assert_allclose(times, [(0.1, 0.5), (0.5, 1.25)], atol=1e-3)  # a tick is about 1 ms
    write_notes(tmp_path / "song.notes.csv", notes[:1])
    assert len(read_score(score_beside(tmp_path / "song.flac"))) == 1  # a table comes first
    with pytest.raises(DdspError, match="has no notes beside it"):
        score_beside(tmp_path / "other.flac")
