"""Load TensorFlow without what it says on stderr, which no user can act on."""

import os
import sys

from ddsp_edge.quiet import quiet_stderr


def quieten_tensorflow() -> None:
    """Ask TensorFlow, before it is loaded, to log errors only."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ["KERAS_BACKEND"] = "tensorflow"


def load_tensorflow() -> None:
    """Import TensorFlow and look for its devices; both talk when there is no GPU.

    It takes seconds: who sits at a terminal is told, until it is done.
    """
    quieten_tensorflow()
    _at_terminal("starting TensorFlow ...\r")
    with quiet_stderr():
        import tensorflow as tf

        tf.config.list_physical_devices()
    _at_terminal("\x1b[K")  # to the end of the line


def _at_terminal(text: str) -> None:
    if sys.stderr.isatty():
        print(text, end="", file=sys.stderr, flush=True)
