"""All public classes of layers, losses, metrics and models, and what they take."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ddsp_tf import layers, losses, metrics, models
from ddsp_tf.layers import GRU, Node, ProcessorGroup
from ddsp_tf.losses import (
    HarmonicNoiseConsistency,
    LoudnessLoss,
    MultiScaleSpectralLoss,
    WeightedLosses,
)
from ddsp_tf.metrics import (
    F0L1,
    F0Outliers,
    LogSpectralDistance,
    LoudnessL1,
    MultiScaleSpectralDistance,
    OctaveErrorRate,
    RawChromaAccuracy,
    RawPitchAccuracy,
    SiSdr,
    VoicingFalseAlarm,
    VoicingRecall,
)
from ddsp_tf.models import (
    ConvDecoder,
    GruDecoder,
    InstrumentEmbedding,
    MfccEncoder,
    MinGruDecoder,
    MlpDecoder,
)
from tests.layers.cases import CASES
from tests.layers.harness import make_inputs

RATE, HOP, BATCH, FRAMES = 16_000, 64, 2, 3


@dataclass(frozen=True)
class Case:
    """A class: how to make one, and what its call takes, float32."""

    make: Callable[[], Any]
    given: Callable[[Any], Any]
    many_outputs: bool = False


def _of_processor(make: Callable[..., Any]) -> Case:
    def given(layer: Any) -> dict[str, Any]:
        return {k: v.numpy() for k, v in make_inputs(layer, frames=FRAMES, batch=BATCH).items()}

    return Case(lambda: make(RATE, HOP), given)


def _numbers(*shape: int) -> Any:
    return np.random.default_rng(0).uniform(0.1, 1.0, shape).astype(np.float32)


def _scaled(_: Any) -> dict[str, Any]:
    return {name: _numbers(BATCH, FRAMES, 1) for name in ("f0_scaled", "loudness_scaled")}


def _group() -> ProcessorGroup:
    nodes = [
        Node("noise", "FilteredNoise", {"magnitudes": "magnitudes", "noise": "white"}, {"n_bands": 9}),
        Node("room", layers.Reverb(50, RATE, HOP), {"audio": "noise"}),
    ]
    return ProcessorGroup(RATE, HOP, inputs=["magnitudes", "white"], nodes=nodes)


_SIZES = {"amplitude": 1, "distribution": 5}
_SMALL = {"units": 4, "layer_units": 4}

LAYERS: dict[str, Case] = {
    **{name: _of_processor(make) for name, make in CASES.items()},
    "group": Case(
        _group, lambda g: {"magnitudes": _numbers(BATCH, FRAMES, 9), "white": _numbers(BATCH, FRAMES * HOP)}
    ),
    "GRU": Case(lambda: GRU(4, return_sequences=True), lambda _: _numbers(BATCH, FRAMES, 3)),
    **{
        kind.__name__: Case(lambda kind=kind: kind(_SIZES, **_SMALL), _scaled, many_outputs=True)
        for kind in (GruDecoder, MinGruDecoder, ConvDecoder, MlpDecoder)
    },
    "encoder": Case(
        lambda: MfccEncoder(RATE, HOP, z_size=3, units=4, n_mfcc=5, n_mels=8),
        lambda _: _numbers(BATCH, FRAMES * HOP),
        many_outputs=True,
    ),
    "embedding": Case(lambda: InstrumentEmbedding(["a", "b"], 3), lambda _: _numbers(BATCH, FRAMES, 2)),
}

LOSSES: dict[str, Callable[[], Any]] = {
    "spectral": lambda: MultiScaleSpectralLoss((256, 64)),
    "spectral with mel": lambda: MultiScaleSpectralLoss(
        np.array([64]),
        mel_weight=np.float32(1),
        delta_time_weight=1,
        n_mels=np.int64(9),
        sample_rate=np.int32(RATE),
    ),
    "loudness": lambda: LoudnessLoss(np.int64(RATE), HOP),
    "consistency": lambda: HarmonicNoiseConsistency(RATE, HOP, fft_size=np.int64(512)),
    "weighted": lambda: WeightedLosses([LoudnessLoss(RATE, HOP)], [np.int64(2)]),
}

SOUND_METRICS: dict[str, Callable[[], Any]] = {
    "loudness": lambda: LoudnessL1(RATE, np.int64(HOP)),
    "loudness of loud frames": lambda: LoudnessL1(RATE, HOP, reference_above_db=np.float32(-70)),
    "spectral": lambda: MultiScaleSpectralDistance((256, 64)),
    "distortion": lambda: SiSdr(),
    "log-spectral": lambda: LogSpectralDistance(),
}

PITCH_METRICS: dict[str, Callable[[], Any]] = {
    kind.__name__: kind
    for kind in (
        F0L1,
        F0Outliers,
        OctaveErrorRate,
        RawChromaAccuracy,
        RawPitchAccuracy,
        VoicingFalseAlarm,
        VoicingRecall,
    )
}

NOT_MADE_HERE = {
    "Autoencoder": "test_models.py has it",
    "Branches": "holds tensors",
    "CrepeEmbeddingLoss": "needs published weights",
    "Decoder": "abstract",
    "GroupOutput": "holds tensors",
    "ModDelayState": "holds tensors",
    "Node": "holds plain data",
    "Processor": "abstract",
    "SpectralMaskState": "holds tensors",
    "TermedLoss": "abstract",
}


def public_classes() -> set[str]:
    """Names of all classes that the packages list."""
    packages = (layers, losses, metrics, models)
    return {n for package in packages for n in package.__all__ if isinstance(getattr(package, n), type)}


def made_classes() -> set[str]:
    """Names of the classes of all cases."""
    made = [case.make() for case in LAYERS.values()]
    made += [make() for make in (*LOSSES.values(), *SOUND_METRICS.values(), *PITCH_METRICS.values())]
    return {type(thing).__name__ for thing in made}
