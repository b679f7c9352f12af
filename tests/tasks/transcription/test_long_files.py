"""Memory of a transcription: that of a block and of its notes, however long the recording is."""

import subprocess
import sys

import numpy as np
import pytest

from ddsp_edge.files.audio_writer import AudioWriter

RATE = 16_000
PER_NOTE = 4096  # bytes: 66 features and a few numbers, as Python keeps them
PROGRAM = """
import resource, sys
from ddsp_edge.model.file import read_model_file
from ddsp_edge.model.step_model import StepModel
from ddsp_edge.shipped import model_path
from ddsp_edge.transcription.files import transcribe_file
from ddsp_edge.transcription.transcriber import Transcriber
file = read_model_file(model_path("notes"))
hearing = Transcriber.of_card(StepModel(file, "auto"), file.card)
peaks = []
def watch(done, total):
    if done > 60.0:  # all that is loaded late is there
        peaks.append(1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
found = transcribe_file(hearing, sys.argv[1], watch)
print(len(found.notes), peaks[0], peaks[-1])
"""


def write_scales(path, minutes):
    """Two voices of struck notes, four a second."""
    seconds = np.arange(RATE // 4) / RATE
    with AudioWriter(path, RATE) as writer:
        for number in range(minutes * 240):
            hz = 220.0 * 2.0 ** (np.array([number * 5 % 24, number * 7 % 24 - 12]) / 12.0)
            tones = [np.sin(2 * np.pi * f * k * seconds) / k for f in hz for k in range(1, 6)]
            writer.write((0.08 * np.exp(-8.0 * seconds) * np.sum(tones, axis=0)).astype(np.float32))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux only")
def test_memory_grows_by_its_notes_alone(tmp_path):
    write_scales(tmp_path / "long.wav", 15)
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "long.wav")]
    words = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    notes, after_a_minute, at_the_end = map(int, words)
    assert notes > 4000
    assert at_the_end - after_a_minute < PER_NOTE * notes + 6_000_000  # the file is 29 MB, decoded 58
