"""Clips that are changed at random: sound, pitch and loudness still belong together."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ddsp_edge.features.loudness import loudness_db
from ddsp_edge.units import Array
from ddsp_tf.config import AugmentationConfig, DataConfig
from ddsp_tf.data import load_dataset_info, prepare, training_dataset
from ddsp_tf.data.augment import amplified, draw_change, shifted
from ddsp_tf.data.pitched import PitchedRecord
from ddsp_tf.data.records.shards import read_records
from ddsp_tf.errors import DdspError
from ddsp_tf.features.f0 import F0Track
from ddsp_tf.frames import FrameSpec
from tests import tiny
from tests.data.doubles import ConstantEstimator
from tests.data.sounds import write

RATE = 16_000
SPEC = FrameSpec(RATE, 64)
AUGMENTATION = AugmentationConfig(gain_db=6.0, pitch_semitones=3.0)
CLIP = 200


def _f0(t: Array) -> Array:
    """A glide with vibrato, Hz."""
    return np.asarray(150.0 + 20.0 * t + 4.0 * np.sin(2.0 * np.pi * 3.0 * t))


def _sound(t: Array) -> Array:
    """Its sound: four partials that swell."""
    phase = 150.0 * t + 10.0 * t**2 - 4.0 / (6.0 * np.pi) * np.cos(2.0 * np.pi * 3.0 * t)
    partials = sum(np.sin(2.0 * np.pi * k * phase) / k for k in (1, 2, 3, 4))
    return np.asarray(0.1 * (1.2 + np.sin(2.0 * t)) * partials)


class TrueEstimator(ConstantEstimator):
    """Knows f0 of a recording that is looked at as a whole."""

    def estimate(self, audio: Array, spec: FrameSpec) -> F0Track:
        at = (np.arange(spec.n_frames(len(audio))) + 1) * spec.hop / RATE
        return F0Track(_f0(at).astype(np.float32), np.ones(len(at), np.float32))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One passage of ten seconds, cut in two."""
    folder = tmp_path_factory.mktemp("augment")
    file = write(folder / "a.wav", _sound(np.arange(10 * RATE) / RATE), RATE, subtype="FLOAT")
    prepare([file], folder / "out", SPEC, DataConfig(audio="float32"), estimator=TrueEstimator(), jobs=1)
    return folder / "out"


@pytest.fixture(scope="module")
def record(dataset: Path) -> PitchedRecord:
    """The first half."""
    _, record = next(read_records(dataset, load_dataset_info(dataset), "train"))
    return PitchedRecord.of(record)


