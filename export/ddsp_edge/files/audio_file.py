"""Sound files in: mono, at the rate that is asked for, or as they are.

Memory does not grow with the length of the file.
"""

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import numpy as np
import soxr

from ddsp_edge.errors import DdspError
from ddsp_edge.files.clipping import ClippingCounter, full_scale
from ddsp_edge.files.stored_sound import StoredSound
from ddsp_edge.units import Array

MIN_SAMPLE_RATE = 4_000  # Hz; below it nothing of an instrument is left to learn from
MAX_SAMPLE_RATE = 768_000
MAX_LEVEL = 1_000.0  # full scale is 1; 60 dB above it nothing was recorded, and 16-bit integers begin
_CANCELLED = 0.01  # of the level of its channels (-40 dB), what is left of a sound that they cancel
_HEARD = 0.001  # -60 dB: the channels of a silent recording may well cancel, and that is not its fault


class AudioReader:
    """A sound file as a stream of mono blocks at the rate that is asked for.

    Channels are averaged; other rates are resampled (soxr, high quality, its delay compensated).

    Args:
        path: A sound file: WAV, FLAC, OGG, MP3 or whatever else libsndfile reads.
        sample_rate: Integer, rate of the blocks in Hz; None for the rate of the file.
        locate_clipping: Whether to remember where samples are clipped until `clipped_between` is asked for
            what comes after them; it is to be asked while the file is read.

    Attributes:
        stored: The file as it is stored.
        file_sample_rate: Integer, Hz.
        file_samples: Integer, samples that there seem to be.
        channels: Integer.

    Raises:
        DdspError: If the file is missing, empty, no ordinary file, no sound file, has a rate that cannot be
            meant.
    """

    def __init__(
        self, path: str | Path, sample_rate: int | None = None, *, locate_clipping: bool = False
    ) -> None:
        self.path = Path(path)
        self.stored = StoredSound(self.path)
        self.file_sample_rate = self.stored.sample_rate
        self.channels = self.stored.channels
        self.file_samples = self.stored.samples
        if not MIN_SAMPLE_RATE <= self.file_sample_rate <= MAX_SAMPLE_RATE:
            self.stored.close()
            raise DdspError(
                f"{self.path} has a sample rate of {self.file_sample_rate} Hz; "
                f"{MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz can be used"
            )
        self.sample_rate = sample_rate or self.file_sample_rate
        self._clipping = ClippingCounter(full_scale(self.stored.subtype), self.channels)
        self._locate_clipping = locate_clipping
        self._clipped: deque[tuple[int, int, int]] = deque()  # first, end and count of a stretch
        self._channel_peak = self._mono_peak = 0.0  # of what was read

    @property
    def n_samples(self) -> int:
        """Samples that the whole file gives at `sample_rate` (an estimate for some formats)."""
        return self.file_samples * self.sample_rate // self.file_sample_rate

    @property
    def clipped_samples(self) -> int:
        """Samples of what was read, of all channels, in runs at full scale (`ddsp_edge.files.clipping`)."""
        return self._clipping.samples

    def clipped_between(self, first: int, end: int) -> int:
        """Clipped samples near those from `first` up to `end`, counted at `sample_rate`, of what was read.

        What comes before `first` is forgotten, so that memory is bounded. Near is within 8192 samples.

        Raises:
            RuntimeError: If the reader was made without `locate_clipping`.
        """
        if not self._locate_clipping:
            raise RuntimeError(
                "a reader tells where samples are clipped if it is made with locate_clipping=True"
            )
        ratio = self.file_sample_rate / self.sample_rate
        while self._clipped and self._clipped[0][1] <= first * ratio:
            self._clipped.popleft()
        return sum(count for start, _, count in self._clipped if start < end * ratio)

    def averaged(self) -> str:
        """Say that channels were averaged of which one may hold the instrument; empty for mono and stereo."""
        if self.channels <= 2:
            return ""
        return (
            f"its {self.channels} channels were averaged; where they are several microphones, keep the one "
            "that hears the instrument best"
        )

    @property
    def cancelled(self) -> bool:
        """Whether the channels of what was read cancel each other when they are averaged."""
        return self._channel_peak > _HEARD and self._mono_peak < _CANCELLED * self._channel_peak

    def __enter__(self) -> "AudioReader":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stored.close()

    def blocks(self, block_samples: int = 65_536) -> Iterator[Array]:
        """Yield the file as float32 blocks `[n]`, `block_samples` long but for the last one.

        Raises:
            DdspError: If the file holds samples that are not finite or beyond any level, or breaks off.
        """
        waiting: list[Array] = []
        count = 0
        for block in self._resampled():
            waiting.append(block)
            count += len(block)
            if count >= block_samples:
                joined = np.concatenate(waiting)
                whole = count - count % block_samples
                yield from joined[:whole].reshape(-1, block_samples)
                waiting, count = [joined[whole:]], count - whole
        if count:
            yield np.concatenate(waiting)

    def _resampled(self) -> Iterator[Array]:
        if self.sample_rate == self.file_sample_rate:
            yield from self._mono()
            return
        stream = soxr.ResampleStream(
            self.file_sample_rate, self.sample_rate, 1, dtype="float32", quality="HQ"
        )
        for block in self._mono():
            yield stream.resample_chunk(block)
        yield stream.resample_chunk(np.zeros(0, np.float32), last=True)

    def channel_blocks(self, at_once: int = 8_192) -> Iterator[Array]:
        """Yield the file as it is stored, float32 `[n, channels]` at its own rate, `n` at most `at_once`.

        Raises:
            DdspError: If the file holds samples that are not finite or beyond any level, or breaks off.
        """
        place = 0  # samples read before the block
        for block in self.stored.blocks(at_once):
            peak = max(float(block.max()), -float(block.min()))
            if not peak <= MAX_LEVEL:  # also true of NaN
                raise DdspError(self._beyond(block, place))
            self._channel_peak = max(self._channel_peak, peak)
            before = self._clipping.samples
            self._clipping.add(block)
            if self._locate_clipping and self._clipping.samples > before:
                self._clipped.append((place, place + len(block), self._clipping.samples - before))
            place += len(block)
            yield block

    def _mono(self) -> Iterator[Array]:
        for block in self.channel_blocks():
            mono = block.mean(axis=1) if self.channels > 1 else block[:, 0]
            self._mono_peak = max(self._mono_peak, float(mono.max()), -float(mono.min()))
            yield mono

    def _beyond(self, block: Array, position: int) -> str:
        """Say what is wrong with a block that holds something else than sound."""
        finite = np.isfinite(block)
        bad = ~(np.abs(block) <= MAX_LEVEL) if finite.all() else ~finite
        place = (position + int(np.flatnonzero(bad.any(axis=1))[0])) / self.file_sample_rate
        if not finite.all():
            return f"{self.path} holds samples that are not finite numbers, the first at {place:.3f} s"
        level = np.abs(block).max()
        return (
            f"{self.path} holds samples beyond any level of sound, up to {level:.3g} times full "
            f"scale from {place:.3f} s on: it is damaged, or holds integers as floating point that were not "
            "divided by their full scale"
        )

    def remarks(self) -> list[str]:
        """What whoever plays a file is to be told of it, once it was read to its end."""
        return [text for text in (self.stored.broken_off(), self.stored.mended()) if text]

    def silence(self) -> str:
        """Say why nothing is to be heard of a file that was read and found silent."""
        if self.cancelled:
            return (
                f"{self.path} has channels that cancel each other when they are averaged: they hold the "
                "same with opposite signs. Keep one of them, or invert one"
            )
        return f"{self.path} is silent: nothing to follow"


def read_audio(path: str | Path, sample_rate: int | None = None) -> tuple[Array, int]:
    """Read a whole file as mono float32 `[n]`, full scale 1, with its (new) sample rate.

    Raises:
        DdspError: As `AudioReader`, and if the file holds no samples.
    """
    with AudioReader(path, sample_rate) as reader:
        blocks = list(reader.blocks())
        rate = reader.sample_rate
    if not blocks:
        raise DdspError(f"{path} holds no samples")
    return np.concatenate(blocks), rate
