"""How good a pitch track is, as Keras metrics: what `ddsp_tf.metrics.pitch` defines, summed over batches.

The share is that of all frames seen since the last reset, whatever batches they came in.
"""

from typing import Any

import keras
import tensorflow as tf

from ddsp_tf.arguments import check_number
from ddsp_tf.metrics.tracks import compared_tracks, frame_weights

_OCTAVE = 12.0  # semitones


class _ShareOfFrames(keras.metrics.Mean):
    """Share of the frames that count in which something holds; sub-classes say which and what."""

    def judge(self, cents: tf.Tensor, voiced: tf.Tensor, found: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Return which frames hit, and which count, booleans `[batch, frames]`.

        Args:
            cents: Distance of the estimate, 0 where not both are voiced.
            voiced: Whether the reference is voiced.
            found: Whether the estimate is.
        """
        raise TypeError(f"{type(self).__name__} must judge frames (judge)")

    def update_state(
        self, y_true: tf.Tensor, y_pred: tf.Tensor, sample_weight: tf.Tensor | None = None
    ) -> None:
        """Add a batch.

        Raises:
            DdspError: If the tracks are not as above, or have different frames.
        """
        semitones, voiced, found = compared_tracks(y_true, y_pred, self.name)
        hits, counts = self.judge(100.0 * semitones, voiced, found)
        super().update_state(tf.cast(hits, tf.float32), frame_weights(counts, sample_weight, self.name))


class _WithinCents(_ShareOfFrames):
    """A share that depends on how far an estimate may be off."""

    def __init__(self, cents: float, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.cents = check_number(type(self).__name__, "cents", cents, 0.0, 600.0)

    def get_config(self) -> dict[str, Any]:
        """Return every argument of the constructor."""
        return {**super().get_config(), "cents": self.cents}


def _off_octaves(cents: tf.Tensor) -> tf.Tensor:
    """Distance from the nearest whole number of octaves, cents."""
    octave = 100.0 * _OCTAVE
    return cents - octave * tf.round(cents / octave)


@keras.saving.register_keras_serializable(package="ddsp_tf")
class RawPitchAccuracy(_WithinCents):
    """Share of the frames voiced in the reference whose estimate is at most `cents` away.

    Reference: J. Salamon, E. Gomez, D. P. W. Ellis, G. Richard, "Melody extraction from polyphonic music
    signals", IEEE Signal Processing Magazine 31(2), 2014. An estimate of 0 Hz means 'no pitch' and is never
    right.

    Args:
        cents: Float in 0 to 600, how far an estimate may be off.
        name: String, name of the metric.
        dtype: Of the sums.

    Raises:
        DdspError: If an argument is not as above.

    Input: `y_true`, the reference, and `y_pred`, both `[batch, frames]` or `[batch, frames, 1]`, in Hz, 0 if
    there is no pitch; `sample_weight` `[batch]`. The result is 0 if no frame counts.
    """

    def __init__(self, cents: float = 50.0, name: str = "raw_pitch_accuracy", dtype: Any = None) -> None:
        super().__init__(cents, name, dtype)

    def judge(self, cents: tf.Tensor, voiced: tf.Tensor, found: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Near enough; of the voiced."""
        return found & (tf.abs(cents) <= self.cents), voiced


@keras.saving.register_keras_serializable(package="ddsp_tf")
class RawChromaAccuracy(_WithinCents):
    """As `RawPitchAccuracy`, with whole octaves forgiven; reference, arguments and input are those."""

    def __init__(self, cents: float = 50.0, name: str = "raw_chroma_accuracy", dtype: Any = None) -> None:
        super().__init__(cents, name, dtype)

    def judge(self, cents: tf.Tensor, voiced: tf.Tensor, found: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Near enough to a whole number of octaves; of the voiced."""
        return found & (tf.abs(_off_octaves(cents)) <= self.cents), voiced


@keras.saving.register_keras_serializable(package="ddsp_tf")
class OctaveErrorRate(_WithinCents):
    """Share of the frames voiced in both that are at most `cents` away from one or more whole octaves.

    Arguments and input are those of `RawPitchAccuracy`.
    """

    def __init__(self, cents: float = 50.0, name: str = "octave_error_rate", dtype: Any = None) -> None:
        super().__init__(cents, name, dtype)

    def judge(self, cents: tf.Tensor, voiced: tf.Tensor, found: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Octaves off; of those voiced in both."""
        wrong = (tf.abs(cents) > 50.0 * _OCTAVE) & (tf.abs(_off_octaves(cents)) <= self.cents)
        return wrong, voiced & found


@keras.saving.register_keras_serializable(package="ddsp_tf")
class VoicingRecall(_ShareOfFrames):
    """Share of the frames voiced in the reference that the estimate calls voiced.

    Reference and input are those of `RawPitchAccuracy`.

    Args:
        name: String, name of the metric.
        dtype: Of the sums.
    """

    def __init__(self, name: str = "voicing_recall", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def judge(self, cents: tf.Tensor, voiced: tf.Tensor, found: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Found; of the voiced."""
        return found, voiced


@keras.saving.register_keras_serializable(package="ddsp_tf")
class VoicingFalseAlarm(_ShareOfFrames):
    """Share of the frames unvoiced in the reference that the estimate calls voiced.

    Reference and input are those of `RawPitchAccuracy`.

    Args:
        name: String, name of the metric.
        dtype: Of the sums.
    """

    def __init__(self, name: str = "voicing_false_alarm", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def judge(self, cents: tf.Tensor, voiced: tf.Tensor, found: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Found; of the unvoiced."""
        return found, ~voiced
