"""Whole files in another person's voice, block by block: memory does not grow with their length."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ddsp_edge.atomic import renaming_in
from ddsp_edge.errors import DdspError
from ddsp_edge.features.loudness import LoudnessMeter
from ddsp_edge.features.pitch import VOICED
from ddsp_edge.files.audio_file import AudioReader
from ddsp_edge.files.audio_writer import AudioWriter, check_output
from ddsp_edge.frames import FrameSpec
from ddsp_edge.units import Array
from ddsp_edge.voice.card import VoiceFacts
from ddsp_edge.voice.converter import Converter
from ddsp_edge.voice.matching import MATCH, Shift
from ddsp_edge.voice.tracking import tracker_for
from ddsp_edge.voice.voice_range import VoiceRange

Progress = Callable[[float, float], None]
"""Called with the seconds done and the seconds in all (an estimate for some formats)."""

_LISTENED_S = 60.0
"""Seconds of a file by which the range of whoever speaks is judged."""


@dataclass
class ConvertReport:
    """What a conversion was like.

    Args:
        seconds: Length of the sound written.
        wall_seconds: Time it took.
        shift: What was added to pitch and loudness.
        warnings: One line each.
    """

    seconds: float
    wall_seconds: float
    shift: Shift
    warnings: list[str] = field(default_factory=list)

    @property
    def realtime_factor(self) -> float:
        """Seconds of sound for each second of work."""
        return self.seconds / max(self.wall_seconds, 1e-9)


def convert_file(
    open_with: Callable[..., Converter],
    spec: FrameSpec,
    facts: VoiceFacts,
    source: str | Path,
    out: str | Path,
    *,
    pitch: str | float = MATCH,
    inputs: Mapping[str, str | Path] | None = None,
    progress: Progress | None = None,
) -> ConvertReport:
    """Convert a sound file, sample by sample in its place; what is written has the rate of the model.

    Args:
        open_with: Makes what converts, called with whoever was `heard` and the `pitch` that is asked for.
        spec: The frame grid of the model.
        facts: Of its card.
        source: Any sound file; channels are averaged.
        out: Where to, `.wav` or `.flac`, 16 bits.
        pitch: `"keep"`, `"match"` or semitones.
        inputs: What else is read and not to be overwritten, by what it is in words.
        progress: Called after each block.

    Raises:
        DdspError: If the input cannot be read or holds nothing, or the output cannot be written or would
            overwrite what it is made from.
    """
    out = Path(out)
    check_output(out, {"sound that is to be converted": source, **(inputs or {})})
    began = time.perf_counter()
    heard = range_of_file(source, spec, facts)
    converter = open_with(heard=heard, pitch=pitch)
    with AudioReader(source, spec.sample_rate) as reader:
        late, read, written = converter.delay_samples, 0, 0
        with renaming_in(out.parent), AudioWriter(out, spec.sample_rate, 1) as writer:

            def write(sound: Array, most: int | None = None) -> None:
                nonlocal late, written
                drop = min(late, len(sound))
                late -= drop
                part = sound[drop : None if most is None else drop + most]
                written += len(part)
                writer.write(part)

            for block in reader.blocks():
                read += len(block)
                write(converter.push(block))
                if progress is not None:
                    progress(read / spec.sample_rate, max(read / spec.sample_rate, _seconds_of(reader)))
            if not read:
                raise DdspError(f"{source} holds no samples")
            write(converter.flush(), most=read - written)
    warnings = reader.remarks()
    if heard.median_hz is None:
        warnings.append("hardly anything in it has a pitch: is it speech or singing of one person?")
    seconds = read / spec.sample_rate
    return ConvertReport(seconds, time.perf_counter() - began, converter.shift, warnings)


def range_of_file(source: str | Path, spec: FrameSpec, facts: VoiceFacts) -> VoiceRange:
    """Pitch and loudness of the first minute of a sound file."""
    tracker = tracker_for(facts, spec)
    meter, left = LoudnessMeter(spec), int(_LISTENED_S * spec.sample_rate)
    pitches, levels = [], []
    with AudioReader(source, spec.sample_rate) as reader:
        for block in reader.blocks():
            part = block[:left]
            left -= len(part)
            pitches.append(tracker.push(part))
            levels.append(meter.push(part))
            if left <= 0:
                break
    f0_hz, voicing = (np.concatenate(parts) for parts in zip(*pitches, tracker.flush(), strict=True))
    found = VoiceRange()
    found.add(f0_hz * (voicing >= VOICED), np.concatenate([*levels, meter.flush()]))
    return found


def _seconds_of(reader: AudioReader) -> float:
    return reader.file_samples / reader.file_sample_rate
