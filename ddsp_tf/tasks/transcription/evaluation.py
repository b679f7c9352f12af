"""How well a transcriber finds notes in mixtures of held-back recordings, and the thresholds for it."""

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ddsp_edge.transcription.decode import NoteDecoder, Thresholds
from ddsp_edge.transcription.harmonics import features_of
from ddsp_edge.transcription.judge import Judged, NoteJudge
from ddsp_edge.transcription.melody import MelodyNotes
from ddsp_edge.transcription.names import FAMILY, NAMES
from ddsp_edge.transcription.naming import Namer, named, register_likelihoods
from ddsp_edge.transcription.note import Note
from ddsp_edge.transcription.spectra import log_spectra
from ddsp_edge.units import Array
from ddsp_tf.metrics.notes import Score, score_notes
from ddsp_tf.tasks.transcription.config import TranscriptionConfig
from ddsp_tf.tasks.transcription.examples import LEAD_FRAMES, MixtureExamples, name_counts

THRESHOLDS = "thresholds"
"""Of `evaluation.json`: what export puts into the card."""
COUNTS = "name_counts"
"""The same: notes of each instrument that were trained on."""
_MIXTURES = 48  # at most: more move no figure by a hundredth
_GRID = {
    "onset": (0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65),
    "sounding": (0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6),
    "late": (0.5, 0.6, 0.7, 0.8, 0.9, 2.0),
    "offset": (0.3, 0.4, 0.5, 0.6, 2.0),
    "gap_frames": (0, 1, 2, 3, 5),
    "shortest_frames": (2, 3, 4),
}
_AS_GOOD = 0.01
"""Of worth, 0 to 1.5: by how much less an onset threshold may have that finds more notes. Of recordings that
are unlike those it was learned on, a network is less sure: 0.5 in place of 0.6 was worth 0.008 less, and
found .835 in place of .821 (onset F1) in mixtures of recorded notes."""
_EXPLAINS = (0.0, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
_ROUNDS = 2
_TOO_LATE_S = 0.1  # notes that begin later in a mixture cannot have been heard
_NOTHING = Score(0, 0, 0)


@dataclass(frozen=True)
class Heard:
    """What a network says of a mixture, and what there is.

    Args:
        spectra: `[frames, 288, 2]`.
        roll: `[frames, pitches, 4]`.
        notes: The notes, in seconds from the first frame's hop on.
        parts: Integer, instruments in it.
        melody: Notes of the pitch tracker alone.
    """

    spectra: Array
    roll: Array
    notes: list[Note]
    parts: int
    melody: list[Note]


@dataclass(frozen=True)
class NoteScores:
    """Scores of a transcriber, and of what it has to beat.

    Args:
        scores: By what is scored and how: `onset` and `offset` (which is onset and offset) of the model and
            of the pitch tracker alone, which hears one note at a time (`tracker_onset`); notes with the right
            name or family (`name`, `family`), told who plays or blind, and by register alone.
        by_parts: Of the model, onsets, by the number of instruments in a mixture.
        thresholds: As they were learned, on other mixtures than those that are scored.
        mixtures: Integer, how many were scored.
        counts: Integers, notes of each instrument in the training data.
    """

    scores: dict[str, Score]
    by_parts: dict[int, Score]
    thresholds: Thresholds
    mixtures: int
    counts: tuple[int, ...]

    def table(self) -> str:
        """As text."""
        lines = [f"{'':<34}{'precision':>10}{'recall':>8}{'F1':>8}"]
        for name, score in {**self.scores, **{f"onset_of_{n}": s for n, s in self.by_parts.items()}}.items():
            words = name.replace("_", " ")
            lines.append(f"{words:<34}{score.precision:>10.3f}{score.recall:>8.3f}{score.f1:>8.3f}")
        lines.append(f"notes of {self.mixtures} mixtures of held-back recordings, onsets within 50 ms")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {
            **{f"{name}_f1": round(score.f1, 4) for name, score in self.scores.items()},
            "precision": round(self.scores["onset"].precision, 4),
            "recall": round(self.scores["onset"].recall, 4),
            **{f"onset_of_{n}_f1": round(score.f1, 4) for n, score in sorted(self.by_parts.items())},
            "mixtures": self.mixtures,
            THRESHOLDS: dataclasses.asdict(self.thresholds),
            COUNTS: list(self.counts),
        }


def evaluate_notes(
    model: Any, config: TranscriptionConfig, data: Path, progress: Callable[[str], None]
) -> NoteScores:
    """Mix held-back passages, learn thresholds on every other mixture, and score the rest.

    Args:
        model: The network, spectra to logits.
        config: Its configuration.
        data: The dataset.
        progress: Told what goes on.
    """
    heard = listen(model, config, data, progress)
    learned = heard[::2] if len(heard) > 1 else heard
    scored = heard[1::2] if len(heard) > 1 else heard
    progress("learning thresholds")
    thresholds = learn_thresholds(learned, config)
    counts = name_counts(data)
    namer = Namer(model.namer_arrays(counts))
    scores: dict[str, Score] = defaultdict(lambda: _NOTHING)
    by_parts: dict[int, Score] = defaultdict(lambda: _NOTHING)
    for number, mixture in enumerate(scored):
        progress(f"scoring mixture {number + 1} of {len(scored)}")
        found = judged(mixture, config, thresholds)
        scores["onset"] += score_notes(mixture.notes, found.notes)
        scores["offset"] += score_notes(mixture.notes, found.notes, offsets=True)
        scores["tracker_onset"] += score_notes(mixture.notes, mixture.melody)
        scores["tracker_offset"] += score_notes(mixture.notes, mixture.melody, offsets=True)
        by_parts[mixture.parts] += score_notes(mixture.notes, found.notes)
        for name, score in _name_scores(mixture, found, namer).items():
            scores[name] += score
    return NoteScores(dict(scores), dict(by_parts), thresholds, len(scored), tuple(counts))


def _name_scores(mixture: Heard, found: Judged, namer: Namer) -> dict[str, Score]:
    """Notes with the right name, and with the right family: told who plays, blind, and by register alone."""
    if not found.notes or not all(note.instrument for note in mixture.notes):
        return {}
    by_sound = namer.log_likelihoods(features_of(found.fits))
    by_register = register_likelihoods(np.array([note.pitch for note in found.notes]))
    who = tuple(dict.fromkeys(note.instrument for note in mixture.notes))
    scores = {}
    for way, likelihoods, told in (
        ("told", by_sound, who),
        ("told_by_register", by_register, who),
        ("blind", by_sound, ()),
        ("blind_by_register", by_register, ()),
    ):
        notes = named(found.notes, likelihoods, told)
        scores[f"name_{way}"] = score_notes(mixture.notes, notes, names=True)
        scores[f"family_{way}"] = score_notes(_of_families(mixture.notes), _of_families(notes), names=True)
    return scores


def _of_families(notes: Sequence[Note]) -> list[Note]:
    return [dataclasses.replace(note, instrument=FAMILY.get(note.instrument, "")) for note in notes]


def listen(
    model: Any, config: TranscriptionConfig, data: Path, progress: Callable[[str], None]
) -> list[Heard]:
    """What a network says of mixtures of held-back passages, always the same mixtures."""
    frames = config.spec.frames_for(max(config.training.clip_seconds, 0.5 * config.data.passage_seconds))
    examples = MixtureExamples(data, "validation", config, frames=frames)
    count = len(examples.fitting())
    chosen = np.unique(np.linspace(0, count - 1, min(_MIXTURES, count)).astype(int))
    heard = []
    for number, index in enumerate(chosen):
        progress(f"mixture {number + 1} of {len(chosen)}")
        clip = examples.place(int(index), 0)
        mixture = examples.mixture(clip)
        spectra = log_spectra(mixture.audio, config.spec)
        logits = np.asarray(model({"spectra": spectra[np.newaxis]})["roll"])[0]
        notes = [
            Note(float(a), float(b), float(p), int(v), NAMES[int(i)] if i >= 0 else "")
            for a, b, p, v, i in mixture.notes
        ]
        lead_s, end_s = config.spec.seconds(LEAD_FRAMES), config.spec.seconds(len(spectra) - LEAD_FRAMES)
        inside = [
            dataclasses.replace(note, offset_s=min(note.offset_s, end_s))
            for note in notes
            if lead_s < note.onset_s < end_s - _TOO_LATE_S
        ]
        melody = MelodyNotes(config.spec)
        heard.append(
            Heard(
                spectra,
                _sigmoid(logits),
                inside,
                clip.instruments,
                melody.push(mixture.audio) + melody.flush(),
            )
        )
    return heard


def judged(mixture: Heard, config: TranscriptionConfig, thresholds: Thresholds) -> Judged:
    """Notes that are found in a mixture, each fitted; those of its lead and its last frames left out."""
    network = config.network
    judge = NoteJudge(config.spec, network.lowest_midi, network.lookahead_frames, thresholds)
    found = judge.push(mixture.spectra, mixture.roll) + judge.flush()
    kept = [i for i, note in enumerate(found.notes) if _counts(note, mixture, config)]
    return Judged([], [found.notes[i] for i in kept], [found.fits[i] for i in kept])


def decoded(mixture: Heard, config: TranscriptionConfig, thresholds: Thresholds) -> list[Note]:
    """The same without fits, in a fraction of the time."""
    network = config.network
    decoder = NoteDecoder(config.spec, network.lowest_midi, network.lookahead_frames, thresholds)
    notes = decoder.push(mixture.roll).notes + decoder.flush().notes
    return [note for note in notes if _counts(note, mixture, config)]


def _counts(note: Note, mixture: Heard, config: TranscriptionConfig) -> bool:
    end_s = config.spec.seconds(len(mixture.spectra) - LEAD_FRAMES)
    return config.spec.seconds(LEAD_FRAMES) < note.onset_s < end_s - _TOO_LATE_S


def learn_thresholds(heard: Sequence[Heard], config: TranscriptionConfig) -> Thresholds:
    """The thresholds with the best sum of onset F1 and half the F1 with offsets, one after the other; of
    onset thresholds the lowest that is worth `_AS_GOOD` less at most.
    """
    best, best_value = Thresholds(), -1.0
    for _ in range(_ROUNDS):
        for name, values in _GRID.items():
            for value in values:
                tried = Thresholds(**{**dataclasses.asdict(best), name: value})
                worth = _worth(heard, config, tried)
                if worth > best_value + 1e-6:
                    best, best_value = tried, worth
    for onset in (value for value in _GRID["onset"] if value < best.onset):
        tried = dataclasses.replace(best, onset=onset)
        if _worth(heard, config, tried) >= best_value - _AS_GOOD:
            best = tried
            break
    return dataclasses.replace(best, explains=_learn_explains(heard, config, best))


def _worth(heard: Sequence[Heard], config: TranscriptionConfig, thresholds: Thresholds) -> float:
    """Onset F1 and half the F1 with offsets, 0 to 1.5."""
    total = {False: _NOTHING, True: _NOTHING}
    for mixture in heard:
        found = decoded(mixture, config, thresholds)
        for offsets in total:
            total[offsets] += score_notes(mixture.notes, found, offsets=offsets)
    return total[False].f1 + 0.5 * total[True].f1


def _learn_explains(heard: Sequence[Heard], config: TranscriptionConfig, thresholds: Thresholds) -> float:
    """The share of its energy that a note must have for its own, for the best onset F1."""
    found = [judged(mixture, config, thresholds) for mixture in heard]
    best, best_value = 0.0, -1.0
    for least in _EXPLAINS:
        total = _NOTHING
        for mixture, one in zip(heard, found, strict=True):
            kept = [
                note
                for note, fit in zip(one.notes, one.fits, strict=True)
                if fit is None or fit.explains >= least
            ]
            total += score_notes(mixture.notes, kept)
        if total.f1 > best_value + 1e-4:
            best, best_value = least, total.f1
    return best


def _sigmoid(logits: Array) -> Array:
    return np.asarray(1.0 / (1.0 + np.exp(-logits)), np.float32)
