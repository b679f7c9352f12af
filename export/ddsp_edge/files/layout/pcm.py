"""Formats of plain samples: WAV, RF64, AIFF, AU, CAF, W64. Their headers tell bytes of sound.

A recorder that died, a script that never came back to its header, and files joined end to end leave headers
that say something else than what is there.
"""

import struct
from typing import BinaryIO

import numpy as np

from ddsp_edge.files.chunks import MAX_CHUNKS, OPEN_ENDED, chunks, w64_chunks
from ddsp_edge.files.layout.segment import Layout, Segment
from ddsp_edge.files.layout.tags import before_tags

MAX_SEGMENTS = 10_000

_LOOKED_AT = 1 << 16  # bytes behind a sound, to see whether they are more of it
_RIFF_GUID = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000")


def layout_of_pcm(file: BinaryIO, start: int, size: int) -> Layout:
    """Find the sound of a file that begins like one of these formats.

    Args:
        file: The file.
        start: Integer, its first byte behind tags.
        size: Integer, its bytes.
    """
    segments: list[Segment] = []
    mended = ""
    at, left_over = start, 0
    while at < size and len(segments) < MAX_SEGMENTS:
        found = _sound_at(file, at, size)
        if found is None:
            left_over = before_tags(file, at, size) - at
            break
        segment, wrong = found
        mended = mended or wrong
        segments.append(segment)
        at = segment.end
    if len(segments) > 1:
        mended = mended or f"{len(segments)} sound files are joined in it"
    simple = len(segments) == 1 and not segments[0].patches and segments[0].start == 0
    if simple and segments[0].end == size:
        return Layout()
    return Layout(tuple(segments), mended, left_over)


def _sound_at(file: BinaryIO, at: int, size: int) -> tuple[Segment, str] | None:
    """The sound file that begins at a place, and what is wrong with its header; None where none does."""
    file.seek(at)
    head = file.read(16)
    try:
        if head[:4] in (b"RIFF", b"RIFX", b"RF64") and head[8:12] == b"WAVE":
            return _wav(file, at, size, ">" if head[:4] == b"RIFX" else "<")
        if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
            return _aiff(at, size, int.from_bytes(head[4:8], "big"))
        if head[:4] == b".snd":
            return _au(file, at, size)
        if head[:4] == b"caff":
            return _caf(file, at, size)
        if head == _RIFF_GUID:
            return _w64(file, at, size)
    except struct.error:  # it ends inside its header
        return Segment(at, size), ""
    return None


def _wav(file: BinaryIO, at: int, size: int, order: str) -> tuple[Segment, str]:
    long, width = None, 2
    for name, place, count in chunks(file, at + 12, order):
        if name == b"ds64":  # RF64 tells the length beyond 4 GiB in a chunk before
            file.seek(place)
            long = struct.unpack("<QQ", file.read(16))[1], place + 8
        elif name == b"fmt " and count >= 16:
            file.seek(place)
            width = max(1, struct.unpack(f"{order}HHIIH", file.read(14))[4])
        elif name == b"data":
            declared = long[0] if long and count == 0xFFFF_FFFF else count
            end, wrong = _end_of_sound(file, place, declared, size, width, order)
            if not wrong:
                return Segment(at, end), ""
            there = end - place
            whole = min(there, 0xFFFF_FFFE if long is None else 0xFFFF_FFFF)
            patches = {
                4: struct.pack(f"{order}I", min(end - at - 8, 0xFFFF_FFFF)),
                place - 4 - at: struct.pack(f"{order}I", whole),
            }
            if long is not None:
                patches[place - 4 - at] = b"\xff" * 4
                patches[long[1] - 8 - at] = struct.pack("<QQ", end - at - 8, there)
            return Segment(at, end, patches), wrong
        elif place + count > size:
            break
    return Segment(at, size), ""


def _end_of_sound(
    file: BinaryIO, place: int, declared: int, size: int, width: int, order: str
) -> tuple[int, str]:
    """Where the sound of a RIFF file that begins at `place` ends, with what follows that belongs to it."""
    stop = place + declared + declared % 2
    unknown = declared >= OPEN_ENDED and place + declared > size
    if not unknown and stop >= size:
        return size, ""
    if not unknown and declared and _begins_sound(file, stop):
        return stop, ""
    behind = _behind_chunks(file, stop, size, order) if not unknown else None
    if behind is not None and (declared or behind == size):
        return behind, ""
    rest = before_tags(file, place, size)
    if not unknown and declared and not _looks_like_sound(file, place + declared, rest, width, order):
        return stop, ""
    end = _next_riff(file, place, rest)
    if unknown:
        return (end, "two sound files are joined in it") if end < rest else (size, "")
    return end, f"its header says {declared} bytes of sound, {end - place} are there"


