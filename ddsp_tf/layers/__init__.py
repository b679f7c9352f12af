"""Signal processors as Keras layers."""

from ddsp_tf.layers.add import Add
from ddsp_tf.layers.crop import Crop
from ddsp_tf.layers.exp_decay_reverb import ExpDecayReverb
from ddsp_tf.layers.filtered_noise import FilteredNoise
from ddsp_tf.layers.filtered_noise_reverb import FilteredNoiseReverb
from ddsp_tf.layers.fir_filter import FIRFilter
from ddsp_tf.layers.gru import GRU
from ddsp_tf.layers.harmonic import Harmonic
from ddsp_tf.layers.mix import Mix
from ddsp_tf.layers.mod_delay import ModDelay, ModDelayState
from ddsp_tf.layers.processor import AUDIO, Processor, find_processor_type, processor_type
from ddsp_tf.layers.processor_group import GroupOutput, Node, ProcessorGroup
from ddsp_tf.layers.reverb import Reverb
from ddsp_tf.layers.room import Room
from ddsp_tf.layers.signal_layer import SignalLayer
from ddsp_tf.layers.sinusoidal import Sinusoidal
from ddsp_tf.layers.spectral_mask import SpectralMask, SpectralMaskState
from ddsp_tf.layers.tensor_to_audio import TensorToAudio
from ddsp_tf.layers.wavetable import Wavetable

__all__ = [
    "AUDIO",
    "GRU",
    "Add",
    "Crop",
    "ExpDecayReverb",
    "FIRFilter",
    "FilteredNoise",
    "FilteredNoiseReverb",
    "GroupOutput",
    "Harmonic",
    "Mix",
    "ModDelay",
    "ModDelayState",
    "Node",
    "Processor",
    "ProcessorGroup",
    "Reverb",
    "Room",
    "SignalLayer",
    "Sinusoidal",
    "SpectralMask",
    "SpectralMaskState",
    "TensorToAudio",
    "Wavetable",
    "find_processor_type",
    "processor_type",
]
