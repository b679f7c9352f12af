"""Tags in front of a sound and behind it: ID3, APE, Lyrics3."""

from typing import BinaryIO

_MOST = 8  # of tags, one behind the other


def _syncsafe(size: bytes) -> int:
    """A number of four times seven bits, as ID3v2 writes sizes."""
    return int.from_bytes(bytes([size[3] & 127])) + sum(
        (byte & 127) << (7 * (3 - place)) for place, byte in enumerate(size[:3])
    )


def behind_tags(file: BinaryIO, at: int) -> int:
    """The first byte behind the ID3v2 tags that may stand at a place."""
    for _ in range(_MOST):
        file.seek(at)
        head = file.read(10)
        if head[:3] != b"ID3" or len(head) < 10 or head[3] == 0xFF:
            return at
        at += 10 + _syncsafe(head[6:10]) + 10 * (head[5] >> 4 & 1)
    return at


def before_tags(file: BinaryIO, start: int, end: int) -> int:
    """The end of what lies before the tags that may stand at an end, not before `start`."""
    for _ in range(_MOST):
        size = _tag_before(file, end)
        if not size or end - size < start:
            return end
        end -= size
    return end


def _tag_before(file: BinaryIO, end: int) -> int:
    """Bytes of the tag that ends at a place; 0 if none does."""
    file.seek(max(0, end - 128))
    tail = file.read(min(128, end))
    if len(tail) == 128 and tail[:3] == b"TAG":
        file.seek(max(0, end - 128 - 227))  # an extended one may stand before it
        return 128 + 227 * (end >= 355 and file.read(4) == b"TAG+")
    if tail[-32:-24] == b"APETAGEX":
        count = int.from_bytes(tail[-20:-16], "little")  # without the header, which it may have
        file.seek(max(0, end - count - 32))
        return count + 32 * (end >= count + 32 and file.read(8) == b"APETAGEX")
    if tail[-9:] == b"LYRICS200" and tail[-15:-9].isdigit():
        return int(tail[-15:-9]) + 15
    if tail[-10:-7] == b"3DI":  # the footer of an ID3v2 tag
        return _syncsafe(tail[-4:]) + 20
    return 0
