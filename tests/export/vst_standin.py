"""Stand-ins for files of the web trainer of DDSP-VST: its network and its tensors, weights by chance.

No genuine file could be had. These have what is known of them: the network of the trainer in Keras, its
recurrent unit a loop (WHILE) in the graph, 7.5 MB of float32, tensors by the plug-in's names.
"""

import io
import json
import math
import zipfile
from pathlib import Path
from typing import Any

import flatbuffers
import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from tests.device.vst_file import METADATA

NAMES = {
    "f0_scaled": "call_f0_scaled:0",
    "pw_scaled": "call_pw_scaled:0",
    "state": "call_state:0",
    "Identity": "StatefulPartitionedCall:0",
    "Identity_1": "StatefulPartitionedCall:1",
    "Identity_2": "StatefulPartitionedCall:2",
    "Identity_3": "StatefulPartitionedCall:3",
}


class Trainer(tf.Module):
    """The network as the trainer has it: power before pitch, and both before the memory.

    Args:
        layers: `keras.layers`, of Keras 3 or of `tf_keras`.
        sequential: Its `Sequential`.
        slope: Name of the argument of its `LeakyReLU`.
        amplitude: Shape of the amplitude, `[1]` or `[]`.
    """

    def __init__(
        self,
        layers: Any = keras.layers,
        sequential: Any = keras.Sequential,
        slope: str = "negative_slope",
        amplitude: tuple[int, ...] = (1,),
    ) -> None:
        keras.utils.set_random_seed(3)

        def stack() -> Any:
            normalised = layers.LayerNormalization(epsilon=1e-3)
            return sequential([layers.Dense(256), normalised, layers.LeakyReLU(**{slope: 0.2})])

        self.pw, self.f0, self.out = stack(), stack(), stack()
        self.gru = layers.GRU(512, return_sequences=True, return_state=True)
        self.head = layers.Dense(126)
        self.amplitude = amplitude
        self.call(tf.zeros([1]), tf.zeros([1]), tf.zeros([512]))
        rng = np.random.default_rng(1)
        for layer in (self.pw, self.f0, self.out, self.gru, self.head):
            for weight in layer.weights:
                weight.assign(weight + rng.normal(0.0, 0.05, weight.shape))  # no bias of 0, no factor of 1

    @tf.function(
        input_signature=[
            tf.TensorSpec([1], name="f0_scaled"),
            tf.TensorSpec([1], name="pw_scaled"),
            tf.TensorSpec([512], name="state"),
        ]
    )
    def call(self, f0_scaled: Any, pw_scaled: Any, state: Any) -> Any:
        """One frame."""
        before = tf.concat([self.pw(pw_scaled[None, :, None]), self.f0(f0_scaled[None, :, None])], -1)
        sequence, last = self.gru(before, initial_state=state[None])
        raw = self.head(self.out(tf.concat([before, sequence], -1)))
        amplitude, distribution, noise = tf.split(raw, [1, 60, 65], -1)
        f0_hz = 440.0 * 2.0 ** ((f0_scaled * 127.0 - 69.0) / 12.0)
        audible = f0_hz * tf.range(1.0, 61.0)[None, None] < 8000.0
        shares = tf.where(audible, _exp_sigmoid(distribution), 0.0)
        shares /= tf.reduce_sum(shares, -1, keepdims=True)
        level = tf.reshape(_exp_sigmoid(amplitude), self.amplitude)
        return level, shares[0, 0], _exp_sigmoid(noise - 5.0)[0, 0], last[0]


def _exp_sigmoid(x: Any) -> Any:
    return 2.0 * tf.sigmoid(x) ** math.log(10.0) + 1e-7


def flatbuffer_of(network: Trainer) -> bytes:
    """The network in TFLite: its weights constants, its loop a loop, its tensors by the plug-in's names."""
    frozen = convert_variables_to_constants_v2(network.call.get_concrete_function(), lower_control_flow=False)
    converted = tf.lite.TFLiteConverter.from_concrete_functions([frozen]).convert()
    model = schema.ModelT.InitFromPackedBuf(converted, 0)
    graph = model.subgraphs[0]
    for number in (*graph.inputs, *graph.outputs):
        graph.tensors[number].name = NAMES[graph.tensors[number].name.decode()].encode()
    return packed(model)


def packed(model: Any) -> bytes:
    """A model as the schema unpacks it, as bytes."""
    builder = flatbuffers.Builder(1 << 23)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def operators_of(flatbuffer: bytes) -> set[str]:
    """Names of the operators in all graphs."""
    model = schema.ModelT.InitFromPackedBuf(flatbuffer, 0)
    names = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
    return {names[max(code.builtinCode, code.deprecatedBuiltinCode)] for code in model.operatorCodes}


def write(path: Path, flatbuffer: bytes, metadata: dict[str, Any] | None = None) -> Path:
    """A file of the plug-in."""
    data = io.BytesIO()
    data.write(flatbuffer)
    with zipfile.ZipFile(data, "a") as archive:
        archive.writestr("metadata.json", json.dumps(METADATA if metadata is None else metadata))
    path.write_bytes(data.getvalue())
    return path
