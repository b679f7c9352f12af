"""Timbre transfer: play what somebody plays on the instrument that was trained.

Pitch is tracked by the estimator of datasets, which looks at a whole passage at once; on a device it is
`ddsp_edge.features.pitch`, with a short look-ahead. From what they track on, both go through
`ddsp_edge.transfer`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ddsp_edge.files.audio_file import AudioReader
from ddsp_edge.files.sound_with_stems import SoundWriter
from ddsp_edge.synthesis.stems import Stems
from ddsp_edge.transfer.consonants import without_pitch
from ddsp_edge.transfer.recording import Played, Tracked
from ddsp_edge.transfer.settings import TransferSettings
from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError
from ddsp_tf.features.f0 import F0Estimator
from ddsp_tf.tasks.instrument.model.autoencoder import Autoencoder
from ddsp_tf.tasks.instrument.model.render import Renderer, seed_noise
from ddsp_tf.tasks.instrument.tracking import PASSAGE_SECONDS, mapping_for, tracked_passages

_Controls = dict[str, dict[str, Array]]  # by node and name


@dataclass(frozen=True)
class Transfer:
    """What was rendered.

    Args:
        seconds: Length of the result, what rings on at the end included.
        advice: What the user might want to change, one line each.
    """

    seconds: float
    advice: list[str]


def transfer(
    model: Autoencoder,
    estimator: F0Estimator,
    source: Path,
    out: Path,
    *,
    progress: Callable[[float, float], None] = lambda done, total: None,
    stems: bool = False,
    seed: int | None = None,
    **changes: Any,
) -> Transfer:
    """Render a monophonic recording through a model, in memory that does not grow with its length.

    Args:
        model: The trained model; of several instruments one that plays a mix of them (`Autoencoder.playing`).
        estimator: The pitch estimator.
        source: Any sound file.
        out: `.wav` or `.flac`, at the model's rate. It has the whole frames of the input and what rings on
            after them.
        progress: Called with the seconds done and the seconds in all. Where something is to be matched, the
            recording is tracked to its end before it is rendered, and each counts half.
        stems: Whether to write the parts of the sound as well, beside `out`; see `ddsp_edge.synthesis.stems`.
        seed: Integer from 0, seed of the noise; None for the noise that the model goes on with.
        **changes: Fields of `ddsp_edge.transfer.settings.TransferSettings`: `octaves`, `loudness_shift_db`,
            `match_octave` and so on. A model that listens hears the recording louder by `loudness_shift_db`,
            and else as it is.

    Raises:
        DdspError: If the input cannot be read, is silent or too short, the output cannot be written or would
            overwrite the input, a change is out of range, or the model was not told what to play.
    """
    if "instrument" in model.feature_names:
        raise DdspError(
            f"the model plays several instruments: name one, or a mix, of {', '.join(model.instrument_names)}"
        )
    spec = model.spec
    mapping = mapping_for(model, TransferSettings(**changes))
    nodes = [{"name": n.name, "type": n.type, "inputs": n.inputs} for n in model.processors.nodes]
    inputs = {"recording that is to be played": source}
    writing = SoundWriter(out, spec.sample_rate, inputs, Stems(nodes) if stems else None)
    if seed is not None:
        seed_noise(model.processors, seed)
    renderer = _Rendering(model, source, mapping.settings, stems)
    passage_frames, twice = spec.frames_for(PASSAGE_SECONDS), mapping.learns
    heard, frames = False, 0
    with AudioReader(source, spec.sample_rate) as reader, writing, renderer:
        total = reader.n_samples / spec.sample_rate

        def tracked() -> Iterator[Tracked]:
            nonlocal heard
            found = 0
            for passage, tracked_frames in tracked_passages(model, estimator, reader):
                heard = heard or not passage.silent
                found += passage.n_frames
                if twice:
                    progress(spec.seconds(found) / 2, total)
                yield tracked_frames

        for played in mapping.process(tracked(), passage_frames):
            for audio, signals in renderer.blocks(played):
                writing.write(audio, audio, signals)
            frames += len(played.f0_hz)
            done = spec.seconds(frames)
            progress((total + done) / 2 if twice else done, total)
        if not frames:
            raise DdspError(f"{source} is too short: less than one frame ({spec.hop} samples)")
        if not heard:
            raise DdspError(reader.silence())
        audio, signals = renderer.ring_out()
        writing.write(audio, audio, signals)
    warnings = [*reader.remarks(), *mapping.advice(), *writing.warnings("where it is clipped")]
    return Transfer(writing.seconds, warnings)


class _Rendering:
    """Features through a model, and the recording beside them for one that listens.

    Args:
        model: The model.
        source: The recording.
        settings: A model that listens hears it louder by the shift of the loudness.
        stems: Whether the signals of all nodes are wanted.
    """

    def __init__(self, model: Autoencoder, source: Path, settings: TransferSettings, stems: bool) -> None:
        self._renderer, self._stems, self._hop = Renderer(model), stems, model.spec.hop
        self._rate, self._way = model.spec.sample_rate, settings.consonants
        self._types = {node.name: node.type for node in model.processors.nodes}
        self._output = model.processors.output_name
        self._gain = 10.0 ** (settings.loudness_shift_db / 20.0)
        self._reader: AudioReader | None = None
        if "audio" in model.feature_names:
            self._reader = AudioReader(source, model.spec.sample_rate)

    def __enter__(self) -> "_Rendering":
        if self._reader is not None:
            self._reader.__enter__()
            self._blocks = self._reader.blocks()
            self._waiting = np.zeros(0, np.float32)
        return self

    def __exit__(self, *exception: Any) -> None:
        if self._reader is not None:
            self._reader.__exit__(*exception)

    def blocks(self, played: Played) -> Iterator[tuple[Array, dict[str, Array]]]:
        """Yield the sound `[n * hop]`, and the signals of all nodes by name if they are wanted."""
        f0_hz, loudness_db, pitched, further = played
        listened = None if self._reader is None else self._listen(len(f0_hz) * self._hop)
        if self._way != "hold":

            def edit(controls: _Controls, first: int, end: int) -> _Controls:
                return without_pitch(controls, self._types, pitched[first:end], self._way, self._rate)

            for signals in self._renderer.edited(f0_hz, loudness_db, edit, audio=listened, **further):
                yield signals[self._output], signals
        elif self._stems:
            for signals in self._renderer.signals(f0_hz, loudness_db, audio=listened, **further):
                yield signals[self._output], signals
        else:
            for audio in self._renderer.blocks(f0_hz, loudness_db, audio=listened, **further):
                yield audio, {}

    def ring_out(self) -> tuple[Array, dict[str, Array]]:
        """What rings on at the end, in the same form."""
        signals = self._renderer.ring_out_signals()
        return signals[self._output], signals

    def _listen(self, samples: int) -> Array:
        """The next samples of the recording."""
        parts, have = [self._waiting], len(self._waiting)
        while have < samples and (block := next(self._blocks, None)) is not None:
            parts.append(block)
            have += len(block)
        joined = np.concatenate(parts)
        self._waiting = joined[samples:]
        return np.asarray(joined[:samples] * self._gain)
