"""A dataset and a run, made once for all tests of the task."""

import pytest

from ddsp_tf.cli.main import main
from tests.tasks.restoration import sounds


@pytest.fixture(scope="package")
def prepared(tmp_path_factory):
    """A folder with the configuration, recordings and the dataset."""
    folder = tmp_path_factory.mktemp("restoration")
    config = str(sounds.write_config(folder / "tiny.yaml"))
    options = sounds.write_sources(folder / "sources")
    assert main(["prepare", *options, "--out", str(folder / "data"), "--config", config, "--jobs", "1"]) == 0
    return folder


@pytest.fixture(scope="package")
def road(prepared):
    """The same folder, with the run."""
    config, data, run = (str(prepared / name) for name in ("tiny.yaml", "data", "run"))
    assert main(["train", config, "--data", data, "--out", run, "--sounds"]) == 0
    return prepared
