"""A dataset and a run, made once for all tests of the task."""

import pytest

from ddsp_tf.cli.main import main
from tests.tasks.restoration import sounds


@pytest.fixture(scope="package")
def road(tmp_path_factory):
    """A folder with the configuration, recordings, the dataset and the run."""
    folder = tmp_path_factory.mktemp("restoration")
    config = str(sounds.write_config(folder / "tiny.yaml"))
    options = sounds.write_sources(folder / "sources")
    assert main(["prepare", *options, "--out", str(folder / "data"), "--config", config, "--jobs", "1"]) == 0
    assert main(["train", config, "--data", str(folder / "data"), "--out", str(folder / "run")]) == 0
    return folder
