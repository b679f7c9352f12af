"""A content encoder and a voice: recordings, datasets, runs and files, made once for all tests of both.

What is trained is for the slow tests; the quick ones use the models that come along, and untrained ones.
"""

from pathlib import Path

import pytest

from ddsp_edge.model.file import write_model_file
from ddsp_tf.cli.main import main
from ddsp_tf.speech import recogniser
from ddsp_tf.tasks.content.export import ContentExport
from tests.tasks.voice.speech import install_recogniser, write_speakers

CONTENT = """
task: content
name: tiny
sample_rate: 16000
frame_rate: 125
data: {passage_seconds: 4.0, held_back: 'speaker-[01]'}
network: {channels: 12, units: 12, content: 4, lookahead_frames: 5, dropout: 0.0}
changes: {speed: 0.05, warp: 0.04, equaliser_db: 2.0, noise_share: 0.1}
training: {steps: 60, steps_per_epoch: 30, batch_size: 4, clip_seconds: 1.5, learning_rate: 0.01}
"""
VOICE = """
task: voice
name: tiny
sample_rate: 16000
frame_rate: 125
data: {{passage_seconds: 4.0, validation_share: 0.3, f0_max_hz: 400.0}}
content: {content}
network: {{units: 24, n_harmonics: 40, n_bands: 33}}
loss: {{fft_sizes: [512, 128]}}
training: {{steps: 30, steps_per_epoch: 15, batch_size: 2, clip_seconds: 1.0, learning_rate: 0.01}}
"""


@pytest.fixture(scope="package")
def labelled(tmp_path_factory):
    """A folder with recordings of six speakers, and their dataset."""
    folder = tmp_path_factory.mktemp("voice")
    with pytest.MonkeyPatch.context() as patch:
        install_recogniser(patch)
        (folder / "content.yaml").write_text(CONTENT)
        write_speakers(folder / "speakers", 6, 9.0)
        config, data = (str(folder / name) for name in ("content.yaml", "content_data"))
        command = ["prepare", str(folder / "speakers"), "--out", data, "--config", config, "--jobs", "1"]
        assert main(command) == 0
    recogniser._model.cache_clear()
    return folder


@pytest.fixture(scope="package")
def encoder(labelled):
    """The same folder, with the run of an encoder and its file."""
    folder = labelled
    config, data, run = (str(folder / name) for name in ("content.yaml", "content_data", "content_run"))
    assert main(["train", config, "--data", data, "--out", run]) == 0
    # Voices need its card and its weights; to convert its network takes as long as all the rest.
    made = ContentExport(Path(run), {})
    write_model_file(folder / "content.tflite", b"\0\0\0\0TFL3", made.card, made.arrays)
    return folder


@pytest.fixture(scope="package")
def target(tmp_path_factory):
    """A folder with recordings of a voice, and a configuration with the content encoder that comes along."""
    folder = tmp_path_factory.mktemp("target")
    (folder / "voice.yaml").write_text(VOICE.format(content="content"))
    write_speakers(folder / "target", 1, 16.0, first=7)
    return folder


@pytest.fixture(scope="package")
def road(encoder):
    """The folder of the encoder, with recordings of a voice, its dataset, run and file."""
    folder = encoder
    (folder / "voice.yaml").write_text(VOICE.format(content=folder / "content.tflite"))
    write_speakers(folder / "target", 1, 16.0, first=7)
    config, data, run = (str(folder / name) for name in ("voice.yaml", "data", "run"))
    command = ["prepare", str(folder / "target"), "--out", data, "--config", config, "--jobs", "1"]
    assert main([*command, "--i-have-consent"]) == 0
    assert main(["train", config, "--data", data, "--out", run, "--sounds"]) == 0
    assert main(["export", run, "--out", str(folder / "voice.tflite"), "--quantize", "float32"]) == 0
    return folder
