"""`ddsp-edge models`: what comes with the package."""

import argparse
from typing import Any

from ddsp_edge.cli.command import tell


def add_models(commands: Any, debug: argparse.ArgumentParser) -> None:
    """Add the command to those of a parser."""
    parser = commands.add_parser(
        "models",
        parents=[debug],
        help="list the models that come with it",
        description="List the models that come with ddsp-edge. Every command takes such a name where it "
        "takes a file. The page beside each says what it was made from, whose work that is, and how well it "
        "does.",
    )
    parser.set_defaults(handler=lambda arguments: list_models())


def list_models() -> None:
    """Print a line for each model that comes with the package, and where their pages lie."""
    from ddsp_edge.model.file import read_model_file
    from ddsp_edge.shipped import FOLDER, shipped_models

    models = shipped_models()
    width = max(map(len, models), default=0)
    for name, path in models.items():
        card = read_model_file(path).card
        rate = card.spec.sample_rate / 1000
        tell(f"{name:<{width}}  {card.task}, {rate:g} kHz, {path.stat().st_size / 1e3:.0f} kB")
    tell(f"pages: {FOLDER}" if models else "no model comes with this version")
