"""What is measured of a passage besides its features: what could make it bad to train on.

It is measured where pitch is, in the worker processes, and kept in the record, so that a report on a dataset
needs nothing but the dataset.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.data.quality.background import find_hum, noise_db
from ddsp_tf.data.quality.partials import look_at_partials
from ddsp_tf.data.quality.room import decay_times
from ddsp_tf.errors import DdspError
from ddsp_tf.frames import FrameSpec

_MAX_DECAYS = 50
_DIGITS = 2  # what is beyond is not known
_COUNTS = ("clipped_samples", "judged_frames", "several_notes_frames", "octave_frames", "mains_hz")
_LEVELS = ("signal_db", "noise_db", "hum_db")


@dataclass(frozen=True)
class Quality:
    """What was measured of a passage.

    Args:
        clipped_samples: Integer, samples of the file near the passage in runs at full scale.
        judged_frames: Integer, frames, one each 64 ms, whose partials could be judged.
        several_notes_frames: Integer, those of them that no single f0 explains.
        several_notes_seconds: Beginning and end of each stretch of those, seconds of the recording; none in
            datasets from before they were kept.
        octave_frames: Integer, those in which f0 seems to be an octave off.
        signal_db: Loudness that a quarter of the frames exceed, dB.
        noise_db: Level of the background, dB, A-weighted; too high where the instrument never rests.
        mains_hz: Integer, 50 or 60 where there is hum of the mains; 0 where there is none.
        hum_db: Level of the hum, dB re full scale, not weighted; -120 where there is none.
        decay_seconds: Reverberation times, one of each free decay.
    """

    clipped_samples: int
    judged_frames: int
    several_notes_frames: int
    octave_frames: int
    signal_db: float
    noise_db: float
    mains_hz: int
    hum_db: float
    decay_seconds: tuple[float, ...]
    several_notes_seconds: tuple[tuple[float, float], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As plain data; stretches of several notes only where there are some."""
        values = {**dataclasses.asdict(self), "decay_seconds": list(self.decay_seconds)}
        stretches = values.pop("several_notes_seconds")
        return {**values, "several_notes_seconds": [*map(list, stretches)]} if stretches else values

    @classmethod
    def from_dict(cls, values: Any) -> "Quality":
        """Read what `to_dict` gave.

        Raises:
            DdspError: If it is something else.
        """
        try:
            counts = {name: int(values[name]) for name in _COUNTS}
            levels = {name: float(values[name]) for name in _LEVELS}
            decays = tuple(float(seconds) for seconds in values["decay_seconds"])
            stretches = [(float(a), float(b)) for a, b in values.get("several_notes_seconds", ())]
        except (ValueError, TypeError, KeyError, OverflowError, AttributeError) as error:
            raise DdspError(f"a record's quality is not what prepare writes: {str(values)[:60]!r}") from error
        if not np.isfinite([*levels.values(), *decays, *(s for stretch in stretches for s in stretch)]).all():
            raise DdspError("a record's quality has values that are not finite numbers")
        return cls(decay_seconds=decays, several_notes_seconds=tuple(stretches), **counts, **levels)  # type: ignore[arg-type]


def measure_quality(
    audio: Array,
    f0_hz: Array,
    loudness_db: Array,
    spec: FrameSpec,
    clipped_samples: int = 0,
    first_second: float = 0.0,
) -> Quality:
    """Measure a passage.

    Args:
        audio, f0_hz, loudness_db, spec: See `look_at_partials`.
        clipped_samples: Integer, as counted when the file was read.
        first_second: Where in its recording the passage begins, seconds.
    """
    background = noise_db(audio, spec.sample_rate)
    hum = find_hum(audio, spec.sample_rate)
    partials = look_at_partials(audio, f0_hz, loudness_db, spec, mains_hz=hum.mains_hz)
    decays = decay_times(loudness_db, float(spec.frame_rate), background)
    return Quality(
        clipped_samples,
        partials.judged,
        partials.several,
        partials.octaves,
        round(float(np.percentile(loudness_db, 75)), _DIGITS),
        round(background, _DIGITS),
        hum.mains_hz,
        round(hum.level_db, _DIGITS),
        tuple(round(seconds, _DIGITS) for seconds in decays[:_MAX_DECAYS]),
        tuple(
            (round(first_second + start, _DIGITS), round(first_second + end, _DIGITS))
            for start, end in partials.several_seconds
        ),
    )
