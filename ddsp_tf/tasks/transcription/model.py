"""Its model: a small network, the same for every pitch, that hears harmonics; a smaller one names notes."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ddsp_edge.transcription.harmonics import N_FEATURES
from ddsp_edge.transcription.names import NAMES
from ddsp_edge.transcription.naming import PREFIX
from ddsp_edge.transcription.spectra import BINS_PER_SEMITONE, FIRST_MIDI, N_BINS, WINDOWS
from ddsp_edge.units import Array
from ddsp_tf.tasks.transcription.pitch_conv import PitchConv
from ddsp_tf.training.model import TaskModel

HARMONICS = (0.5, 1, 2, 3, 4, 5, 6, 7, 8)
"""Of each pitch that the network hears: an octave below, which tells whether it is a harmonic itself."""
_RARE = -3.0  # of onsets and ends: what the network says of them before it has learned anything, as a logit
_SUM_FRAMES = 9  # of what is heard at all pitches together
_NEVER = -1e3  # logit of what cannot be


@keras.saving.register_keras_serializable(package="ddsp_tf")
class Transcriber(TaskModel):
    """Spectra to piano rolls.

    For every pitch the bins around its harmonics, a semitone of each in both windows, are stacked (Bittner et
    al., "A Lightweight Instrument-Agnostic Model for Polyphonic Note Transcription", ICASSP 2022). Five
    convolutions over time and pitch follow, of which one spans octaves and one all pitches, with shortcuts.
    All are causal: a frame that comes out speaks of the frame `lookahead_frames` before.

    Beside it stands the network that names notes by what `ddsp_edge.transcription.harmonics` fits of them:
    three dense layers, which `ddsp_tf.tasks.transcription.lessons` trains before the first step.

    Args:
        channels: Integer, channels of the layers.
        lowest_midi: Integer, MIDI note of the lowest pitch.
        pitches: Integer, pitches, a multiple of 12.
        namer_units: Integers, widths of the first two layers of what names notes.
        facts: The configuration, as plain data.
        **kwargs: Of `keras.Model`.

    Input: `spectra` `[batch, frames, 288, 2]` of `ddsp_edge.transcription.spectra`. Output: `roll`, logits of
    onset, sounding, offset and velocity, `[batch, frames, pitches, 4]`.
    """

    def __init__(
        self,
        channels: int,
        lowest_midi: int,
        pitches: int,
        namer_units: Sequence[int] = (80, 40),
        facts: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.channels, self.lowest_midi, self.pitches = channels, lowest_midi, pitches
        self.namer_units, self.facts = tuple(namer_units), dict(facts or {})
        self.harmonics = PitchConv(channels, frames=3, name="harmonics")
        self.near = PitchConv(channels, frames=3, pitches=3, name="near")
        self.octaves = PitchConv(channels, pitches=5, spread=12, name="octaves")
        self.along = PitchConv(channels, frames=5, name="along")
        self.all = PitchConv(channels, frames=_SUM_FRAMES, name="all")
        self.wide = PitchConv(channels, pitches=7, name="wide")
        self.last = PitchConv(channels, frames=3, name="last")
        self.head = PitchConv(4, activation=False, name="head")
        self.namer = [
            keras.layers.Dense(units, activation, name=f"namer_{number}", trainable=False)
            for number, (units, activation) in enumerate(
                [*((units, "relu") for units in self.namer_units), (len(NAMES), None)]
            )
        ]

    @property
    def layers_in_order(self) -> tuple[PitchConv, ...]:
        """The convolutions."""
        return (
            self.harmonics,
            self.near,
            self.octaves,
            self.along,
            self.all,
            self.wide,
            self.last,
            self.head,
        )

    def build(self, input_shape: Any) -> None:
        """Create the weights, once."""
        if self.harmonics.built:
            return
        stacked = len(HARMONICS) * BINS_PER_SEMITONE * len(WINDOWS)
        for layer in self.layers_in_order:
            layer.build([None, None, None, stacked if layer is self.harmonics else self.channels])
        for layer, width in zip(self.namer, (N_FEATURES, *self.namer_units), strict=True):
            layer.build([None, width])
        self.head.bias.assign(np.array([_RARE, -1.0, _RARE, 0.0], np.float32))
        self.built = True

    def call(self, inputs: Mapping[str, tf.Tensor], training: bool = False) -> dict[str, tf.Tensor]:
        """Rolls of whole sounds."""
        return {"roll": self.rolls(inputs["spectra"], training)}

    def name_logits(self, notes: tf.Tensor) -> tf.Tensor:
        """How well notes, `[..., 66]`, fit each instrument, logits `[..., names]`."""
        for layer in self.namer:
            notes = layer(notes)
        return notes

    def rolls(self, spectra: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Logits of rolls of whole sounds."""
        x = self.harmonics(self.stacked(spectra), training=training)
        x = x + self.near(x, training=training)
        x = x + self.octaves(x, training=training)
        together = self.all(tf.reduce_mean(x, axis=2, keepdims=True), training=training)
        x = x + self.along(x, training=training) + together
        x = x + self.wide(x, training=training)
        return self.head(self.last(x, training=training))

    def stacked(self, spectra: tf.Tensor) -> tf.Tensor:
        """Bins at the harmonics of every pitch, `[..., 288, 2]` to `[..., pitches, 54]`."""
        starts = [self._first_bin(harmonic) for harmonic in HARMONICS]
        width = self.pitches * BINS_PER_SEMITONE
        below, above = max(0, -min(starts)), max(0, max(starts) + width - N_BINS)
        lead = tf.unstack(tf.shape(spectra)[:-2])
        before, after = (
            tf.zeros([*lead, count, len(WINDOWS)], spectra.dtype) for count in (max(below, 1), max(above, 1))
        )
        padded = tf.concat([before, spectra, after], -2)
        parts = []
        for start in starts:
            part = padded[..., start + max(below, 1) : start + max(below, 1) + width, :]
            parts.append(tf.reshape(part, [*lead, self.pitches, BINS_PER_SEMITONE * len(WINDOWS)]))
        return tf.concat(parts, -1)

    def _first_bin(self, harmonic: float) -> int:
        """The bin below that of a harmonic of the lowest pitch."""
        bins = BINS_PER_SEMITONE * (self.lowest_midi - FIRST_MIDI + 12.0 * np.log2(harmonic))
        return round(float(bins)) - 1

    # Frame by frame

    @property
    def state_shapes(self) -> dict[str, list[int]]:
        """Of what `step` carries: the frames before, of every layer that looks at them."""
        return {
            "heard": [self.harmonics.frames - 1, N_BINS, len(WINDOWS)],
            "near_before": [self.near.frames - 1, self.pitches, self.channels],
            "along_before": [self.along.frames - 1, self.pitches, self.channels],
            "all_before": [self.all.frames - 1, 1, self.channels],
            "last_before": [self.last.frames - 1, self.pitches, self.channels],
        }

    def step(self, spectra: tf.Tensor, *states: tf.Tensor) -> dict[str, tf.Tensor]:
        """One frame, for export.

        Args:
            spectra: `[1, 288, 2]`.
            *states: In the order of `state_shapes`.

        Returns:
            `roll`, `[1, pitches, 4]`, each value 0 to 1, and the next states.
        """
        before = dict(zip(self.state_shapes, states, strict=True))
        after: dict[str, tf.Tensor] = {}

        def window(name: str, frame: tf.Tensor) -> tf.Tensor:
            joined = tf.concat([before[name], frame], 0)
            after[name] = joined[1:]
            return joined

        heard = window("heard", spectra)
        stacked = [self._stacked_frame(heard[i]) for i in range(self.harmonics.frames)]
        x = self._as_frame(self.harmonics.step(tf.concat(stacked, 0)))
        x = x + self._as_frame(self.near.step(window("near_before", x)))
        x = x + self._as_frame(self.octaves.step(x))
        mean = tf.reduce_mean(x, axis=1, keepdims=True)
        together = tf.reshape(self.all.step(window("all_before", mean)), [1, 1, self.channels])
        x = x + self._as_frame(self.along.step(window("along_before", x))) + together
        x = x + self._as_frame(self.wide.step(x))
        last = self._as_frame(self.last.step(window("last_before", x)))
        logits = self.head.step(last)
        return {"roll": tf.reshape(tf.sigmoid(logits), [1, self.pitches, 4]), **after}

    def _as_frame(self, x: tf.Tensor) -> tf.Tensor:
        return tf.reshape(x, [1, self.pitches, self.channels])

    def _stacked_frame(self, frame: tf.Tensor) -> tf.Tensor:
        """A frame `[288, 2]` as `[1, pitches, 54]`."""
        starts = [self._first_bin(harmonic) for harmonic in HARMONICS]
        width = self.pitches * BINS_PER_SEMITONE
        below, above = max(1, -min(starts)), max(1, max(starts) + width - N_BINS)
        padded = tf.concat([tf.zeros([below, len(WINDOWS)]), frame, tf.zeros([above, len(WINDOWS)])], 0)
        shape = [self.pitches, BINS_PER_SEMITONE * len(WINDOWS)]
        parts = [tf.reshape(padded[s + below : s + below + width], shape) for s in starts]
        stacked = len(HARMONICS) * BINS_PER_SEMITONE * len(WINDOWS)
        return tf.reshape(tf.concat(parts, -1), [1, self.pitches, stacked])

    def namer_arrays(self, counts: Sequence[int] = ()) -> dict[str, Array]:
        """Weights of what names notes, as `ddsp_edge.transcription.naming.Namer` takes them.

        They are rounded to 8 bits of the largest of each layer, with which a file stores them in a fraction.

        Args:
            counts: Notes of each instrument in the training data: what was never heard is never named. Empty
                where they are not known.

        Returns:
            The arrays; none where `naming.mixtures` is 0.
        """
        if not self.facts.get("config", {}).get("naming", {"mixtures": 1})["mixtures"]:
            return {}
        arrays = {}
        for number, layer in enumerate(self.namer):
            weights, bias = (np.asarray(value) for value in layer.get_weights())
            step = float(np.abs(weights).max()) / 127.0 or 1.0
            arrays[f"{PREFIX}_{number}_weights"] = np.asarray(np.rint(weights / step) * step, np.float32)
            arrays[f"{PREFIX}_{number}_bias"] = bias
        if len(counts) == len(NAMES) and any(counts):
            bias = np.where(np.array(counts) > 0, bias, _NEVER)
            arrays[f"{PREFIX}_{len(self.namer) - 1}_bias"] = np.asarray(bias, np.float32)
        return arrays

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {
            **super().get_config(),
            "channels": self.channels,
            "lowest_midi": self.lowest_midi,
            "pitches": self.pitches,
            "namer_units": list(self.namer_units),
            "facts": self.facts,
        }

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Create the weights when a saved model is loaded."""
        self.build(None)
