"""About what a synthesizer can do: its controls fitted to a recording, frame by frame, by gradients."""

from collections.abc import Mapping

import tensorflow as tf

from ddsp_edge.units import Array
from ddsp_tf.data import Passage
from ddsp_tf.layers.processor import Tensors
from ddsp_tf.losses import MultiScaleSpectralLoss
from ddsp_tf.tasks.instrument.evaluation.playing import features_of
from ddsp_tf.tasks.instrument.model.autoencoder import Autoencoder
from ddsp_tf.tasks.instrument.model.render import as_batch, part_of

BLOCK_S = 4.0
SMALLEST = 1e-5  # of a control that begins at 0
RATE = 0.03  # of Adam, in natural logarithms of controls


def play_fitted(model: Autoencoder, passage: Passage, steps: int) -> Array:
    """A passage by its own pitch, through the processors of a model, with all other controls fitted to it.

    Controls begin where the network has them and stay positive; a distribution stays one. They are moved by
    Adam, towards the smallest multi-scale spectral loss, in blocks of 4 s. The room stays the model's.

    Args:
        model: Whose processors play.
        passage: The recording, and its features.
        steps: Integer, of Adam in each block.

    Returns:
        Audio, float32 `[frames * hop]`.
    """
    features = features_of(model, passage)
    frames = model.spec.frames_for(BLOCK_S)
    state, sounds = None, []
    for first in range(0, len(passage.f0_hz), frames):
        part = part_of(features, first, first + frames, model.spec.hop)
        target = passage.audio[first * model.spec.hop :][: len(part["f0_hz"]) * model.spec.hop]
        controls = model.get_controls(as_batch(part))
        fitted = _fit(model, controls, tf.constant(target[None], tf.float32), state, steps)
        output, state = model.processors.stream_signal(fitted, state)
        sounds.append(output.audio[0])
    return tf.concat(sounds, 0).numpy()


def _fit(
    model: Autoencoder, controls: dict[str, Tensors], target: tf.Tensor, state: object, steps: int
) -> dict[str, Tensors]:
    """Controls of a block by node and name, fitted to its recording `[1, samples]`."""
    variables = {
        (node, name): tf.Variable(tf.math.log(tf.maximum(value, SMALLEST)))
        for node, values in controls.items()
        for name, value in values.items()
        if len(value.shape) == 3 and name != "f0_hz"
    }
    loss, optimizer = MultiScaleSpectralLoss(), tf.keras.optimizers.Adam(RATE)
    optimizer.build(list(variables.values()))

    def step() -> None:
        with tf.GradientTape() as tape:
            output, _ = model.processors.stream_signal(_with(controls, variables), state)
            value = loss(target, output.audio)
        moved = list(variables.values())
        optimizer.apply_gradients(zip(tape.gradient(value, moved), moved, strict=True))

    compiled = tf.function(step, autograph=False)
    for _ in range(steps):
        compiled()
    return _with(controls, variables)


def _with(
    controls: Mapping[str, Mapping[str, tf.Tensor]], variables: Mapping[tuple[str, str], tf.Variable]
) -> dict[str, Tensors]:
    """Controls, some of them by their logarithms, `[1, frames, channels]`, as those stand now."""
    fitted = {node: dict(values) for node, values in controls.items()}
    for (node, name), variable in variables.items():
        value = tf.exp(variable)
        if name == "distribution":
            value /= tf.reduce_sum(value, -1, keepdims=True)
        fitted[node][name] = value
    return fitted
