"""What a file must keep to be written: the bounds, and the checks that refuse it in words."""

import math
from typing import Any

from ddsp_edge.further import scaled_name
from ddsp_edge.instrument_card import InstrumentCard
from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError

GATE_SECONDS = 10.0
"""Shortest sound that a file is measured on; shorter held-back sound is repeated, states fed back."""

FLOAT32_BOUND = 1e-4
"""Largest difference allowed in any control between the float32 model and Keras: rounding alone."""

SYNTHESIS_BOUND = 1e-4
"""Peak difference, of full scale, allowed between executions of the same controls and noise (law 1)."""

CONTROL_BOUNDS = {
    "float32": FLOAT32_BOUND,
    "float16": 0.02,
    "int8-weights": 0.3,
    "int8": 0.3,
    "int8-layers": 0.3,
}
"""Largest difference allowed in any control (they lie in 0 to 2). For float32 it is rounding; for the
others a guard against a broken file: what is heard is bounded by the two below. Integers throughout
(`int8-full`) are judged by these two alone."""

LEVEL_BOUNDS_DB = {
    "float32": 0.01,
    "float16": 0.1,
    "int8-weights": 0.5,
    "int8": 0.5,
    "int8-layers": 0.5,
    "int8-full": 0.5,
}
"""Of each quantization: mean error allowed in the levels of harmonics, dB."""

PLAY_BOUNDS = {"float32": 1e-4, "float16": 1e-4, "int8-weights": 1e-4, "int8": 0.05, "int8-layers": 0.05}
"""Peak difference allowed between the signature `play` and `step` with the synthesizer. Where activations are
quantized, a value that differs in its last bit may be rounded to the next step."""

BLOCK_BOUNDS = {"float32": 1e-5, "float16": 1e-5, "int8-weights": 1e-5, "int8": 0.05, "int8-layers": 0.05}
"""Largest difference allowed in any control between `block` and repeated `step`, which multiply the same
weights; with quantized activations as for `play`."""

DISTANCE_BOUND = 0.01
"""Relative difference allowed between the spectral distances of file and model to the recording."""

OWN_DISTANCE = 5.0
"""Spectral distance that an imported instrument is taken to have from a recording. Its run holds none, but
what it plays itself, from which it differs by its noise alone (1.3 to 1.6 for stand-ins of random weights);
instruments of ours differ from recordings by 4 to 6 (docs/training.md)."""

QUALITY = frozenset(
    {
        "seconds_verified",
        "float32_error_max",
        "control_error_max",
        "harmonic_level_error_db_mean",
        "synthesis_error_peak",
        "spectral_distance_keras",
        "spectral_distance_file",
        "spectral_distance_change_percent",
        "network_us_per_frame",
        "real_time_factor_by_hops",
        "measured_on",
        "operators",
        "float_layers",
    }
)
"""What a card says of the file's quality at least."""


def check_float32(error: float) -> None:
    """Refuse a model whose conversion to float32 already differs from Keras.

    Raises:
        DdspError: If the largest difference of any control exceeds the bound.
    """
    _bounded("the float32 model differs from Keras", error, FLOAT32_BOUND)


def check_measured(measured: dict[str, Any], quantization: str) -> None:
    """Refuse a file by what `Verifier.measure` found.

    Raises:
        DdspError: If a bound is exceeded.
    """
    for what, value, bound in (
        (
            "the synthesis differs from Keras on the same controls",
            measured["synthesis_error_peak"],
            SYNTHESIS_BOUND,
        ),
        (
            "the controls differ from Keras",
            measured["control_error_max"],
            CONTROL_BOUNDS.get(quantization, math.inf),
        ),
        (
            "the harmonic levels differ from Keras (dB)",
            measured["harmonic_level_error_db_mean"],
            LEVEL_BOUNDS_DB[quantization],
        ),
        (
            "the controls of `block` differ from those of `step`",
            measured.get("block_error_max", 0.0),
            BLOCK_BOUNDS.get(quantization, 0.0),
        ),
        (
            "the sound of `play` differs from that of `step` and the synthesizer",
            measured.get("play_error_peak", 0.0),
            PLAY_BOUNDS.get(quantization, 0.0),
        ),
        (
            "the spectral distance of `play` differs from Keras (relative)",
            abs(measured.get("play_distance_change_percent", 0.0)) / 100.0,
            DISTANCE_BOUND,
        ),
        (
            "the spectral distance differs from Keras (relative)",
            abs(measured["spectral_distance_change_percent"]) / 100.0,
            DISTANCE_BOUND,
        ),
    ):
        _bounded(what, value, bound)


def check_card(card: InstrumentCard, arrays: dict[str, Array], outputs: set[str]) -> None:
    """Refuse a card from which a host could not play the file.

    Args:
        card: The card as it is to be written.
        arrays: The arrays of the file by name.
        outputs: Names of the controls that `step` gives.

    Raises:
        DdspError: Naming everything that is missing or cannot be right.
    """
    wrong = []
    wrong += [
        f"{name} is empty"
        for name in ("name", "created", "loudness", "f0_estimator", "config")
        if not getattr(card, name)
    ]
    if not card.f0_estimator.get("name"):
        wrong.append("f0_estimator has no name")
    for name in ("f0_scaled", "loudness_scaled", *map(scaled_name, card.further)):
        if not card.feature_scaling.get(name):
            wrong.append(f"feature_scaling does not say how {name} is computed")
    if not 0.0 < card.f0_hz_range.low <= card.f0_hz_range.median <= card.f0_hz_range.high:
        wrong.append(f"f0_hz_range is no range of frequencies: {card.f0_hz_range}")
    sources = {"f0_hz", *outputs}
    for node in card.synthesizer["nodes"]:
        for control, source in node["inputs"].items():
            if source not in sources:
                wrong.append(f"node {node['name']!r} takes {control} from {source!r}, which nothing gives")
        response = node["config"].get("impulse_response")
        if response is not None and response not in arrays:
            wrong.append(f"the array {response!r} of node {node['name']!r} is not in the file")
        sources.add(node["name"])
    if card.synthesizer["output"] not in sources:
        wrong.append(f"no node is called {card.synthesizer['output']!r}, the synthesizer's output")
    missing = sorted(QUALITY - set(card.quality))
    if missing:
        wrong.append(f"quality lacks {', '.join(missing)}")
    wrong += [
        f"quality has {name} = {value}"
        for name, value in card.quality.items()
        if isinstance(value, float) and not math.isfinite(value)
    ]
    if card.quantization not in LEVEL_BOUNDS_DB:
        wrong.append(f"quantization is {card.quantization!r}")
    if wrong:
        raise DdspError(f"the card is not complete: {'; '.join(wrong)}")


def _bounded(what: str, value: float, bound: float) -> None:
    if not value <= bound:  # also when it is no number
        raise DdspError(f"{what} by {value:.3g}; at most {bound:g} is allowed")
