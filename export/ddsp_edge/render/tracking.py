"""Pitch, loudness and further features of a recording, tracked as they are live, block by block."""

from collections.abc import Iterator

import numpy as np

from ddsp_edge.features.level import level_meter
from ddsp_edge.features.pitch import VOICED, PitchTracker, hold_unvoiced
from ddsp_edge.features.spectral import SpectrumMeter, is_spectral, spectral_features
from ddsp_edge.files.audio_file import AudioReader
from ddsp_edge.further import VOICING
from ddsp_edge.instrument_card import InstrumentCard
from ddsp_edge.transfer.recording import Tracked
from ddsp_edge.units import Array

_BLOCK = 16_384  # samples read at once


class RecordingTracker:
    """Track a recording for an instrument.

    Args:
        card: That of the instrument: it tells the range of pitches, the measure of level, and which further
            features.
    """

    def __init__(self, card: InstrumentCard) -> None:
        self._tracker, self._meter = PitchTracker.for_card(card), level_meter(card.level, card.spec)
        self._further = tuple(card.further)
        spectral, self._rate = any(map(is_spectral, self._further)), card.sample_rate
        self._spectra = SpectrumMeter(card.spec) if spectral else None
        self._f0_hz = card.f0_hz_range.median  # held where there is no pitch
        # Of frames of which something is known, and not yet all: the columns look ahead by different lengths.
        bins = 0 if self._spectra is None else self._spectra.window_samples // 2 + 1
        self._waiting = [np.zeros((0, 2)), np.zeros((0, 1)), np.zeros((0, bins))]

    def blocks(self, reader: AudioReader) -> Iterator[tuple[Tracked, int]]:
        """Yield what was tracked of each block of a recording, and how many of its samples were read."""
        done = 0
        for block in reader.blocks(_BLOCK):
            done += len(block)
            pitch, level = self._tracker.push(block), self._meter.push(block)
            powers = None if self._spectra is None else self._spectra.push(block)
            yield self._known(pitch, level, powers), done
        powers = None if self._spectra is None else self._spectra.flush()
        yield self._known(self._tracker.flush(), self._meter.flush(), powers), done

    def _known(self, pitch: tuple[Array, Array], level: Array, powers: Array | None) -> Tracked:
        """Take what is known anew; give the frames of which all is known now."""
        if powers is None:
            powers = np.zeros((len(level), 0))
        found = np.stack(pitch, axis=1), level[:, None], powers
        columns = [np.concatenate(pair) for pair in zip(self._waiting, found, strict=True)]
        ready = min(map(len, columns))
        self._waiting = [column[ready:] for column in columns]
        pitches, levels, spectra = (column[:ready] for column in columns)
        f0_hz, voicing = pitches.astype(np.float32).T
        voiced = voicing >= VOICED
        return Tracked(
            np.where(voiced, f0_hz, np.float32(0.0)),
            levels[:, 0].astype(np.float32),
            self._told(f0_hz, voicing, voiced, spectra),
        )

    def _told(self, f0_hz: Array, voicing: Array, voiced: Array, powers: Array) -> dict[str, Array]:
        found = {VOICING: voicing}
        if self._spectra is not None:
            held = hold_unvoiced(f0_hz, voiced, self._f0_hz)
            self._f0_hz = float(held[-1]) if len(held) else self._f0_hz
            found.update(spectral_features(self._further, powers, held, self._rate))
        return {name: found[name] for name in self._further}
