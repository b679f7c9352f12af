"""What is measured on a sound: fundamental frequency and loudness.

`ddsp_tf.features.loudness` needs TensorFlow and is imported by its own name.
"""

from ddsp_tf.features.f0 import F0Estimator, F0Track
from ddsp_tf.features.f0_estimators import make_f0_estimator

__all__ = ["F0Estimator", "F0Track", "make_f0_estimator"]
