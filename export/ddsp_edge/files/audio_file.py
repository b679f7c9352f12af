"""Sound files in and out: any format that libsndfile knows, any rate, any number of channels.

Reading streams: memory does not grow with the length of the file.
"""

import contextlib
import io
import os
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType

import numpy as np
import soundfile
import soxr

from ddsp_edge.atomic import check_name, name_beside
from ddsp_edge.errors import DdspError
from ddsp_edge.files.clipping import ClippingCounter, full_scale
from ddsp_edge.files.layout.find import layout_of
from ddsp_edge.files.layout.segment import Layout, Segment, SegmentFile
from ddsp_edge.files.midi_container import is_midi_file
from ddsp_edge.files.sound_ending import Ending, ending_of
from ddsp_edge.quiet import quiet_stderr
from ddsp_edge.units import Array

MIN_SAMPLE_RATE = 4_000  # Hz; below it nothing of an instrument is left to learn from
MAX_SAMPLE_RATE = 768_000
MAX_LEVEL = 1_000.0  # full scale is 1; 60 dB above it nothing was recorded, and 16-bit integers begin
OTHER_SOUND = frozenset({".m4a", ".aac", ".mp4", ".wma", ".amr", ".3gp", ".ape", ".wv", ".webm", ".mka"})
"""Endings of sound files, as phones make them, that libsndfile does not read."""
CONVERT = "sound of this kind cannot be read: convert it to WAV or FLAC"

