"""How well a voice does on held-back speech of its own, and on the same as somebody else would say it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ddsp_edge.units import Array
from ddsp_edge.voice.matching import MATCH, Shift
from ddsp_edge.voice.voice_range import VoiceRange
from ddsp_tf.losses import MultiScaleSpectralLoss
from ddsp_tf.tasks.voice.config import VoiceConfig
from ddsp_tf.tasks.voice.convert import converter_of, facts_of_model
from ddsp_tf.tasks.voice.evaluation.judges import Figures, Judges, can_read_phones
from ddsp_tf.tasks.voice.evaluation.speaker import speaker_judge
from ddsp_tf.tasks.voice.examples import VoiceExamples, inputs_of
from ddsp_tf.tasks.voice.model import Voice

_PASSAGES = 6  # at most
_OTHER = 0.84
"""Speed at which held-back speech is played to be somebody else's: 3 semitones lower, with a longer tract."""
_LIKE, _NEAR = 0.75, 0.65
_FEW_MINUTES, _NOISY_DB = 8.0, 35.0
_TARGETS = 12


@dataclass(frozen=True)
class VoiceEvaluation:
    """Scores of a voice, and of what it has to beat.

    Args:
        spectral: Spectral distance of held-back speech from itself through the model.
        rows: Mean figures by what was judged.
        itself: Cosine of recordings of the target to the mean of others of it: what could be reached.
        remarks: Sentences on what was reached and what limits it.
        passages: Integer, how many.
    """

    spectral: float
    rows: dict[str, Figures]
    itself: float
    remarks: tuple[str, ...]
    passages: int = 0
    notes: dict[str, Any] = field(default_factory=dict)

    def table(self) -> str:
        """As text."""
        lines = [f"{'':<40}{'PER':>7}{'to target':>11}{'to source':>11}{'f0':>7}{'voiced':>8}"]
        for name, one in self.rows.items():
            lines.append(
                f"{name:<40}{_text(one.error_rate, 7)}{_text(one.to_target, 11)}{_text(one.to_source, 11)}"
                f"{_text(one.f0_correlation, 7)}{_text(one.voiced_kept, 8)}"
            )
        lines.append(f"{'other recordings of the target':<40}{'':>7}{_text(self.itself, 11)}")
        lines.append(f"spectral distance of held-back speech {self.spectral:.2f}; {self.passages} passages")
        return "\n".join([*lines, *self.remarks])

    def to_dict(self) -> dict[str, Any]:
        """As plain data; what nobody judged is left out."""
        found: dict[str, Any] = {"spectral_distance": round(self.spectral, 4), "passages": self.passages}
        for name, one in self.rows.items():
            for key, value in vars(one).items():
                if np.isfinite(value):
                    found[f"{name.replace(' ', '_').replace(',', '')}_{key}"] = round(value, 4)
        if np.isfinite(self.itself):
            found["target_itself"] = round(self.itself, 4)
        return {**found, "remarks": list(self.remarks)}


def evaluate_voice(
    model: Voice, config: VoiceConfig, data: Path, progress: Callable[[str], None]
) -> VoiceEvaluation:
    """Convert held-back passages, and judge them by what is installed."""
    frames = config.spec.frames_for(config.data.passage_seconds)
    held = VoiceExamples(data, "validation", config, frames=frames)
    trained = VoiceExamples(data, "train", config, frames=frames)
    why_not = can_read_phones()
    speaker = speaker_judge()
    targets = [trained.passage(i).audio for i in _some(len(trained.places), _TARGETS)]
    judges = Judges(speaker, targets, not why_not)
    loss = MultiScaleSpectralLoss(config.loss.fft_sizes)
    figures: dict[str, list[Figures]] = {}
    spectral, itself = [], []
    chosen = _some(len(held.places), _PASSAGES)
    for number, index in enumerate(chosen):
        progress(f"passage {number + 1} of {len(chosen)}")
        passage = held.passage(index)
        n_frames = len(passage.f0_hz)
        inputs = {
            k: v[np.newaxis] for k, v in inputs_of(passage, slice(0, n_frames), config.spec.hop).items()
        }
        if (voice := held.voice(index)) is not None:
            inputs["voice"] = voice[np.newaxis]
        own = np.asarray(model(inputs))[0]
        spectral.append(float(loss(passage.audio[np.newaxis], own[np.newaxis])))
        itself.append(judges.likeness(passage.audio))
        other = somebody_else(passage.audio)
        name = None if voice is None else list(config.voices)[int(np.argmax(voice))]
        sounds = {
            "itself through the model": (passage.audio, own),
            "somebody else, converted": (other, converted(model, other, name)),
            "somebody else, pitch and formants moved": (other, moved_back(other, len(passage.audio))),
        }
        for key, (source, sound) in sounds.items():
            figures.setdefault(key, []).append(judges.judge(source, sound))
    rows = {key: _mean(found) for key, found in figures.items()}
    remarks = _remarks(rows["somebody else, converted"], model, why_not, speaker is not None)
    return VoiceEvaluation(
        float(np.mean(spectral)), rows, float(np.nanmean(itself)) if speaker else float("nan"), remarks,
        len(chosen),
    )  # fmt: skip


