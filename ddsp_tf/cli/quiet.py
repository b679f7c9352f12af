"""Load TensorFlow without what it says on stderr, which no user can act on."""

from ddsp_edge.quiet import quiet_stderr


def load_tensorflow() -> None:
    """Import TensorFlow and look for its devices; both talk when there is no GPU."""
    with quiet_stderr():
        import tensorflow as tf

        tf.config.list_physical_devices()
