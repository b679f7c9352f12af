"""Timbre transfer: play what somebody plays on the instrument that was trained."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ddsp_edge.audio_file import AudioReader, AudioWriter
from ddsp_edge.pitch import hold_unvoiced
from ddsp_edge.units import Array
from ddsp_tf.data.analysis import Analyser, context_frames
from ddsp_tf.data.passages import cut_passages
from ddsp_tf.errors import DdspError
from ddsp_tf.features.f0 import F0Estimator
from ddsp_tf.models.autoencoder import Autoencoder
from ddsp_tf.models.render import Renderer

PASSAGE_SECONDS = 10.0
MAX_OCTAVES = 10  # either way: all that can be heard
MAX_SHIFT_DB = 120.0


@dataclass(frozen=True)
class Transfer:
    """What was rendered.

    Args:
        seconds: Length of the result.
        median_f0_hz: Median pitch of the input, Hz; 0 if it has none.
        advice: What the user might want to change; empty if nothing.
    """

    seconds: float
    median_f0_hz: float
    advice: str


def transfer(
    model: Autoencoder,
    estimator: F0Estimator,
    source: Path,
    out: Path,
    *,
    octaves: int = 0,
    loudness_shift_db: float = 0.0,
    progress: Callable[[float, float], None] = lambda done, total: None,
) -> Transfer:
    """Render a monophonic recording through a model, in memory that does not grow with its length.

    Args:
        model: The trained model.
        estimator: The pitch estimator.
        source: Any sound file.
        out: `.wav` or `.flac`, at the model's rate.
        octaves: Integer, octaves to transpose by.
        loudness_shift_db: dB added to the loudness that the model is told.
        progress: Called with the seconds done and the seconds in all.

    Raises:
        DdspError: If the input cannot be read, is silent or too short, the output cannot be written, or
            a shift is out of range.
    """
    if not abs(octaves) <= MAX_OCTAVES:
        raise DdspError(f"octaves must be from {-MAX_OCTAVES} to {MAX_OCTAVES}. Received: {octaves}")
    if not abs(loudness_shift_db) <= MAX_SHIFT_DB:  # also refuses NaN
        raise DdspError(
            f"the loudness must be shifted by {-MAX_SHIFT_DB:g} to {MAX_SHIFT_DB:g} dB. "
            f"Received: {loudness_shift_db}"
        )
    if out.is_dir():
        raise DdspError(f"{out} is a folder; name a .wav or .flac file to write")
    spec = model.spec
    analyse = Analyser(spec, estimator)
    renderer = Renderer(model)
    last_hz = model.instrument.get("f0_hz_range", {}).get("median", 220.0)
    voiced_hz: list[Array] = []
    frames = 0
    heard = False
    with AudioReader(source, spec.sample_rate) as reader, AudioWriter(out, spec.sample_rate) as writer:
        total = reader.n_samples / spec.sample_rate
        cuts = cut_passages(
            reader.blocks(),
            spec,
            spec.frames_for(PASSAGE_SECONDS),
            context_frames(spec, estimator.context_seconds),
        )
        for cut in cuts:
            passage = analyse(cut)
            heard = heard or not passage.silent
            voiced = passage.f0_hz > 0
            voiced_hz.append(passage.f0_hz[voiced])
            f0_hz = hold_unvoiced(passage.f0_hz, voiced, last_hz)
            last_hz = float(f0_hz[-1])
            transposed = f0_hz * 2.0**octaves
            for audio in renderer.blocks(transposed, passage.loudness_db + loudness_shift_db):
                writer.write(audio)
            frames += len(f0_hz)
            progress(spec.seconds(frames), total)
        if not frames:
            raise DdspError(f"{source} is too short: less than one frame ({spec.hop} samples)")
        if not heard:
            raise DdspError(f"{source} is silent: there is nothing to follow")
    pitches = np.concatenate(voiced_hz)
    median = float(np.median(pitches)) * 2.0**octaves if len(pitches) else 0.0
    return Transfer(spec.seconds(frames), median, _advice(model, median, octaves))


def _advice(model: Autoencoder, median_hz: float, octaves: int) -> str:
    """Say when the input lies outside what the model has heard, and what would bring it inside."""
    known = model.instrument.get("f0_hz_range")
    if not known:
        return ""
    if not median_hz:
        return "no pitch was found in the input"
    if known["low"] <= median_hz <= known["high"]:
        return ""
    shifts = sorted(range(-MAX_OCTAVES - octaves, MAX_OCTAVES + 1 - octaves), key=abs)
    fits = (octaves + k for k in shifts if known["low"] <= np.ldexp(median_hz, k) <= known["high"])
    better = next(fits, None)
    hint = "" if better is None else f": try --octaves {better}"
    return (
        f"the input's median pitch ({median_hz:.0f} Hz) lies outside the training data "
        f"({known['low']:.0f} to {known['high']:.0f} Hz){hint}"
    )
