"""Which passages are held back for validation."""

import math
from fractions import Fraction

import numpy as np


class ValidationSplit:
    """Chooses validation passages among a stream of passages of unknown length.

    The stream is divided into strata of `1 / share` passages, and one passage of each is chosen at
    random: the choice is spread over every recording, depends on nothing but the seed and a passage's
    number, and needs no look-ahead. The first stratum always gives its second passage, so that two
    passages are enough for one of each kind.

    Args:
        share: Share of the passages that is held back, 0 to 0.5; 0 holds nothing back.
        seed: Integer >= 0.
    """

    def __init__(self, share: float, seed: int = 0) -> None:
        self.share = Fraction(share).limit_denominator(10_000)
        self._seed = seed

    def is_validation(self, number: int) -> bool:
        """Tell whether passage `number` (0, 1, 2 ... in the order they are kept) is held back."""
        if not self.share:
            return False
        stratum = math.floor(number * self.share)
        if stratum == 0:
            return number == 1
        first, end = math.ceil(stratum / self.share), math.ceil((stratum + 1) / self.share)
        return number == first + int(np.random.default_rng([self._seed, stratum]).integers(end - first))
