"""f0 metrics against the plain functions of pitch tracks and numpy."""

import keras
import numpy as np
import pytest

from ddsp_tf.errors import DdspError
from ddsp_tf.metrics import (
    F0L1,
    F0Outliers,
    OctaveErrorRate,
    RawChromaAccuracy,
    RawPitchAccuracy,
    VoicingFalseAlarm,
    VoicingRecall,
    pitch,
)
from ddsp_tf.metrics.pitch import raw_pitch_accuracy


@pytest.fixture
def tracks():
    """A reference with pauses, and an estimate with errors of all kinds, `[3, 200]` each."""
    rng = np.random.default_rng(0)
    reference = 220.0 * 2.0 ** rng.uniform(-1, 1, [3, 200])
    estimate = reference * 2.0 ** (rng.normal(0.0, 0.4, reference.shape) / 12.0)
    estimate[:, ::17] *= 2.0
    estimate[:, ::11] = 0.0
    reference[:, 50:80] = 0.0
    return reference.astype(np.float32), estimate.astype(np.float32)


def test_f0_l1_is_the_mean_distance_in_semitones(tracks):
    reference, estimate = tracks
    metric = F0L1()
    for a, b in zip(reference, estimate, strict=True):  # in batches of one, the last axis kept
        metric.update_state(a[None, :, None], b[None, :, None])
    both = (reference > 0) & (estimate > 0)
    expected = np.mean(np.abs(12.0 * np.log2(estimate[both].astype(float) / reference[both])))
    assert float(metric.result()) == pytest.approx(expected, rel=1e-5)  # float32


@pytest.mark.parametrize("semitones", [0.5, 0.25])
def test_outliers_are_the_complement_of_raw_pitch_accuracy(tracks, semitones):
    metric = F0Outliers(semitones)
    metric.update_state(*tracks)
    accuracy = raw_pitch_accuracy(*(track.ravel() for track in tracks), cents=100.0 * semitones)
    assert float(metric.result()) == pytest.approx(1.0 - accuracy, abs=1e-6)


SHARES = {
    RawPitchAccuracy: pitch.raw_pitch_accuracy,
    RawChromaAccuracy: pitch.raw_chroma_accuracy,
    OctaveErrorRate: pitch.octave_error_rate,
    VoicingRecall: pitch.voicing_recall,
    VoicingFalseAlarm: pitch.voicing_false_alarm,
}


@pytest.mark.parametrize("kind", SHARES)
def test_shares_of_frames_are_those_of_all_frames_whatever_the_batches(tracks, kind):
    """Batches in which other numbers of frames count: a mean of means would be another number."""
    reference, estimate = tracks
    reference[0, :150] = 0.0
    metric = kind()
    want = SHARES[kind](reference.ravel(), estimate.ravel())
    assert 0.0 < want < 1.0
    for _ in range(2):  # epochs
        metric.reset_state()
        for part in (slice(0, 1), slice(1, 3)):
            metric.update_state(reference[part], estimate[part])
        assert float(metric.result()) == pytest.approx(want, abs=1e-6)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert type(again) is kind
    assert again.get_config() == metric.get_config()


def test_a_model_of_pitch_is_scored_by_shares_in_fit(tracks):
    reference, estimate = tracks
    model = keras.Sequential([keras.Input([200]), keras.layers.Rescaling(1.0)])
    model.compile(loss="mae", metrics=[kind() for kind in SHARES])
    scores = model.evaluate(estimate, reference, batch_size=2, verbose=0, return_dict=True)
    for kind, share in SHARES.items():
        assert scores[kind().name] == pytest.approx(share(reference.ravel(), estimate.ravel()), abs=1e-6)


@pytest.mark.parametrize("kind", [F0L1, F0Outliers, *SHARES])
def test_sample_weights_choose_examples_and_silence_counts_for_nothing(tracks, kind):
    metric, alone = kind(), kind()
    metric.update_state(*tracks, sample_weight=[0.0, 1.0, 0.0])
    alone.update_state(tracks[0][1:2], tracks[1][1:2])
    assert float(metric.result()) == pytest.approx(float(alone.result()), rel=1e-6)
    metric.reset_state()
    metric.update_state(np.zeros([1, 5]), np.zeros([1, 5]))
    assert float(metric.result()) == 0.0


def test_configurations_are_complete():
    for metric in (F0L1(name="a"), F0Outliers(0.3, name="b")):
        again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
        assert again.get_config() == metric.get_config()


def test_what_does_not_fit_is_refused():
    with pytest.raises(
        DdspError, match=r"y_pred must be .* frames being 3 as in y_true\. Received: shape \(1, 4\)"
    ):
        F0L1().update_state(np.ones([1, 3]), np.ones([1, 4]))
    with pytest.raises(DdspError, match=r"y_true must be \[batch, frames\]"):
        F0L1().update_state(np.ones([3]), np.ones([3]))
    with pytest.raises(DdspError, match=r"semitones must be a finite number above 0\. Received: semitones=0"):
        F0Outliers(0)
