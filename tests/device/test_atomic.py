"""Files get their name when they are whole."""

import pytest

from ddsp_edge.atomic import written_whole


def test_a_file_replaces_the_old_one_when_it_is_whole(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with written_whole(path) as beside:
        beside.write_text("new")
        assert path.read_text() == "old"
        assert (beside.parent, beside.suffix) == (tmp_path, ".txt")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("stop", [OSError, KeyboardInterrupt])
def test_a_file_that_is_given_up_leaves_the_old_one_and_nothing_else(tmp_path, stop):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def give_up():
        with written_whole(path) as beside:
            beside.write_text("half")
            raise stop

    with pytest.raises(stop):
        give_up()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
