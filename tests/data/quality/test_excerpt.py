"""What is to be heard of a bad passage is its worst part."""

import numpy as np
import pytest

from ddsp_edge.features.loudness import loudness_db
from ddsp_edge.units import Array
from ddsp_tf.data.pitched import PitchedRecord
from ddsp_tf.data.prepare.analysis import to_int16
from ddsp_tf.data.quality.excerpt import worst_excerpt
from ddsp_tf.frames import FrameSpec
from tests.data.sounds import swelling, tone

SPEC = FrameSpec(16_000, 64)
SECONDS, BAD_FROM, BAD_TO = 20.0, 8, 16


def _record(audio: Array, f0_hz: Array | None = None, kind: str = "int16") -> PitchedRecord:
    frames = len(audio) // SPEC.hop
    audio = audio[: frames * SPEC.hop].astype(np.float32)
    pitch = np.full(frames, 220.0) if f0_hz is None else f0_hz
    kept = to_int16(audio) if kind == "int16" else audio
    loudness = loudness_db(audio, SPEC)
    ones = np.ones(frames, np.float32)
    return PitchedRecord(
        kept, pitch.astype(np.float32), ones, loudness, 0.0, "a", 0, SPEC.sample_rate, SPEC.hop, None
    )


def _bad(concern: str) -> PitchedRecord:
    """Twenty seconds with something wrong from 8 to 16 s."""
    clean = swelling(SECONDS)
    t = np.arange(len(clean)) / 16_000
    there = (t >= BAD_FROM) & (t < BAD_TO)
    f0_hz = np.full(len(clean) // SPEC.hop, 220.0)
    if concern == "polyphony":
        return _record(clean + there * 0.5 * (tone(SECONDS, f0_hz=277.2) + tone(SECONDS, f0_hz=329.6)))
    if concern == "octave errors":
        f0_hz[there[SPEC.hop - 1 :: SPEC.hop]] = 440.0
        return _record(clean, f0_hz)
    if concern == "clipping":
        return _record(np.where(there, np.clip(6.0 * clean, -1.0, 1.0), clean), kind="float32")
    if concern == "hum":
        pauses = (t % 1.0 < 0.75) * clean
        return _record(pauses + there * 0.01 * sum(np.sin(2.0 * np.pi * 50.0 * k * t) / k for k in (1, 2, 3)))
    noise = 0.02 * np.random.default_rng(0).standard_normal(len(t))
    return _record((t % 1.0 < 0.75) * clean + there * noise)


@pytest.mark.parametrize("concern", ["polyphony", "octave errors", "clipping", "hum", "noise"])
def test_the_worst_part_is_where_something_is_wrong(concern: str) -> None:
    first, frames = worst_excerpt(_bad(concern), concern, 8.0)
    assert SPEC.seconds(frames) == 8.0
    # Eight places are looked at, 1.7 s apart.
    assert SPEC.seconds(first) == pytest.approx(BAD_FROM, abs=1.75)


def test_notes_that_ring_longest_are_the_worst_of_a_room() -> None:
    t = np.arange(20 * 16_000) / 16_000
    decay = np.where(t < 10.0, 60.0, 8.0)  # e-folds a second: 0.12 s and 0.86 s to fall by 60 dB
    ringing = tone(20.0) * np.exp(-decay * (t % 2.0 - 0.5).clip(0.0))
    first, _ = worst_excerpt(_record(ringing), "reverberation", 8.0)
    assert SPEC.seconds(first) >= 6.0  # it is the median of a part: half of its notes are of the long ones


def test_of_a_short_passage_all_is_heard_and_of_an_even_one_the_beginning() -> None:
    assert worst_excerpt(_record(swelling(5.0)), "polyphony", 8.0) == (0, 1250)
    assert worst_excerpt(_record(tone(12.0)), "polyphony", 8.0) == (0, 2000)
