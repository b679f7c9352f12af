"""Notes as what a network is to say of them: rolls of onsets, of what sounds, of ends and velocities."""

import numpy as np

from ddsp_edge.transcription.decode import OFFSET, ONSET, SOUNDING, VELOCITY
from ddsp_edge.units import Array
from ddsp_tf.frames import FrameSpec

UNKNOWN = -1.0
"""In a roll, where nothing is known and nothing is to be learned."""
_BESIDE = 0.6  # of an onset: the frames beside its own, which is known to 10 ms only
_BESIDE_END = 0.5


def note_roll(table: Array, spec: FrameSpec, frames: int, lowest: int, pitches: int) -> Array:
    """Piano roll of notes, float32 `[frames, pitches, 4]`: onset, sounding, offset, velocity.

    Frame `i` stands for sample `(i + 1) * hop`. Velocity is known where a note begins.

    Args:
        table: `[notes, 5]`, onset and offset in seconds from the first sample, MIDI pitch, velocity 0 to 127,
            instrument.
        spec: The frame grid.
        frames: Integer, frames of the roll.
        lowest: Integer, MIDI note of the first pitch.
        pitches: Integer, how many there are; notes beyond are left out.
    """
    roll = np.zeros((frames, pitches, 4), np.float32)
    roll[..., VELOCITY] = UNKNOWN
    rate = spec.sample_rate / spec.hop
    for onset_s, offset_s, midi, velocity, _ in table:
        pitch = round(float(midi)) - lowest
        if not 0 <= pitch < pitches:
            continue
        begin = round(float(onset_s) * rate) - 1
        end = max(round(float(offset_s) * rate) - 1, begin + 2)
        if end <= 0 or begin >= frames:
            continue
        roll[max(begin, 0) : end, pitch, SOUNDING] = 1.0
        for at in (begin - 1, begin, begin + 1):
            if 0 <= at < frames:
                value = 1.0 if at == begin else _BESIDE
                roll[at, pitch, ONSET] = max(value, roll[at, pitch, ONSET])
                roll[at, pitch, VELOCITY] = np.clip(velocity / 127.0, 0.0, 1.0)
        for at in (end - 1, end, end + 1):
            if 0 <= at < frames:
                value = 1.0 if at == end else _BESIDE_END
                roll[at, pitch, OFFSET] = max(value, roll[at, pitch, OFFSET])
    return roll
