"""MP3: a header may say how many frames there are; what says something else than the frames is put right."""

from collections.abc import Iterator
from typing import BinaryIO

from ddsp_edge.files.layout.segment import Layout, Segment
from ddsp_edge.files.layout.tags import before_tags, behind_tags

_RATES = (44_100, 48_000, 32_000)
_KBITS = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""By MPEG version (2.5 as 2) and layer, ISO 11172-3 and 13818-3."""
_AHEAD = 1 << 16
_MOST_OFF = 4  # frames by which counts differ in good files: some count the one that holds the header


def layout_of_mp3(file: BinaryIO, start: int, size: int) -> Layout:
    """Find the streams of an MP3 file whose headers tell their frames.

    Args:
        file: The file.
        start: Integer, its first byte behind tags.
        size: Integer, its bytes.
    """
    first = info_at(file, start)
    if first is None:
        return Layout()
    _, declared, declared_bytes = first
    end = before_tags(file, start, size)
    streams = _walked(file, start, end)
    if len(streams) == 1 and abs(streams[0][2] - declared) <= _MOST_OFF:
        return Layout()
    if len(streams) == 1 and declared_bytes > end - start and streams[0][2] < declared:
        return Layout()  # it breaks off, which is told elsewhere
    segments = []
    for at, stop, frames in streams:
        info = info_at(file, at)
        patches = {}
        if info is not None and abs(info[1] - frames) > _MOST_OFF:
            patches = {info[0] - at: frames.to_bytes(4, "big")}
        segments.append(Segment(at, stop, patches))
    wrong = f"its header says {declared} frames of MP3, {streams[0][2]} are there"
    mended = wrong if len(streams) == 1 else f"{len(streams)} sound files are joined in it"
    return Layout(tuple(segments), mended)


def info_at(file: BinaryIO, at: int) -> tuple[int, int, int] | None:
    """Of a Xing or Info header: where its count of frames stands, that count, and its bytes (0 if untold)."""
    file.seek(at)
    frame = file.read(200)
    length = _length(frame)
    if length is None:
        return None
    for name in (b"Xing", b"Info"):
        found = frame.find(name, 0, min(length, 64))
        if found >= 0:
            flags = int.from_bytes(frame[found + 4 : found + 8], "big")
            if not flags & 1:
                return None
            count, size = (int.from_bytes(frame[found + i : found + i + 4], "big") for i in (8, 12))
            return at + found + 8, count, size if flags & 2 else 0
    return None


def _walked(file: BinaryIO, at: int, end: int) -> list[tuple[int, int, int]]:
    """First byte, end and frames of each stream: a new one begins with a header of its own."""
    streams: list[tuple[int, int, int]] = []
    begun, frames = at, 0
    for place, is_header in _frames(file, at, end):
        if is_header and frames:
            streams.append((begun, place, frames))
            begun, frames = place, 0
        elif not is_header:
            frames += 1
    streams.append((begun, end, frames))
    return streams


def _frames(file: BinaryIO, at: int, end: int) -> Iterator[tuple[int, bool]]:
    """Yield where frames begin, and whether each is a header; tags and what is no frame are passed over."""
    while at < end:
        file.seek(at)
        data = file.read(_AHEAD)
        place = 0
        while place + 64 <= len(data) or (at + len(data) >= end and place + 4 <= len(data)):
            if data[place : place + 3] == b"ID3":
                break
            length = _length(data[place : place + 4])
            if length is None:
                place += 1
                continue
            head = data[place : place + min(length, 64)]
            yield at + place, b"Xing" in head or b"Info" in head
            place += length
        if data[place : place + 3] == b"ID3":
            behind = behind_tags(file, at + place)
            at = behind if behind > at + place else at + place + 1
        else:
            at += max(place, 1)


def _length(head: bytes) -> int | None:
    """Bytes of the frame of layer III that begins with these; None where none does."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    rate_code, kbit_code = head[2] >> 2 & 3, head[2] >> 4
    if version == 1 or layer == 4 or rate_code == 3 or not 0 < kbit_code < 15:
        return None
    old = version == 3
    rate = _RATES[rate_code] >> (0 if old else 1 if version == 2 else 2)
    bits = 1000 * _KBITS[1 if old else 2, layer][kbit_code - 1]
    padding = head[2] >> 1 & 1
    if layer == 1:
        return (12 * bits // rate + padding) * 4
    return (144 if old or layer == 2 else 72) * bits // rate + padding
