"""Whether a file is a Standard MIDI File, whatever it is called, and where in the file it begins.

Archives hold them as they are, in a RIFF container (RMID), or behind a header of another system, such as the
128 bytes of MacBinary.
"""

from pathlib import Path
from typing import BinaryIO

from ddsp_edge.files.chunks import chunks
from ddsp_edge.files.sound_ending import is_mp3

MIDI_ENDINGS = (".mid", ".midi", ".kar", ".smf", ".rmi")
"""What MIDI files are called; one whose first bytes are another's is another's."""

MAX_MIDI_BYTES = 4 << 20  # a million messages; an hour of dense playing is a tenth of it

_HEADER = b"MThd\x00\x00\x00\x06"
_JUNK = 4_096  # bytes that may stand before the header
_SOUND = (b"RIFF", b"RIFX", b"RF64", b"riff", b"fLaC", b"OggS", b"FORM", b".snd", b"dns.", b"caff", b"wvpk")


def is_midi_file(path: str | Path) -> bool:
    """Whether a file is MIDI: by its first bytes, and by its name where those are of no file that is known.

    What cannot be read goes by its name as well.
    """
    path = Path(path)
    by_name = path.suffix.lower() in MIDI_ENDINGS
    try:
        if not path.is_file():  # reading a pipe would take from it
            return by_name
        with path.open("rb") as file:
            start = file.read(_JUNK)
    except OSError:
        return by_name
    found = begins_as_midi(start)
    return by_name if found is None else found


def begins_as_midi(start: bytes) -> bool | None:
    """Whether a file with these first bytes is MIDI; None where they are of no kind of file that is known."""
    if start.startswith(b"MThd") or _is_rmid(start):
        return True
    if start.startswith(_SOUND) or is_mp3(start):
        return False
    return True if _HEADER in start else None


def read_midi_bytes(path: Path) -> tuple[bytes, list[str]]:
    """Read what a file has of a Standard MIDI File, from its header on, and what is odd about its place.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it holds no such header, or is too large.
    """
    with path.open("rb") as file:
        start = file.read(_JUNK)
        if _is_rmid(start):
            return _of_riff(file), []
        at, odd = start.find(_HEADER), list[str]()
        if start.startswith(b"MThd"):
            at = 0
        elif begins_as_midi(start) is False:
            raise ValueError("it is a sound file of another kind")
        elif at < 0:
            raise ValueError("it does not begin with MThd" if start else "it is empty")
        else:
            odd.append(f"{at} bytes stand before its MIDI header")
        file.seek(at)
        return _bounded(file, MAX_MIDI_BYTES + 1), odd


def _is_rmid(start: bytes) -> bool:
    return start[:4] == b"RIFF" and start[8:12] == b"RMID"


def _of_riff(file: BinaryIO) -> bytes:
    """The chunk `data` of a RIFF file, or, where its sizes lead nowhere, what begins like MIDI in it."""
    for name, place, size in chunks(file, 12, "<"):
        if name == b"data":
            file.seek(place)
            data = _bounded(file, min(size, MAX_MIDI_BYTES + 1))
            if data.startswith(b"MThd"):
                return data
            break
    file.seek(0)
    data = _bounded(file, MAX_MIDI_BYTES + 1)
    if _HEADER not in data:
        raise ValueError("it is a RIFF file without MIDI in it")
    return data[data.index(_HEADER) :]


def _bounded(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) > MAX_MIDI_BYTES:
        raise ValueError(f"it has more than {MAX_MIDI_BYTES} bytes, the most that is read")
    return data
