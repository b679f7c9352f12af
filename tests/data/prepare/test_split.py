"""Which passages are held back."""

from itertools import pairwise

import pytest

from ddsp_tf.data.prepare.split import ValidationSplit


@pytest.mark.parametrize("share", [0.01, 0.1, 0.15, 0.25, 0.33, 0.5])
def test_the_share_is_kept_and_spread(share: float) -> None:
    split = ValidationSplit(share, seed=3)
    chosen = [i for i in range(2000) if split.is_validation(i)]
    assert len(chosen) == pytest.approx(2000 * share, abs=1.5)
    gaps = [b - a for a, b in pairwise(chosen)]
    assert max(gaps) < 2 / share + 1


@pytest.mark.parametrize("share", [0.01, 0.15, 0.5])
@pytest.mark.parametrize("seed", range(5))
def test_two_passages_are_enough_for_one_of_each(share: float, seed: int) -> None:
    split = ValidationSplit(share, seed)
    assert [split.is_validation(i) for i in range(2)] == [False, True]


def test_nothing_is_held_back_without_a_share() -> None:
    assert not any(ValidationSplit(0.0).is_validation(i) for i in range(100))


def test_the_choice_depends_on_the_seed_alone() -> None:
    def chosen(seed: int) -> list[bool]:
        return [ValidationSplit(0.1, seed).is_validation(i) for i in range(200)]

    assert chosen(1) == chosen(1) != chosen(2)
