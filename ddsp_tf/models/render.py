"""`Renderer` under the name it has always had; it lives in `ddsp_tf.tasks.instrument`."""

from ddsp_tf.tasks.instrument.model.render import Renderer

__all__ = ["Renderer"]
