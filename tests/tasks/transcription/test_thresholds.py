"""Thresholds are learned on mixtures, and not set more carefully than they tell."""

import numpy as np
import pytest

from ddsp_edge.transcription.decode import OFFSET, ONSET, SOUNDING
from ddsp_edge.transcription.note import Note
from ddsp_edge.transcription.spectra import N_BINS
from ddsp_tf.tasks.transcription.config import TranscriptionConfig
from ddsp_tf.tasks.transcription.evaluation import LEAD_FRAMES, Heard, learn_thresholds

CONFIG = TranscriptionConfig(sample_rate=16_000, frame_rate=50)
NETWORK = CONFIG.network
STRIDE, LENGTH = 14, 8  # frames from note to note, and of a note


def heard(sure: int, doubtful: int, ghosts: int) -> Heard:
    """Notes of which the network is sure, notes of which it is not, and as doubtful ones that are none."""
    count = sure + doubtful + ghosts
    frames = 2 * LEAD_FRAMES + STRIDE * (count + 1)
    roll, notes = np.zeros((frames, NETWORK.pitches, 4), np.float32), []
    for number in range(count):
        begin, pitch = LEAD_FRAMES + STRIDE // 2 + STRIDE * number, 20 + number % 24
        late = begin + NETWORK.lookahead_frames
        roll[late, pitch, ONSET] = 0.9 if number < sure else 0.42
        roll[late : late + LENGTH, pitch, SOUNDING] = 0.95 if number < sure else 0.62
        roll[late + LENGTH, pitch, OFFSET] = 0.9
        if number < sure + doubtful:
            at = ((i + 1) * CONFIG.spec.hop / CONFIG.spec.sample_rate for i in (begin, begin + LENGTH))
            notes.append(Note(*at, float(NETWORK.lowest_midi + pitch), 80, "violin"))
    return Heard(np.zeros((frames, N_BINS, 2), np.float32), roll, notes, 1, [])


@pytest.mark.parametrize(("ghosts", "most"), [(2, 0.4), (5, 0.4), (60, 0.9)])
def test_doubtful_notes_are_found_unless_many_are_none(ghosts, most):
    """With two ghosts they are worth it, with five they cost nearly nothing, with sixty they are left out."""
    learned = learn_thresholds([heard(200, 4, ghosts)], CONFIG)
    assert learned.onset <= most
    assert (learned.onset > 0.42) == (most > 0.42)
