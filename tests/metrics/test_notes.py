"""Matches of notes, against mir_eval where it is installed."""

import numpy as np
import pytest

from ddsp_edge.transcription.note import Note
from ddsp_tf.metrics.notes import Score, score_notes

A = [Note(0.0, 1.0, 60, instrument="violin"), Note(1.0, 1.5, 62, instrument="cello")]


def test_a_list_matches_itself():
    for flags in ({}, {"offsets": True}, {"names": True}):
        assert score_notes(A, A, **flags) == Score(2, 2, 2)


def test_what_must_agree():
    late = [Note(0.051, 1.0, 60), Note(1.049, 1.5, 62)]
    assert score_notes(A, late).matched == 1
    short = [Note(0.0, 0.79, 60), Note(1.0, 1.41, 62)]
    assert score_notes(A, short, offsets=True).matched == 1
    other = [Note(0.0, 1.0, 61), Note(1.0, 1.5, 62, instrument="violin")]
    assert score_notes(A, other).matched == 1
    assert score_notes(A, other, names=True).matched == 0


def test_a_note_is_found_once():
    twice = [Note(0.0, 1.0, 60), Note(0.03, 1.0, 60)]
    assert score_notes(A[:1], twice) == Score(1, 1, 2)
    assert score_notes([], []).f1 == 1.0


def test_it_counts_what_mir_eval_counts():
    judge = pytest.importorskip(
        "mir_eval.transcription", reason="mir_eval (the extra judge) is not installed"
    )
    rng = np.random.default_rng(0)
    for _ in range(20):
        reference, estimated = (_random_notes(rng, 80) for _ in range(2))
        arrays = [
            (
                np.array([[n.onset_s, n.offset_s] for n in notes]),
                440.0 * 2.0 ** ((np.array([n.pitch for n in notes]) - 69) / 12),
            )
            for notes in (reference, estimated)
        ]
        wanted = len(judge.match_notes(*arrays[0], *arrays[1], offset_ratio=None))
        assert score_notes(reference, estimated).matched == wanted


def _random_notes(rng, count):
    onsets, lengths = rng.uniform(0.0, 5.0, count), rng.uniform(0.1, 1.0, count)
    pitches = rng.integers(60, 64, count)
    return [
        Note(float(onset), float(onset + length), int(pitch))
        for onset, length, pitch in zip(onsets, lengths, pitches, strict=True)
    ]
