"""Sound files out: 16 bits, WAV or FLAC, under their name when they are whole."""

import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import numpy as np
import soundfile

from ddsp_edge.atomic import check_name, name_beside
from ddsp_edge.errors import DdspError
from ddsp_edge.units import Array


def write_audio(path: str | Path, audio: Array, sample_rate: int) -> None:
    """Write mono samples `[n]` as 16-bit WAV or FLAC (by the file's ending), beside and renamed.

    Samples beyond full scale are clipped.
    """
    with AudioWriter(path, sample_rate) as writer:
        writer.write(audio)


class AudioWriter:
    """Write a 16-bit sound file block by block; it gets its name when it is complete.

    Args:
        path: Where to; `.wav` or `.flac`.
        sample_rate: Integer, Hz.
        channels: Integer, 1 for mono.

    Raises:
        DdspError: If the ending is another, or the file cannot be written there.
    """

    def __init__(self, path: str | Path, sample_rate: int, channels: int = 1) -> None:
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
                channels=channels,
                subtype="PCM_16",
                format=formats[self.path.suffix.lower()],
            )
        except (soundfile.LibsndfileError, RuntimeError, OSError) as error:
            raise DdspError(f"{self.path} cannot be written: {_reason(self.path)}") from error

    def write(self, audio: Array) -> None:
        """Append samples `[n]`, or `[n, channels]`; what is beyond full scale is clipped.

        Full scale is 32768, as it is where sound is read: what was read of 16 bits is written as it was. What
        is no number is silence.

        Raises:
            DdspError: If there is no room for them.
        """
        steps = np.clip(np.rint(np.nan_to_num(audio) * 32768.0), -32768.0, 32767.0)
        try:
            self._file.write(steps.astype(np.int16))
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


def check_output(out: str | Path, inputs: Mapping[str, str | Path], endings: str = ".wav or .flac") -> None:
    """Refuse to write a file over a folder, or over what it is made from.

    Args:
        out: The file that is to be written.
        inputs: What is read, by what it is in words.
        endings: What such files are called.

    Raises:
        DdspError: If `out` is a folder, or one of `inputs`, under whatever name, or its name cannot be.
    """
    out = Path(out)
    check_name(out)
    if out.is_dir():
        raise DdspError(f"{out} is a folder; name a {endings} file to write")
    for words, path in inputs.items():
        if out.exists() and Path(path).exists() and out.samefile(path):
            raise DdspError(f"{out} is the {words}, and would be overwritten; name another file to write")


def _reason(path: Path) -> str:
    if not path.parent.exists():
        return f"the folder {path.parent} does not exist"
    if not path.parent.is_dir():
        return f"{path.parent} is not a folder"
    return f"no permission to write into {path.parent}, or no room there"
