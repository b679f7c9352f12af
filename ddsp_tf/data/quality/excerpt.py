"""Where a passage is worst: what is to be heard of it in a report."""

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.data.pitched import PitchedRecord
from ddsp_tf.data.prepare.analysis import as_float
from ddsp_tf.data.quality.background import find_hum, noise_db
from ddsp_tf.data.quality.partials import look_at_partials
from ddsp_tf.data.quality.room import decay_times
from ddsp_tf.frames import FrameSpec

_STEP_SECONDS = 1.0
_MOST = 8  # places that are looked at, whatever the length: each takes some hundredths of a second
_NEAR_PEAK = (
    0.98  # of the largest sample: clipped ones are there still, after channels and rates were changed
)


def worst_excerpt(record: PitchedRecord, concern: str, seconds: float) -> tuple[int, int]:
    """Find the part of a passage that has most of a concern.

    Args:
        record: The passage.
        concern: One of `survey.CONCERNS`.
        seconds: Length of the part; of a shorter passage all is taken.

    Returns:
        First frame and number of frames. Of parts that are equally bad, the first one.
    """
    spec = FrameSpec(record.sample_rate, record.hop)
    frames = min(record.n_frames, round(seconds * record.sample_rate / record.hop))
    last = record.n_frames - frames
    count = min(_MOST, int(np.ceil(spec.seconds(last) / _STEP_SECONDS)) + 1)
    starts = np.unique(np.linspace(0, last, count).round().astype(int))
    if len(starts) == 1:
        return 0, frames
    audio = as_float(record.audio)
    peak = float(np.abs(audio).max())
    scores = []
    for start in starts:
        part = slice(start, start + frames)
        sound = audio[start * record.hop : (start + frames) * record.hop]
        scores.append(_how_bad(concern, sound, record.f0_hz[part], record.loudness_db[part], spec, peak))
    return int(starts[int(np.argmax(scores))]), frames


def _how_bad(
    concern: str, audio: Array, f0_hz: Array, loudness: Array, spec: FrameSpec, peak: float
) -> float:
    """How much of a concern there is, by the measure of `quality.measure_quality`; `peak` is of all."""
    rate = spec.sample_rate
    if concern == "clipping":
        return float(np.count_nonzero(np.abs(audio) >= _NEAR_PEAK * peak))
    if concern == "hum":
        return find_hum(audio, rate).level_db
    if concern in ("polyphony", "octave errors"):
        found = look_at_partials(audio, f0_hz, loudness, spec)
        return float(found.several if concern == "polyphony" else found.octaves)
    background = noise_db(audio, rate)
    if concern == "noise":
        return background - float(np.percentile(loudness, 75))
    decays = decay_times(loudness, float(spec.frame_rate), background)
    return float(np.median(decays)) if len(decays) else 0.0
