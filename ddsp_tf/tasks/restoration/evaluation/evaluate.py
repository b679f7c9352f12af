"""Held-back clean sound in held-back noise and rooms: how near to it a model comes, and what else does."""

import dataclasses
import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.tasks.restoration.config import MixturesConfig, RestorationConfig
from ddsp_tf.tasks.restoration.evaluation.anchors import anchors
from ddsp_tf.tasks.restoration.evaluation.judges import FORMS, judges
from ddsp_tf.tasks.restoration.examples import Mixtures
from ddsp_tf.tasks.restoration.mixing.mixer import Mixture
from ddsp_tf.tasks.restoration.model.model import Restoration

NOISY, MODEL = "noisy", "model"
RATIOS_DB = (0.0, 5.0, 10.0, 20.0)
SECONDS, MOST = 6.0, 24
"""Length of an example, and how many there are of each condition: one a held-back clean passage."""

_PLAIN: dict[str, Any] = {
    **{name: 0.0 for name in vars(MixturesConfig()) if name.endswith("_share")},
    "equaliser_db": 0.0,
    "speed": 0.0,
    "level_min_db": -26.0,
    "level_max_db": -26.0,
}

Scores = dict[str, float]


@dataclass(frozen=True)
class RestorationEvaluation:
    """Scores by condition and system.

    Args:
        conditions: Mean of each figure, by condition, system and figure.
        noises: SI-SDR, dB, by recording of noise and system, of the conditions with noise.
        examples: How many examples each condition has.
    """

    conditions: dict[str, dict[str, Scores]]
    noises: dict[str, dict[str, float]]
    examples: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """As plain data; null where nobody could tell."""
        return dict(_known(dataclasses.asdict(self)))

    def rows(self) -> Iterator[list[str]]:
        """Condition, system, and each figure as text; the first row is the heading."""
        first = next(iter(self.conditions.values()))
        figures = list(next(iter(first.values())))
        yield ["", "", *(FORMS[name] for name in figures)]
        for condition, systems in self.conditions.items():
            for number, (system, scores) in enumerate(systems.items()):
                title = f"{condition} ({self.examples[condition]})" if number == 0 else ""
                yield [title, system, *(shown(name, scores[name]) for name in figures)]

    def table(self) -> str:
        """As text."""
        rows = list(self.rows())
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = [
            "  ".join(
                cell.ljust(width) if i < 2 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        lines.append(f"held back: clean sound, noise and rooms; {SECONDS:g} s each; examples in brackets")
        return "\n".join(lines)


def shown(name: str, value: float) -> str:
    """A figure as text; nothing of what nobody could tell."""
    if not math.isfinite(value):
        return "-"
    return f"{value:.3f}" if name == "stoi" else f"{value:.2f}"


def conditions_of(settings: MixturesConfig, has_noise: bool, has_rooms: bool) -> dict[str, tuple[Any, Any]]:
    """Settings and level above the noise (None: as drawn) of each condition, by name."""
    plain = dataclasses.replace(settings, **_PLAIN)
    noise: dict[str, Any] = {} if has_noise else {"synthetic_share": 1.0}
    noisy = dataclasses.replace(plain, **noise)
    found: dict[str, tuple[Any, Any]] = {f"noise at {ratio:g} dB": (noisy, ratio) for ratio in RATIOS_DB}
    if has_rooms:
        found["room"] = (dataclasses.replace(plain, room_share=1.0), math.inf)
    found["clean"] = (plain, math.inf)
    heard = dataclasses.replace(settings, clean_share=0.0, noise_share=0.0)
    found["as in training"] = (heard, None)
    return found


def evaluate_restoration(
    model: Restoration,
    config: RestorationConfig,
    data: Path,
    progress: Callable[[str], None] = lambda text: None,
) -> RestorationEvaluation:
    """Measure a model on held-back sound, beside the mixture itself and what is installed.

    Args:
        model: The trained model.
        config: The configuration that it was trained with.
        data: Folder of the dataset.
        progress: Called with a few words before each stage.

    Raises:
        DdspError: If the dataset is damaged, or holds no clean sound back.
    """
    rate = config.sample_rate
    seconds = min(SECONDS, config.data.passage_seconds)
    longer = dataclasses.replace(config, training=dataclasses.replace(config.training, clip_seconds=seconds))
    systems: dict[str, Callable[[Array], Array]] = {
        NOISY: lambda audio: audio,
        MODEL: lambda audio: np.asarray(model({"audio": audio[np.newaxis]}))[0],
        **anchors(rate),
    }
    measure = judges(rate)
    by_noise: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    conditions: dict[str, dict[str, Scores]] = {}
    examples: dict[str, int] = {}
    probe = Mixtures(longer, data, "validation")
    for name, (settings, ratio) in conditions_of(config.mixtures, probe.has_noise, probe.has_rooms).items():
        progress(name)
        mixtures = Mixtures(dataclasses.replace(longer, mixtures=settings), data, "validation")
        made = list(_examples(mixtures, ratio))
        scores: dict[str, dict[str, list[float]]] = {
            system: {figure: [] for figure in measure} for system in systems
        }
        for mixture in made:
            for system, restore in systems.items():
                estimate = restore(mixture.noisy)
                for figure, judge in measure.items():
                    scores[system][figure].append(judge(mixture.clean, estimate))
                if ratio is not None and mixture.noise:
                    by_noise[mixture.noise][system].append(scores[system]["si_sdr_db"][-1])
        conditions[name] = {
            system: {figure: _mean(values) for figure, values in found.items()}
            for system, found in scores.items()
        }
        examples[name] = len(made)
    noises = {
        name: {system: _mean(values) for system, values in found.items()}
        for name, found in sorted(by_noise.items())
    }
    return RestorationEvaluation(conditions, noises, examples)


def _examples(mixtures: Mixtures, ratio_db: float | None) -> Iterator[Mixture]:
    """One example of each clean passage, spread over all of them where there are many."""
    count = len(mixtures.fitting())
    numbers = sorted({round(i * (count - 1) / max(1, MOST - 1)) for i in range(MOST)})
    for number in numbers:
        yield mixtures.make(mixtures.place(number, 0), ratio_db)


def _known(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _known(each) for key, each in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _mean(values: list[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return float(np.mean(known)) if known else math.nan
