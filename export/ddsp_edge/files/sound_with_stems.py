"""A sound and the parts that it is made of, written side by side."""

import math
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from ddsp_edge.atomic import renaming_in
from ddsp_edge.files.audio_writer import AudioWriter, check_output
from ddsp_edge.synthesis.stems import Stems, stem_paths
from ddsp_edge.units import Array


class SoundWriter:
    """Files that are written block by block and get their names when all went well: a sound and its stems.

    Args:
        out: Where to, `.wav` or `.flac`; stems stand beside it, see `ddsp_edge.synthesis.stems`.
        sample_rate: Integer, Hz.
        inputs: What the sound is made from, by what it is in words; it is not overwritten.
        stems: How signals are split; None for no stems.

    Raises:
        DdspError: If an output would overwrite an input, or, when it is entered, cannot be written.
    """

    def __init__(
        self, out: str | Path, sample_rate: int, inputs: Mapping[str, str | Path], stems: Stems | None = None
    ) -> None:
        self._out, self._rate, self._stems = Path(out), sample_rate, stems
        self._stem_paths = stem_paths(self._out, stems.names) if stems else {}
        for path in (self._out, *self._stem_paths.values()):
            check_output(path, inputs)
        self._files = ExitStack()
        self.samples = 0
        """Samples written so far."""
        self.peak = 0.0
        """Largest magnitude of the sound before it was limited or clipped, full scale 1."""

    def __enter__(self) -> "SoundWriter":
        with ExitStack() as files:
            self._writer = files.enter_context(AudioWriter(self._out, self._rate))
            self._stem_writers = {
                name: files.enter_context(AudioWriter(path, self._rate))
                for name, path in self._stem_paths.items()
            }
            self._files = files.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        with renaming_in(self._out.parent):  # a run beside this one leaves its own sound and its own stems
            self._files.__exit__(*exception)  # type: ignore[arg-type]

    def write(self, audio: Array, unlimited: Array, signals: Mapping[str, Array]) -> None:
        """Append a block.

        Args:
            audio: The sound `[n]`.
            unlimited: The sound as it was before it was limited, `[n]`.
            signals: Signals `[n]` of all nodes by name, where stems are wanted.
        """
        self.samples += len(audio)
        self.peak = max(self.peak, float(np.abs(unlimited).max(initial=0.0)))
        self._writer.write(audio)
        if self._stems is not None:
            for name, part in self._stems.split(signals).items():
                self._stem_writers[name].write(part)

    @property
    def seconds(self) -> float:
        """Length of what was written."""
        return self.samples / self._rate

    def warnings(self, what_became_of_it: str) -> list[str]:
        """One line, if the sound went over full scale.

        Args:
            what_became_of_it: What the line says of that, such as `"where the limiter held it"`.
        """
        if not self.peak > 1.0:
            return []
        over_db = 20.0 * math.log10(self.peak)
        return [
            f"the sound is {over_db:.1f} dB over full scale, {what_became_of_it}; "
            f"try --loudness-shift-db -{max(1, math.ceil(over_db))}"
        ]
