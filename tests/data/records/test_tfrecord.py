"""Checksums, TFRecord files and `tf.train.Example` against TensorFlow's own."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_tf.data.records.crc32c import masked_crc32c, masked_crc32c_of_windows
from ddsp_tf.data.records.example import decode_example, encode_example
from ddsp_tf.data.records.tfrecord import frame, read_frames


def _masked(crc: int) -> int:
    """Rotated right by 15 bits, plus a constant: `tensorflow/core/lib/hash/crc32c.h`."""
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32


@pytest.mark.parametrize(
    ("data", "wanted"),
    [  # RFC 3720, appendix B.4; and the check value of the catalogue of CRCs
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (b"123456789", 0xE3069283),
        (b"", 0),
    ],
)
def test_checksums_are_those_of_the_standard(data: bytes, wanted: int) -> None:
    assert masked_crc32c(data) == _masked(wanted)


@given(st.binary(max_size=2000))
def test_a_checksum_is_that_of_the_bytes_one_by_one(data: bytes) -> None:
    state = 0xFFFFFFFF
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = state >> 1 ^ (0x82F63B78 if state & 1 else 0)
    assert masked_crc32c(data) == _masked(state ^ 0xFFFFFFFF)


@given(st.binary(max_size=60), st.integers(1, 12))
def test_windows_have_the_checksums_of_their_bytes(data: bytes, size: int) -> None:
    wanted = [masked_crc32c(data[i : i + size]) for i in range(len(data) - size + 1)]
    assert masked_crc32c_of_windows(data, size).tolist() == wanted


def _datas(count: int = 12) -> list[bytes]:
    rng = np.random.default_rng(1)
    return [rng.bytes(int(size)) for size in rng.integers(0, 3000, count)]


def test_tensorflow_writes_the_same_files(tmp_path: Path) -> None:
    import tensorflow as tf

    with tf.io.TFRecordWriter(str(tmp_path / "theirs")) as writer:
        for data in _datas():
            writer.write(data)
    assert b"".join(map(frame, _datas())) == (tmp_path / "theirs").read_bytes()
    assert [found.data for found in read_frames(tmp_path / "theirs")] == _datas()


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**31), st.integers(0, 7))
def test_a_flipped_bit_costs_the_record_that_holds_it(
    tmp_path_factory: pytest.TempPathFactory, where: int, bit: int
) -> None:
    datas = _datas()
    frames = [frame(data) for data in datas]
    offsets = np.cumsum([0, *map(len, frames)])
    damaged = bytearray(b"".join(frames))
    where %= len(damaged)
    damaged[where] ^= 1 << bit
    path = tmp_path_factory.mktemp("flipped") / "shard"
    path.write_bytes(damaged)
    hit = int(np.searchsorted(offsets, where, "right")) - 1
    found = list(read_frames(path))
    assert [f.data for f in found if f.data is not None] == datas[:hit] + datas[hit + 1 :]
    assert [f.offset for f in found if f.data is None] == [offsets[hit]]


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**31))
def test_a_file_that_ends_early_keeps_the_records_before_its_end(
    tmp_path_factory: pytest.TempPathFactory, kept: int
) -> None:
    frames = [frame(data) for data in _datas()]
    offsets = np.cumsum([0, *map(len, frames)])
    kept %= int(offsets[-1])
    path = tmp_path_factory.mktemp("cut") / "shard"
    path.write_bytes(b"".join(frames)[:kept])
    found = list(read_frames(path))
    whole = int(np.searchsorted(offsets, kept, "right")) - 1
    assert [f.data for f in found if f.data is not None] == _datas()[:whole]
    assert [f.offset for f in found if f.data is None] == [o for o in offsets[[whole]] if o != kept]


_VALUES = st.one_of(
    st.binary(max_size=300), st.floats(width=32, allow_nan=False), st.integers(-(2**63), 2**63 - 1)
)


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=20), _VALUES, max_size=6))
def test_tensorflow_reads_and_writes_the_same_examples(values: dict[str, bytes | float | int]) -> None:
    import tensorflow as tf

    feature = {}
    for name, value in values.items():
        if isinstance(value, bytes):
            feature[name] = tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        elif isinstance(value, float):
            feature[name] = tf.train.Feature(float_list=tf.train.FloatList(value=[value]))
        else:
            feature[name] = tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
    theirs = tf.train.Example(features=tf.train.Features(feature=feature))
    assert tf.train.Example.FromString(encode_example(values)) == theirs
    assert decode_example(theirs.SerializeToString()) == values


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_bytes_are_read_as_tensorflow_reads_them_or_refused(data: bytes) -> None:
    import tensorflow as tf
    from google.protobuf.message import DecodeError

    try:
        found = decode_example(data)
    except ValueError:
        found = None
    try:
        theirs = tf.train.Example.FromString(data).features.feature
    except DecodeError:
        theirs = None
    if found:  # a feature with a value
        assert theirs is not None
        assert set(found) <= set(theirs)