_LEAST_BITS_A_SECOND, _USUAL_BITS_A_SECOND = 1_000, 64_000  # of sound, to tell what a length cannot be
_LEFT_OVER_BYTES = 1_000  # that are worth a word
_OF_LAST_FRAME = 512  # samples read at once of a frame that may not be whole
_BROKEN_OFF_S = 0.1  # less than this is a header that counts differently, or nobody misses it
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

    Raises:
        DdspError: If the file is missing, empty, no ordinary file, no sound file, has a rate that cannot be
            meant.
    """

    def __init__(
        self, path: str | Path, sample_rate: int | None = None, *, locate_clipping: bool = False
    ) -> None:
        self.path = Path(path)
        self._layout, self._ending = _looked_at(self.path)
        self._segments: tuple[Segment | None, ...] = self._layout.segments or (None,)
        self._file = _opened(self.path, self._ending, self._segments[0])
        self.file_sample_rate = int(self._file.samplerate)
        self.channels = int(self._file.channels)
        self._told = [self._layout.mended] if self._layout.mended else []
        self.file_samples = self._samples_in_all()
        if not MIN_SAMPLE_RATE <= self.file_sample_rate <= MAX_SAMPLE_RATE:
            self._file.close()
            raise DdspError(
                f"{self.path} has a sample rate of {self.file_sample_rate} Hz; "
                f"{MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz can be used"
            )
        self.sample_rate = sample_rate or self.file_sample_rate
        self._clipping = ClippingCounter(full_scale(self._file.subtype), self.channels)
        self._locate_clipping = locate_clipping
        self._clipped: deque[tuple[int, int, int]] = deque()  # first, end and count of a stretch
        self._samples_read = 0
        self._channel_peak = self._mono_peak = 0.0  # of what was read

    def _samples_in_all(self) -> int:
        """Samples of all segments; guessed by the bytes where what a header says cannot be."""
        total = 0
        for number, segment in enumerate(self._segments):
            size = self.path.stat().st_size if segment is None else segment.end - segment.start
            samples = None if segment is None else segment.samples
            if samples is None and not number:
                samples = int(self._file.frames)
            elif samples is None:
                with _opened(self.path, self._ending, segment) as file:
                    samples = int(file.frames)
            most = 8 * size * self.file_sample_rate // _LEAST_BITS_A_SECOND
            usual = 8 * size * self.file_sample_rate // _USUAL_BITS_A_SECOND
            total += samples if 0 < samples <= most else usual
        return total

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
        self._file.close()

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

    def _stored(self, at_once: int) -> Iterator[Array]:
        """Yield what the segments hold, `[n, channels]`, one after the other."""
        for number, segment in enumerate(self._segments):
            if number:
                self._file.close()
                self._file = _opened(self.path, self._ending, segment)
                form = int(self._file.samplerate), int(self._file.channels)
                if form != (self.file_sample_rate, self.channels):
                    self._told.append(
                        f"what follows has {form[0]} Hz and {form[1]} channels, what is before it "
                        f"{self.file_sample_rate} Hz and {self.channels}: it is left out"
                    )
                    return
            begun = self._samples_read
            yield from self._stored_in(segment, at_once)
            declared = 0 if segment is None else segment.declared
            if declared and declared != self._samples_read - begun:
                there = (self._samples_read - begun) / self.file_sample_rate
                said = f"{declared / self.file_sample_rate:.1f} s, {there:.1f} s are there"
                self._told.append(f"its header says {said}")

    def _stored_in(self, segment: Segment | None, at_once: int) -> Iterator[Array]:
        """Yield what one segment holds, `[n, channels]`."""
        left = None if segment is None else segment.samples
        spare = 0 if segment is None else segment.last_frame
        while left is None or left > 0:
            in_last_frame = left is not None and left <= spare
            count = at_once
            if left is not None:
                count = min(at_once, left, _OF_LAST_FRAME if in_last_frame else left - spare)
            problem: Exception | str = "there is no more"
            try:
                block = self._file.read(count, dtype="float32", always_2d=True)
            except (soundfile.LibsndfileError, RuntimeError) as error:
                block, problem = np.zeros((0, self.channels), np.float32), error
            if len(block):
                yield block
                left = None if left is None else left - len(block)
            elif in_last_frame or (left is None and isinstance(problem, str)):
                break
            else:
                seconds = self._samples_read / self.file_sample_rate
                raise DdspError(f"{self.path} breaks off after {seconds:.1f} s: {problem}")

    def _mono(self, at_once: int = 8_192) -> Iterator[Array]:
        for block in self._stored(at_once):
            peak = max(float(block.max()), -float(block.min()))
            if not peak <= MAX_LEVEL:  # also true of NaN
                raise DdspError(self._beyond(block, self._samples_read))
            mono = block.mean(axis=1) if self.channels > 1 else block[:, 0]
            self._channel_peak = max(self._channel_peak, peak)
            self._mono_peak = max(self._mono_peak, float(mono.max()), -float(mono.min()))
            before = self._clipping.samples
            self._clipping.add(block)
            if self._locate_clipping and self._clipping.samples > before:
                place = self._samples_read
                self._clipped.append((place, place + len(block), self._clipping.samples - before))
            self._samples_read += len(block)
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

    def mended(self) -> str:
        """Say what is wrong with the header of a file that was read to its end, and what was left out."""
        told = list(self._told)
        if self._layout.left_over > _LEFT_OVER_BYTES:
            told.append(f"{self._layout.left_over} bytes behind the sound are no sound, and left out")
        return f"{self.path}: {'; '.join(told)}" if told else ""

    def remarks(self) -> list[str]:
        """What whoever plays a file is to be told of it, once it was read to its end."""
        return [text for text in (self.broken_off(), self.mended()) if text]

    def silence(self) -> str:
        """Say why nothing is to be heard of a file that was read and found silent."""
        if self.cancelled:
            return (
                f"{self.path} has channels that cancel each other when they are averaged: they hold the "
                "same with opposite signs. Keep one of them, or invert one"
            )
        return f"{self.path} is silent: nothing to follow"

    def broken_off(self) -> str:
        """Say how much is missing at the end of a file that was read to its end; empty if nothing is."""
        there = self._samples_read / self.file_sample_rate
        if self._ending.lacks_mark:
            return f"{self.path} breaks off: {there:.1f} s are there, and the mark of its end is not"
        if not self._ending.share:
            return ""
        # Of MP3, libsndfile knows the length from the header; a share of its bytes is a share of no time.
        declared = self.file_samples / self.file_sample_rate
        if self._file.format != "MP3":
            declared = there / self._ending.share
        if declared - there < _BROKEN_OFF_S:
            return ""
        return f"{self.path} breaks off: its header says {declared:.1f} s, {there:.1f} s are there"


_stderr_is_hidden = threading.Lock()


def _looked_at(path: Path) -> tuple[Layout, Ending]:
    """Refuse what is no file that could hold sound (reading a pipe may never end); look where sound lies."""
    try:
        if not path.exists():
            raise DdspError(f"{path}: no such file")
        if path.is_dir():
            raise DdspError(f"{path} is a folder, not a sound file")
        if not path.is_file():
            raise DdspError(f"{path} is a pipe or a device; name a file")
        if path.stat().st_size == 0:
            raise DdspError(f"{path} is empty (0 bytes)")
        layout = layout_of(path)
        as_it_is = not layout.mended and all(not s.start and not s.patches for s in layout.segments)
        return layout, ending_of(path) if as_it_is else Ending()
    except OSError as error:
        raise DdspError(f"{path} cannot be read: {error.strerror or error}") from error


class _Stream(soundfile.SoundFile):  # type: ignore[misc]
    """A sound file that is only read onwards.

    After each read, soundfile seeks to where it is already, if it may. In MP3 that forgets what the next
    frames are decoded from: sound would be missing and clicks be heard between blocks.
    """

    def seekable(self) -> bool:
        """Never."""
        return False


def _opened(path: Path, ending: Ending, segment: Segment | None = None) -> soundfile.SoundFile:
    """Open a sound file whatever its name: bytes are what a disk knows, and need not be text."""
    talks = ending.share is not None and ending.share < 1.0  # libmpg123 says so on stderr, to nobody's use
    try:
        with contextlib.ExitStack() as stack:
            if talks:
                stack.enter_context(_stderr_is_hidden)  # files are opened in many threads
                stack.enter_context(quiet_stderr())
            if segment is not None and not segment.is_all_of(path.stat().st_size):
                return _Stream(io.BufferedReader(SegmentFile(path, segment)))
            return _Stream(path if os.name == "nt" else os.fsencode(path))
    except (soundfile.LibsndfileError, RuntimeError, OSError) as error:
        if is_midi_file(path):
            raise DdspError(f"{path} is a MIDI file, not a recording; ddsp-edge render plays it") from error
        if path.suffix.lower() in OTHER_SOUND:
            raise DdspError(f"{path}: {CONVERT}") from error
        reason = getattr(error, "error_string", str(error)).strip().rstrip(".")
        raise DdspError(
            f"{path} is not a readable sound file ({reason}). WAV, FLAC, OGG and MP3 are known to work"
        ) from error


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


def write_audio(path: str | Path, audio: Array, sample_rate: int) -> None:
    """Write mono samples `[n]` as 16-bit WAV or FLAC (by the file's ending), beside and renamed.

    Samples beyond full scale are clipped.
    """
    with AudioWriter(path, sample_rate) as writer:
        writer.write(audio)


class AudioWriter:
    """Write a mono 16-bit sound file block by block; it gets its name when it is complete.

    Args:
        path: Where to; `.wav` or `.flac`.
        sample_rate: Integer, Hz.

    Raises:
        DdspError: If the ending is another, or the file cannot be written there.
    """

    def __init__(self, path: str | Path, sample_rate: int) -> None:
        self.path = Path(path)
        formats = {".wav": "WAV", ".flac": "FLAC"}
        if self.path.suffix.lower() not in formats:
            raise DdspError(f"{self.path}: sound is written as .wav or .flac")
        check_name(self.path)
        self._beside = name_beside(self.path)
        try:
            self._file = soundfile.SoundFile(
                self._beside if os.name == "nt" else os.fsencode(self._beside),
                "w",
                sample_rate,
                channels=1,
                subtype="PCM_16",
                format=formats[self.path.suffix.lower()],
            )
        except (soundfile.LibsndfileError, RuntimeError, OSError) as error:
            raise DdspError(f"{self.path} cannot be written: {_reason(self.path)}") from error

    def write(self, audio: Array) -> None:
        """Append samples `[n]`; what is beyond full scale is clipped.

        Raises:
            DdspError: If there is no room for them.
        """
        try:
            self._file.write(np.clip(audio, -1.0, 32767.0 / 32768.0))
        except (soundfile.LibsndfileError, RuntimeError, OSError) as error:
            raise DdspError(f"{self.path} cannot be written: {error}") from error

    def __enter__(self) -> "AudioWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._file.close()
            if kind is None:
                self._beside.replace(self.path)
        except (soundfile.LibsndfileError, RuntimeError, OSError) as error:
            raise DdspError(f"{self.path} cannot be written: {error}") from error
        finally:
            self._beside.unlink(missing_ok=True)


def check_output(out: str | Path, inputs: Mapping[str, str | Path]) -> None:
    """Refuse to write a sound over a folder, or over what it is made from.

    Args:
        out: The sound file that is to be written.
        inputs: What is read, by what it is in words.

    Raises:
        DdspError: If `out` is a folder, or one of `inputs`, under whatever name, or its name cannot be.
    """
    out = Path(out)
    check_name(out)
    if out.is_dir():
        raise DdspError(f"{out} is a folder; name a .wav or .flac file to write")
    for words, path in inputs.items():
        if out.exists() and Path(path).exists() and out.samefile(path):
            raise DdspError(f"{out} is the {words}, and would be overwritten; name another file to write")


def _reason(path: Path) -> str:
    if not path.parent.exists():
        return f"the folder {path.parent} does not exist"
    if not path.parent.is_dir():
        return f"{path.parent} is not a folder"
    return f"no permission to write into {path.parent}, or no room there"
