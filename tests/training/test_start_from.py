"""A run that begins with the weights of another one."""

import numpy as np
import pytest

from ddsp_tf.cli.main import main
from ddsp_tf.errors import DdspError
from ddsp_tf.models import Autoencoder
from ddsp_tf.training.run import load_config_of_run, take_weights
from tests import tiny


def test_all_weights_of_another_run_are_taken(trained_run, trained_model):
    model = Autoencoder.from_experiment(load_config_of_run(trained_run))
    before = [np.array(weight) for weight in model.get_weights()]
    take_weights(model, trained_run)
    given = trained_model.get_weights()
    assert len(given) == len(before) > 10
    for have, want in zip(model.get_weights(), given, strict=True):
        np.testing.assert_array_equal(have, want)
    assert any(not np.array_equal(a, b) for a, b in zip(before, given, strict=True))


def test_weights_that_do_not_fit_are_named_and_nothing_is_written(
    trained_run, tiny_dataset, tmp_path, capsys
):
    wider = tiny.settings()
    wider["model"]["decoder"]["units"] = 9
    config = tiny.write_config(tmp_path / "wider.yaml", wider)
    command = ["train", str(config), "--data", str(tiny_dataset), "--out", str(tmp_path / "run")]
    assert main([*command, "--from", str(trained_run)]) == 1
    error = capsys.readouterr().err
    assert f"the weights of {trained_run} do not fit this configuration: " in error
    assert "decoder/output_stack/dense_0/kernel is [24, 8], and is to be [25, 8]" in error
    assert f"Train with {trained_run / 'config.yaml'}" in error
    assert not (tmp_path / "run").exists()
    assert main([*command, "--from", str(tmp_path / "gone")]) == 1
    assert "gone: no such run folder" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_run_without_a_checkpoint_is_told(trained_run, tmp_path):
    model = Autoencoder.from_experiment(load_config_of_run(trained_run))
    (tmp_path / "config.yaml").write_bytes((trained_run / "config.yaml").read_bytes())
    with pytest.raises(DdspError, match="has no checkpoint"):
        take_weights(model, tmp_path)
