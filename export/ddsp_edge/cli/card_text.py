"""A card as text for people."""

import textwrap
from pathlib import Path
from typing import Any

from ddsp_edge.card import Card
from ddsp_edge.errors import printable
from ddsp_edge.expression.network import PREFIX, has_expression
from ddsp_edge.instrument_card import InstrumentCard
from ddsp_edge.model.file import ModelFile
from ddsp_edge.units import note_name

_COLUMNS, _LINES = 86, 7  # of one entry
_OF_RECIPE = ("bytes", "harmonic_level_error_db_mean", "network_us_per_frame", "refused")
_GUARDS = ("block_error_max", "float32_error_max")  # of the exporter; whoever plays the file gains nothing


def describe(file: ModelFile[Card], path: str | Path) -> str:
    """Tell in a screen what a model file is, whatever its task."""
    card = file.card
    spec = card.spec
    arrays_bytes = sum(values.nbytes for values in file.arrays.values())
    instrument = card if isinstance(card, InstrumentCard) else None
    rows = [
        ("file", f"{path}, {Path(path).stat().st_size / 1e3:.0f} kB"),
        ("task", f"{_short(card.task)}, exported {card.created}"),
        *([("plays", _mix(instrument.mix))] if instrument and instrument.mix else []),
        ("sample rate", f"{spec.sample_rate} Hz"),
        ("hop", f"{spec.hop} samples, {float(spec.frame_rate):.6g} frames a second"),
        *(_playing(instrument) if instrument else _ports(card)),
        ("network", f"{card.model_bytes / 1e3:.0f} kB, {card.quantization}, builtin operators only"),
        ("arrays", f"{arrays_bytes / 1e3:.0f} kB{_listing(card.arrays)}"),
        *([("synthesizer", _nodes(instrument.synthesizer))] if instrument else []),
        *([("expression", _expression(card.about))] if instrument and has_expression(file.arrays) else []),
        *_quality(card.quality, card.quantization),
    ]
    width = max(len(label) for label, _ in rows)
    lines = [printable(card.name)]
    lines += [f"  {printable(label):<{width}}  {printable(value)}" for label, value in rows]
    return "\n".join(lines)


def _playing(card: InstrumentCard) -> list[tuple[str, str]]:
    """What a player of an instrument wants to know."""
    pitch, level = card.f0_hz_range, card.loudness_db_range
    low, middle, high = (note_name(f0) for f0 in (pitch.low, pitch.median, pitch.high))
    hop_ms = 1e3 * card.hop / card.sample_rate
    return [
        ("latency", f"{hop_ms:.1f} ms, one hop, from a control to its sound"),
        ("pitch", f"{low} to {high}, mostly {middle} ({pitch.low:.0f} to {pitch.high:.0f} Hz)"),
        (card.level, f"{level.low:.0f} to {level.high:.0f} dB, mostly {level.median:.0f} dB"),
        *(
            (name, f"{told.range.low:.2f} to {told.range.high:.2f}, mostly {told.range.median:.2f}")
            for name, told in card.further.items()
        ),
        ("pitch tracker", _short(card.f0_estimator.get("name", card.f0_estimator))),
    ]


def _ports(card: Card) -> list[tuple[str, str]]:
    """What a host of any other model wants to know: what goes in, what comes out, and what is the task's."""
    rows = []
    for kind, ports in (("input", card.inputs), ("output", card.outputs), ("state", card.states)):
        for name, port in list(ports.items())[:_LINES]:
            shape = " x ".join(map(str, port.shape))
            rows.append(
                (f"{kind} {_short(name)}", f"{shape}{': ' if port.meaning else ''}{_short(port.meaning)}")
            )
        if len(ports) > _LINES:
            rows.append(("", f"... {len(ports) - _LINES} more"))
    for name, settings in list(card.extractors.items())[:_LINES]:
        rows += _figures(f"extractor {_short(name)}", settings)
    return rows + _figures("about", card.about)


def _quality(quality: dict[str, Any], quantization: str) -> list[tuple[str, str]]:
    """What was measured; figures that belong together share lines."""
    kept = quality.get("float_layers")
    recipe = f"{quantization}, {len(kept)} float" if isinstance(kept, list) and kept else quantization
    own = {
        name: value
        for name, value in quality.items()
        if not isinstance(value, dict) and name not in _GUARDS and value != []
    }
    rows = _figures("quality:", own)
    for name, value in sorted(quality.items()):
        if not isinstance(value, dict):
            continue
        label = f"quality: {_spaced(name)}"
        parts = {key: part for key, part in sorted(value.items()) if isinstance(part, dict)}
        rows += _figures(label, {key: part for key, part in value.items() if key not in parts})
        for key, part in parts.items():
            if name == "recipes":  # a line for each other way to store the weights; the card has the rest
                if key == recipe:  # its own figures stand above
                    continue
                part = {figure: part[figure] for figure in _OF_RECIPE if part.get(figure) not in (None, "")}
            rows += _figures(f"{label}, {_spaced(key)}", part)
    return rows


def _figures(label: str, values: dict[str, Any]) -> list[tuple[str, str]]:
    taken = {name: value for name, value in sorted(values.items()) if value is not None}
    # Spaces within a figure do not break a line.
    figures = [
        f"{_spaced(name)} {_short(value)}".replace(" ", "\N{NO-BREAK SPACE}") for name, value in taken.items()
    ]
    lines = textwrap.wrap(", ".join(figures), _COLUMNS, max_lines=_LINES, placeholder=" ...")
    return [("" if i else label, line) for i, line in enumerate(lines)]


def _spaced(name: str) -> str:
    return _short(name if name.isupper() else name.replace("_", " "))


def _nodes(synthesizer: dict[str, Any]) -> str:
    nodes = synthesizer.get("nodes")
    if not isinstance(nodes, list):
        return "none"
    return ", ".join(_short(node.get("type")) for node in nodes if isinstance(node, dict))


def _expression(about: dict[str, Any]) -> str:
    known = about.get(PREFIX)
    notes = known.get("notes") if isinstance(known, dict) else None
    return f"how notes are played, learned from {_short(notes)} of them"


def _mix(mix: dict[str, float]) -> str:
    return ", ".join(f"{_short(name)} {_short(weight)}" for name, weight in mix.items() if weight)


def _listing(arrays: dict[str, list[int]]) -> str:
    text = ", ".join(f"{name} {'x'.join(map(str, shape))}" for name, shape in arrays.items())
    return f" ({text})" if text else ""


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    text = " ".join(str(value).split())
    return text if len(text) <= 70 else text[:67] + "..."
