"""Edit distances, against the definition by recursion."""

from functools import lru_cache

from hypothesis import given
from hypothesis import strategies as st

from ddsp_tf.metrics.edits import edit_distance

WORDS = st.lists(st.sampled_from("abc"), max_size=8)


@given(WORDS, WORDS)
def test_it_is_that_of_the_definition(wanted, found):
    @lru_cache
    def by_definition(i, j):
        if not i or not j:
            return i + j
        same = wanted[i - 1] == found[j - 1]
        return min(
            by_definition(i - 1, j) + 1, by_definition(i, j - 1) + 1, by_definition(i - 1, j - 1) + (not same)
        )

    assert edit_distance(wanted, found) == by_definition(len(wanted), len(found))
