"""From a configuration to the optimizer and the loss of a model."""

from pathlib import Path

import keras

from ddsp_tf.tasks.instrument.config import InstrumentConfig
from ddsp_tf.errors import DdspError
from ddsp_tf.losses import (
    CrepeEmbeddingLoss,
    HarmonicNoiseConsistency,
    LoudnessLoss,
    MultiScaleSpectralLoss,
    TermedLoss,
    WeightedLosses,
)
from ddsp_tf.tasks.instrument.model.autoencoder import Autoencoder


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
    settings = config.training
    before = getattr(model, "optimizer", None)
    values = [v.numpy() for v in before.variables] if before is not None else []
    schedule = keras.optimizers.schedules.CosineDecay(settings.learning_rate, settings.steps, alpha=0.1)
    optimizer = keras.optimizers.Adam(schedule, global_clipnorm=settings.gradient_norm)
    model.compile(optimizer=optimizer, loss=make_loss(config, crepe_weights))
    optimizer = model.optimizer
    optimizer.build(model.trainable_variables)  # within the first step, TensorFlow would trace it twice
    if values:
        for variable, value in zip(optimizer.variables, values, strict=True):
            variable.assign(value)
