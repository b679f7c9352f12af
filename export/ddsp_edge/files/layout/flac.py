"""FLAC: how many samples there are stands in its first block, and in the number of its last frame."""

from typing import BinaryIO

from ddsp_edge.files.layout.segment import Layout, Segment
from ddsp_edge.files.layout.tags import before_tags

_MARKS = (b"fLaC\x00\x00\x00\x22", b"fLaC\x80\x00\x00\x22")  # with the head of the block that comes first
_TAIL = 1 << 20  # bytes that surely hold a whole frame
_AT_ONCE = 1 << 22
_RATE_CODES_LONG = {12: 1, 13: 2, 14: 2}  # bytes of a rate that follow the number of a frame


def layout_of_flac(file: BinaryIO, start: int, size: int) -> Layout:
    """Find the streams of a FLAC file, each without the tags behind it.

    Args:
        file: The file.
        start: Integer, its first byte behind tags.
        size: Integer, its bytes.
    """
    starts = _starts(file, start, size)
    segments: list[Segment] = []
    mended = f"{len(starts)} sound files are joined in it" if len(starts) > 1 else ""
    for at, end in zip(starts, [*starts[1:], size], strict=True):
        stop = before_tags(file, at, end)
        declared = _declared(file, at)
        there = _samples_to(file, at, stop, declared)
        patches = {}
        if there is not None and there != declared:
            file.seek(at + 21)
            high = file.read(1)[0] & 0xF0  # bits of the samples' width
            patches = {21: bytes([high | there >> 32 & 0x0F]) + (there & 0xFFFF_FFFF).to_bytes(4, "big")}
        segments.append(Segment(at, stop, patches, there, _longest_frame(file, at), declared))
    return Layout(tuple(segments), mended)


def _starts(file: BinaryIO, start: int, size: int) -> list[int]:
    """Where streams begin: the mark and the block that comes first, of known length."""
    found, at = [start], start + 8
    while at < size:
        file.seek(at)
        data = file.read(_AT_ONCE + 8)
        for mark in _MARKS:
            place = data.find(mark)
            while 0 <= place < _AT_ONCE:
                found.append(at + place)
                place = data.find(mark, place + 1)
        at += _AT_ONCE
    return sorted(set(found))


def _declared(file: BinaryIO, at: int) -> int:
    """Samples that a stream's first block declares; 0 where it does not know."""
    file.seek(at + 18)
    return int.from_bytes(file.read(8), "big") & 0xF_FFFF_FFFF


def _longest_frame(file: BinaryIO, at: int) -> int:
    """Samples of the longest frame of a stream."""
    file.seek(at + 10)
    return int.from_bytes(file.read(2), "big")


def _samples_to(file: BinaryIO, at: int, end: int, declared: int) -> int | None:
    """Samples up to the end of a stream, by the number of its last frame; None where none is found.

    Coded sound may look like the head of a frame. So what is declared is believed where any head near the end
    says the same, and otherwise only heads that are like that of the first frame.
    """
    first = max(at + 42, end - _TAIL)
    if first >= end:
        return None
    like = _style(file, at)
    file.seek(at + 8)
    block = file.read(4)
    fixed = int.from_bytes(block[2:4], "big") if block[:2] == block[2:4] else 0
    file.seek(first)
    data = file.read(end - first)
    place, last = len(data), None
    while (place := data.rfind(b"\xff", 0, place)) >= 0:
        head = data[place : place + 18]
        found = _frame(head, fixed)
        if found is None:
            continue
        if found == declared:
            return found
        if last is None and _style_of(head) == like:
            last = found
            if not declared:
                break
    return last


def _style(file: BinaryIO, at: int) -> tuple[int, int, int] | None:
    """What the head of a stream's first frame shares with all others."""
    place, block = at + 4, b"\0"
    while block[0] < 0x80:
        file.seek(place)
        block = file.read(4)
        if len(block) < 4:
            return None
        place += 4 + int.from_bytes(block[1:], "big")
    file.seek(place)
    head = file.read(4)
    return _style_of(head) if len(head) == 4 else None


def _style_of(head: bytes) -> tuple[int, int, int]:
    """Kind of numbering, code of the rate, code of the samples' width."""
    return head[1], head[2] & 15, head[3] & 0x0E


def _frame(head: bytes, fixed: int) -> int | None:
    """Samples up to the end of a frame that begins with these bytes; None where none does."""
    if len(head) < 6 or head[1] & 0xFE != 0xF8 or head[3] & 1:
        return None
    by_sample, size_code, rate_code = head[1] & 1, head[2] >> 4, head[2] & 15
    if size_code == 0 or rate_code == 15 or (head[3] >> 4) > 10:
        return None
    number, length = _coded_number(head[4:])
    if number is None:
        return None
    at = 4 + length
    if size_code == 1:
        size = 192
    elif size_code <= 5:
        size = 576 << (size_code - 2)
    elif size_code >= 8:
        size = 256 << (size_code - 8)
    else:
        count = size_code - 5
        size = int.from_bytes(head[at : at + count], "big") + 1
        at += count
    at += _RATE_CODES_LONG.get(rate_code, 0)
    if at >= len(head) or _crc8(head[:at]) != head[at]:
        return None
    if by_sample:
        return number + size
    return number * fixed + size if fixed else None


def _coded_number(data: bytes) -> tuple[int | None, int]:
    """A number coded like a character of UTF-8, of up to 36 bits, and its bytes."""
    first = data[0]
    if first < 0x80:
        return first, 1
    ones = 8 - (first ^ 0xFF).bit_length()
    if ones < 2 or ones > 7 or len(data) < ones:
        return None, 0
    value = first & (0x7F >> ones)
    for byte in data[1:ones]:
        if byte & 0xC0 != 0x80:
            return None, 0
        value = value << 6 | byte & 0x3F
    return value, ones


def _crc8(data: bytes) -> int:
    """The checksum of a frame's head: x^8 + x^2 + x + 1."""
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value << 1 ^ 0x07 if value & 0x80 else value << 1) & 0xFF
    return value
