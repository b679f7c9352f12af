"""Whole files, restored block by block: memory does not grow with their length."""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ddsp_edge.atomic import renaming_in
from ddsp_edge.errors import DdspError
from ddsp_edge.files.audio_file import AudioReader
from ddsp_edge.files.audio_writer import AudioWriter, check_output
from ddsp_edge.restoration.restorer import MAX_CHANNELS, Restorer
from ddsp_edge.synthesis.stems import stem_paths
from ddsp_edge.units import Array

Progress = Callable[[float, float], None]
"""Called with the seconds done and the seconds in all (an estimate for some formats)."""

_LEAST = 5e-5  # of the power: what is less is not told in numbers
_HARDLY_ANY = 0.1  # of the power is left: speech in loud noise, or not what the model was made for
REMOVED = "removed"
"""Name of the stem that holds what was taken out."""


@dataclass
class RestoreReport:
    """What a restoration was like.

    Args:
        seconds: Length of the sound written.
        wall_seconds: Time it took.
        removed_db: Level of what was taken out re what came in, dB; None of silence.
        warnings: One line each.
    """

    seconds: float
    wall_seconds: float
    removed_db: float | None
    warnings: list[str] = field(default_factory=list)

    @property
    def taken_out(self) -> str:
        """What was taken out, in words."""
        if self.removed_db is None:
            return "silence, of which nothing was taken out"
        share = 10.0 ** (self.removed_db / 10.0)
        return "nothing taken out" if share < _LEAST else f"what was taken out has {share:.2%} of its power"

    @property
    def realtime_factor(self) -> float:
        """Seconds of sound for each second of work."""
        return self.seconds / max(self.wall_seconds, 1e-9)


def restore_file(
    open_at: Callable[[int, int], Restorer],
    source: str | Path,
    out: str | Path,
    *,
    inputs: Mapping[str, str | Path] | None = None,
    stems: bool = False,
    progress: Progress | None = None,
) -> RestoreReport:
    """Restore a sound file; what is written has its rate, channels and length, sample by sample in its place.

    Args:
        open_at: Makes what restores, of a rate in Hz and a number of channels.
        source: Any sound file of up to 64 channels.
        out: Where to, `.wav` or `.flac`, 16 bits.
        inputs: What else is read and not to be overwritten, by what it is in words.
        stems: Whether to write what was taken out as well, beside `out` as `OUT-removed`. Both add up to the
            source.
        progress: Called after each block.

    Raises:
        DdspError: If the input cannot be read or holds nothing, or the output cannot be written or would
            overwrite what it is made from.
    """
    out = Path(out)
    paths = {"": out, **(stem_paths(out, [REMOVED]) if stems else {})}
    for path in paths.values():
        check_output(path, {"sound that is to be restored": source, **(inputs or {})})
    began = time.perf_counter()
    energy_in = energy_kept = energy_out = 0.0
    with AudioReader(source) as reader:
        rate, channels = reader.file_sample_rate, reader.channels
        if channels > MAX_CHANNELS:
            raise DdspError(f"{source} has {channels} channels; at most {MAX_CHANNELS} are restored")
        restorer = open_at(rate, channels)
        late, written = restorer.latency_samples, 0  # samples that still belong before the beginning
        with renaming_in(out.parent), ExitStack() as files:
            writers = {
                name: files.enter_context(AudioWriter(path, rate, channels)) for name, path in paths.items()
            }

            def write(restored: Array, before: Array, most: int | None = None) -> None:
                nonlocal late, written, energy_in, energy_kept, energy_out
                drop = min(late, len(restored))
                late -= drop
                end = len(restored) if most is None else drop + most
                restored, before = restored[drop:end], before[drop:end]
                removed = before - restored
                energy_in += float(np.vdot(before, before))
                energy_kept += float(np.vdot(restored, restored))
                energy_out += float(np.vdot(removed, removed))
                written += len(restored)
                writers[""].write(restored)
                if stems:
                    writers[REMOVED].write(removed)

            read = 0
            for block in reader.channel_blocks():
                read += len(block)
                write(*restorer.push(block))
                if progress is not None:
                    progress(read / rate, max(reader.file_samples, read) / rate)
            if not read:
                raise DdspError(f"{source} holds no samples")
            # Enough silence to push out the last sample, and to complete the last hop.
            rest = np.zeros((restorer.latency_samples + restorer.spec.hop, channels), np.float32)
            write(*restorer.push(rest), most=read - written)
    removed_db = float(10.0 * np.log10(energy_out / energy_in + 1e-12)) if energy_in else None
    remarks = reader.remarks()
    if energy_kept < _HARDLY_ANY * energy_in:
        remarks.append(
            "less than a tenth of its power is left: if more than noise is gone, try another model, or "
            "less --strength"
        )
    return RestoreReport(read / rate, time.perf_counter() - began, removed_db, remarks)
