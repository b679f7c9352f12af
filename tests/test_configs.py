"""Configurations: what is shipped runs, and what is wrong is said before any work starts."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from ddsp_tf.config import Config, LossConfig, config_folders, load_config
from ddsp_tf.errors import DdspError
from ddsp_tf.losses import MultiScaleSpectralLoss
from ddsp_tf.models import Autoencoder
from tests import tiny

SHIPPED = sorted({p.stem: p for folder in config_folders() for p in folder.glob("*.yaml")}.values())
INSTRUMENTS = [path for path in SHIPPED if load_config(path).task == "instrument"]
"""What other tasks ship is built and trained by tests of theirs."""


def load(path: Path, text: str, *overrides: str) -> Config:
    path.write_text(text, encoding="utf-8")
    return load_config(path, overrides)


def assert_refused(tmp_path, words, *overrides, **changes):
    path = tiny.write_config(tmp_path / "bad.yaml", tiny.settings(**changes))
    with pytest.raises(DdspError, match=words) as raised:
        load_config(path, overrides)
    assert "\n" not in str(raised.value)
    assert str(path) in str(raised.value) or overrides


@pytest.fixture(scope="module")
def dataset_of(tmp_path_factory):
    """Five seconds of sound on the grid of a configuration, made once for each grid."""
    made = {}

    def dataset(config):
        from ddsp_tf.config import DataConfig
        from ddsp_tf.data import prepare
        from tests.data.doubles import ConstantEstimator

        names = [pattern.replace("*", "-") for pattern in config.model.instruments.values()] or ["phrase"]
        tracks = "voicing" in config.model.features  # which must be what devices measure
        key = (config.spec, tracks, *names)
        if key not in made:
            folder = tmp_path_factory.mktemp("grid")
            recordings = [  # each of its own length: the same file twice is one
                tiny.write_phrase(folder / f"{name}.wav", 5.0 + 0.1 * i, config.sample_rate)
                for i, name in enumerate(names)
            ]
            short = DataConfig(passage_seconds=2.0, validation_share=0.5)
            estimator = None if tracks else ConstantEstimator()
            prepare(recordings, folder / "data", config.spec, short, estimator=estimator, jobs=1)
            made[key] = folder / "data"
        return made[key]

    return dataset


def test_there_are_configurations_to_test():
    assert {p.stem for p in SHIPPED} >= {"demo", "solo_instrument"}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_every_shipped_configuration_is_what_it_writes(path, tmp_path):
    config = load_config(path)
    assert load(tmp_path / "again.yaml", config.to_yaml()) == config
    assert load_config(path.stem) == config


@pytest.mark.parametrize("path", INSTRUMENTS, ids=lambda p: p.stem)
def test_every_shipped_configuration_makes_a_model_whose_controls_are_finite(path):
    """What takes seconds of the next test, of which most files take long."""
    model = Autoencoder.from_experiment(load_config(path))
    features = tiny.features(4)
    features |= {name: np.full([1, 4, 1], 0.7, np.float32) for name in model.further}
    if "instrument" in model.feature_names:
        features["instrument"] = np.eye(len(model.instrument_names), dtype=np.float32)[:1, None]
    for node, values in model.get_controls(features).items():
        for name, value in values.items():
            assert np.isfinite(value).all(), (node, name)


@pytest.mark.slow
@pytest.mark.parametrize("path", INSTRUMENTS, ids=lambda p: p.stem)
def test_every_shipped_configuration_trains_two_steps(path, dataset_of, tmp_path):
    from ddsp_tf.training import train
    from ddsp_tf.training.callbacks import read_log

    short = ["training.steps=2", "training.batch_size=2", "training.clip_seconds=0.5"]
    config = load_config(path, short)
    model = train(config, dataset_of(config), tmp_path / "run", verbose=0)
    assert int(model.optimizer.iterations) == 2
    (line,) = read_log(tmp_path / "run")
    assert np.isfinite([float(line["loss"]), float(line["val_loss"])]).all()
    assert all(np.isfinite(w).all() for w in model.get_weights())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"trainig": {}}, r"unknown key 'trainig'\. Did you mean 'training'\?"),
        ({"training": {"step": 3}}, r"unknown key 'training\.step'\. Did you mean 'steps'\?"),
        ({"loss": {"zzz": 3}}, r"unknown key 'loss\.zzz'\. Known here: fft_sizes, magnitude_weight"),
        ({"sample_rate": "16000"}, r"sample_rate must be an integer\. Received: '16000'"),
        ({"sample_rate": 16000.0}, r"sample_rate must be an integer\. Received: 16000\.0"),
        ({"sample_rate": True}, r"sample_rate must be an integer\. Received: True"),
        ({"sample_rate": 16_001}, r"sample_rate 16001 is no multiple of frame_rate 125\. Frame rates that"),
        ({"sample_rate": 7, "frame_rate": 1}, r"sample_rate must lie within 4000 to 768000\. Received: 7"),
        ({"sample_rate": 0}, r"sample_rate must be a positive integer"),
        ({"frame_rate": 0}, r"frame_rate must be a positive integer"),
        ({"name": 3}, r"name must be text\. Received: 3"),
        ({"training": []}, r"training must be a section of settings\. Received: \[\]"),
        ({"training": None}, r"training must be a section of settings\. Received: None"),
        ({"training": {"learning_rate": float("nan")}}, r"training\.learning_rate must lie within"),
        ({"training": {"learning_rate": float("inf")}}, r"training\.learning_rate must lie within"),
        ({"training": {"learning_rate": "fast"}}, r"must be a number\. Received: 'fast'"),
        ({"training": {"steps": 0}}, r"training\.steps must lie within 1 to"),
        ({"training": {"clip_seconds": 3.0}}, r"clip_seconds \(3\.0\) must not be longer than .*\(2\.0\)"),
        ({"data": {"f0": "yin"}}, r"data\.f0 must be one of auto, pyin, .*, yin-viterbi\. Received: 'yin'"),
        ({"data": {"f0_min_hz": 500.0, "f0_max_hz": 150.0}}, r"must rise within 20 to 8000 Hz"),
        ({"loss": {"fft_sizes": []}}, r"loss\.fft_sizes must be one or more different multiples of 4"),
        ({"loss": {"fft_sizes": 64}}, r"loss\.fft_sizes must be a list\. Received: 64"),
        ({"loss": {"fft_sizes": [64, "x"]}}, r"loss\.fft_sizes\[1\] must be an integer"),
        ({"loss": {"magnitude_weight": 0.0, "log_magnitude_weight": 0.0}}, r"must not both be 0"),
        ({"model": {"decoder": {"type": "Gru"}}}, r"type must be one of GruDecoder.*Received: 'Gru'"),
        ({"model": {"decoder": {"depth": 2}}}, r"depth must be 1 with GruDecoder: .*Received: 2"),
        ({"model": {"processors": {"inputs": ["f0_hz"]}}}, r"model\.processors\.nodes is missing"),
        ({"model": {"processors": {"inputs": [], "nodes": ["Harmonic"]}}}, r"nodes\[0\] must be a mapping"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, changes, words):
    assert_refused(tmp_path, words, **changes)


@pytest.mark.parametrize("missing", ["sample_rate", "frame_rate", "model"])
def test_what_is_missing_is_named(missing):
    values = tiny.settings()
    del values[missing]
    with pytest.raises(DdspError, match=f"{missing} is missing"):
        Config.from_dict(values)


@pytest.mark.parametrize("sizes", [(), (100, 102), (64, 64), (8,), (131072,)])
def test_fft_sizes_that_the_loss_refuses_are_refused_before_it_is_made(sizes):
    for make in (LossConfig, MultiScaleSpectralLoss):
        with pytest.raises(DdspError):
            make(fft_sizes=sizes)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must hold a mapping of settings. Received: NoneType"),
        ("- 1\n- 2\n", "must hold a mapping of settings. Received: list"),
        ("just words", "must hold a mapping of settings. Received: str"),
        ("a: [", "is not valid YAML: while parsing"),
        ("a: b: c", "is not valid YAML"),
        ("a: \x00", "is not valid YAML"),
        ("a: 2020-99-99", "is not valid YAML"),
        ("name: !!python/object/apply:os.system ['echo']", "could not determine a constructor"),
        ("name: !!python/name:os.system", "could not determine a constructor"),
        ("a: " + "[" * 5000, "is not valid YAML"),
        ("a: &a [*a]", "holds more than 10000 settings"),
    ],
)
def test_what_is_no_configuration_is_refused(tmp_path, text, words):
    with pytest.raises(DdspError, match=words) as raised:
        load(tmp_path / "bad.yaml", text)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 500


@pytest.mark.parametrize("where", ["name: *i", "sample_rate: *i", "unknown: *i", "model: {processors: *i}"])
def test_aliases_of_aliases_cannot_fill_the_memory(tmp_path, where):
    letters = "abcdefghi"
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in itertools.pairwise(letters)
    )
    with pytest.raises(DdspError, match="holds more than 10000 settings, its aliases written out"):
        load(tmp_path / "bomb.yaml", bomb + where)


def test_anchors_may_be_used(tmp_path):
    text = tiny.write_config(tmp_path / "a.yaml").read_text()
    text = text.replace("name: tiny", "name: &n tiny") + "\n"
    assert load(tmp_path / "b.yaml", text).name == "tiny"


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "bad.yaml").write_bytes(b"\xff\xfe\xfa" * 10)
    with pytest.raises(DdspError, match="is not valid YAML"):
        load_config(tmp_path / "bad.yaml")


def test_a_name_that_is_nearly_one_is_answered_with_it(tmp_path):
    with pytest.raises(DdspError, match="Did you mean 'solo_instrument'"):
        load_config("solo_instrment")
    with pytest.raises(DdspError, match=r"no such configuration file"):
        load_config(tmp_path)


def test_settings_are_changed_one_by_one(tmp_path):
    path = tiny.write_config(tmp_path / "a.yaml")
    config = load_config(path, ["training.steps=9", "loss.fft_sizes=[64]", "name='a=b'", "data.f0=auto"])
    assert config.training.steps == 9
    assert config.loss.fft_sizes == (64,)
    assert config.name == "a=b"
    assert config.data.f0 == "auto"
    assert config.training.batch_size == tiny.config().training.batch_size


@pytest.mark.parametrize("number", ["1e-3", "1E-3", "0.001", "1.0e-3", "10e-4"])
def test_numbers_may_be_written_as_people_do(tmp_path, number):
    """YAML 1.1 reads 1e-3 as text."""
    path = tiny.write_config(tmp_path / "a.yaml")
    assert load_config(path, [f"training.learning_rate={number}"]).training.learning_rate == 0.001


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("rubbish", r"--set takes KEY=VALUE.* Received: 'rubbish'"),
        ("=3", r"--set takes KEY=VALUE"),
        ("name.first=3", r"--set name.first=3: name is no section"),
        ("training.steps=[", r"the value is not valid YAML"),
        ("training.stepz=3", r"unknown key 'training.stepz'\. Did you mean 'steps'"),
        ("training.steps=", r"training.steps must be an integer. Received: None"),
        ("training=3", r"training must be a section"),
    ],
)
def test_a_bad_change_is_refused(tmp_path, override, words):
    assert_refused(tmp_path, words, override)


def test_a_key_that_stands_twice_is_refused(tmp_path):
    text = tiny.write_config(tmp_path / "twice.yaml").read_text()
    (tmp_path / "twice.yaml").write_text(text + "name: again\n")
    with pytest.raises(DdspError, match="'name' stands there twice"):
        load_config(tmp_path / "twice.yaml")