@pytest.mark.parametrize("semitones", [-3.0, -0.3, 0.7, 3.0])
@pytest.mark.parametrize("first", [0, 3, 101])
def test_a_shifted_clip_is_the_sound_played_faster(
    record: PitchedRecord, semitones: float, first: int
) -> None:
    ratio = 2.0 ** (semitones / 12.0)
    f0_hz, loudness, audio = shifted(record, SPEC, first, CLIP, ratio, 100.0)
    begins = first * SPEC.hop / RATE
    exact = _sound(begins + ratio * np.arange(CLIP * SPEC.hop) / RATE)
    inside = slice(64 if first == 0 else 0, None)  # where the passage begins, the resampler's filter rings
    # `shifted` begins at a whole sample of the recording: up to one sample early, which f0 knows as well.
    delay = np.arange(0.0, 1.01, 0.02)
    errors = [
        np.abs(_sound(begins - d / RATE + ratio * np.arange(len(audio)) / RATE) - audio)[inside].max()
        for d in delay
    ]
    assert min(errors) < 2e-3 < 0.1 * np.abs(exact).max()
    at = begins + ratio * (np.arange(CLIP) + 1) * SPEC.hop / RATE
    cents = 1200.0 * np.log2(f0_hz / (ratio * _f0(at)))
    # One sample, and a glide between two frames; before the first frame of a passage its f0 holds.
    assert np.abs(cents)[0 if first else 1 :].max() < 0.5
    whole = _sound(begins + ratio * np.arange(-4000, CLIP * SPEC.hop + 4000) / RATE)
    wanted = loudness_db(whole[4000 % SPEC.hop :], SPEC)[4000 // SPEC.hop :][:CLIP]
    if first:  # elsewhere the measurement hears the passage begin
        np.testing.assert_allclose(loudness, wanted, atol=0.02)
    else:
        np.testing.assert_allclose(loudness[6:], wanted[6:], atol=0.02)


@pytest.mark.parametrize("semitones", [-3.0, 0.7, 3.0])
def test_power_of_a_shifted_clip_is_that_of_the_whole_passage(
    record: PitchedRecord, semitones: float
) -> None:
    ratio, first, size = 2.0 ** (semitones / 12.0), 101, 1024
    _, power, _ = shifted(record, SPEC, first, CLIP, ratio, 100.0, "power")
    start = first * SPEC.hop - size  # samples before the clip, in which its first windows begin
    times = (first * SPEC.hop + ratio * np.arange(-size, CLIP * SPEC.hop + size)) / RATE
    assert start > 0
    sound = np.square(_sound(times))
    at = size + SPEC.hop * (1 + np.arange(CLIP))
    wanted = 10.0 * np.log10([np.mean(sound[n - size // 2 : n + size // 2]) for n in at])
    # The clip begins up to a sample early: of 1024 samples in the window one, whose square may be five times
    # the mean, is another. Silence beyond the ends would cost 3 dB.
    np.testing.assert_allclose(power, wanted, atol=10.0 * np.log10(1.0 + 5.0 / size))


def test_gain_moves_power_by_as_much_down_to_its_floor() -> None:
    sound = np.full(6400, 0.1, np.float32)
    levels = np.array([-100.0, -99.0, -75.0, -20.0], np.float32)
    for gain_db, wanted in ((6.0, [-100.0, -93.0, -69.0, -14.0]), (-6.0, [-100.0, -100.0, -81.0, -26.0])):
        _, power = amplified(sound, levels, gain_db, "power")
        np.testing.assert_allclose(power, wanted, atol=1e-4)


def test_loudness_is_measured_again_because_weighting_changes(record: PitchedRecord) -> None:
    ratio = 2.0 ** (3.0 / 12.0)
    _, loudness, _ = shifted(record, SPEC, 50, CLIP, ratio, 100.0)
    at = (50 + ratio * (np.arange(CLIP) + 1)) - 1
    moved = np.interp(at, np.arange(record.n_frames), record.loudness_db)
    assert np.mean(loudness - moved) > 1.0  # three semitones above 170 Hz


@pytest.mark.parametrize("gain_db", [-20.0, 5.0])
def test_gain_keeps_sound_and_loudness_together(record: PitchedRecord, gain_db: float) -> None:
    audio, loudness = amplified(record.audio, record.loudness_db, gain_db)
    np.testing.assert_allclose(audio, record.audio * 10.0 ** (gain_db / 20.0), rtol=1e-6)
    inside = slice(8, -8)
    np.testing.assert_allclose(loudness[inside], loudness_db(audio, SPEC)[inside], atol=1e-3)


def test_gain_ends_at_full_scale_and_silence_stays_silence() -> None:
    sound = 0.5 * np.sin(np.arange(6400) / 10.0).astype(np.float32)
    audio, louder = amplified(sound, np.full(100, -12.0, np.float32), 30.0)
    assert np.abs(audio).max() == pytest.approx(1.0)
    assert louder[0] == pytest.approx(-12.0 + 20.0 * np.log10(1.0 / np.abs(sound).max()), abs=1e-3)
    silence, floor = amplified(np.zeros(6400, np.float32), np.full(100, -80.0, np.float32), 30.0)
    assert not silence.any()
    np.testing.assert_allclose(floor, -80.0, atol=1e-4)


def test_gaps_hold_the_pitch_before_them() -> None:
    f0_hz = np.r_[np.zeros(10), np.full(40, 200.0), np.zeros(50), np.full(100, 300.0)].astype(np.float32)
    audio = np.zeros(200 * 64, np.float32)
    record = PitchedRecord(
        audio, f0_hz, f0_hz / 300.0, np.full(200, -30.0, np.float32), 0.0, "a", 0, RATE, 64
    )
    held, *_ = shifted(record, SPEC, 0, 150, 1.1, 123.0)
    assert held[0] == pytest.approx(1.1 * 123.0)
    assert set(np.round(held[12:80], 3)) == {220.0}
    held, *_ = shifted(record, SPEC, 60, 30, 1.1, 123.0)
    np.testing.assert_allclose(held[:20], 220.0, rtol=1e-6)


def test_changes_are_uniform_and_never_want_more_sound_than_there_is() -> None:
    rng = np.random.default_rng(0)
    changes = [draw_change(AUGMENTATION, rng, 1000, 200) for _ in range(2000)]
    semitones = 12.0 * np.log2([change.ratio for change in changes])
    assert -3.0 <= semitones.min() < -2.9 < 2.9 < semitones.max() <= 3.0
    assert abs(semitones.mean()) < 0.15
    assert max(abs(change.gain_db) for change in changes) <= 6.0
    assert all(draw_change(AUGMENTATION, rng, 200, 200).ratio <= 1.0 for _ in range(50))
    still = draw_change(AugmentationConfig(), rng, 1000, 200)
    assert (still.gain_db, still.ratio) == (0.0, 1.0)


def _batches(folder: Path, count: int, **options: Any) -> list[list[Array]]:
    clips = training_dataset(folder, SPEC, batch_size=3, clip_frames=CLIP, **options)
    return [
        [inputs["f0_hz"].numpy(), inputs["loudness_db"].numpy(), audio.numpy()]
        for inputs, audio in itertools.islice(clips, count)
    ]


def _equal(a: list[list[Array]], b: list[list[Array]]) -> bool:
    return all(
        np.array_equal(x, y) for one, other in zip(a, b, strict=True) for x, y in zip(one, other, strict=True)
    )


def test_batches_depend_on_seed_and_step_alone(dataset: Path) -> None:
    whole = _batches(dataset, 9, seed=3, augmentation=AUGMENTATION)
    assert _equal(whole, _batches(dataset, 9, seed=3, augmentation=AUGMENTATION))
    assert _equal(whole[7:], _batches(dataset, 2, seed=3, augmentation=AUGMENTATION, skip_batches=7))
    assert not _equal(whole, _batches(dataset, 9, seed=4, augmentation=AUGMENTATION))
    assert all(audio.shape == (3, CLIP * 64) and audio.dtype == np.float32 for *_, audio in whole)


def test_no_augmentation_is_none(dataset: Path) -> None:
    plain = _batches(dataset, 3, seed=3)
    assert _equal(plain, _batches(dataset, 3, seed=3, augmentation=AugmentationConfig()))
    assert not _equal(plain, _batches(dataset, 3, seed=3, augmentation=AUGMENTATION))


def test_a_clip_as_long_as_its_passage_can_be_changed(dataset: Path) -> None:
    frames = load_dataset_info(dataset).spec.frames_for(5.0)
    clips = training_dataset(dataset, SPEC, batch_size=4, clip_frames=frames, augmentation=AUGMENTATION)
    for _, audio in itertools.islice(clips, 4):
        assert np.isfinite(audio.numpy()).all()


@pytest.mark.parametrize("setting", [{"gain_db": -1.0}, {"pitch_semitones": 12.5}, {"pitch": 1.0}])
def test_settings_are_checked(setting: dict[str, float]) -> None:
    values = {**tiny.config().to_dict(), "augmentation": setting}
    with pytest.raises(DdspError, match=r"augmentation\."):
        type(tiny.config()).from_dict(values)
