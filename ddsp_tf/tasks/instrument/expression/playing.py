"""The notes of a performance as a device plays them: pitch and loudness, frame by frame."""

from collections.abc import Sequence

import numpy as np

from ddsp_edge.card import Range
from ddsp_edge.expression.network import ExpressionNetwork
from ddsp_edge.live.keyboard import Keyboard
from ddsp_edge.live.settings import KeySettings
from ddsp_edge.units import Array
from ddsp_tf.frames import FrameSpec
from ddsp_tf.tasks.instrument.expression.performance import PlayedNote


def play_notes(
    notes: Sequence[PlayedNote],
    frames: int,
    spec: FrameSpec,
    loudness_db_range: Range,
    network: ExpressionNetwork | None,
    *,
    known: bool = True,
) -> tuple[Array, Array]:
    """Play notes with one voice.

    Args:
        notes: By onset.
        frames: Integer, how many frames.
        spec: The frame grid.
        loudness_db_range: Of the instrument.
        network: What knows how notes are played; None for the envelope of the settings alone.
        known: Whether it knows what comes, as in a file, or plays as live.

    Returns:
        MIDI note and loudness in dB, `[frames]` each.
    """
    settings = KeySettings()
    keyboard = Keyboard(spec, loudness_db_range, 1, settings, network)
    strikes = [(note.onset_s, 1, i) for i, note in enumerate(notes)]
    events = sorted(strikes + [(note.offset_s, 0, i) for i, note in enumerate(notes)])
    pitch, loudness = np.zeros((2, frames))
    place = 0
    for frame in range(frames):
        now = spec.frame_sample(frame) / spec.sample_rate
        while place < len(events) and events[place][0] <= now:
            _, strikes_it, index = events[place]
            note = notes[index]
            if strikes_it:
                keyboard.press(note.pitch, note.velocity, ahead=note.ahead if known else None)
            else:
                keyboard.release(note.pitch, False)
            place += 1
        keyboard.settle()
        pitch[frame], loudness[frame] = keyboard.voices[0].frame(0.0, settings)
        keyboard.tick()
    return pitch, loudness
