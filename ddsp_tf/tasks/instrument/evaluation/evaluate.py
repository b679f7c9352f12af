"""How good is an instrument? Measured on passages that training has not seen, beside baselines."""

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.data.reading import Passage, read_passages
from ddsp_tf.data.records.info import load_dataset_info
from ddsp_tf.errors import DdspError
from ddsp_tf.features.f0 import F0Estimator
from ddsp_tf.features.f0_estimators import f0_estimator_as_recorded
from ddsp_tf.frames import FrameSpec
from ddsp_tf.metrics import LoudnessL1, MultiScaleSpectralDistance
from ddsp_tf.metrics.pitch import raw_pitch_accuracy, voicing_recall
from ddsp_tf.rates import fft_sizes_for
from ddsp_tf.tasks.instrument.config import InstrumentConfig
from ddsp_tf.tasks.instrument.evaluation.balance import branch_levels_db, harmonic_to_noise_db
from ddsp_tf.tasks.instrument.evaluation.baseline import mean_distribution, play_mean_spectrum
from ddsp_tf.tasks.instrument.evaluation.playing import features_of
from ddsp_tf.tasks.instrument.model.autoencoder import Autoencoder
from ddsp_tf.tasks.instrument.model.render import Renderer


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
        levels_db: Level of the recordings and of each branch of the trained model, dB, by name.
        harmonic_to_noise_db: How far its tonal branches are above its noise, dB; None without one of them.
    """

    seconds: float
    trained: Scores
    untrained: Scores
    mean_spectrum: Scores
    f0_estimator: str
    levels_db: dict[str, float] = field(default_factory=dict)
    harmonic_to_noise_db: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """The scores as plain data."""
        return asdict(self)

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
            f"{100 * (self.trained.voiced_in_both or 0):.1f} % of the voiced frames are voiced in both, "
            f"by {self.f0_estimator}"
        )
        if self.levels_db:
            levels = ", ".join(f"{name} {level:.1f} dB" for name, level in self.levels_db.items())
            balance = self.harmonic_to_noise_db
            above = "" if balance is None else f"; harmonics {balance:.1f} dB above noise"
            lines.append(f"levels: {levels}{above}")
        return "\n".join(lines)


def evaluate_instrument(
    model: Autoencoder,
    config: InstrumentConfig,
    data: Path,
    *,
    crepe_weights: Path | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> Evaluation:
    """Measure a model on the held-back passages of a dataset.

    Args:
        model: The trained model.
        config: The configuration that it was trained with.
        data: Folder of the dataset.
        crepe_weights: Weights of CREPE, if the dataset is by it.
        progress: Called with a few words before each stage.

    Raises:
        DdspError: If the dataset is damaged, or its pitch cannot be tracked.
    """
    info, spec = load_dataset_info(data), model.spec
    estimator = f0_estimator_as_recorded(info.f0_estimator, crepe_weights)

    def score(play: Callable[[Passage], Array], tracker: F0Estimator | None = None) -> Scores:
        return _score(((p, play(p)) for p in read_passages(data, "validation", spec)), spec, tracker)

    progress("the trained model")
    trained = score(_player(model), estimator)
    progress("the untrained model")
    untrained = score(_player(Autoencoder.from_experiment(config)))
    progress("the mean spectrum")
    try:
        spectrum = mean_distribution(read_passages(data, "train", spec), spec)
    except ValueError as error:
        raise DdspError(f"{data}: {error}") from error
    progress("the balance of its branches")
    levels_db = branch_levels_db(model, read_passages(data, "validation", spec))
    return Evaluation(
        seconds=info.validation_seconds,
        trained=trained,
        untrained=untrained,
        mean_spectrum=score(lambda p: play_mean_spectrum(spectrum, p.f0_hz, p.loudness_db, spec)),
        f0_estimator=estimator.name,
        levels_db=levels_db,
        harmonic_to_noise_db=harmonic_to_noise_db(model, levels_db),
    )


def _player(model: Autoencoder) -> Callable[[Passage], Array]:
    renderer = Renderer(model)

    def play(passage: Passage) -> Array:
        renderer.reset()
        return renderer.render(**features_of(model, passage))

    return play


def _score(pairs: Iterable[tuple[Passage, Array]], spec: FrameSpec, estimator: F0Estimator | None) -> Scores:
    """Score renderings of passages, one after the other: memory holds one, and the pitch tracks."""
    distance = MultiScaleSpectralDistance(fft_sizes_for(spec.sample_rate))
    loudness = LoudnessL1(spec.sample_rate, spec.hop)
    played: list[Array] = []
    tracked: list[Array] = []
    for passage, audio in pairs:
        target, output = passage.audio[None], audio[None]
        distance.update_state(target, output, sample_weight=[float(len(passage.f0_hz))])
        loudness.update_state(target, output)
        if estimator is not None:
            played.append(np.where(passage.voiced, passage.f0_hz, 0.0))
            tracked.append(estimator.estimate(audio, spec).f0_hz)
    scores = Scores(float(distance.result()), float(loudness.result()))
    if estimator is None:
        return scores
    reference, estimate = np.concatenate(played), np.concatenate(tracked)
    both = (reference > 0) & (estimate > 0)
    accuracy = raw_pitch_accuracy(reference[both], estimate[both]) if both.any() else 0.0
    recall = voicing_recall(reference, estimate) if (reference > 0).any() else 0.0
    return dataclasses.replace(scores, f0_within_50_cents=accuracy, voiced_in_both=recall)