def _behind_chunks(file: BinaryIO, at: int, size: int, order: str) -> int | None:
    """The end of the chunks from a place on, which reach to the end, to tags, or to the next sound."""
    for name, place, count in chunks(file, at, order):
        if _begins_sound(file, place - 8):
            return place - 8
        if not all(32 <= byte < 127 for byte in name) or place + count > size + 1:
            return None
        at = place + count + count % 2
        if at >= size or before_tags(file, at, size) <= at or _begins_sound(file, at):
            return min(at, size) if _begins_sound(file, at) else size
    return size if before_tags(file, at, size) <= at else None


def _begins_sound(file: BinaryIO, at: int) -> bool:
    """Whether a WAV or RF64 file begins at a place."""
    file.seek(at)
    head = file.read(12)
    return head[:4] in (b"RIFF", b"RIFX", b"RF64") and head[8:12] == b"WAVE"


def _next_riff(file: BinaryIO, at: int, end: int) -> int:
    """Where the next WAV file begins in bytes of unknown length; their end where none does."""
    overlap = 16
    file.seek(at)
    while at < end:
        data = file.read(min(1 << 20, end - at) + overlap)
        found = data.find(b"WAVEfmt ")
        if found >= 8 and data[found - 8 : found - 4] in (b"RIFF", b"RF64"):
            return at + found - 8
        at += 1 << 20
        file.seek(at)
    return end


def _looks_like_sound(file: BinaryIO, at: int, end: int, width: int, order: str) -> bool:
    """Whether bytes behind a sound are more of it: neighbouring samples of sound are alike, of others not."""
    if end - at < 100 * width:
        return False
    file.seek(at)
    data = file.read(min(_LOOKED_AT, end - at))
    samples = np.frombuffer(data[: len(data) // width * width], np.uint8).reshape(-1, width)
    if width < 2:
        values = samples[:, 0].astype(np.float64) - 128.0
    else:
        top = samples[:, -2:] if order == "<" else samples[:, :2]  # the bytes that weigh most
        values = np.ascontiguousarray(top).view(f"{order}i2")[:, 0].astype(np.float64)
    power = float(np.mean(values**2))
    return power > 0.0 and float(np.mean(np.diff(values) ** 2)) < power  # of white noise it is twice that


def _aiff(at: int, size: int, declared: int) -> tuple[Segment, str]:
    """An AIFF file ends where its form does; libsndfile finds the sound in it."""
    end = at + 8 + declared + declared % 2
    return Segment(at, end if at + 12 < end <= size else size), ""


def _au(file: BinaryIO, at: int, size: int) -> tuple[Segment, str]:
    file.seek(at + 4)
    offset, declared = struct.unpack(">II", file.read(8))
    place, stop = at + offset, at + offset + declared
    if declared >= OPEN_ENDED or stop >= size:
        return Segment(at, size), ""
    file.seek(stop)
    if declared and file.read(4) == b".snd":
        return Segment(at, stop), ""
    rest = before_tags(file, place, size)
    if rest <= stop or (declared and not _looks_like_sound(file, stop, rest, 2, ">")):
        return Segment(at, stop), ""
    told = f"its header says {declared} bytes of sound, {rest - place} are there"
    return Segment(at, rest, {8: struct.pack(">I", min(rest - place, 0xFFFF_FFFF))}), told


def _caf(file: BinaryIO, at: int, size: int) -> tuple[Segment, str]:
    place = at + 8
    for _ in range(MAX_CHUNKS):
        file.seek(place)
        header = file.read(12)
        if len(header) < 12 or header[:4] == b"caff":
            return Segment(at, place if header[:4] == b"caff" else size), ""
        (count,) = struct.unpack(">q", header[4:])
        if header[:4] == b"data" and (count <= 0 or place + 12 + count > size):
            there = before_tags(file, place + 12, size) - place - 12
            told = "" if count < 0 else f"its header says {count} bytes of sound, {there - 4} are there"
            return Segment(at, size, {place + 4 - at: struct.pack(">q", there)}), told
        if count < 0 or place + 12 + count > size:
            break
        place += 12 + count
    return Segment(at, size), ""


def _w64(file: BinaryIO, at: int, size: int) -> tuple[Segment, str]:
    """libsndfile reads what lies behind the sound of a W64 file as sound."""
    file.seek(at + 16)
    (declared,) = struct.unpack("<Q", file.read(8))
    for name, place, count in w64_chunks(file, at + 40):
        if place + count > size:
            break
        if name == b"data":
            if count <= 0:
                break
            end = place + (count + 7) // 8 * 8
            return Segment(at, max(min(end, size), min(at + declared, size))), ""
    return Segment(at, before_tags(file, at, size)), ""
