"""The synthesizer as a graph of builtin TFLite operators: controls of one frame in, one hop of audio out.

All that is carried from hop to hop goes in and out as float32, zeros before the first hop. The definitions
are those of `docs/processors.md`, the samples those of `ddsp_tf.layers` (law 1).
"""

import math
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from ddsp_edge.frames import FrameSpec
from ddsp_edge.units import Array
from ddsp_export.transforms import RealTransform, transform_size
from ddsp_tf.errors import DdspError
from ddsp_tf.ops.frame_filters import response_matrix
from ddsp_tf.ops.frames import rising_window

Tensors = dict[str, tf.Tensor]

MAX_HOP = 8192
"""Samples; the integers of a phase have no room for more."""
_PER_HERTZ = 2**20  # frequencies are counted in these: float32 from 8 Hz up is exact
_LATE_ENERGY = 0.005
_LIMB = 2**23  # integers below its square are carried as two floats, which hold them exactly


class HopProcessor(Protocol):
    """A processor that renders one hop at a time.

    Attributes:
        states: Size of each of its states by name; a state is float32 `[1, size]`.
    """

    states: dict[str, int]

    def run(self, inputs: Tensors, state: Tensors) -> tuple[tf.Tensor, Tensors]:
        """Render one hop: `[1, hop]`, and the next states."""
        ...


class HarmonicHop:
    """Sum of sines with an exact phase.

    The phase is an integer, a cycle being `2 hop sample_rate 2^20`: in these units the phase of every sample
    of a hop is a whole number, and nothing is ever rounded. Inputs: `amplitude` `[1, 1]`, `distribution`
    `[1, harmonics]`, `f0_hz` `[1, 1]`.
    """

    def __init__(self, spec: FrameSpec, n_harmonics: int) -> None:
        if spec.hop > MAX_HOP:
            raise DdspError(f"a hop of {spec.hop} samples is too long for the graph: {MAX_HOP} at most")
        self.spec, self.n_harmonics = spec, n_harmonics
        self.states = {"f0_hz": 1, "phase": 2, "amplitudes": n_harmonics}

    def run(self, inputs: Tensors, state: Tensors) -> tuple[tf.Tensor, Tensors]:
        """Render one hop; before the first, f0 is 0 and the first frame is held."""
        hop = self.spec.hop
        f0_hz, amplitudes = inputs["f0_hz"], inputs["amplitude"] * inputs["distribution"]
        begun = tf.sign(state["f0_hz"])
        before_hz = begun * state["f0_hz"] + (1.0 - begun) * f0_hz
        before = begun * state["amplitudes"] + (1.0 - begun) * amplitudes

        cycle = 2 * hop * self.spec.sample_rate * _PER_HERTZ
        whole = tf.constant(cycle, tf.int64)
        start = tf.reduce_sum(tf.cast(state["phase"], tf.int64), axis=1, keepdims=True)
        slow, fast = (tf.cast(x * float(_PER_HERTZ), tf.int64) for x in (before_hz, f0_hz))
        n = np.arange(hop, dtype=np.int64)[None]
        phase = start + slow * tf.constant(2 * hop * n) + (fast - slow) * tf.constant(n * n)
        half = cycle // 2
        phase = tf.math.floormod(phase + half, whole) - half  # a float is most exact around 0
        cycles = tf.cast(phase, tf.float32) * (1.0 / cycle)
        both = _sums_of_sines(cycles, tf.concat([before, amplitudes], axis=0))
        falling, rising = both[:1], both[1:]
        audio = falling + rising_window(hop).astype(np.float32)[None] * (rising - falling)

        end = tf.math.floormod(start + (slow + fast) * hop**2, whole)
        low = tf.math.floormod(end, tf.constant(_LIMB, tf.int64))
        parts = tf.cast(tf.concat([end - low, low], axis=1), tf.float32)
        # An output that is an input itself has one buffer for both in LiteRT's compiled models.
        return audio, {"f0_hz": tf.nn.relu(f0_hz), "phase": parts, "amplitudes": amplitudes}


