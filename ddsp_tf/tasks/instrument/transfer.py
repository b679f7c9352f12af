"""Timbre transfer: play what somebody plays on the instrument that was trained."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ddsp_edge.card import Range
from ddsp_edge.features.pitch import hold_unvoiced
from ddsp_edge.files.audio_file import AudioReader, AudioWriter, check_output
from ddsp_edge.transfer.transposition import PlayedPitches, check_shifts
from ddsp_tf.data.prepare.analysis import Analyser, context_frames
from ddsp_tf.data.prepare.passages import cut_passages
from ddsp_tf.errors import DdspError
from ddsp_tf.features.f0 import F0Estimator
from ddsp_tf.tasks.instrument.model.autoencoder import Autoencoder
from ddsp_tf.tasks.instrument.model.render import Renderer

PASSAGE_SECONDS = 10.0


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
    octaves: int = 0,
    loudness_shift_db: float = 0.0,
    progress: Callable[[float, float], None] = lambda done, total: None,
) -> Transfer:
    """Render a monophonic recording through a model, in memory that does not grow with its length.

    Args:
        model: The trained model; of several instruments one that plays a mix of them (`Autoencoder.playing`).
        estimator: The pitch estimator.
        source: Any sound file.
        out: `.wav` or `.flac`, at the model's rate. It has the whole frames of the input and what rings on
            after them.
        octaves: Integer, octaves to transpose by.
        loudness_shift_db: dB added to the loudness that the model is told, and to what its encoder hears.
        progress: Called with the seconds done and the seconds in all.

    Raises:
        DdspError: If the input cannot be read, is silent or too short, the output cannot be written or would
            overwrite the input, a shift is out of range, or the model was not told what to play.
    """
    if "instrument" in model.feature_names:
        raise DdspError(
            f"the model plays several instruments: name one, or a mix, of {', '.join(model.instrument_names)}"
        )
    check_shifts(octaves, loudness_shift_db)
    check_output(out, {"recording that is to be played": source})
    spec = model.spec
    listens = "audio" in model.feature_names
    analyse = Analyser(spec, estimator, "float32", model.level)
    renderer = Renderer(model)
    last_hz = model.instrument.get("f0_hz_range", {}).get("median", 220.0)
    played = PlayedPitches()
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
            played.add(passage.f0_hz)
            f0_hz = hold_unvoiced(passage.f0_hz, voiced, last_hz)
            last_hz = float(f0_hz[-1])
            transposed = f0_hz * 2.0**octaves
            heard_db = passage.loudness_db + loudness_shift_db
            sound = passage.audio * 10.0 ** (loudness_shift_db / 20.0) if listens else None
            for audio in renderer.blocks(transposed, heard_db, audio=sound):
                writer.write(audio)
            frames += len(f0_hz)
            progress(spec.seconds(frames), total)
        if not frames:
            raise DdspError(f"{source} is too short: less than one frame ({spec.hop} samples)")
        if not heard:
            raise DdspError(reader.silence())
        tail = renderer.ring_out()
        writer.write(tail)
    known = model.instrument.get("f0_hz_range")
    advice = played.advice(Range(**known), octaves) if known else []
    return Transfer(spec.seconds(frames) + len(tail) / spec.sample_rate, advice)
