"""`advice` under the name it has always had; it lives in `ddsp_tf.data.quality`."""

from ddsp_tf.data.quality.advice import advice

__all__ = ["advice"]
