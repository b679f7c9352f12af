"""Sizes that follow from the sample rate: what a configuration leaves to `auto`.

They keep in Hz and seconds what is heard, whatever the rate is. At 16 kHz they are the sizes that the
instruments of this project have always had.
"""

from collections.abc import Mapping
from typing import Any

from ddsp_edge.numeric import whole_number

AUTO = "auto"

HARMONICS_TO_HZ = 16_000.0
"""Harmonics reach up to here at most: hardly anybody hears one above, and noise is left for the rest."""
LOWEST_FULL_HZ = 133.0
"""Fundamental frequency from which on harmonics reach to Nyquist (or `HARMONICS_TO_HZ`)."""
BAND_HZ = 125.0
"""Distance of the frequencies at which the filter of the noise is given."""
REVERB_SECONDS = 1.0
FFT_SECONDS = (0.128, 0.064, 0.032, 0.016, 0.008, 0.004)
"""Windows of the spectral loss; sizes are the powers of 2 below."""


def n_harmonics_for(sample_rate: int) -> int:
    """How many harmonics a note of 133 Hz needs: 60 at 16 kHz, 90 at 24 kHz, 120 at 44.1 and 48 kHz."""
    return int(min(sample_rate / 2.0, HARMONICS_TO_HZ) // LOWEST_FULL_HZ)


def n_bands_for(sample_rate: int) -> int:
    """How many bands of noise lie 125 Hz apart: 65 at 16 kHz, 97 at 24, 177 at 44.1, 193 at 48 kHz."""
    return int(sample_rate // (2.0 * BAND_HZ)) + 1


def fft_sizes_for(sample_rate: int) -> tuple[int, ...]:
    """Window lengths of the spectral loss in samples, powers of 2.

    From 2048 down to 64 at 16 and 24 kHz, from 4096 down to 128 at 44.1 and 48 kHz.
    """
    return tuple(max(16, 2 ** ((int(sample_rate * s) + 1).bit_length() - 1)) for s in FFT_SECONDS)


def resolved(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return plain settings with numbers in place of every `auto`.

    Settings of processors that may be `auto` are `n_harmonics`, `n_bands` and `length_samples`; so may
    `loss.fft_sizes`, and it is if it is not there. Whatever is wrong with the settings is left as it is, to
    be refused where they are checked.
    """
    rate = values.get("sample_rate")
    rate = whole_number(rate)
    if rate is None or rate < 1000:
        return dict(values)
    loss = values.get("loss", {})
    if isinstance(loss, Mapping) and loss.get("fft_sizes", AUTO) == AUTO:
        loss = {**loss, "fft_sizes": list(fft_sizes_for(rate))}
    model = values.get("model")
    if isinstance(model, Mapping) and isinstance(model.get("processors"), Mapping):
        nodes = model["processors"].get("nodes")
        if isinstance(nodes, list | tuple):
            nodes = [_resolved_node(node, rate) for node in nodes]
            model = {**model, "processors": {**model["processors"], "nodes": nodes}}
    return {**values, **({} if model is None else {"model": model}), "loss": loss}


def _resolved_node(node: Any, rate: int) -> Any:
    if not isinstance(node, Mapping) or not isinstance(node.get("config"), Mapping):
        return node
    sizes = {
        "n_harmonics": n_harmonics_for(rate),
        "n_bands": n_bands_for(rate),
        "length_samples": int(rate * REVERB_SECONDS),
    }
    config = node["config"]
    wanted = {key: sizes[key] for key, value in config.items() if value == AUTO and key in sizes}
    return {**node, "config": {**config, **wanted}}
