"""Controls as data: of a recording, in a file, changed, between two others, and rendered again."""

from ddsp_tf.tasks.instrument.controls.controls import Controls, between
from ddsp_tf.tasks.instrument.controls.files import load_controls, save_controls
from ddsp_tf.tasks.instrument.controls.recording import controls_of_recording
from ddsp_tf.tasks.instrument.controls.render import render_controls

__all__ = [
    "Controls",
    "between",
    "controls_of_recording",
    "load_controls",
    "render_controls",
    "save_controls",
]
