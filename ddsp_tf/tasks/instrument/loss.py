"""The loss of an instrument."""

from pathlib import Path

from ddsp_tf.errors import DdspError
from ddsp_tf.losses import (
    CrepeEmbeddingLoss,
    HarmonicNoiseConsistency,
    LoudnessLoss,
    MultiScaleSpectralLoss,
    TermedLoss,
    WeightedLosses,
)
from ddsp_tf.tasks.instrument.config import InstrumentConfig
from ddsp_tf.tasks.instrument.model.autoencoder import Autoencoder
from ddsp_tf.training.compile import compile_with


def make_loss(config: InstrumentConfig, crepe_weights: Path | None = None) -> TermedLoss:
    """Make the loss that a configuration describes.

    Raises:
        DdspError: If it needs CREPE's weights, and there are none.
    """
    settings, spec = config.loss, config.spec
    spectral = MultiScaleSpectralLoss(
        fft_sizes=settings.fft_sizes,
        magnitude_weight=settings.magnitude_weight,
        log_magnitude_weight=settings.log_magnitude_weight,
        delta_time_weight=settings.delta_time_weight,
        delta_frequency_weight=settings.delta_frequency_weight,
        mel_weight=settings.mel_weight,
        sample_rate=spec.sample_rate,
    )
    weighted: list[tuple[TermedLoss, float]] = [(spectral, 1.0)]
    if settings.loudness_weight:
        weighted.append((LoudnessLoss(spec.sample_rate, spec.hop), settings.loudness_weight))
    if settings.consistency_weight:
        weighted.append((HarmonicNoiseConsistency(spec.sample_rate, spec.hop), settings.consistency_weight))
    if settings.perceptual_weight:
        if crepe_weights is None:
            raise DdspError(
                "loss.perceptual_weight needs the weights of CREPE: name their file (--crepe-weights)"
            )
        weighted.append((CrepeEmbeddingLoss(crepe_weights), settings.perceptual_weight))
    if len(weighted) == 1:
        return spectral
    return WeightedLosses([loss for loss, _ in weighted], [weight for _, weight in weighted])


def compile_model(model: Autoencoder, config: InstrumentConfig, crepe_weights: Path | None = None) -> None:
    """Give a model the optimizer and loss of a configuration; optimizer state is kept.

    Raises:
        DdspError: If the loss needs CREPE's weights, and there are none.
    """
    compile_with(model, make_loss(config, crepe_weights), config.training)
