"""A model file of a task that is no instrument, made of the network of the small instrument."""

from pathlib import Path
from typing import Any

from ddsp_edge import Card, read_model_file
from ddsp_edge.card import Port
from ddsp_edge.model.file import ModelFile, write_model_file
from tests.device.conftest import TINY

OUTPUTS = {"harmonic_amplitude": 1, "harmonic_distribution": 20, "noise_magnitudes": 9}


def card_of_another_task(**changes: Any) -> Card:
    """The card of a model that analyses: the same network, told by its ports alone."""
    tiny = read_model_file(TINY).card
    values: dict[str, Any] = {
        "task": "analysis",
        "name": "an analyser",
        "created": "2026-01-01",
        "sample_rate": tiny.sample_rate,
        "hop": tiny.hop,
        "inputs": {
            "f0_scaled": Port((1, 1), "MIDI note / 127"),
            "loudness_scaled": Port((1, 1), "0 at -80 dB"),
        },
        "outputs": {name: Port((1, size), "some control") for name, size in OUTPUTS.items()},
        "states": tiny.states,
        "extractors": {"f0_hz": {"name": "yin-viterbi", "f0_min_hz": 55.0}},
        "about": {"notes": "C4 to C6", "polyphony": 3},
    }
    return Card(**{**values, **changes})


def write_other_task(path: Path, **changes: Any) -> ModelFile[Card]:
    """Write a file with that card; return it as it is read."""
    file = read_model_file(TINY)
    write_model_file(path, file.model, card_of_another_task(**changes), {})
    return read_model_file(path)
