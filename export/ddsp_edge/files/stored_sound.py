"""The samples of a sound file as they are stored: whatever libsndfile reads, part after part.

`ddsp_edge.files.layout` says where in the file the sound lies, and what of its header is not to be believed.
"""

import contextlib
import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from ddsp_edge.errors import DdspError
from ddsp_edge.files.layout.find import layout_of
from ddsp_edge.files.layout.segment import Layout, Segment, SegmentFile
from ddsp_edge.files.midi_container import is_midi_file
from ddsp_edge.files.sound_ending import Ending, ending_of
from ddsp_edge.quiet import quiet_stderr
from ddsp_edge.units import Array

OTHER_SOUND = frozenset({".m4a", ".aac", ".mp4", ".wma", ".amr", ".3gp", ".ape", ".wv", ".webm", ".mka"})
"""Endings of sound files, as phones make them, that libsndfile does not read."""
CONVERT = "sound of this kind cannot be read: convert it to WAV or FLAC"

_LEAST_BITS_A_SECOND, _USUAL_BITS_A_SECOND = 1_000, 64_000  # of sound, to tell what a length cannot be
_LEFT_OVER_BYTES = 1_000  # that are worth a word
_OF_LAST_FRAME = 512  # samples read at once of a frame that may not be whole
_BROKEN_OFF_S = 0.1  # less than this is a header that counts differently, or nobody misses it


class StoredSound:
    """A sound file that is read from one end to the other.

    Args:
        path: The file.

    Attributes:
        sample_rate: Integer, Hz.
        channels: Integer.
        subtype: How samples are stored, as libsndfile calls it.
        samples: Integer, samples of a channel that there seem to be, by its header or its bytes.
        samples_read: Integer, samples of a channel that were read.

    Raises:
        DdspError: If the file is missing, empty, no ordinary file, or no sound file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._layout, self._ending = _looked_at(path)
        self._segments: tuple[Segment | None, ...] = self._layout.segments or (None,)
        self._file = _opened(path, self._ending, self._segments[0])
        self.sample_rate = int(self._file.samplerate)
        self.channels = int(self._file.channels)
        self.subtype = str(self._file.subtype)
        self._told = [self._layout.mended] if self._layout.mended else []
        self.samples = self._samples_in_all()
        self.samples_read = 0

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def blocks(self, at_once: int) -> Iterator[Array]:
        """Yield what is stored as float32 `[n, channels]`, at most `at_once` samples at a time.

        Raises:
            DdspError: If the file cannot be decoded to its end.
        """
        for number, segment in enumerate(self._segments):
            if number:
                self._file.close()
                self._file = _opened(self.path, self._ending, segment)
                form = int(self._file.samplerate), int(self._file.channels)
                if form != (self.sample_rate, self.channels):
                    self._told.append(
                        f"what follows has {form[0]} Hz and {form[1]} channels, what is before it "
                        f"{self.sample_rate} Hz and {self.channels}: it is left out"
                    )
                    return
            begun = self.samples_read
            yield from self._stored_in(segment, at_once)
            declared = 0 if segment is None else segment.declared
            if declared and declared != self.samples_read - begun:
                there = (self.samples_read - begun) / self.sample_rate
                said = f"{declared / self.sample_rate:.1f} s, {there:.1f} s are there"
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
                self.samples_read += len(block)
                yield block
                left = None if left is None else left - len(block)
            elif in_last_frame or (left is None and isinstance(problem, str)):
                break
            else:
                seconds = self.samples_read / self.sample_rate
                raise DdspError(f"{self.path} breaks off after {seconds:.1f} s: {problem}")

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
            most = 8 * size * self.sample_rate // _LEAST_BITS_A_SECOND
            usual = 8 * size * self.sample_rate // _USUAL_BITS_A_SECOND
            total += samples if 0 < samples <= most else usual
        return total

    def mended(self) -> str:
        """Say what is wrong with the header of a file that was read to its end, and what was left out."""
        told = list(self._told)
        if self._layout.left_over > _LEFT_OVER_BYTES:
            told.append(f"{self._layout.left_over} bytes behind the sound are no sound, and left out")
        return f"{self.path}: {'; '.join(told)}" if told else ""

    def broken_off(self) -> str:
        """Say how much is missing at the end of a file that was read to its end; empty if nothing is."""
        there = self.samples_read / self.sample_rate
        if self._ending.lacks_mark:
            return f"{self.path} breaks off: {there:.1f} s are there, and the mark of its end is not"
        if not self._ending.share:
            return ""
        # Of MP3, libsndfile knows the length from the header; a share of its bytes is a share of no time.
        declared = self.samples / self.sample_rate
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
