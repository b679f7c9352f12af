"""Notes of one voice, by the pitch tracker."""

import numpy as np
import pytest

from ddsp_edge.frames import FrameSpec
from ddsp_edge.transcription.melody import MelodyNotes

SPEC = FrameSpec(16_000, 320)


def sung(notes, seconds: float, vibrato: float = 0.0) -> np.ndarray:
    """Harmonics whose pitch wavers by `vibrato` semitones, 5.5 times a second."""
    audio = np.random.default_rng(0).normal(0.0, 1e-4, int(seconds * 16_000))
    for begin, end, midi in notes:
        t = np.arange(int((end - begin) * 16_000)) / 16_000
        hz = 440.0 * 2 ** ((midi + vibrato * np.sin(2 * np.pi * 5.5 * t) - 69) / 12)
        phase = 2 * np.pi * np.cumsum(hz) / 16_000
        level = np.minimum(1.0, np.minimum(t, t[-1] - t) / 0.02)
        tone = sum(np.sin(k * phase) / k for k in range(1, 6)) * 0.15 * level
        audio[int(begin * 16_000) : int(begin * 16_000) + len(t)] += tone
    return audio.astype(np.float32)


def heard(audio, sizes=(1600,)):
    melody, at, i, notes = MelodyNotes(SPEC), 0, 0, []
    while at < len(audio):
        notes += melody.push(audio[at : at + sizes[i % len(sizes)]])
        at, i = at + sizes[i % len(sizes)], i + 1
    return notes + melody.flush()


SONG = [(0.2, 0.6, 57), (0.6, 1.0, 59), (1.2, 1.6, 64), (1.65, 2.1, 64), (2.1, 2.5, 60)]


@pytest.mark.parametrize("vibrato", [0.0, 0.35])
def test_notes_of_a_song_are_found(vibrato):
    notes = heard(sung(SONG, 3.0, vibrato))
    assert [round(n.pitch) for n in notes] == [n[2] for n in SONG]
    np.testing.assert_allclose([n.onset_s for n in notes], [n[0] for n in SONG], atol=0.05)
    np.testing.assert_allclose([n.offset_s for n in notes], [n[1] for n in SONG], atol=0.06)


def test_bends_follow_the_vibrato():
    (note,) = heard(sung([(0.2, 1.4, 60)], 1.8, 0.4))
    bends = np.array([bend for _, bend in note.bends])
    assert 0.25 < bends.max() < 0.5
    assert -0.5 < bends.min() < -0.25


@pytest.mark.parametrize("sizes", [(1,), (333, 7001), (48_000,)])
def test_cuts_of_the_stream_do_not_matter(sizes):
    audio = sung(SONG[:3], 2.0)
    if sizes == (1,):
        sizes, audio = (160,), audio[:16_000]
    assert heard(audio, sizes) == heard(audio, (len(audio),))


def test_silence_and_noise_hold_no_notes():
    assert heard(np.zeros(16_000, np.float32)) == []
    assert heard(np.random.default_rng(1).normal(0, 0.1, 32_000).astype(np.float32)) == []
