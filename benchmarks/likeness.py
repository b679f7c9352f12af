"""How like a recording is a sound? Measures of two sounds, of the same length and at the same rate.

All are independent of the loss that is trained on. Windows are Hann, spectra those of their magnitudes;
levels are floored at -80 dB re full scale. Frames count where the recording is within 40 dB of its loudest.
"""

import itertools
from dataclasses import dataclass
from functools import cached_property

import librosa
import numpy as np

from ddsp_edge.features.loudness import loudness_db
from ddsp_edge.units import Array, amplitude_to_db, cents_between, hz_to_midi, midi_to_hz
from ddsp_tf.frames import FrameSpec

FLOOR_DB = -80.0
HEARD_DB = 40.0  # below the loudest frame of the recording nothing is judged
FRAME_S, WINDOW_S = 0.008, 0.064
LATER_S = 0.112  # after a change of note, when the room is heard and the string is not
HELD_S = 0.144  # a note before and after a change lasts at least as long
LEAP_SEMITONES = 1.5  # a smaller change may be vibrato
PARTIALS = 8  # of the old note that are looked for
APART_HZ = 60.0  # a partial nearer to one of the new note cannot be told from it
NOTCH_DB = 10.0
ONSET_S = 0.05
MOVES_S, HELD_CENTS = 0.04, 20.0  # how far partials move in that time, where the pitch moves by less
BANDS_HZ = (0.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 24000.0)


@dataclass(frozen=True)
class Change:
    """A change from one held note to another.

    Args:
        frame: Integer, the first of the new note, on the grid of `Likeness`.
        old_hz: f0 of the note before.
        new_hz: f0 of the note after.
    """

    frame: int
    old_hz: float
    new_hz: float


