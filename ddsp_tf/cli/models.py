"""List the models that come with the package: instruments and others, for devices."""

import argparse

HELP = "list the models that come with it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add none: it takes no options."""


def run(args: argparse.Namespace) -> None:
    """Print the list of `ddsp-edge models`, whose names `ddsp-edge` takes where it takes a file."""
    from ddsp_edge.cli.models import list_models

    list_models()
