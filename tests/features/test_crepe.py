"""CREPE with published weights, and files that are not that."""

import bz2
import importlib.util
import json
import os
import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest
import soxr

from ddsp_tf.errors import DdspError
from ddsp_tf.features import make_f0_estimator
from ddsp_tf.features.crepe import build_crepe, load_crepe
from ddsp_tf.features.crepe_decode import BIN_CENTS, decode_salience
from ddsp_tf.features.crepe_weights import CrepeWeights, read_crepe_weights
from ddsp_tf.features.f0_estimators import f0_estimator_as_recorded
from ddsp_tf.frames import FrameSpec
from ddsp_tf.metrics.pitch import raw_pitch_accuracy
from tests.features.sounds import best_lag, cents_off, glide, harmonic_sound

DATA = Path(os.environ.get("DDSP_TEST_DATA", "absent"))
WEIGHTS = DATA / "crepe" / "model-tiny.h5.bz2"
EXACT = DATA / "f0-exact" / "trumpet-loop06.flac"
needs_weights = pytest.mark.skipif(
    not WEIGHTS.is_file(), reason="DDSP_TEST_DATA names no folder with crepe/model-tiny.h5.bz2"
)
SPEC = FrameSpec(16_000, 64)


@needs_weights
def test_pitch_stays_on_its_frames_through_a_glide() -> None:
    truth = glide(8.0, 16_000)
    track = make_f0_estimator("crepe", crepe_weights=WEIGHTS).estimate(harmonic_sound(truth, 16_000), SPEC)
    assert len(track.f0_hz) == 2000
    for first in (125, 1000, 1500):
        frames = np.arange(first, first + 375)
        assert abs(best_lag(track.f0_hz, truth, frames, SPEC.hop)) <= SPEC.hop // 2
        # As for pYIN: the refinement sees 64 ms of a moving pitch.
        assert np.max(cents_off(track.f0_hz[frames], truth[(frames + 1) * 64])) < 15.0


@needs_weights
@pytest.mark.skipif(not EXACT.is_file(), reason="DDSP_TEST_DATA names no folder with f0-exact")
def test_real_sound_of_known_pitch_is_tracked() -> None:
    import soundfile

    sound, rate = soundfile.read(EXACT, dtype="float32")
    truth = np.genfromtxt(EXACT.with_suffix(".f0.csv"), delimiter=",", skip_header=1)
    spec = FrameSpec(16_000, 160)
    track = make_f0_estimator("crepe", crepe_weights=WEIGHTS).estimate(
        soxr.resample(sound, rate, 16_000), spec
    )
    count = min(len(track.f0_hz), len(truth) - 1)
    # Measured 0.99; the rest is where notes begin and end.
    assert raw_pitch_accuracy(truth[1 : count + 1, 1], track.f0_hz[:count]) > 0.96


