"""Pitch, loudness and further features of a recording, tracked as they are live, block by block."""

from collections.abc import Iterator

import numpy as np

from ddsp_edge.features.brightness import BrightnessMeter, brightness_of
from ddsp_edge.features.level import level_meter
from ddsp_edge.features.pitch import VOICED, PitchTracker, hold_unvoiced
from ddsp_edge.files.audio_file import AudioReader
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
        self._brightness = BrightnessMeter(card.spec) if "brightness" in self._further else None
        self._f0_hz = card.f0_hz_range.median  # held where there is no pitch
        # Of frames of which something is known, and not yet all: the columns look ahead by different lengths.
        self._waiting = [np.zeros((0, 2)), np.zeros((0, 1)), np.zeros((0, 2))]

    def blocks(self, reader: AudioReader) -> Iterator[tuple[Tracked, int]]:
        """Yield what was tracked of each block of a recording, and how many of its samples were read."""
        done = 0
        for block in reader.blocks(_BLOCK):
            done += len(block)
            pitch, level = self._tracker.push(block), self._meter.push(block)
            moments = None if self._brightness is None else self._brightness.push(block)
            yield self._known(pitch, level, moments), done
        moments = None if self._brightness is None else self._brightness.flush()
        yield self._known(self._tracker.flush(), self._meter.flush(), moments), done

    def _known(self, pitch: tuple[Array, Array], level: Array, moments: Array | None) -> Tracked:
        """Take what is known anew; give the frames of which all is known now."""
        if moments is None:
            moments = np.zeros((len(level), 2))
        found = np.stack(pitch, axis=1), level[:, None], moments
        columns = [np.concatenate(pair) for pair in zip(self._waiting, found, strict=True)]
        ready = min(map(len, columns))
        self._waiting = [column[ready:] for column in columns]
        pitches, levels, sums = (column[:ready] for column in columns)
        f0_hz, voicing = pitches.astype(np.float32).T
        voiced = voicing >= VOICED
        return Tracked(
            np.where(voiced, f0_hz, np.float32(0.0)),
            levels[:, 0].astype(np.float32),
            self._told(f0_hz, voicing, voiced, sums),
        )

    def _told(self, f0_hz: Array, voicing: Array, voiced: Array, moments: Array) -> dict[str, Array]:
        further = dict[str, Array]()
        for name in self._further:
            if name == "voicing":
                further[name] = voicing
                continue
            held = hold_unvoiced(f0_hz, voiced, self._f0_hz)
            self._f0_hz = float(held[-1]) if len(held) else self._f0_hz
            further[name] = brightness_of(moments, held)
        return further
