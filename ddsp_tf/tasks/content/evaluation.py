"""How well an encoder names phones of speakers that it has not heard, and how well it hides who they are."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ddsp_edge.features.log_mel import log_mel
from ddsp_edge.units import Array
from ddsp_tf.config.sections import Config
from ddsp_tf.metrics.edits import edit_distance
from ddsp_tf.tasks.content.config import ContentConfig
from ddsp_tf.tasks.content.examples import PhoneExamples
from ddsp_tf.tasks.content.model import ContentModel
from ddsp_tf.tasks.content.phones import SILENCE, UNKNOWN

_SHORTEST_FRAMES = 3  # what is named for less is not counted as a phone
_WINDOW_FRAMES = 125  # of speech, by which a speaker is named
_SPEAKERS = 40  # at most
_LISTENED_S = 10.0  # to each
_RIDGE = 1e-2


@dataclass(frozen=True)
class ContentScores:
    """Scores of an encoder.

    Args:
        frames_right: Share of the frames of held-back speech that are named as the labels have it.
        error_rate: Phones that are missing, too many or wrong, re those of the labels.
        speaker_from_content: Share of seconds of speech whose speaker a linear classifier tells from content.
        speaker_from_bands: The same from log-mel bands re their means: what there was to be heard.
        speaker_by_chance: What guessing comes to.
        speakers: Integer, how many there were to choose from.
        seconds: Of held-back speech.
    """

    frames_right: float
    error_rate: float
    speaker_from_content: float
    speaker_from_bands: float
    speaker_by_chance: float
    speakers: int
    seconds: float

    def table(self) -> str:
        """As text."""
        return "\n".join(
            [
                f"{'frames named as labelled':<44}{100 * self.frames_right:>8.1f} %",
                f"{'phone error rate, against the labels':<44}{self.error_rate:>8.3f}",
                f"{f'speaker told from a second, of {self.speakers}':<44}",
                f"{'  by content':<44}{100 * self.speaker_from_content:>8.1f} %",
                f"{'  by mel bands':<44}{100 * self.speaker_from_bands:>8.1f} %",
                f"{'  by chance':<44}{100 * self.speaker_by_chance:>8.1f} %",
                f"{self.seconds:.0f} s of held-back speech; labels are those of the recogniser, aligned",
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {name: round(value, 4) for name, value in vars(self).items()}


def evaluate_content(
    model: ContentModel, config: ContentConfig, data: Path, progress: Callable[[str], None]
) -> ContentScores:
    """Read all held-back passages, and classify the speakers of both splits."""
    right = frames = edits = phones = 0
    held = PhoneExamples(data, "validation", config)
    for index in range(len(held.places)):
        progress(f"passage {index + 1} of {len(held.places)}")
        audio, labels = held.passage(index)
        _, found = heard(model, audio)
        known = labels >= 0
        right += int(np.sum((found == labels) & known))
        frames += int(np.sum(known))
        wanted = phones_of(labels)
        edits += edit_distance(wanted, phones_of(found))
        phones += len(wanted)
    content, bands, chance, speakers = _speaker_scores(model, config, data, progress)
    seconds = frames * config.spec.hop / config.sample_rate
    return ContentScores(
        right / max(frames, 1), edits / max(phones, 1), content, bands, chance, speakers, seconds
    )


def heard(model: ContentModel, audio: Array) -> tuple[Array, Array]:
    """Content `[frames, channels]` of a whole sound, and the phones `[frames]` that are named from it."""
    spec = Config.from_dict(model.facts["config"]).spec
    content = model.encoder.in_place(model.encoder(log_mel(audio, spec)[np.newaxis]))
    logits = model.encoder.logits(content)
    return np.asarray(content)[0], np.asarray(logits)[0].argmax(axis=1)


def phones_of(frames: npt.ArrayLike) -> list[int]:
    """The phones that a track `[frames]` names one after the other; without pauses and what is too short."""
    track = np.asarray(frames).astype(int)
    begins = np.flatnonzero(np.diff(track, prepend=-9))
    ends = np.append(begins[1:], len(track))
    kept = [
        int(track[b])
        for b, e in zip(begins, ends, strict=True)
        if e - b >= _SHORTEST_FRAMES and track[b] not in (SILENCE, UNKNOWN)
    ]
    return [phone for i, phone in enumerate(kept) if not i or kept[i - 1] != phone]


def _speaker_scores(
    model: ContentModel, config: ContentConfig, data: Path, progress: Callable[[str], None]
) -> tuple[float, float, float, int]:
    """Share of seconds whose recording is told: by content, by bands, by chance; and of how many.

    Recordings stand for speakers. A ridge regression on means and deviations over a second learns from the
    first half of each and names those of the second.
    """
    kinds: list[list[list[Array]]] = [[], []]  # by content and bands, of each recording, vectors in order
    seen: dict[str, int] = {}
    least = 0.8 * min(_LISTENED_S, config.data.passage_seconds) * config.sample_rate
    for split in ("validation", "train"):
        examples = PhoneExamples(data, split, config)
        for index, place in enumerate(examples.places):
            source = place.read().source
            if source in seen or len(seen) == _SPEAKERS or place.n_samples < least:
                continue
            progress(f"speaker {len(seen) + 1}")
            seen[source] = index
            audio, labels = examples.passage(index)
            content, _ = heard(model, audio)
            bands = log_mel(audio, config.spec)
            speech = labels != SILENCE
            bands = bands - bands[speech].mean(axis=0) if speech.any() else bands
            for kind, values in zip(kinds, (content, bands), strict=True):
                kind.append(_vectors(values[speech]))
    if len(seen) < 2:
        return 0.0, 0.0, 0.0, len(seen)
    return (*(_told(kind) for kind in kinds), 1.0 / len(seen), len(seen))  # type: ignore[return-value]


def _vectors(values: Array) -> list[Array]:
    """Means and deviations of overlapping seconds."""
    starts = range(0, max(1, len(values) - _WINDOW_FRAMES), _WINDOW_FRAMES // 4)
    parts = [values[s : s + _WINDOW_FRAMES] for s in starts]
    return [np.concatenate([part.mean(axis=0), part.std(axis=0)]) for part in parts]


def _told(recordings: list[list[Array]]) -> float:
    """Share of the vectors in the second half of each recording that are given to it."""
    # Windows overlap: those in the middle belong to neither half.
    first = [vectors[: len(vectors) // 2 - 2] for vectors in recordings]
    second = [vectors[len(vectors) // 2 + 2 :] for vectors in recordings]
    x = np.array([v for vectors in first for v in vectors])
    y = np.repeat(np.arange(len(first)), [len(v) for v in first])
    tests = np.array([v for vectors in second for v in vectors])
    truth = np.repeat(np.arange(len(second)), [len(v) for v in second])
    if not len(x) or not len(tests):
        return 0.0
    mean, spread = x.mean(axis=0), x.std(axis=0) + 1e-6
    x, tests = ((v - mean) / spread for v in (x, tests))
    x, tests = (np.concatenate([v, np.ones((len(v), 1))], axis=1) for v in (x, tests))
    wanted = np.eye(len(first))[y]
    weights = np.linalg.solve(x.T @ x + _RIDGE * len(x) * np.eye(x.shape[1]), x.T @ wanted)
    return float(np.mean((tests @ weights).argmax(axis=1) == truth))
