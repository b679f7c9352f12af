"""What a player sets while playing: plain numbers, read once for each block.

A field is assigned from any thread (in Python one assignment is atomic), so the audio path needs no lock.
Whatever is assigned, what is read is in range: a slider or a network message never stops the sound.
"""

import math
from dataclasses import dataclass

from ddsp_edge.ranges import RANGES


@dataclass
class Settings:
    """What both ways of playing have.

    Args:
        gain_db: Gain of the output before its limiter, dB.
        harmonic_db: Change of the harmonics, dB.
        noise_db: Change of the noise, dB.
        reverb: Share of the instrument's own room, 0 (dry) to 1 (as trained).
        transposition: Semitones that the pitch is moved by, may be a fraction.
        loudness_shift_db: dB added to the loudness of what sounds.
        brightness: Octaves by which it is told to be brighter, of an instrument that was trained with
            brightness or partials (`ddsp_edge.further`); others do not heed it.
    """

    gain_db: float = 0.0
    harmonic_db: float = 0.0
    noise_db: float = 0.0
    reverb: float = 1.0
    transposition: float = 0.0
    loudness_shift_db: float = 0.0
    brightness: float = 0.0

    def number(self, name: str, default: float = 0.0) -> float:
        """The field `name` within its range; the default where it is not a number."""
        value, (low, high) = getattr(self, name), RANGES[name]
        if type(value) is float and low <= value <= high:  # as nearly always
            return value
        try:
            value = float(value)
        except (TypeError, ValueError, OverflowError):
            return default
        return default if math.isnan(value) else min(max(value, low), high)

    def gain(self, name: str) -> float:
        """The field `name`, dB, as a factor."""
        return float(10.0 ** (self.number(name) / 20.0))

    def semitones(self) -> float:
        """The transposition, within eight octaves."""
        return self.number("transposition")

    def room(self) -> float:
        """Share of the room, 0 to 1."""
        return self.number("reverb", 1.0)


@dataclass
class EffectSettings(Settings):
    """Settings of `LiveEffect`.

    Args:
        gate: Whether only what has a pitch and is louder than `gate_db` sounds.
        gate_db: Loudness below which the gate closes, dB.
        match_loudness: Whether the player's range of loudness is mapped to that of the training data: the one
            that is set, or else the one that is learned while playing.
        softest_db: Loudness of the player's softest playing, dB; None where it is not known. It sets a range
            together with `loudest_db` above it.
        loudest_db: Loudness of the player's loudest playing, dB, or None.
        match_octave: Whether the octave is chosen that brings the middle of what was played nearest to the
            middle of the training data; it changes between notes only.
    """

    gate: bool = False
    gate_db: float = -60.0
    match_loudness: bool = False
    softest_db: float | None = None
    loudest_db: float | None = None
    match_octave: bool = False

    def played_range(self) -> tuple[float, float] | None:
        """The range of loudness that was set, dB; None where none was."""
        if self.softest_db is None or self.loudest_db is None:
            return None
        softest_db, loudest_db = (self.number(name, math.nan) for name in ("softest_db", "loudest_db"))
        return (softest_db, loudest_db) if softest_db < loudest_db else None


@dataclass
class KeySettings(Settings):
    """Settings of `LiveInstrument`.

    Args:
        attack_s: Time from the floor (-80 dB) to 0 dB, s.
        decay_s: Time from the first level of a note to where it stays, s.
        sustain_db: Where it stays, dB re its first level, 0 or below.
        release_s: Time from 0 dB to the floor, s.
        glide_s: Time of a slur from note to note of an instrument with one voice, s.
        velocity_curve: Exponent on velocity; above 1 soft playing is softer.
        vibrato_semitones: Depth of the vibrato at full modulation wheel (CC 1), semitones.
        vibrato_hz: Its rate, Hz.
        expression: How far notes are played as the instrument knows them to be, 0 (as the settings above say
            alone) to 1; nothing where its file does not know.
    """

    attack_s: float = 0.010
    decay_s: float = 0.1
    sustain_db: float = 0.0
    release_s: float = 0.080
    glide_s: float = 0.020
    velocity_curve: float = 1.0
    vibrato_semitones: float = 0.5
    vibrato_hz: float = 5.5
    expression: float = 1.0

    def seconds(self, name: str) -> float:
        """The field `name`, from 1 ms to 20 s."""
        return max(self.number(name, 0.01), 0.001)
