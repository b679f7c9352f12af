"""TensorBoard: besides curves, a held-back passage to look at and to listen to."""

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from ddsp_edge.units import Array
from ddsp_tf.frames import FrameSpec
from ddsp_tf.reports.plots import plot_spectrogram
from ddsp_tf.tasks.instrument.model.autoencoder import Autoencoder
from ddsp_tf.tasks.instrument.model.render import Renderer, part_of
from ddsp_tf.tasks.instrument.reference import load_reference

SECONDS = 5.0  # of sound, every epoch


class SoundBoard(keras.callbacks.Callback):
    """Write the recording once, and its resynthesis after every epoch, with their spectrograms.

    The noise of training is not touched: a run with TensorBoard and one without are the same.

    Args:
        run: The run folder, with its held-back sound.
        folder: Where to write.
        spec: The frame grid.
    """

    def __init__(self, run: Path, folder: Path, spec: FrameSpec) -> None:
        super().__init__()
        self.spec = spec
        frames = spec.frames_for(SECONDS)
        reference = load_reference(run, spec)
        told = {**reference.features, "audio": reference.audio}
        if reference.instrument is not None:
            told["instrument"] = reference.instrument
        self.features = part_of(told, 0, frames, spec.hop)
        self.recording = self.features["audio"]
        self._writer = tf.summary.create_file_writer(str(folder))
        self._renderer: Renderer | None = None

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Write the recording."""
        self._write("recording", self.recording, 0)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Write the resynthesis."""
        self._renderer = self._renderer or Renderer(self.model)
        self._renderer.reset()
        with _noise_untouched(self.model):
            features = {name: self.features[name] for name in self.model.feature_names}
            self._write("resynthesis", self._renderer.render(**features), epoch)

    def _write(self, name: str, audio: Array, epoch: int) -> None:
        with self._writer.as_default(step=epoch):
            sound = np.clip(audio, -1.0, 1.0)[np.newaxis, :, np.newaxis].astype(np.float32)
            tf.summary.audio(name, sound, self.spec.sample_rate)
            picture = io.BytesIO()
            plot_spectrogram(audio, self.spec.sample_rate, name).savefig(picture, format="png", dpi=80)
            tf.summary.image(f"{name} spectrogram", tf.image.decode_png(picture.getvalue(), 3)[tf.newaxis])
        self._writer.flush()


@contextlib.contextmanager
def _noise_untouched(model: Autoencoder) -> Iterator[None]:
    """Put the generators of noise back where they were."""
    generators = [
        processor.seed_generator
        for processor in model.processors.processors.values()
        if hasattr(processor, "seed_generator")
    ]
    before = [generator.state.numpy() for generator in generators]
    try:
        yield
    finally:
        for generator, state in zip(generators, before, strict=True):
            generator.state.assign(state)
