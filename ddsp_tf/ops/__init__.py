"""Pure functions on tensors.

All take tensors, variables, arrays, numbers or lists; integers become float32. Those that say float32 compute
in it, all others keep the dtype of their first argument. What does not fit is refused by a `DdspError` that
names the argument, its shape, and what would be valid; batches are not broadcast. In a graph, what is known
of shapes is checked while it is traced; the graph itself holds no checks.
"""

from ddsp_tf.ops.convolution import convolve_causal, convolve_frames, fft_size
from ddsp_tf.ops.delay import HISTORY_MARGIN, fractional_delay
from ddsp_tf.ops.filters import (
    highpass_impulse_response,
    impulse_responses_from_magnitudes,
    lowpass_impulse_response,
)
from ddsp_tf.ops.frame_filters import MAX_BANDS, filter_frames
from ddsp_tf.ops.frames import crossfade, crossfade_window, previous_frames
from ddsp_tf.ops.frequencies import (
    frequencies_sigmoid,
    frequencies_softmax,
    harmonic_to_sinusoidal,
    sinusoidal_to_harmonic,
)
from ddsp_tf.ops.level import rms
from ddsp_tf.ops.mel import mel_filterbank, mel_spectrogram, mfcc
from ddsp_tf.ops.noise import white_noise
from ddsp_tf.ops.oscillators import (
    HarmonicState,
    fundamental_phase,
    harmonic_oscillator,
    nyquist_fade,
)
from ddsp_tf.ops.resample import frames_to_samples, resample, resampling_delay, stream_frames_to_samples
from ddsp_tf.ops.scaling import exp_sigmoid, inverse_exp_sigmoid, sigmoid_between, signed_exp_sigmoid
from ddsp_tf.ops.sinusoids import SinusoidState, sinusoidal_oscillator
from ddsp_tf.ops.spectra import magnitude_spectrogram
from ddsp_tf.ops.surrogate import damped_sinusoids, inside_unit_circle, surrogate_frequency_hz
from ddsp_tf.ops.transforms import inverse_stft, stft
from ddsp_tf.ops.units import (
    amplitude_to_db,
    bark_to_hz,
    db_to_amplitude,
    db_to_power,
    erb_bandwidth_hz,
    erb_rate_to_hz,
    hz_to_bark,
    hz_to_erb_rate,
    hz_to_mel,
    hz_to_midi,
    hz_to_octaves,
    mel_to_hz,
    midi_to_hz,
    octaves_to_hz,
    power_to_db,
)
from ddsp_tf.ops.wavetables import (
    WavetableState,
    harmonics_of_table,
    tables_from_harmonics,
    wavetable_oscillator,
)

__all__ = [
    "HISTORY_MARGIN",
    "MAX_BANDS",
    "HarmonicState",
    "SinusoidState",
    "WavetableState",
    "amplitude_to_db",
    "bark_to_hz",
    "convolve_causal",
    "convolve_frames",
    "crossfade",
    "crossfade_window",
    "damped_sinusoids",
    "db_to_amplitude",
    "db_to_power",
    "erb_bandwidth_hz",
    "erb_rate_to_hz",
    "exp_sigmoid",
    "fft_size",
    "filter_frames",
    "fractional_delay",
    "frames_to_samples",
    "frequencies_sigmoid",
    "frequencies_softmax",
    "fundamental_phase",
    "harmonic_oscillator",
    "harmonic_to_sinusoidal",
    "harmonics_of_table",
    "highpass_impulse_response",
    "hz_to_bark",
    "hz_to_erb_rate",
    "hz_to_mel",
    "hz_to_midi",
    "hz_to_octaves",
    "impulse_responses_from_magnitudes",
    "inside_unit_circle",
    "inverse_exp_sigmoid",
    "inverse_stft",
    "lowpass_impulse_response",
    "magnitude_spectrogram",
    "mel_filterbank",
    "mel_spectrogram",
    "mel_to_hz",
    "mfcc",
    "midi_to_hz",
    "nyquist_fade",
    "octaves_to_hz",
    "power_to_db",
    "previous_frames",
    "resample",
    "resampling_delay",
    "rms",
    "sigmoid_between",
    "signed_exp_sigmoid",
    "sinusoidal_oscillator",
    "sinusoidal_to_harmonic",
    "stft",
    "stream_frames_to_samples",
    "surrogate_frequency_hz",
    "tables_from_harmonics",
    "wavetable_oscillator",
    "white_noise",
]
