"""Converting files with a model that was trained, by the code of devices around the Keras network."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ddsp_edge.card import Range
from ddsp_edge.voice.card import TRACKER, VoiceFacts
from ddsp_edge.voice.converter import Converter
from ddsp_edge.voice.files import ConvertReport, convert_file
from ddsp_edge.voice.matching import MATCH
from ddsp_edge.voice.speech_pitch import NAME as SPEECH_PITCH
from ddsp_tf.features.speech_pitch import SPEECH_HZ, SpeechEstimator
from ddsp_tf.tasks.voice.config import HIGHER
from ddsp_tf.tasks.voice.model import Voice
from ddsp_tf.training.step_network import StepNetwork

_SPOKEN_HZ = SPEECH_HZ[1]


def network_of(model: Voice) -> StepNetwork:
    """Its network as a stream, as that of its file."""
    outputs = {
        "amplitude": [1],
        "distribution": [model.n_harmonics],
        "harmonic_magnitudes": [model.n_bands],
        "noise_magnitudes": [model.n_bands],
    }
    inputs = {name: [size] for name, size in model.input_sizes.items()}
    return StepNetwork(model.step, inputs, model.state_shapes, outputs)


def facts_of_model(model: Voice) -> VoiceFacts:
    """What a card will say of a model."""
    facts = model.facts
    estimator = facts["f0_estimator"]
    data = facts["config"]["data"]
    # Of whoever speaks: higher than speech, a creaky voice is found at some overtone, and hoots.
    highest_hz = max(_SPOKEN_HZ, HIGHER * facts["f0_hz_range"]["high"])
    # The network knows nothing higher; and a voice that it labelled is told by it, too.
    spoken = estimator.get("name") == SpeechEstimator.name or highest_hz <= _SPOKEN_HZ
    return VoiceFacts(
        ahead=model.ahead,
        pitch=SPEECH_PITCH if spoken else TRACKER,
        f0_min_hz=float(estimator.get("f0_min_hz", data["f0_min_hz"])),
        f0_max_hz=min(highest_hz, float(estimator.get("f0_max_hz", data["f0_max_hz"]))),
        f0_hz_range=Range(**facts["f0_hz_range"]),
        loudness_db_range=Range(**facts["loudness_db_range"]),
        voices=tuple(facts["config"]["voices"]) or ("",),
        n_harmonics=model.n_harmonics,
        n_bands=model.n_bands,
    )


def converter_of(model: Voice, **settings: Any) -> Converter:
    """What converts streams with a model; settings are those of `Converter`."""
    return Converter(network_of(model), model.spec, facts_of_model(model), **settings)


def convert(
    model: Voice,
    source: Path,
    out: Path,
    *,
    pitch: str | float = MATCH,
    voice: str | None = None,
    seed: int | None = None,
    progress: Callable[[float, float], None] | None = None,
) -> ConvertReport:
    """Convert a sound file, see `ddsp_edge.voice.files.convert_file`."""
    return convert_file(
        partial(converter_of, model, voice=voice, seed=seed),
        model.spec,
        facts_of_model(model),
        source,
        out,
        pitch=pitch,
        progress=progress,
    )