def _sums_of_sines(cycles: tf.Tensor, amplitudes: tf.Tensor) -> tf.Tensor:
    """Add up sines at once, twice, three times a phase and so on.

    With `k = i w + j`, and `w` near the square root of the number of sines,

        sin(k x) = sin(i w x) cos(j x) + cos(i w x) sin(j x)

    so waves are needed for every `i` and every `j` alone, 32 for 60 sines and 50 for 150, and the rest is a
    product of matrices (decision 0018).

    Args:
        cycles: `[1, samples]`, the phase in cycles, from -0.5 to 0.5.
        amplitudes: `[sums, sines]`.

    Returns:
        `[sums, samples]`.
    """
    sums, sines = amplitudes.shape
    samples = cycles.shape[1]
    width = math.ceil(math.sqrt(sines + 1))
    height = -(-(sines + 1) // width)
    fine, coarse = np.arange(width), width * np.arange(height)
    multiples = np.concatenate([fine, fine, coarse, coarse]).astype(np.float32)[:, None]
    # A cosine is a sine a quarter of a cycle ahead.
    ahead = np.repeat([0.25, 0.0, 0.0, 0.25], [width, width, height, height]).astype(np.float32)[:, None]
    turns = multiples * cycles + ahead
    waves = tf.sin((2.0 * np.pi) * (turns - tf.floor(turns + 0.5)))
    by_fine = tf.reshape(waves[: 2 * width], [2, width, samples])
    by_coarse = tf.reshape(waves[2 * width :], [2, 1, height, samples])
    # Sine 0 is silent.
    grid = tf.pad(amplitudes, [[0, 0], [1, width * height - sines - 1]])
    mixed = tf.matmul(tf.reshape(grid, [1, sums * height, width]), by_fine)
    return tf.reduce_sum(tf.reshape(mixed, [2, sums, height, samples]) * by_coarse, axis=[0, 2])


class NoiseHop:
    """White noise through the zero-phase filter of its frame, delayed to be causal.

    Inputs: `magnitudes` `[1, bands]`, `noise` `[1, hop]`.
    """

    def __init__(self, spec: FrameSpec, n_bands: int) -> None:
        self.spec = spec
        self._delay = n_bands - 1
        self._width = spec.hop + 2 * self._delay - 1
        size = transform_size(self._width)
        # The filter is symmetric: its spectrum is real when the hop stands where it is delayed to.
        self._transform = RealTransform(size, self._delay + spec.hop)
        numbers = self._transform.bin_numbers
        self._gains = response_matrix(n_bands, size)[:, np.minimum(numbers, size - numbers)]
        self.states = {"tail": self._width - spec.hop}

    def run(self, inputs: Tensors, state: Tensors) -> tuple[tf.Tensor, Tensors]:
        """Filter one hop of noise."""
        gains = tf.matmul(inputs["magnitudes"], self._gains)
        spectrum = self._transform.forward(tf.pad(inputs["noise"], [[0, 0], [self._delay, 0]]))
        filtered = self._transform.inverse(spectrum * tf.concat([gains, gains], axis=1))
        return _overlap(filtered[:, : self._width], state["tail"], self.spec.hop)


class FilterHop(NoiseHop):
    """A signal through such a filter. Inputs: `audio` `[1, hop]`, `magnitudes` `[1, bands]`."""

    def run(self, inputs: Tensors, state: Tensors) -> tuple[tf.Tensor, Tensors]:
        """Filter one hop of the signal."""
        return super().run({"magnitudes": inputs["magnitudes"], "noise": inputs["audio"]}, state)


class ReverbHop:
    """Convolution with an impulse response in partitions of a hop. Input: `audio` `[1, hop]`.

    Spectra of the late partitions are numbers of half precision, which `ddsp_export.half` stores as such:
    those in which an echo is left that is `_LATE_ENERGY` of the direct sound at most. What rounding them adds
    is 75 dB below that echo.
    """

    def __init__(self, spec: FrameSpec, impulse_response: Array) -> None:
        self.spec, hop = spec, spec.hop
        self._parts = -(-len(impulse_response) // hop)
        padded = np.zeros(self._parts * hop)
        padded[: len(impulse_response)] = impulse_response
        self._transform = RealTransform(transform_size(2 * hop), hop)
        by_part = padded.reshape(self._parts, 1, hop)
        spectra = self._transform.spectrum_of(by_part)
        left = np.cumsum(np.square(by_part).sum(axis=(1, 2))[::-1])[::-1]  # from each partition on
        early = int(np.count_nonzero(left > _LATE_ENERGY))
        self._pieces: list[tuple[int, int, Array, Array]] = []
        for first, last, kind in ((0, early, np.float32), (early, self._parts, np.float16)):
            if first < last:
                piece = spectra[first:last]
                real, imaginary = (x.astype(kind).astype(np.float32) for x in (piece.real, piece.imag))
                self._pieces.append((first, last, real, imaginary))
        self.states = {"line": self._parts * 2 * self._transform.bins, "tail": hop}

    def run(self, inputs: Tensors, state: Tensors) -> tuple[tf.Tensor, Tensors]:
        """Convolve one hop; the line holds the spectra of the hops before, the latest first."""
        latest = self._transform.forward(inputs["audio"])
        line = tf.concat([latest, state["line"][:, : -latest.shape[1]]], axis=1)
        parts = tf.reshape(line, [self._parts, 2, self._transform.bins])
        by_real, by_imaginary = (
            tf.add_n([tf.reduce_sum(parts[a:b] * piece[kind], axis=0) for a, b, *piece in self._pieces])
            for kind in (0, 1)
        )
        real = by_real[:1] - by_imaginary[1:]
        imaginary = by_real[1:] + by_imaginary[:1]
        convolved = self._transform.inverse(tf.concat([real, imaginary], axis=1))
        audio, states = _overlap(convolved[:, : 2 * self.spec.hop], state["tail"], self.spec.hop)
        return audio, {"line": line, **states}


class AddHop:
    """Sum of signals `[1, hop]`."""

    def __init__(self) -> None:
        self.states: dict[str, int] = {}

    def run(self, inputs: Tensors, state: Tensors) -> tuple[tf.Tensor, Tensors]:
        """Add one hop of each."""
        signals = list(inputs.values())
        return sum(signals[1:], start=signals[0]), {}


class MixHop:
    """Balance of `audio_0` and `audio_1` `[1, hop]` by `level` `[1, 1]`.

    Its state is the level before and one more, so that 0 is before the first hop.
    """

    def __init__(self, spec: FrameSpec) -> None:
        self.spec = spec
        self.states = {"before": 1}  # `NODE_level` is the control

    def run(self, inputs: Tensors, state: Tensors) -> tuple[tf.Tensor, Tensors]:
        """Mix one hop."""
        level, begun = inputs["level"], tf.sign(state["before"])
        before = begun * (state["before"] - 1.0) + (1.0 - begun) * level
        moving = before + rising_window(self.spec.hop).astype(np.float32)[None] * (level - before)
        first, second = inputs["audio_0"], inputs["audio_1"]
        return second + moving * (first - second), {"before": level + 1.0}


def make_hop_processor(spec: FrameSpec, node: dict[str, Any], arrays: dict[str, Array]) -> HopProcessor:
    """Build the processor of a node of a card's synthesizer."""
    kind, config = node["type"], node["config"]
    if kind == "Harmonic":
        return HarmonicHop(spec, config["n_harmonics"])
    if kind == "FilteredNoise":
        return NoiseHop(spec, config["n_bands"])
    if kind == "FIRFilter":
        return FilterHop(spec, config["n_bands"])
    if kind == "Reverb":
        return ReverbHop(spec, arrays[config["impulse_response"]])
    return MixHop(spec) if kind == "Mix" else AddHop()


class SynthesizerGraph:
    """The synthesizer of a card, one hop at a time.

    Args:
        spec: The frame grid.
        synthesizer: `{"nodes": [...], "output": NAME}`, as the card has it.
        arrays: Impulse responses by name.
    """

    def __init__(self, spec: FrameSpec, synthesizer: dict[str, Any], arrays: dict[str, Array]) -> None:
        self.spec = spec
        self._nodes = synthesizer["nodes"]
        self._output = synthesizer["output"]
        self._processors = {node["name"]: make_hop_processor(spec, node, arrays) for node in self._nodes}
        self.states = {
            f"{name}_{state}": size
            for name, processor in self._processors.items()
            for state, size in processor.states.items()
        }
        self.noises = {
            f"{node['name']}_noise": spec.hop for node in self._nodes if node["type"] == "FilteredNoise"
        }

    def run(self, given: Tensors, state: Tensors) -> tuple[tf.Tensor, Tensors]:
        """Render one hop; see `run_nodes`.

        Returns:
            Audio `[1, hop]`, and the next states.
        """
        signals, after = self.run_nodes(given, state)
        return signals[self._output], after

    def run_nodes(self, given: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        """Render one hop of every node.

        Args:
            given: `f0_hz` `[1, 1]`, the controls of the network by name, and the white noise of each noise
                node, `NODE_noise` `[1, hop]`.
            state: `[1, size]` by name, as `states` has them.

        Returns:
            The signal `[1, hop]` of each node by name, in their order, and the next states.
        """
        signals: Tensors = {}
        after: Tensors = {}
        for node in self._nodes:
            name, processor = node["name"], self._processors[node["name"]]
            inputs = {
                control: signals[source] if source in signals else given[source]
                for control, source in node["inputs"].items()
            }
            if node["type"] == "FilteredNoise":
                inputs["noise"] = given[f"{name}_noise"]
            own = {key: state[f"{name}_{key}"] for key in processor.states}
            signals[name], own = processor.run(inputs, own)
            after |= {f"{name}_{key}": value for key, value in own.items()}
        return signals, after


def _overlap(piece: tf.Tensor, tail: tf.Tensor, hop: int) -> tuple[tf.Tensor, Tensors]:
    """Add what rang on to a piece longer than a hop; return a hop and what rings on from it."""
    width, before = piece.shape[1], tail.shape[1]
    summed = piece + tf.pad(tail, [[0, 0], [0, width - before]])
    return summed[:, :hop], {"tail": summed[:, hop:]}
