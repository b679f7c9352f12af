"""Pure functions on tensors."""

from ddsp_tf.ops.convolution import convolve_causal, convolve_frames, fft_size
from ddsp_tf.ops.filters import impulse_responses_from_magnitudes
from ddsp_tf.ops.frames import crossfade, crossfade_window, previous_frames
from ddsp_tf.ops.oscillators import (
    HarmonicState,
    fundamental_phase,
    harmonic_oscillator,
    nyquist_fade,
)
from ddsp_tf.ops.scaling import exp_sigmoid

__all__ = [
    "HarmonicState",
    "convolve_causal",
    "convolve_frames",
    "crossfade",
    "crossfade_window",
    "exp_sigmoid",
    "fft_size",
    "fundamental_phase",
    "harmonic_oscillator",
    "impulse_responses_from_magnitudes",
    "nyquist_fade",
    "previous_frames",
]
