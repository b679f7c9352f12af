"""Arrays that a run keeps: whole, or told to be missing or damaged in one line."""

import numpy as np
import pytest

from ddsp_tf.errors import DdspError
from ddsp_tf.training.kept import load_kept, save_kept


@pytest.fixture
def path(tmp_path):
    save_kept(
        tmp_path / "kept.npz", {"a": np.arange(300.0), "b": np.arange(12, dtype=np.int16).reshape(3, 4)}
    )
    return tmp_path / "kept.npz"


def test_what_was_kept_comes_back_as_it_was(path):
    found = load_kept(path, ("b", "a"), "")
    assert list(found) == ["b", "a"]
    np.testing.assert_array_equal(found["a"], np.arange(300.0))
    assert found["b"].dtype == np.int16


def test_what_is_not_there_is_told_with_what_to_do(path, tmp_path):
    with pytest.raises(DdspError, match=r"has no other\.npz: train it again"):
        load_kept(tmp_path / "other.npz", ("a",), ": train it again")
    with pytest.raises(DdspError, match=r"kept\.npz is damaged"):
        load_kept(path, ("c",), "")


def test_a_file_that_is_cut_or_changed_anywhere_is_damaged(path):
    whole = path.read_bytes()
    for size in (0, 1, 30, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(DdspError, match="is damaged"):
            load_kept(path, ("a", "b"), "")
    path.write_bytes(whole[:200] + bytes(len(whole[200:260])) + whole[260:])
    with pytest.raises(DdspError, match="is damaged"):
        load_kept(path, ("a", "b"), "")


def test_objects_are_not_unpickled(tmp_path):
    np.savez(tmp_path / "kept.npz", a=np.array([{}], object))
    with pytest.raises(DdspError, match="is damaged"):
        load_kept(tmp_path / "kept.npz", ("a",), "")
