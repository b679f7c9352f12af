import numpy as np
import pytest
import soundfile

from ddsp_edge.features.spectral import spectral_features, weighted_spectra
from ddsp_edge.further import PARTIALS
from ddsp_edge.units import scale_f0, scale_loudness
from ddsp_tf.config.sections import AugmentationConfig, DataConfig
from ddsp_tf.data import prepare, read_passages, training_dataset
from ddsp_tf.data.augment import Change
from ddsp_tf.data.dataset import Clip, PitchedClips
from ddsp_tf.data.further import check_tracker, further_of, usual_features
from ddsp_tf.data.prepare.pitched import feature_grid
from ddsp_tf.data.reading import Passage
from ddsp_tf.errors import DdspError
from ddsp_tf.frames import FrameSpec
from tests import tiny

SPEC = FrameSpec(tiny.RATE, tiny.HOP)
NAMES = ("voicing", "brightness", *PARTIALS)
CLIP = 60


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Notes whose overtones come and go, prepared without a word of further features."""
    folder = tmp_path_factory.mktemp("further")
    soundfile.write(folder / "swelling.wav", tiny.swelling_phrase(8.0), tiny.RATE)
    data = DataConfig(passage_seconds=2.0, f0_min_hz=150.0, f0_max_hz=500.0)
    prepare([folder / "swelling.wav"], folder / "data", feature_grid(tiny.RATE), data, jobs=1)
    return folder / "data"


def test_a_clip_has_the_features_of_its_passage(dataset):
    clips = PitchedClips(dataset, SPEC, "train", CLIP, None, "loudness", None, further=NAMES)
    passage = next(iter(read_passages(dataset, "train", SPEC)))
    whole = further_of(NAMES, passage, SPEC)
    powers = weighted_spectra(passage.audio, SPEC)
    for name, values in spectral_features(NAMES, powers, passage.f0_hz, tiny.RATE).items():
        np.testing.assert_allclose(whole[name], values, atol=1e-4)
    np.testing.assert_array_equal(whole["voicing"], passage.voicing)
    assert np.ptp(whole["brightness"]) > 1.0
    for first in (0, 40, len(passage.f0_hz) - CLIP):
        features, audio = clips.read(Clip(0, first))
        assert len(audio) == CLIP * tiny.HOP
        for name in NAMES:
            np.testing.assert_allclose(features[name], whole[name][first : first + CLIP], atol=1e-4)


@pytest.mark.parametrize("ratio", [0.8, 1.2])
def test_a_shifted_clip_is_as_bright_and_as_voiced(dataset, ratio):
    """All partials move with f0, so octaves from it stay; A-weighting does not move, and changes a little."""
    clips = PitchedClips(dataset, SPEC, "train", CLIP, None, "loudness", None, further=NAMES)
    first = 20
    features, _ = clips.read(Clip(0, first, Change(ratio=ratio)))
    passage = next(iter(read_passages(dataset, "train", SPEC)))
    whole = further_of(NAMES, passage, SPEC)
    heard = first + ratio * (1.0 + np.arange(CLIP)) - 1.0
    voiced = np.interp(heard, np.arange(len(passage.f0_hz)), passage.voiced) == 1.0
    assert voiced.sum() > 20
    for name, tolerance in (("brightness", 0.4), ("voicing", 0.1), ("partials_1", 3.0), ("partials_3", 3.0)):
        want = np.interp(heard, np.arange(len(passage.f0_hz)), whole[name])
        off = np.abs(features[name] - want)[voiced]
        assert np.median(off) < tolerance


def test_gain_leaves_brightness_as_it_is(dataset):
    clips = PitchedClips(dataset, SPEC, "train", CLIP, None, "loudness", None, further=NAMES)
    (before, _), (after, _) = (clips.read(Clip(0, 10, Change(gain_db=g))) for g in (0.0, -6.0))
    np.testing.assert_array_equal(before["brightness"], after["brightness"])


def test_batches_hold_what_is_asked_for(dataset):
    options = {"batch_size": 2, "clip_frames": CLIP, "augmentation": AugmentationConfig(3.0, 2.0)}
    inputs, _ = next(iter(training_dataset(dataset, SPEC, further=NAMES, **options)))
    assert set(inputs) == {"f0_hz", "loudness_db", *NAMES}
    assert inputs["brightness"].shape == (2, CLIP, 1)
    inputs, _ = next(iter(training_dataset(dataset, SPEC, **options)))
    assert set(inputs) == {"f0_hz", "loudness_db"}


def _passage(f0_hz, loudness_db, voicing):
    frames = len(f0_hz)
    audio = np.zeros(frames * tiny.HOP, np.float32)
    return Passage(audio, f0_hz, voicing >= 0.5, voicing, loudness_db, "a", 0)


def test_what_is_usual_follows_pitch_and_loudness(monkeypatch):
    """A brightness that is a line of both is found again."""
    rng = np.random.default_rng(0)
    f0_hz, loudness_db = rng.uniform(200.0, 800.0, 500), rng.uniform(-50.0, -10.0, 500)
    line = 3.0 - 4.0 * scale_f0(f0_hz) + 1.0 * scale_loudness(loudness_db)
    voicing = np.where(rng.uniform(size=500) < 0.1, 0.2, 0.97)
    passage = _passage(f0_hz, loudness_db, voicing)
    found = {"voicing": voicing, "brightness": line, **dict.fromkeys(PARTIALS, 20.0 + 0.0 * line)}
    monkeypatch.setattr("ddsp_tf.data.further.further_of", lambda names, passage, spec: found)
    usual = usual_features(NAMES, [passage, passage], SPEC)
    np.testing.assert_allclose(usual["brightness"].line, (3.0, -4.0, 1.0), atol=1e-6)
    np.testing.assert_allclose(usual["brightness"].at(f0_hz, loudness_db), np.clip(line, 0, None), atol=0.3)
    assert usual["voicing"].range.median == pytest.approx(0.97)
    np.testing.assert_allclose(usual["partials_4"].at(f0_hz, loudness_db), 20.0, atol=1e-6)
    np.testing.assert_allclose(usual["voicing"].at([300.0], [-20.0]), 0.97)
    assert usual["voicing"].at([300.0], [-70.0])[0] < 0.5


def test_voicing_must_be_what_devices_measure():
    check_tracker(("brightness",), "crepe")
    check_tracker(NAMES, "yin-viterbi")
    with pytest.raises(DdspError, match="the dataset's pitch is by crepe: prepare it with --f0 yin-viterbi"):
        check_tracker(NAMES, "crepe")
