"""Sounds without a pitch, such as s, f and breath: what an instrument plays where a player has none."""

from collections.abc import Mapping

import numpy as np

from ddsp_edge.features.loudness import a_weighting_power
from ddsp_edge.synthesis.synthesizer import LEVELS, Synthesizer
from ddsp_edge.units import Array

_MOST = 10.0 ** (30.0 / 20.0)  # times the noise of an instrument that hardly has any
_WHITE = 1.0 / 3.0  # mean square of white noise, uniform from -1 to 1


def without_pitch(
    controls: Mapping[str, Mapping[str, Array]],
    types: Mapping[str, str],
    pitched: Array,
    way: str,
    sample_rate: int,
) -> dict[str, dict[str, Array]]:
    """Change the levels of harmonics and noise in the frames in which the player has no pitch.

    Args:
        controls: `[frames, channels]` by node of the synthesizer and name of the control.
        types: Type of each node.
        pitched: Boolean `[frames]`, whether the player has a pitch.
        way: One of `ddsp_edge.ranges.CONSONANTS`.
        sample_rate: Integer, Hz.

    Returns:
        The controls; those of other frames, and of nodes of other types, as they were. With `noise`, the
        power of the noise is raised to that of harmonics and noise together, A-weighted (IEC 61672-1:2013),
        by 30 dB at most.
    """
    changed = {node: dict(values) for node, values in controls.items()}
    if way == "hold" or pitched.all():
        return changed
    gains = {"Harmonic": np.where(pitched, 1.0, 0.0), "FilteredNoise": np.where(pitched, 1.0, 0.0)}
    if way == "noise":
        powers = {kind: np.zeros(len(pitched)) for kind in gains}
        for node, values in controls.items():
            if types[node] == "Harmonic":
                powers["Harmonic"] += _of_harmonics(values)
            elif types[node] == "FilteredNoise":
                powers["FilteredNoise"] += _of_noise(values["magnitudes"], sample_rate)
        noise = np.maximum(powers["FilteredNoise"], 1e-20)
        raised = np.minimum(np.sqrt((powers["Harmonic"] + noise) / noise), _MOST)
        gains["FilteredNoise"] = np.where(pitched, 1.0, raised)
    for node, values in changed.items():
        if types[node] in gains:
            level = LEVELS[types[node]]
            values[level] = values[level] * gains[types[node]][:, None].astype(np.float32)
    return changed


class Consonants:
    """Change what an instrument's network gives in the frames in which a player has no pitch.

    Args:
        synthesizer: What plays it.
        way: One of `ddsp_edge.ranges.CONSONANTS`.
    """

    def __init__(self, synthesizer: Synthesizer, way: str) -> None:
        self._nodes, self._way = list(synthesizer.nodes()), way
        self._types = {name: type(processor).__name__ for name, processor, _ in self._nodes}
        self._rate = synthesizer.spec.sample_rate

    def process(self, controls: dict[str, Array], pitched: Array) -> dict[str, Array]:
        """Return controls `[frames, channels]`, by their names in the file, as `without_pitch` changes them.

        Args:
            controls: What the network gave, and `f0_hz`.
            pitched: Boolean `[frames]`, whether the player has a pitch.
        """
        if self._way == "hold" or pitched.all():
            return controls
        by_node = {
            name: {control: controls[source] for control, source in inputs.items() if source in controls}
            for name, _, inputs in self._nodes
        }
        changed = without_pitch(by_node, self._types, pitched, self._way, self._rate)
        levels = {
            inputs[level]: changed[name][level]
            for name, _, inputs in self._nodes
            if (level := LEVELS.get(self._types[name])) is not None
        }
        return {**controls, **levels}


def _of_harmonics(values: Mapping[str, Array]) -> Array:
    """A-weighted mean square of the sines of each frame, `[frames]`."""
    amplitudes = values["amplitude"] * values["distribution"]
    frequencies = values["f0_hz"] * np.arange(1, amplitudes.shape[1] + 1)
    return np.asarray((np.square(amplitudes) * a_weighting_power(frequencies)).sum(axis=1) / 2.0)


def _of_noise(magnitudes: Array, sample_rate: int) -> Array:
    """A-weighted mean square of the filtered noise of each frame, `[frames]`."""
    frequencies = np.linspace(0.0, sample_rate / 2.0, magnitudes.shape[1])
    return np.asarray(_WHITE * (np.square(magnitudes) * a_weighting_power(frequencies)).mean(axis=1))