@needs_weights
def test_the_network_computes_what_the_paper_says() -> None:
    """Against a float64 network written out in numpy, with the same weights."""
    weights = read_crepe_weights(WEIGHTS)
    window = np.random.default_rng(0).standard_normal(1024)
    x = window[:, None]
    for block in range(1, 7):
        kernel, bias = (w.astype(np.float64) for w in weights.layers[f"conv{block}"])
        gamma, beta, mean, variance = (w.astype(np.float64) for w in weights.layers[f"conv{block}-BN"])
        width, stride = len(kernel), 4 if block == 1 else 1
        total = (-(-len(x) // stride) - 1) * stride + width - len(x)  # "same": the odd zero at the end
        padded = np.pad(x, ((total // 2, total - total // 2), (0, 0)))
        views = np.lib.stride_tricks.sliding_window_view(padded, width, axis=0)[::stride]
        x = np.maximum(np.einsum("tcw,wcf->tf", views, kernel[:, 0]) + bias, 0.0)
        x = gamma * (x - mean) / np.sqrt(variance + 1e-3) + beta
        x = x.reshape(len(x) // 2, 2, -1).max(1)
    kernel, bias = weights.layers["classifier"]
    expected = 1.0 / (1.0 + np.exp(-(x.reshape(-1) @ kernel.astype(np.float64) + bias)))
    received = np.asarray(load_crepe(weights)(window[None].astype(np.float32)))[0]
    # float32 against float64 through six layers
    np.testing.assert_allclose(received, expected, atol=1e-5)


@needs_weights
def test_an_estimator_travels_and_says_what_it_is(tmp_path: Path) -> None:
    copy = tmp_path / "weights.h5"
    copy.write_bytes(bz2.decompress(WEIGHTS.read_bytes()))  # the plain file is as good
    estimator = make_f0_estimator("crepe", crepe_weights=copy)
    settings = json.loads(json.dumps(estimator.settings))
    assert settings["capacity"] == "tiny"
    assert settings["weights_sha256"] == "409254d6a537cc432061112b7ec5f6fd283658f108fc2abc24db9c25858b42df"
    packed = pickle.dumps(estimator)
    assert len(packed) < 5_000
    sound = np.concatenate([np.zeros(8_000, np.float32), harmonic_sound(np.full(8_000, 440.0), 16_000)])
    track = pickle.loads(packed).estimate(sound, SPEC)
    assert not np.any(track.f0_hz[:110])  # silence; frame 124 is where the note begins
    assert np.all(cents_off(track.f0_hz[140:240], np.full(100, 440.0)) < 2.0)
    copy.write_bytes(WEIGHTS.read_bytes())
    with pytest.raises(DdspError, match="have changed"):
        pickle.loads(packed).estimate(sound, SPEC)


@pytest.mark.parametrize("name", ["auto", "yin-viterbi", "pyin", "swift-f0"])
def test_weights_that_would_do_nothing_are_refused(name: str) -> None:
    words = rf"--crepe-weights gone\.h5\) are of use.* crepe alone\. Received: {name}\. Leave .*--f0 crepe"
    with pytest.raises(DdspError, match=words):
        make_f0_estimator(name, crepe_weights=Path("gone.h5"))
    with pytest.raises(DdspError, match=words):
        f0_estimator_as_recorded({"name": name}, Path("gone.h5"))


def test_decoding_finds_the_pitch_between_bins_and_ignores_an_octave_glitch() -> None:
    cents = BIN_CENTS[200] + 7.0
    salience = np.exp(-(((BIN_CENTS - cents) / 25.0) ** 2)) * np.full((50, 1), 0.8)
    salience[25] = 0.9 * np.exp(-(((BIN_CENTS - cents - 1200.0) / 25.0) ** 2)) + 0.5 * salience[25]
    f0_hz, confidence = decode_salience(salience, 55.0, 2000.0)
    # A symmetric bump on a 20-cent grid: its weighted mean over ±80 cents errs by hundredths.
    assert np.max(np.abs(1200.0 * np.log2(f0_hz / 10.0) - cents)) < 0.5
    assert confidence[0] == pytest.approx(0.8, abs=0.08)
    assert np.all(decode_salience(salience, 55.0, 200.0)[0] < 205.0)


def test_a_range_that_crepe_does_not_hear_is_refused() -> None:
    with pytest.raises(DdspError, match=r"31\.7 to 2006 Hz"):
        decode_salience(np.zeros((3, 360)), 3000.0, 4000.0)


def _write(path: Path, capacity: str, change: str = "") -> None:
    model = build_crepe(capacity)
    with h5py.File(path, "w") as file:
        for layer in model.layers:
            if not layer.weights or (change == "missing" and layer.name == "conv3"):
                continue
            for weight in layer.weights:
                first = layer.name == "conv1" and len(weight.shape) == 4
                shape = (512, 1, 1, weight.shape[-1]) if first else tuple(weight.shape)
                if change == "shape" and layer.name == "classifier" and len(shape) == 2:
                    shape = (shape[0], 361)
                values = np.zeros(shape, np.float32)
                if change == "nan" and layer.name == "conv2":
                    values[...] = np.nan
                file[f"{layer.name}/{layer.name}_7/{weight.name}:0"] = values


@pytest.mark.parametrize("capacity", ["tiny", "small"])
def test_the_capacity_is_read_from_the_shapes(tmp_path: Path, capacity: str) -> None:
    _write(tmp_path / "model.h5", capacity)
    weights = read_crepe_weights(tmp_path / "model.h5")
    assert isinstance(weights, CrepeWeights)
    assert weights.capacity == capacity


@pytest.mark.parametrize(
    ("change", "words"),
    [("shape", "classifier.*must have shapes"), ("missing", "no layer conv3"), ("nan", "not finite")],
)
def test_files_with_other_contents_are_refused(tmp_path: Path, change: str, words: str) -> None:
    _write(tmp_path / "model.h5", "tiny", change)
    with pytest.raises(DdspError, match=words):
        make_f0_estimator("crepe", crepe_weights=tmp_path / "model.h5")


def test_damaged_and_foreign_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    with pytest.raises(DdspError, match="cannot be read"):
        read_crepe_weights(path)
    path.write_text("not weights")
    with pytest.raises(DdspError, match="not an HDF5 file"):
        read_crepe_weights(path)
    _write(path, "tiny")
    whole = path.read_bytes()
    for size in (8, 100, 2_000, len(whole) // 2):
        path.write_bytes(whole[:size])
        with pytest.raises(DdspError, match=r"damaged|no layer|must have"):
            read_crepe_weights(path)
    path.write_bytes(bz2.compress(whole)[:-100])
    with pytest.raises(DdspError, match="cut short"):
        read_crepe_weights(path)


def test_flipped_bytes_are_refused_or_read_but_never_crash(tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    _write(path, "tiny")
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(100):
        broken = bytearray(whole)
        for at in rng.integers(0, 4000, 3):  # where HDF5 keeps its structure
            broken[at] = rng.integers(256)
        path.write_bytes(broken)
        try:
            read_crepe_weights(path)
        except DdspError:
            refused += 1
    assert refused > 10


def test_a_file_that_unpacks_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ddsp_tf.features.crepe_weights._MAX_BYTES", 1_000_000)
    path = tmp_path / "model.h5.bz2"
    path.write_bytes(bz2.compress(bytes(5_000_000)))
    with pytest.raises(DdspError, match="unpacks to more than"):
        read_crepe_weights(path)


@pytest.mark.skipif(importlib.util.find_spec("crepe") is not None, reason="the crepe package is installed")
def test_without_package_and_weights_the_way_out_is_named() -> None:
    with pytest.raises(DdspError, match=r"--crepe-weights.*pip install.*pyin"):
        make_f0_estimator("crepe")
