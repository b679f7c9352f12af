"""Pure functions on tensors."""

from ddsp_tf.ops.convolution import convolve_causal, convolve_frames, fft_size
from ddsp_tf.ops.delay import fractional_delay
from ddsp_tf.ops.filters import (
    highpass_impulse_response,
    impulse_responses_from_magnitudes,
    lowpass_impulse_response,
)
from ddsp_tf.ops.frames import crossfade, crossfade_window, previous_frames
from ddsp_tf.ops.level import rms
from ddsp_tf.ops.mel import mel_filterbank, mel_spectrogram, mfcc
from ddsp_tf.ops.oscillators import (
    HarmonicState,
    fundamental_phase,
    harmonic_oscillator,
    nyquist_fade,
)
from ddsp_tf.ops.scaling import exp_sigmoid
from ddsp_tf.ops.transforms import inverse_stft, stft

__all__ = [
    "HarmonicState",
    "convolve_causal",
    "convolve_frames",
    "crossfade",
    "crossfade_window",
    "exp_sigmoid",
    "fft_size",
    "fractional_delay",
    "fundamental_phase",
    "harmonic_oscillator",
    "highpass_impulse_response",
    "impulse_responses_from_magnitudes",
    "inverse_stft",
    "lowpass_impulse_response",
    "mel_filterbank",
    "mel_spectrogram",
    "mfcc",
    "nyquist_fade",
    "previous_frames",
    "rms",
    "stft",
]
