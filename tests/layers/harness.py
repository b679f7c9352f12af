"""One harness for every processor: what a Keras layer of ours must do, whatever it sounds like."""

import itertools
import json

import keras
import numpy as np
import tensorflow as tf

BATCH, FRAMES = 2, 7


def make_inputs(layer, frames=FRAMES, batch=BATCH, seed=0):
    """Random raw inputs for a processor; of the optional ones noise, and those that a case is made for."""
    rng = np.random.default_rng(seed)
    hop = layer.spec.hop
    inputs = {}
    optional = getattr(layer, "optional_inputs", ())
    for name, size in layer.input_sizes.items():
        if name in optional and name not in ("noise", *getattr(layer, "tested_with", ())):
            continue
        if name == "harmonic_shifts":
            inputs[name] = rng.uniform(-0.05, 0.05, [batch, frames, size])
        elif isinstance(size, tuple):
            inputs[name] = rng.normal(size=[batch, *size])
        elif name.endswith("_hz"):
            inputs[name] = rng.uniform(100, 900, [batch, frames, size])
        elif size is None:
            inputs[name] = rng.uniform(-1, 1, [batch, frames * hop])
        else:
            inputs[name] = rng.normal(size=[batch, frames, size])
    return {k: tf.constant(v, tf.float32) for k, v in inputs.items()}


def take(inputs, layer, start, stop):
    hop = layer.spec.hop
    return {
        k: v if isinstance(layer.input_sizes[k], tuple) else _part(v, layer.input_sizes[k], hop, start, stop)
        for k, v in inputs.items()
    }


def _part(value, size, hop, start, stop):
    return value[:, start * hop : stop * hop] if size is None else value[:, start:stop]


def symbolic_inputs(layer, names):
    """Symbolic inputs of Keras for a processor."""
    return {k: keras.Input(_shape(layer.input_sizes[k]), name=k) for k in names}


def _shape(size):
    return list(size) if isinstance(size, tuple) else [None] if size is None else [None, size]


def assert_layer_behaves(layer, tmp_path, *, stream_tolerance=1e-5, dropped_samples=0):
    """Put a processor through everything that all of them must do.

    `dropped_samples` are missing from the output, which is whole hops otherwise.
    """
    inputs = make_inputs(layer)
    audio = layer(inputs)
    hop = layer.spec.hop
    assert audio.shape == (BATCH, FRAMES * hop - dropped_samples)
    assert audio.dtype == tf.float32
    assert np.isfinite(audio).all()
    shapes = {k: tuple(v.shape) for k, v in inputs.items()}
    assert layer.compute_output_shape(shapes) == audio.shape

    # The two halves make the whole.
    controls = layer.get_controls(**inputs)
    np.testing.assert_allclose(layer.get_signal(**controls), audio, atol=1e-6)

    # The configuration is plain data and complete.
    config = layer.get_config()
    again = type(layer).from_config(json.loads(json.dumps(config)))
    assert again.get_config() == config

    # Symbolic batch and length, save, load.
    symbolic = symbolic_inputs(layer, inputs)
    model = keras.Model(symbolic, layer(symbolic))
    path = tmp_path / "layer.keras"
    model.save(path)
    loaded = keras.models.load_model(path)
    np.testing.assert_allclose(loaded(inputs), audio, atol=1e-6)
    shorter = loaded(make_inputs(layer, frames=3, batch=1))
    assert shorter.shape == (1, max(0, 3 * hop - dropped_samples))

    # A global mixed-precision policy leaves phases and spectra in float32.
    before = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy("mixed_bfloat16")
        mixed = type(layer).from_config({k: v for k, v in config.items() if k != "dtype"})
        mixed(inputs)
        for weight, value in zip(mixed.weights, layer.weights, strict=True):
            weight.assign(value)
        np.testing.assert_allclose(mixed(inputs), audio, atol=1e-6)
    finally:
        keras.config.set_dtype_policy(before)

    # One training step moves whatever can be trained; gradients reach every raw control.
    learnable = {k: v for k, v in inputs.items() if layer.input_sizes[k] is not None}
    with tf.GradientTape() as tape:
        tape.watch(list(learnable.values()))
        loss = tf.reduce_mean(tf.square(layer(inputs)))
    sources = [*learnable.values(), *layer.trainable_variables]
    for name, gradient in zip(
        [*learnable, *(v.path for v in layer.trainable_variables)], tape.gradient(loss, sources), strict=True
    ):
        assert gradient is not None, name
        assert np.isfinite(gradient).all(), name
        assert np.abs(gradient).max() > 0, name

    # Any cut into blocks gives the same samples.
    for cuts in ([1, 2, 3], [3], [1, 2, 3, 4, 5, 6]):
        edges = [0, *cuts, FRAMES]
        state, parts = None, []
        for start, stop in itertools.pairwise(edges):
            block = layer.get_controls(**take(inputs, layer, start, stop))
            part, state = layer.stream_signal(block, state)
            parts.append(part)
        np.testing.assert_allclose(np.concatenate(parts, axis=1), audio, atol=stream_tolerance)
