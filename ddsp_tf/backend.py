"""Keras on TensorFlow, whatever the `keras.json` of other projects names.

It is imported with the package, so that Keras, loaded later, finds the choice made. Who has set the variable
has chosen; what needs TensorFlow then refuses in words (`ddsp_tf.ops.arguments`).
"""

import os

BACKEND = "tensorflow"

os.environ.setdefault("KERAS_BACKEND", BACKEND)
