"""Where the sounds of a training go: a held-back passage, and what the model makes of it after each epoch."""

import contextlib
import io
from pathlib import Path
from typing import Protocol

import numpy as np
import tensorflow as tf

from ddsp_edge.files.audio_writer import write_audio
from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError
from ddsp_tf.reports.plots import plot_spectrogram
from ddsp_tf.training.watch import Steps

RECORDING_NAME = "recording.wav"


class SoundPlace(Protocol):
    """Takes the sounds of a training."""

    def recording(self, audio: Array) -> None:
        """Take the passage itself, `[samples]`: once, before the first epoch."""
        ...

    def resynthesis(self, audio: Array, epoch: int) -> None:
        """Take what the model makes of it, `[samples]`, at the end of an epoch, counted from 0."""
        ...


class SoundsOnBoard:
    """Into the logs of TensorBoard, each with its spectrogram; a `SoundPlace`.

    Args:
        folder: Where to write.
        sample_rate: Integer, Hz.
    """

    def __init__(self, folder: Path, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self._writer = tf.summary.create_file_writer(str(folder))

    def recording(self, audio: Array) -> None:
        """See `SoundPlace`."""
        self._write("recording", audio, 0)

    def resynthesis(self, audio: Array, epoch: int) -> None:
        """See `SoundPlace`."""
        self._write("resynthesis", audio, epoch)

    def _write(self, name: str, audio: Array, epoch: int) -> None:
        with self._writer.as_default(step=epoch):
            sound = np.clip(audio, -1.0, 1.0)[np.newaxis, :, np.newaxis].astype(np.float32)
            tf.summary.audio(name, sound, self.sample_rate)
            picture = io.BytesIO()
            plot_spectrogram(audio, self.sample_rate, name).savefig(picture, format="png", dpi=80)
            tf.summary.image(f"{name} spectrogram", tf.image.decode_png(picture.getvalue(), 3)[tf.newaxis])
        self._writer.flush()


class SoundFiles:
    """Into files, `recording.wav` and `step-00000400.wav`, as checkpoints are called; a `SoundPlace`.

    The newest resynthesis alone is kept, so that a run of any length leaves two files.

    Args:
        folder: Where to write.
        sample_rate: Integer, Hz.
        steps: Counts the steps.
    """

    def __init__(self, folder: Path, sample_rate: int, steps: Steps) -> None:
        self.folder, self.sample_rate, self.steps = folder, sample_rate, steps

    def recording(self, audio: Array) -> None:
        """See `SoundPlace`."""
        self._write(RECORDING_NAME, audio)

    def resynthesis(self, audio: Array, epoch: int) -> None:
        """See `SoundPlace`."""
        newest = self._write(f"step-{self.steps.done:08d}.wav", audio)
        for path in self.folder.glob("step-*.wav"):
            if path != newest:
                with contextlib.suppress(OSError):  # somebody reads it, on Windows: after the next epoch then
                    path.unlink()

    def _write(self, name: str, audio: Array) -> Path:
        path = self.folder / name
        try:
            self.folder.mkdir(exist_ok=True)
        except OSError as error:
            raise DdspError(f"{self.folder} cannot be written: {error.strerror}") from error
        write_audio(path, audio, self.sample_rate)
        return path
