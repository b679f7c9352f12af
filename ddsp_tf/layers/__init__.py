"""Signal processors as Keras layers."""

from ddsp_tf.layers.add import Add
from ddsp_tf.layers.filtered_noise import FilteredNoise
from ddsp_tf.layers.harmonic import Harmonic
from ddsp_tf.layers.mix import Mix
from ddsp_tf.layers.processor import AUDIO, Processor, find_processor_type, processor_type
from ddsp_tf.layers.processor_group import GroupOutput, Node, ProcessorGroup
from ddsp_tf.layers.reverb import Reverb

__all__ = [
    "AUDIO",
    "Add",
    "FilteredNoise",
    "GroupOutput",
    "Harmonic",
    "Mix",
    "Node",
    "Processor",
    "ProcessorGroup",
    "Reverb",
    "find_processor_type",
    "processor_type",
]
