"""Ogg: streams may follow each other in one file (RFC 3533, section 4); libsndfile reads the first."""

from typing import BinaryIO

from ddsp_edge.files.layout.segment import Layout, Segment

_HEAD = 27
_BEGINS = 2  # a flag of a page


def layout_of_ogg(file: BinaryIO, start: int, size: int) -> Layout:
    """Find the streams of an Ogg file.

    Args:
        file: The file.
        start: Integer, its first byte behind tags.
        size: Integer, its bytes.
    """
    starts, at, beginning = [start], start, True
    while at + _HEAD <= size:
        file.seek(at)
        head = file.read(_HEAD + 255)
        if head[:4] != b"OggS":
            break
        begins = bool(head[5] & _BEGINS)
        if begins and not beginning:  # all pages that begin a stream come first
            starts.append(at)
        beginning = begins
        at += _HEAD + head[26] + sum(head[_HEAD : _HEAD + head[26]])
    if len(starts) == 1 and not start:
        return Layout()
    segments = tuple(Segment(a, b) for a, b in zip(starts, [*starts[1:], size], strict=True))
    return Layout(segments, f"{len(starts)} sound files are joined in it" if len(starts) > 1 else "")
