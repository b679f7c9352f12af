"""Keras model to TFLite flatbuffer: one signature `step`, builtin operators only."""

import tempfile
import warnings
from pathlib import Path

import keras
import tensorflow as tf

from ddsp_export.operators import check_operators
from ddsp_tf.errors import DdspError
from ddsp_tf.models.autoencoder import FEATURES, Autoencoder

QUANTIZATIONS = ("int8", "float16", "float32")
SIGNATURE = "step"


def output_name(node: str, control: str) -> str:
    """Name of a control among the outputs of `step`."""
    return f"{node}_{control}"


def convert_step(model: Autoencoder, quantize: str) -> bytes:
    """Convert one frame of a model's network.

    The signature `step` takes `f0_scaled` and `loudness_scaled` `[1, 1]` and the decoder's states, and
    gives the controls that the network predicts, `[1, channels]`, and the next states under the same names.

    Args:
        model: The trained model.
        quantize: `"int8"` (weights only, computed per channel; activations stay float, quantized on the fly),
            `"float16"` (weights only) or `"float32"`.

    Returns:
        The flatbuffer.

    Raises:
        DdspError: If the model cannot be converted to builtin operators.
    """
    if quantize not in QUANTIZATIONS:
        raise DdspError(f"quantize must be one of {', '.join(QUANTIZATIONS)}. Received: {quantize!r}")
    states = model.decoder.state_sizes
    specification = {
        **{name: tf.TensorSpec([1, 1], tf.float32, name=name) for name in model.decoder.input_names},
        **{name: tf.TensorSpec([1, size], tf.float32, name=name) for name, size in states.items()},
    }

    @tf.function(input_signature=list(specification.values()))
    def step(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        given = dict(zip(specification, tensors, strict=True))
        inputs = {name: given[name] for name in model.decoder.input_names}
        controls, next_states = model.step(inputs, {name: given[name] for name in states})
        named = {
            output_name(node.name, control): controls[node.name][control]
            for node in model.processors.nodes
            for control in controls[node.name]
            if node.inputs.get(control) not in FEATURES
        }
        return {**named, **next_states}

    with tempfile.TemporaryDirectory() as folder:
        saved = str(Path(folder) / "saved_model")
        archive = keras.export.ExportArchive()
        archive.track(model)
        archive.add_endpoint(SIGNATURE, step)
        archive.write_out(saved, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(saved, signature_keys=[SIGNATURE])
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if quantize != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if quantize == "float16":
            converter.target_spec.supported_types = [tf.float16]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                flatbuffer = bytes(converter.convert())
        except Exception as error:
            detail = " ".join(str(error).split())[:300]
            raise DdspError(f"the model cannot be converted to TFLite builtins: {detail}") from error
    check_operators(flatbuffer)
    return flatbuffer
