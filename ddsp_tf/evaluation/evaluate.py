"""How good is an instrument? Measured on passages that training has not seen, beside baselines."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ddsp_edge.loudness import loudness_db
from ddsp_edge.units import Array, cents_between
from ddsp_tf.data.info import load_dataset_info
from ddsp_tf.data.reading import Passage, read_passages
from ddsp_tf.errors import DdspError
from ddsp_tf.evaluation.baseline import mean_distribution, play_mean_spectrum
from ddsp_tf.features.f0 import F0Estimator, make_f0_estimator
from ddsp_tf.frames import FrameSpec
from ddsp_tf.losses import MultiScaleSpectralLoss
from ddsp_tf.models.autoencoder import Autoencoder
from ddsp_tf.models.render import Renderer
from ddsp_tf.training.run import load_config_of_run, load_model_of_run

RESULT_NAME = "evaluation.json"


@dataclass(frozen=True)
class Scores:
    """How close one way of playing comes to the recordings.

    Args:
        spectral_distance: Multi-scale spectral distance, mean over the passages by length.
        loudness_l1_db: Mean absolute difference of loudness, dB, over all frames.
        f0_within_50_cents: Share of the frames voiced in both recording and rendering where the two agree
            within 50 cents; None where it was not measured.
        voiced_in_both: Share of the recording's voiced frames that are voiced in the rendering too.
    """

    spectral_distance: float
    loudness_l1_db: float
    f0_within_50_cents: float | None = None
    voiced_in_both: float | None = None


@dataclass(frozen=True)
class Evaluation:
    """The scores of a trained model and of what it has to beat.

    Args:
        seconds: Length of the held-back passages together.
        trained: The model of the run.
        untrained: The same model before its first step.
        mean_spectrum: The instrument's mean spectrum at the right pitch and loudness.
        f0_estimator: Name of the estimator that tracked the renderings.
    """

    seconds: float
    trained: Scores
    untrained: Scores
    mean_spectrum: Scores
    f0_estimator: str

    def table(self) -> str:
        """The scores as text."""
        lines = [f"{'':28}{'spectral distance':>18}{'loudness L1, dB':>17}{'f0 within 50 cents':>20}"]
        rows = {
            "trained": self.trained,
            "untrained": self.untrained,
            "mean spectrum, pitch, level": self.mean_spectrum,
        }
        for name, scores in rows.items():
            f0 = "" if scores.f0_within_50_cents is None else f"{100 * scores.f0_within_50_cents:.1f} %"
            lines.append(f"{name:28}{scores.spectral_distance:18.3f}{scores.loudness_l1_db:17.2f}{f0:>20}")
        ratio = self.untrained.spectral_distance / self.trained.spectral_distance
        lines.append(
            f"{self.seconds:.1f} s held back; distance {ratio:.2f} times better than untrained; "
            f"{100 * (self.trained.voiced_in_both or 0):.1f} % of the voiced frames are voiced in both"
        )
        return "\n".join(lines)


def evaluate(
    run: Path,
    data: Path,
    *,
    crepe_weights: Path | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> Evaluation:
    """Measure the model of a run on the held-back passages of a dataset; write `RUN/evaluation.json`.

    Raises:
        DdspError: If run and dataset do not fit, or one of them is damaged.
    """
    model = load_model_of_run(run)
    info = load_dataset_info(data)
    spec = model.spec
    if info.spec != spec:
        raise DdspError(
            f"the dataset {data} has {info.spec.sample_rate} Hz and hop {info.spec.hop}, "
            f"the model {spec.sample_rate} Hz and hop {spec.hop}"
        )
    passages = list(read_passages(data, "validation"))
    if not passages:
        raise DdspError(f"{data} holds nothing back for validation")
    estimator = _estimator(info.f0_estimator, crepe_weights)

    progress("the trained model")
    trained = _score(passages, _render(model, passages), spec, estimator)
    progress("the untrained model")
    untrained_model = Autoencoder.from_experiment(load_config_of_run(run))
    untrained = _score(passages, _render(untrained_model, passages), spec)
    progress("the mean spectrum")
    try:
        spectrum = mean_distribution(read_passages(data, "train"), spec)
    except ValueError as error:
        raise DdspError(f"{data}: {error}") from error
    played = [play_mean_spectrum(spectrum, p.f0_hz, p.loudness_db, spec) for p in passages]
    result = Evaluation(
        seconds=sum(spec.seconds(len(p.f0_hz)) for p in passages),
        trained=trained,
        untrained=untrained,
        mean_spectrum=_score(passages, played, spec),
        f0_estimator=estimator.name,
    )
    beside = run / f".{RESULT_NAME}.part"
    beside.write_text(json.dumps(asdict(result), indent=1) + "\n", encoding="utf-8")
    beside.replace(run / RESULT_NAME)
    return result


def _estimator(recorded: dict[str, Any], crepe_weights: Path | None) -> F0Estimator:
    """The estimator of the dataset where it can be had, else pYIN."""
    if not isinstance(recorded.get("name"), str):
        raise DdspError("the dataset names no f0 estimator: prepare it again")
    limits = {k: float(recorded[k]) for k in ("f0_min_hz", "f0_max_hz") if k in recorded}
    name = recorded["name"] if crepe_weights or recorded.get("implementation") != "keras" else "pyin"
    return make_f0_estimator(name, crepe_weights=crepe_weights, **limits)


def _render(model: Autoencoder, passages: Sequence[Passage]) -> list[Array]:
    renderer = Renderer(model)
    rendered = []
    for passage in passages:
        renderer.reset()
        rendered.append(renderer.render(passage.f0_hz, passage.loudness_db))
    return rendered


def _score(
    passages: Sequence[Passage],
    rendered: Sequence[Array],
    spec: FrameSpec,
    estimator: F0Estimator | None = None,
) -> Scores:
    distance = MultiScaleSpectralLoss()
    lengths = np.array([len(p.f0_hz) for p in passages])
    distances = [float(distance(p.audio[None], r[None])) for p, r in zip(passages, rendered, strict=True)]
    differences = [
        np.abs(loudness_db(r, spec) - loudness_db(p.audio, spec))
        for p, r in zip(passages, rendered, strict=True)
    ]
    scores = Scores(
        spectral_distance=float(np.average(distances, weights=lengths)),
        loudness_l1_db=float(np.concatenate(differences).mean()),
    )
    if estimator is None:
        return scores
    agree = both = voiced = 0
    for passage, audio in zip(passages, rendered, strict=True):
        track = estimator.estimate(audio, spec)
        common = passage.voiced & (track.f0_hz > 0)
        cents = np.abs(cents_between(track.f0_hz[common], passage.f0_hz[common]))
        agree += int(np.count_nonzero(cents <= 50.0))
        both += int(np.count_nonzero(common))
        voiced += int(np.count_nonzero(passage.voiced))
    return Scores(
        scores.spectral_distance, scores.loudness_l1_db, agree / max(both, 1), both / max(voiced, 1)
    )
