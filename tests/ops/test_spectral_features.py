"""Transforms, mel features and levels against librosa and scipy."""

import librosa
import numpy as np
import pytest
import scipy.signal
import tensorflow as tf

from ddsp_tf.errors import DdspError
from ddsp_tf.frames import FrameSpec
from ddsp_tf.ops import inverse_stft, mel_filterbank, mel_spectrogram, mfcc, rms, stft


def noise(n_samples, batch=2, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, [batch, n_samples]).astype("float32")


@pytest.mark.parametrize("n_samples", [1, 63, 640, 1001])
@pytest.mark.parametrize(("fft_size", "hop"), [(128, 64), (256, 64), (882, 441), (2, 1), (90, 30)])
def test_inverse_stft_undoes_stft(fft_size, hop, n_samples):
    audio = noise(n_samples)
    spectra = stft(audio, fft_size, hop)
    assert spectra.shape == (2, -(-n_samples // hop) + fft_size // hop - 1, fft_size // 2 + 1)
    np.testing.assert_allclose(inverse_stft(spectra, fft_size, hop, n_samples), audio, atol=1e-6)


def test_stft_equals_librosa():
    audio = noise(1000)
    window = np.sqrt(scipy.signal.get_window("hann", 256))
    padded = np.pad(audio.astype(float), [[0, 0], [192, 192 + 24]])
    want = librosa.stft(padded, n_fft=256, hop_length=64, window=window, center=False)
    np.testing.assert_allclose(stft(audio, 256, 64), want.transpose(0, 2, 1), atol=1e-5)


def test_transforms_take_symbolic_lengths_and_pass_gradients():
    @tf.function(input_signature=[tf.TensorSpec([None, None])])
    def there_and_back(audio):
        return inverse_stft(stft(audio, 128, 32), 128, 32, tf.shape(audio)[1])

    audio = tf.constant(noise(777))
    with tf.GradientTape() as tape:
        tape.watch(audio)
        loss = tf.reduce_sum(tf.square(there_and_back(audio)))
    np.testing.assert_allclose(tape.gradient(loss, audio), 2.0 * audio, atol=1e-5)


@pytest.mark.parametrize(("fft_size", "hop"), [(64, 64), (100, 64), (64, 0)])
def test_windows_that_do_not_add_up_are_refused(fft_size, hop):
    with pytest.raises(DdspError, match=f"hop={hop}"):
        stft(noise(100), fft_size, hop)


@pytest.mark.parametrize(
    ("n_mels", "fft_size", "sample_rate", "low_hz", "high_hz"),
    [(128, 2048, 22050, 0.0, None), (40, 512, 16000, 60.0, 7600.0), (64, 882, 44100, 2000.0, 20000.0)],
)
def test_mel_filterbank_equals_librosa(n_mels, fft_size, sample_rate, low_hz, high_hz):
    want = librosa.filters.mel(
        sr=sample_rate, n_fft=fft_size, n_mels=n_mels, fmin=low_hz, fmax=high_hz, dtype=np.float64
    )
    got = mel_filterbank(n_mels, fft_size, sample_rate, low_hz, high_hz)
    np.testing.assert_allclose(got.T, want, rtol=1e-6, atol=1e-9)


def mel_of_librosa(audio):
    padded = np.pad(audio.astype(float), [[0, 0], [512 - 128, 512 - 128]])
    return librosa.feature.melspectrogram(
        y=padded, sr=16000, n_fft=512, hop_length=128, n_mels=40, center=False
    )


def test_mel_spectrogram_equals_librosa():
    audio = noise(128 * 20)
    want = mel_of_librosa(audio).transpose(0, 2, 1)
    np.testing.assert_allclose(mel_spectrogram(audio, 16000, 512, 128, 40), want, rtol=1e-4)


def test_mfcc_equals_librosa():
    audio = noise(128 * 20) * np.linspace(0, 1, 128 * 20, dtype="float32") ** 4
    level_db = librosa.power_to_db(mel_of_librosa(audio), top_db=None)
    want = librosa.feature.mfcc(S=level_db, n_mfcc=13).transpose(0, 2, 1)
    # coefficients reach 500 dB; float32 keeps 7 digits of the power
    np.testing.assert_allclose(mfcc(audio, 16000, 512, 128, n_mels=40, n_mfcc=13), want, atol=5e-3)


def test_features_of_silence_are_finite_and_so_are_their_gradients():
    audio = tf.zeros([1, 1024])
    with tf.GradientTape() as tape:
        tape.watch(audio)
        coefficients = mfcc(audio, 16000, 256, 64, n_mels=20, n_mfcc=20)
        level = rms(audio, FrameSpec(16000, 64), 256)
        loss = tf.reduce_sum(coefficients) + tf.reduce_sum(level)
    np.testing.assert_allclose(coefficients[..., 0], -100.0 * np.sqrt(20), rtol=1e-5)
    np.testing.assert_allclose(level, 1e-10, rtol=1e-5)
    assert np.isfinite(tape.gradient(loss, audio)).all()


@pytest.mark.parametrize(("sample_rate", "hop"), [(16000, 64), (44100, 441), (48000, 1)])
@pytest.mark.parametrize("window", [1, 33, 512])
def test_rms_equals_librosa_on_the_frame_grid(sample_rate, hop, window):
    audio = noise(hop * 9 + hop // 2)
    got = rms(audio, FrameSpec(sample_rate, hop), window)
    # Its frame t is centred on sample t * hop, ours on (t + 1) * hop; zeros let its window run over the end.
    padded = np.pad(audio, [[0, 0], [0, 2 * window + hop]]).astype(float)
    want = librosa.feature.rms(y=padded, frame_length=window, hop_length=hop, pad_mode="constant")[:, 0]
    np.testing.assert_allclose(got, want[:, 1 : audio.shape[1] // hop + 1], atol=1e-6)


def test_wrong_feature_arguments_are_refused():
    with pytest.raises(DdspError, match=r"high_hz=9000.0"):
        mel_filterbank(40, 512, 16000, 0.0, 9000.0)
    with pytest.raises(DdspError, match="n_mfcc=41"):
        mfcc(noise(512), 16000, 512, 128, n_mels=40, n_mfcc=41)
    with pytest.raises(DdspError, match="window_samples=0"):
        rms(noise(512), FrameSpec(16000, 64), 0)
