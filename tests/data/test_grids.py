"""The hop is a choice of training: features on other grids than the stored one."""

from pathlib import Path

import numpy as np
import pytest

from ddsp_edge.features.loudness import loudness_db
from ddsp_edge.units import Array
from ddsp_tf.config import DataConfig
from ddsp_tf.data import feature_grid, prepare, read_passages, training_dataset
from ddsp_tf.errors import DdspError
from ddsp_tf.features.f0 import F0Track
from ddsp_tf.frames import FrameSpec
from tests.data.sounds import write

RATE = 16_000


class VibratoEstimator:
    """Knows that the sound is a vibrato around 300 Hz with a rest in every second."""

    name = "vibrato"
    settings: dict[str, float] = {}  # noqa: RUF012 (as the protocol has it)
    context_seconds = 0.0
    parallel = False

    def memory_mib(self, seconds: float) -> float:
        return 40.0

    def estimate(self, audio: Array, spec: FrameSpec) -> F0Track:
        f0_hz = truth_hz((np.arange(spec.n_frames(len(audio))) + 1) * spec.hop)
        return F0Track(f0_hz, (f0_hz > 0).astype(np.float32))


def truth_hz(samples: Array) -> Array:
    """A vibrato of half a semitone at 6 Hz; a rest in the last 300 ms of every second."""
    seconds = samples / RATE
    f0_hz = 300.0 * 2.0 ** (0.5 / 12 * np.sin(2.0 * np.pi * 6.0 * seconds))
    return np.where(seconds % 1.0 < 0.7, f0_hz, 0.0).astype(np.float32)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Array]:
    """A dataset of one passage to train on, features every 4 ms, and its sound."""
    folder = tmp_path_factory.mktemp("grids")
    f0_hz = truth_hz(np.arange(8 * RATE))
    audio = 0.3 * np.sin(2.0 * np.pi * np.cumsum(f0_hz) / RATE) * (f0_hz > 0)
    audio += 1e-3 * np.random.default_rng(0).standard_normal(len(audio))
    config = DataConfig(passage_seconds=8.0, audio="float32")
    file = write(folder / "a.wav", audio, subtype="FLOAT")
    prepare([file], folder / "data", feature_grid(RATE), config, estimator=VibratoEstimator(), jobs=1)
    return folder / "data", audio[: 4 * RATE]


@pytest.mark.parametrize("hop", [64, 128, 160, 100, 256, 32, 1])
def test_features_on_any_grid_are_those_measured_on_it(stored: tuple[Path, Array], hop: int) -> None:
    dataset, audio = stored
    spec = FrameSpec(RATE, hop)
    (passage,) = read_passages(dataset, "train", spec)
    assert len(passage.f0_hz) == len(passage.loudness_db) == len(audio) // hop
    np.testing.assert_array_equal(passage.audio, audio[: len(passage.audio)].astype(np.float32))
    truth = truth_hz((np.arange(len(passage.f0_hz)) + 1) * hop)
    agree = passage.voiced == (truth > 0)
    both = passage.voiced & (truth > 0)
    cents = 1200.0 * np.abs(np.log2(passage.f0_hz[both] / truth[both]))
    inside = slice(RATE // 32 // hop, -(RATE // 32 // hop) - 1)  # the sound goes on beyond the passage
    error_db = np.abs(passage.loudness_db - loudness_db(audio, spec))[inside]
    if hop % 64 == 0:  # a part of the stored grid: nothing is interpolated
        assert agree.all()
        assert cents.max() < 1e-3
        assert error_db.max() < 1e-3
    else:
        # Voicing may end half a stored hop, 2 ms, beside where it did: at 4 + 4 edges.
        assert np.count_nonzero(~agree) <= 8 * -(-32 // hop)
        assert np.percentile(cents, 98) < 0.5  # a line through a vibrato
        # Beside a gap f0 holds for up to 2 ms, at the beginning 4 ms; it glides 1900 cents a second.
        assert cents.max() < 7.6
        assert np.median(error_db) < 0.02  # noise seen through a window of 32 ms, every 4 ms
        assert np.percentile(error_db, 95) < 0.5
        assert error_db.max() < 5.0  # a note ends at once: loudness falls by 50 dB within 16 ms


def test_clips_of_a_model_with_another_hop_are_cut_on_its_grid(stored: tuple[Path, Array]) -> None:
    dataset, _ = stored
    spec = FrameSpec(RATE, 160)
    (passage,) = read_passages(dataset, "train", spec)
    inputs, audio = next(iter(training_dataset(dataset, spec, batch_size=2, clip_frames=100)))
    assert audio.shape == (2, 16_000)
    for f0_hz, sound in zip(inputs["f0_hz"].numpy()[..., 0], audio.numpy(), strict=True):
        first = passage.audio.tobytes().index(sound.tobytes()) // 4 // 160
        np.testing.assert_array_equal(f0_hz, passage.f0_hz[first : first + 100])


def test_audio_is_kept_in_the_format_that_was_chosen(tmp_path: Path) -> None:
    audio = 1e-6 * np.sin(np.arange(3 * RATE)) + np.where(np.arange(3 * RATE) < RATE, 0.5, 0.25)
    file = write(tmp_path / "a.wav", audio * np.sign(np.sin(np.arange(3 * RATE) / 9)), subtype="FLOAT")
    wanted = audio[:16_000] * np.sign(np.sin(np.arange(16_000) / 9))
    for kind, error in (("int16", 0.5001 / 32768), ("float32", 3e-8)):
        config = DataConfig(audio=kind)
        out = tmp_path / kind
        info = prepare([file], out, feature_grid(RATE), config, estimator=VibratoEstimator(), jobs=1)
        assert info.audio == kind
        (passage,) = read_passages(out, "train")
        assert np.abs(passage.audio[:16_000] - wanted).max() <= error


def test_another_sample_rate_is_refused(made: Path) -> None:
    with pytest.raises(DdspError, match="has a sample rate of 16000 Hz, not 8000 Hz: prepare the recordings"):
        list(read_passages(made, "train", FrameSpec(8000, 64)))