def somebody_else(audio: Array) -> Array:
    """The same words by a lower voice from a longer tract, slower: resampled."""
    return np.interp(np.arange(int(len(audio) / _OTHER)) * _OTHER, np.arange(len(audio)), audio).astype(
        np.float32
    )


def moved_back(audio: Array, samples: int) -> Array:
    """Pitch and formants of `somebody_else` moved back, the tempo left: what needs no model.

    By resampling, and stretching in time with overlapping windows (a phase vocoder).
    """
    import librosa

    faster = np.interp(np.linspace(0, len(audio) - 1, samples), np.arange(len(audio)), audio)
    return np.asarray(librosa.effects.time_stretch(faster, rate=_OTHER), np.float32)


def converted(model: Voice, audio: Array, voice: str | None = None) -> Array:
    """A sound converted by the code of devices, in its place."""
    facts = facts_of_model(model)
    listener = converter_of(model, shift=Shift(), voice=voice, seed=0)
    heard = VoiceRange()
    found = listener._hearing.push(audio)
    heard.add(found.f0_hz[facts.ahead :], found.loudness_db[facts.ahead :])
    converter = converter_of(model, heard=heard, pitch=MATCH, voice=voice, seed=0)
    sound = np.concatenate([converter.push(audio), converter.flush()])
    late = converter.delay_samples
    return np.asarray(sound[late : late + len(audio)], np.float32)


def _some(count: int, most: int) -> list[int]:
    """Numbers below `count`, evenly, at most so many."""
    return sorted({int(i) for i in np.linspace(0, count - 1, min(most, count))})


def _mean(figures: list[Figures]) -> Figures:
    table = np.array([list(vars(one).values()) for one in figures], float)
    with np.errstate(invalid="ignore"):
        counts = np.isfinite(table).sum(axis=0)
        sums = np.nansum(table, axis=0)
    return Figures(*(float(s / n) if n else float("nan") for s, n in zip(sums, counts, strict=True)))


def _remarks(found: Figures, model: Voice, why_not: str, has_speaker: bool) -> tuple[str, ...]:
    """Sentences on what was reached, what limits it, and what nobody judged."""
    said = []
    if why_not:
        said.append(f"words were not judged: {why_not}")
    if not has_speaker:
        said.append(
            "likeness was not judged: the packages Resemblyzer and torch are not installed (extra judge)"
        )
    else:
        likeness = found.to_target
        reached = (
            "the likeness was reached" if likeness >= _LIKE
            else "the likeness was nearly reached" if likeness >= _NEAR
            else "the likeness was not reached"
        )  # fmt: skip
        said.append(f"{reached}: {likeness:.2f} of {_LIKE:g} that are asked for")
        said += _limits(model) if likeness < _LIKE else []
    return tuple(said)


def _limits(model: Voice) -> list[str]:
    minutes = model.facts["train_seconds"] / 60.0
    levels = model.facts["loudness_db_range"]
    found = []
    if minutes < _FEW_MINUTES:
        found.append(f"{minutes:.1f} min of the voice are little: ten and more sound nearer")
    if levels["high"] - levels["low"] < _NOISY_DB:
        found.append(
            f"between its softest and loudest sounds lie {levels['high'] - levels['low']:.0f} dB only: "
            "noise or a room is learned with the voice. Record it in a quieter, drier place"
        )
    return found or ["neither minutes nor noise stand out: train it longer (--steps)"]


def _text(value: float, width: int) -> str:
    return f"{value:>{width}.3f}" if np.isfinite(value) else f"{'-':>{width}}"
