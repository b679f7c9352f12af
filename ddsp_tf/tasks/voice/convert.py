"""Converting files with a model that was trained, by the code of devices around the Keras network."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from ddsp_edge.card import Range
from ddsp_edge.units import Array
from ddsp_edge.voice.card import VoiceFacts
from ddsp_edge.voice.converter import Converter
from ddsp_edge.voice.files import ConvertReport, convert_file
from ddsp_edge.voice.matching import MATCH
from ddsp_tf.tasks.voice.model import Voice

_SPOKEN_HZ = 500.0
_AT_ONCE = 64  # frames, for which a graph is made once


class KerasNetwork:
    """Runs a model frame by frame, as `ddsp_edge.StepModel` runs its file.

    Args:
        model: The model.
    """

    def __init__(self, model: Voice) -> None:
        self._model, self._states_of = model, model.state_shapes
        self._names = list(model.input_sizes)
        signature = [
            [tf.TensorSpec([None, size], tf.float32) for size in model.input_sizes.values()],
            [tf.TensorSpec(shape, tf.float32) for shape in self._states_of.values()],
        ]
        self._widths = {
            "amplitude": 1,
            "distribution": model.n_harmonics,
            "harmonic_magnitudes": model.n_bands,
            "noise_magnitudes": model.n_bands,
        }
        self._many = tf.function(self._frames, input_signature=signature)
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self._states: list[Any] = [tf.zeros(shape) for shape in self._states_of.values()]

    def process(self, **inputs: npt.ArrayLike) -> dict[str, Array]:
        """Controls of frames that follow those before, `[frames, channels]` each."""
        given = {name: np.asarray(inputs[name], np.float32) for name in self._names}
        frames = len(given["log_mel"])
        parts: list[list[Array]] = [[np.zeros((0, width), np.float32)] for width in self._widths.values()]
        for start in range(0, frames, _AT_ONCE):
            block = [tf.constant(given[name][start : start + _AT_ONCE]) for name in self._names]
            found, states = self._many(block, self._states)
            self._states = list(states)
            for part, values in zip(parts, found, strict=True):
                part.append(np.asarray(values))
        return {name: np.concatenate(part) for name, part in zip(self._widths, parts, strict=True)}

    def _frames(
        self, inputs: list[tf.Tensor], states: list[tf.Tensor]
    ) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        count = tf.shape(inputs[0])[0]
        arrays = [tf.TensorArray(tf.float32, count, element_shape=[w]) for w in self._widths.values()]
        index = tf.constant(0)
        while index < count:
            frame = [values[index : index + 1] for values in inputs]
            out = self._model.step(*frame, *states)
            arrays = [
                array.write(index, out[name][0]) for array, name in zip(arrays, self._widths, strict=True)
            ]
            states = [tf.ensure_shape(out[name], shape) for name, shape in self._states_of.items()]
            index += 1
        return [array.stack() for array in arrays], states


def facts_of_model(model: Voice) -> VoiceFacts:
    """What a card will say of a model."""
    facts = model.facts
    estimator = facts["f0_estimator"]
    data = facts["config"]["data"]
    # Of whoever speaks: higher than speech, a creaky voice is found at some overtone, and hoots.
    highest_hz = max(_SPOKEN_HZ, 1.2 * facts["f0_hz_range"]["high"])
    return VoiceFacts(
        ahead=model.ahead,
        f0_min_hz=float(estimator.get("f0_min_hz", data["f0_min_hz"])),
        f0_max_hz=min(highest_hz, float(estimator.get("f0_max_hz", data["f0_max_hz"]))),
        f0_hz_range=Range(**facts["f0_hz_range"]),
        loudness_db_range=Range(**facts["loudness_db_range"]),
        voices=tuple(facts["config"]["voices"]) or ("",),
        n_harmonics=model.n_harmonics,
        n_bands=model.n_bands,
    )


def converter_of(model: Voice, **settings: Any) -> Converter:
    """What converts streams with a model; settings are those of `Converter`."""
    return Converter(KerasNetwork(model), model.spec, facts_of_model(model), **settings)


def convert(
    model: Voice,
    source: Path,
    out: Path,
    *,
    pitch: str | float = MATCH,
    voice: str | None = None,
    seed: int | None = None,
    progress: Callable[[float, float], None] | None = None,
) -> ConvertReport:
    """Convert a sound file, see `ddsp_edge.voice.files.convert_file`."""
    return convert_file(
        lambda shift: converter_of(model, shift=shift, voice=voice, seed=seed),
        model.spec,
        facts_of_model(model),
        source,
        out,
        pitch=pitch,
        progress=progress,
    )
