"""`ddsp-edge bench`: how fast an instrument plays here."""

import argparse
import json
from typing import Any

from ddsp_edge.cli.command import tell
from ddsp_edge.cli.options import add_instrument
from ddsp_edge.errors import printable


def add_bench(commands: Any, debug: argparse.ArgumentParser) -> None:
    """Add the command to those of a parser."""
    parser = commands.add_parser("bench", parents=[debug], help="time an instrument on one thread")
    add_instrument(parser)
    parser.set_defaults(handler=_bench)
    parser.add_argument("--seconds", metavar="S", type=float, default=10.0, help="of sound a figure (10)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")


def _bench(arguments: argparse.Namespace) -> None:
    from ddsp_edge.timing import bench

    figures = bench(arguments.instrument, arguments.seconds)
    tell(json.dumps(figures, indent=1) if arguments.json else _table(figures))


def _table(figures: dict[str, Any]) -> str:
    """The figures of `bench` as a small table."""
    hop_us = 1e6 * figures["hop"] / figures["sample_rate"]
    memory = figures["memory_mb"]
    rows = [
        ("load", f"{figures['load_ms']:.0f} ms"),
        ("from start to the first live block", f"{figures['start_ms']:.0f} ms"),
        ("memory of the process then", "unknown" if memory is None else f"{memory:.0f} MB"),
        ("network, a frame", f"{figures['network_us']:.0f} us"),
    ]
    rows += [(f"{printable(name)}, a hop", f"{us:.0f} us") for name, us in figures["synthesis_us"].items()]
    rows += [
        (f"real-time factor, {name}", f"{factor:.1f} x")
        for name, factor in figures["realtime_factor"].items()
    ]
    width = max(len(label) for label, _ in rows)
    grid = f"{figures['sample_rate']} Hz, hop {figures['hop']} ({hop_us / 1e3:.2f} ms)"
    head = f"{printable(figures['name'])}: {grid}, one thread, CPU time"
    lines = [head, *(f"  {label:<{width}}  {value:>10}" for label, value in rows)]
    return "\n".join([*lines, *_live_table(figures["live"])])


def _live_table(live: dict[str, dict[str, float]]) -> list[str]:
    deadline_ms = next(iter(live.values()))["deadline_ms"]
    head = f"live, blocks of {deadline_ms:.4g} ms"
    lines = [f"{head:<26}   median     95 %   99.9 %  of the block  real time"]
    lines += [
        f"  {name:<24}{row['median_ms']:6.2f} ms{row['p95_ms']:6.2f} ms{row['p999_ms']:6.2f} ms"
        f"{100 * row['deadline_share']:12.0f} %{row['realtime_factor']:9.1f} x"
        for name, row in live.items()
    ]
    return lines
