"""The layers of a processor group: made by name, or given."""

import inspect

import keras

from ddsp_tf.errors import DdspError, did_you_mean
from ddsp_tf.frames import FrameSpec
from ddsp_tf.layers.graph import Node
from ddsp_tf.layers.processor import Processor, find_processor_type
from ddsp_tf.layers.signal_layer import SignalLayer

_KERAS = "keras.layers."


def make_processor(node: Node, spec: FrameSpec) -> Processor:
    """Make the processor of a node, or take the one that it was given.

    Raises:
        DdspError: If there is no such type, a setting is unknown or wrong, or a processor that was given has
            another sample rate or hop.
    """
    if isinstance(node.layer, Processor):
        if node.layer.spec != spec:
            theirs = node.layer.spec
            raise DdspError(
                f"node {node.name!r} must have sample_rate {spec.sample_rate} and hop {spec.hop}. "
                f"Received: sample_rate={theirs.sample_rate}, hop={theirs.hop}"
            )
        return node.layer
    if node.layer is not None:
        return _signal_layer(node, node.layer, spec)
    if node.type.startswith(_KERAS):
        return _signal_layer(node, _keras_layer(node), spec)
    cls = find_processor_type(node.type)
    known = [
        name
        for name in inspect.signature(cls.__init__).parameters
        if name not in ("self", "sample_rate", "hop", "kwargs")
    ]
    for key in node.config:
        if key not in (*known, "trainable"):
            raise DdspError(
                f"node {node.name!r} ({node.type}) has no setting {key!r}."
                f"{did_you_mean(str(key), known)} It has {', '.join(known) or 'none'}"
            )
    try:
        return cls(sample_rate=spec.sample_rate, hop=spec.hop, name=node.name, **node.config)
    except TypeError as error:
        raise DdspError(f"node {node.name!r} ({node.type}): {error}") from error
    except DdspError as error:
        raise DdspError(f"node {node.name!r}: {error}") from error


def _signal_layer(node: Node, layer: keras.layers.Layer, spec: FrameSpec) -> SignalLayer:
    return SignalLayer(layer, spec.sample_rate, spec.hop, len(node.inputs), name=node.name)


def _keras_layer(node: Node) -> keras.layers.Layer:
    name = node.type.removeprefix(_KERAS)
    kind = getattr(keras.layers, name, None)
    if not (inspect.isclass(kind) and issubclass(kind, keras.layers.Layer)):
        raise DdspError(
            f"node {node.name!r}: Keras has no layer {name!r}.{did_you_mean(name, dir(keras.layers))} "
            f"Received: type={node.type!r}"
        )
    try:
        return kind(**node.config)
    except (TypeError, ValueError) as error:
        raise DdspError(f"node {node.name!r} ({node.type}): {' '.join(str(error).split())}") from error
