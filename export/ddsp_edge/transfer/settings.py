"""What a timbre transfer changes between what is played and what the instrument is told."""

from typing import NamedTuple

from ddsp_edge.errors import DdspError
from ddsp_edge.ranges import RANGES, check_consonants, check_range
from ddsp_edge.transfer.transposition import check_shifts


class TransferSettings(NamedTuple):
    """What is to be changed; with the defaults nothing is.

    Args:
        octaves: Integer, octaves to transpose by, -8 to 8.
        transposition: Semitones to transpose by, besides; may be a fraction. With the octaves -96 to 96.
        loudness_shift_db: dB added to the loudness, after all else, -80 to 80.
        match_octave: Whether the octave is chosen that brings the middle of what is played nearest to the
            middle of the training data; it counts beside the octaves.
        match_loudness: Whether the loudness of what is played is mapped to that of the training data.
        softest_db: Loudness of the softest playing, dB, where it is known. Together with `loudest_db` above
            it, it sets the range that is mapped, in place of what was found.
        loudest_db: Loudness of the loudest playing, dB, or None.
        gate: Whether only what has a pitch and is at least as loud as `gate_db` sounds.
        gate_db: That loudness, dB. What is softer does not count for matching either, gate or no gate.
        consonants: What is played where there is no pitch, one of `ddsp_edge.ranges.CONSONANTS`.
        brightness: Octaves by which an instrument that was trained with brightness or partials is told to be
            brighter, after all else, -4 to 4.
    """

    octaves: int = 0
    transposition: float = 0.0
    loudness_shift_db: float = 0.0
    match_octave: bool = False
    match_loudness: bool = False
    softest_db: float | None = None
    loudest_db: float | None = None
    gate: bool = False
    gate_db: float = -60.0
    consonants: str = "hold"
    brightness: float = 0.0

    def checked(self) -> "TransferSettings":
        """Return the settings as they are meant: a range that is set asks for matching.

        Raises:
            DdspError: If a value is out of range, no number, or half of a range.
        """
        check_shifts(self.octaves, self.loudness_shift_db)
        check_range("transposition", self.transposition)
        low, high = RANGES["transposition"]
        if not low <= 12 * self.octaves + self.transposition <= high:
            raise DdspError(
                f"octaves and transposition together must be from {low:g} to {high:g} semitones. Received: "
                f"octaves={self.octaves}, transposition={self.transposition:g}"
            )
        check_range("gate_db", self.gate_db)
        check_range("brightness", self.brightness)
        check_consonants(self.consonants)
        for name, value in (("softest_db", self.softest_db), ("loudest_db", self.loudest_db)):
            if value is not None:
                check_range(name, value)
        check_played_range(self.softest_db, self.loudest_db)
        return self._replace(match_loudness=self.match_loudness or self.played_db is not None)

    @property
    def played_db(self) -> tuple[float, float] | None:
        """The range of loudness that was set, dB; None where none was."""
        if self.softest_db is None or self.loudest_db is None:
            return None
        return self.softest_db, self.loudest_db

    @property
    def learns(self) -> bool:
        """Whether anything hangs on what is played as a whole."""
        return self.match_octave or (self.match_loudness and self.played_db is None)


def check_played_range(softest_db: float | None, loudest_db: float | None, where: str = "") -> None:
    """Refuse a range of loudness of which one end is given, or that does not rise.

    Args:
        softest_db: Its lower end, dB, or None.
        loudest_db: Its upper end, dB, or None.
        where: What an error begins with: the file that it stands in.

    Raises:
        DdspError: With what was given.
    """
    ends = {"softest-db": softest_db, "loudest-db": loudest_db}
    given = {name: value for name, value in ends.items() if value is not None}
    if not given:
        return
    if softest_db is None or loudest_db is None or not softest_db < loudest_db:
        received = ", ".join(f"{name}={value:g}" for name, value in given.items())
        raise DdspError(
            f"{where}softest-db and loudest-db set a range together, the first below the second. "
            f"Received: {received}"
        )