class Likeness:
    """A recording, and how like it other sounds are.

    Args:
        recording: `[samples]`.
        f0_hz: `[frames]` of the recording, any hop; 0 where there is no pitch.
        hop: Integer, samples between those.
        sample_rate: Integer, Hz.
    """

    def __init__(self, recording: Array, f0_hz: Array, hop: int, sample_rate: int) -> None:
        self.recording, self.rate = recording, sample_rate
        self.hop = round(FRAME_S * sample_rate)
        self.size = 64 * round(WINDOW_S * sample_rate / 64)
        self._loud = loudness_db(self.recording, FrameSpec(sample_rate, self.hop))
        self._loud = self._loud[: len(recording) // self.hop]
        place = np.minimum(np.arange(len(self._loud)) * self.hop // hop, len(f0_hz) - 1)
        self._f0_hz = np.asarray(f0_hz, float)[place]
        self._heard = self._loud > self._loud.max() - HEARD_DB

    def of(self, sound: Array) -> dict[str, float]:
        """Every measure of a sound, by name."""
        sound = np.pad(sound, (0, max(0, len(self.recording) - len(sound))))[: len(self.recording)]
        magnitudes = self._magnitudes(sound)
        ours, theirs = amplitude_to_db(magnitudes, FLOOR_DB), self._recorded_db
        difference = (ours - theirs)[:, self._heard]
        spectral = np.sqrt(np.mean(np.square(difference), axis=0))
        loud = loudness_db(sound, FrameSpec(self.rate, self.hop))[: len(self._loud)][self._heard]
        own = self._loud[self._heard]
        partials = self._partial_levels(ours)
        off_cents = cents_between(self._centroid(ours), self._centroid(theirs))[self._heard]
        found = {
            "log-spectral distance, dB": float(spectral.mean()),
            "loudness error, dB": float(np.abs(loud - own).mean()),
            "loudness correlation": float(np.corrcoef(loud, own)[0, 1]),
            "centroid, cents off": float(np.mean(np.abs(off_cents))),
            "partial levels, dB": _mean(_frame_means(np.abs(partials - self._recorded_partials))),
            "movement of partials, %": 100.0 * self._moves(partials) / self._moves(self._recorded_partials),
            **self._bands(magnitudes),
        }
        if self.changes:
            joints, recorded = self._joints_db(sound), self._recorded_joints_db
            found |= {
                "old note at 112 ms, dB": self._old_note_db(ours),
                "level at joints, dB": float(np.mean(joints - recorded)),
                "notches at joints, %": float(100.0 * np.mean(joints - recorded < -NOTCH_DB)),
                "onsets, dB": float(spectral[self._onsets[self._heard]].mean()),
                **self._onset_levels(magnitudes),
            }
        return found

    @cached_property
    def changes(self) -> list[Change]:
        """Where one held note follows another without a rest."""
        frames, held = self._f0_hz, round(HELD_S / FRAME_S)
        midi = hz_to_midi(np.maximum(frames, 1.0))
        found: list[Change] = []
        i = held
        while i < len(frames) - held:
            before, after = midi[i - held // 2 : i - 2], midi[i + 3 : i + held]
            pitched = (frames[i - held // 2 : i + held] > 0).mean() > 0.9
            steady = max(np.ptp(before), np.ptp(after)) < 1.0
            old, new = (float(midi_to_hz(np.median(m))) for m in (before, after))
            if pitched and steady and abs(12.0 * np.log2(new / old)) > LEAP_SEMITONES:
                leap = i - 2 + int(np.argmax(np.abs(np.diff(midi[i - 2 : i + 4])))) + 1
                found.append(Change(leap, old, new))
                i = leap + held // 2
            else:
                i += 1
        return found

    @cached_property
    def _recorded(self) -> Array:
        return self._magnitudes(self.recording)

    @cached_property
    def _recorded_db(self) -> Array:
        return amplitude_to_db(self._recorded, FLOOR_DB)

    @cached_property
    def _recorded_joints_db(self) -> Array:
        return self._joints_db(self.recording)

    def _magnitudes(self, sound: Array) -> Array:
        """Magnitudes `[bins, frames]`; a full-scale sine has 1."""
        spectra = librosa.stft(np.asarray(sound, np.float32), n_fft=self.size, hop_length=self.hop)
        return np.asarray(np.abs(spectra[:, : len(self._loud)])) / (0.25 * self.size)

    @cached_property
    def _hz(self) -> Array:
        return np.asarray(np.fft.rfftfreq(self.size, 1.0 / self.rate))

    def _centroid(self, spectrum_db: Array) -> Array:
        power = 10.0 ** (spectrum_db / 10.0)
        return np.asarray((self._hz[:, None] * power).sum(axis=0) / power.sum(axis=0))

    @cached_property
    def _mel(self) -> tuple[Array, Array]:
        """Filters `[bands, bins]`, and the centre of each, Hz."""
        bands = 64
        filters = librosa.filters.mel(sr=self.rate, n_fft=self.size, n_mels=bands, norm=None)
        return filters, librosa.mel_frequencies(bands + 2, fmax=self.rate / 2.0)[1:-1]

    def _bands(self, magnitudes: Array) -> dict[str, float]:
        """Mean difference of log-mel levels, by range of frequency, of magnitudes `[bins, frames]`."""
        error = np.abs(self._mel_difference(magnitudes))[:, self._heard].mean(axis=1)
        found = {"log-mel, dB": float(error.mean())}
        return found | {f"log-mel {name}, dB": each for name, each in self._by_range(error).items()}

    def _onset_levels(self, magnitudes: Array) -> dict[str, float]:
        """Level in the 50 ms after changes of note, to the recording's, by range of frequency, dB."""
        louder = self._mel_difference(magnitudes)[:, self._onsets].mean(axis=1)
        return {f"onsets {name}, level, dB": each for name, each in self._by_range(louder).items()}

    def _mel_difference(self, magnitudes: Array) -> Array:
        """Log-mel levels above those of the recording, dB `[bands, frames]`, of magnitudes."""
        filters, _ = self._mel
        ours, theirs = (
            10.0 * np.log10(filters @ np.square(each) + 10.0 ** (FLOOR_DB / 10.0))
            for each in (magnitudes, self._recorded)
        )
        return np.asarray(ours - theirs)

    def _by_range(self, values: Array) -> dict[str, float]:
        """Means over ranges of frequency, by the name of the range, of what each mel band has, `[bands]`."""
        centres, found = self._mel[1], {}
        for low, high in itertools.pairwise(BANDS_HZ):
            inside = (centres >= low) & (centres < high)
            if inside.any():
                top = min(high, self.rate / 2.0) / 1000.0
                found[f"{low / 1000:g} to {top:g} kHz"] = float(values[inside].mean())
        return found

    def _level_at(self, spectrum_db: Array, frame: int | Array, hz: Array) -> Array:
        """Levels of partials at frames, dB, in the shape of both: the largest of the bins beside each."""
        bins = np.clip(np.rint(hz * self.size / self.rate).astype(int), 1, len(spectrum_db) - 2)
        return np.asarray(np.max([spectrum_db[bins + i, frame] for i in (-1, 0, 1)], axis=0))

    def _partial_levels(self, spectrum_db: Array) -> Array:
        """Levels of the first 20 partials, re their mean, dB `[frames, partials]`; NaN where there are none.

        Args:
            spectrum_db: `[bins, frames]` of the sound.
        """
        hz = np.where(self._heard, self._f0_hz, 0.0)[:, None] * np.arange(1, 21)
        levels = self._level_at(spectrum_db, np.arange(len(hz))[:, None], hz)
        levels = np.where((hz > 0.0) & (hz < 0.48 * self.rate), levels, np.nan)
        pitched = hz[:, 0] > 0.0
        levels[pitched] -= np.nanmean(levels[pitched], axis=1, keepdims=True)
        return levels

    @cached_property
    def _recorded_partials(self) -> Array:
        return self._partial_levels(self._recorded_db)

    def _moves(self, levels: Array) -> float:
        """How far levels of partials `[frames, partials]` move in 40 ms of a held pitch, mean, dB."""
        step = round(MOVES_S / FRAME_S)
        f0_hz = np.maximum(self._f0_hz, 1.0)
        held = np.abs(cents_between(f0_hz[step:], f0_hz[:-step])) < HELD_CENTS
        return _mean(np.abs(levels[step:] - levels[:-step])[held])

    def _old_note_db(self, spectrum_db: Array) -> float:
        """Level of the note before, 112 ms after a change, to what it had before; mean over changes, dB.

        Args:
            spectrum_db: `[bins, frames]` of the sound.
        """
        later, levels = round(LATER_S / FRAME_S), []
        for change in self.changes:
            hz = change.old_hz * np.arange(1, PARTIALS + 1)
            new = change.new_hz * np.arange(1, 4 * PARTIALS + 1)
            hz = hz[(np.abs(hz[:, None] - new).min(axis=1) > APART_HZ) & (hz < 0.48 * self.rate)]
            if not len(hz) or change.frame + later >= spectrum_db.shape[1]:
                continue
            before = self._level_at(spectrum_db, change.frame - round(0.5 * WINDOW_S / FRAME_S) - 1, hz)
            after = self._level_at(spectrum_db, change.frame + later, hz)
            levels.append(_sum_db(after) - _sum_db(before))
        return float(np.mean(levels)) if levels else float("nan")

    def _joints_db(self, sound: Array) -> Array:
        """The lowest level within 40 ms of each change, to the notes around it, dB `[changes]`."""
        frame = round(0.004 * self.rate)
        width = 4 * frame  # 16 ms
        power = np.convolve(np.square(np.asarray(sound, float)), np.hanning(width) / (width / 2), "same")
        level = 10.0 * np.log10(power + 1e-9)
        dips = []
        for change in self.changes:
            here, near, far = (round(s * self.rate) for s in (change.frame * FRAME_S, 0.04, 0.12))
            around = np.concatenate([level[here - far : here - near], level[here + near : here + far]])
            dips.append(level[here - near : here + near].min() - np.median(around))
        return np.asarray(dips)

    @cached_property
    def _onsets(self) -> Array:
        """Which frames are heard in the 50 ms after changes of note, `[frames]` booleans."""
        after = np.zeros(len(self._loud), bool)
        for change in self.changes:
            after[change.frame : change.frame + round(ONSET_S / FRAME_S)] = True
        return after & self._heard


def _sum_db(levels_db: Array) -> float:
    return float(10.0 * np.log10(np.sum(10.0 ** (levels_db / 10.0))))


def _frame_means(values: Array) -> Array:
    """Means of frames `[frames, n]` over what they have, of those that have anything."""
    there = np.isfinite(values)
    counts = there.sum(axis=1)
    return np.where(there, values, 0.0).sum(axis=1)[counts > 0] / counts[counts > 0]


def _mean(values: Array) -> float:
    """The mean of the numbers among values; NaN of none."""
    numbers = values[np.isfinite(values)]
    return float(numbers.mean()) if len(numbers) else float("nan")
