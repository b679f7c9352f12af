"""How far the network of an instrument is asked: what it never heard, it knows nothing of (decision 0029)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from ddsp_edge.card import Range
from ddsp_edge.units import scale_f0
from ddsp_tf.layers.processor_group import ProcessorGroup
from ddsp_tf.units import LOUDNESS_FLOOR_DB

Tensors = dict[str, tf.Tensor]

_FARTHER = 2.0**0.5  # half an octave beyond nearly all of its recordings
_QUIETER_DB = 6.0  # below the softest twentieth of them
_LAST_DB = 6.0  # above the floor, in which the last sound fades


@dataclass(frozen=True)
class Limits:
    """What a network is asked for at most; without limits, anything.

    Args:
        pitch_hz: Lowest and highest pitch, Hz. Beyond them a pitch has the timbre of the limit.
        quietest_db: Lowest level, dB, -80 or more. Below it the sound is that of this level, and falls dB for
            dB, over the last 6 dB above the floor of -80 dB to nothing.
    """

    pitch_hz: tuple[float, float] | None = None
    quietest_db: float | None = None

    @classmethod
    def of_ranges(cls, f0_hz: Range, level_db: Range) -> "Limits":
        """Those of a network that is trained on data with these ranges."""
        quietest_db = max(level_db.low - _QUIETER_DB, LOUDNESS_FLOOR_DB)
        return cls((f0_hz.low / _FARTHER, f0_hz.high * _FARTHER), quietest_db)

    @classmethod
    def of_facts(cls, facts: Mapping[str, Any]) -> "Limits":
        """Those that the facts of a model tell."""
        pitch, quietest = facts.get("pitch_limits_hz"), facts.get("quietest_db")
        return cls(
            None if pitch is None else (float(pitch[0]), float(pitch[1])),
            None if quietest is None else float(quietest),
        )

    def to_facts(self) -> dict[str, Any]:
        """Plain data, as `of_facts` reads it."""
        return {
            "pitch_limits_hz": None if self.pitch_hz is None else list(self.pitch_hz),
            "quietest_db": self.quietest_db,
        }

    def asked(self, inputs: Mapping[str, tf.Tensor]) -> Tensors:
        """Inputs of the network by name, of any shape, held to the limits."""
        held = dict(inputs)
        if self.pitch_hz is not None:
            lowest, highest = map(scale_f0, self.pitch_hz)
            held["f0_scaled"] = tf.clip_by_value(inputs["f0_scaled"], lowest, highest)
        if self.quietest_db is not None:
            held["loudness_scaled"] = tf.maximum(inputs["loudness_scaled"], self._quietest_scaled)
        return held

    def controls(self, group: ProcessorGroup, raw: Tensors, loudness_scaled: tf.Tensor) -> dict[str, Tensors]:
        """Controls of all processors, of what the network answers.

        Args:
            group: The processors.
            raw: Their inputs by name, `[batch, frames, channels]`; `f0_hz` is what is played.
            loudness_scaled: What was told, before it was held to the limits, `[batch, frames, 1]`.

        Returns:
            By node and name. Partials that are above Nyquist at the lowest pitch are silent below it: no
            recording had them, so nothing taught the network their level.
        """
        f0_hz = raw.get("f0_hz")
        if self.pitch_hz is None or f0_hz is None:
            controls = group.get_controls(raw)
        else:
            controls = group.get_controls({**raw, "f0_hz": tf.maximum(f0_hz, self.pitch_hz[0])})
            for node in group.nodes:
                played = [key for key, source in node.inputs.items() if source == "f0_hz"]
                controls[node.name] |= dict.fromkeys(played, f0_hz)
        if self.quietest_db is not None:
            gain = self._gain(loudness_scaled)
            for name, processor in group.processors.items():
                levels = set(processor.level_controls) & set(controls[name])  # others are signals of nodes
                controls[name] |= {key: controls[name][key] * gain for key in levels}
        return controls

    @property
    def _quietest_scaled(self) -> float:
        return 1.0 - (self.quietest_db or 0.0) / LOUDNESS_FLOOR_DB

    def _gain(self, loudness_scaled: tf.Tensor) -> tf.Tensor:
        """0 to 1, of the same shape."""
        below_db = tf.minimum(loudness_scaled - self._quietest_scaled, 0.0) * -LOUDNESS_FLOOR_DB
        last = tf.minimum(loudness_scaled * (-LOUDNESS_FLOOR_DB / _LAST_DB), 1.0)
        return tf.exp(below_db * (math.log(10.0) / 20.0)) * last
