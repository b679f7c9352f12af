"""Training runs."""

from typing import TYPE_CHECKING

from ddsp_edge.lazy import handed_on

if TYPE_CHECKING:
    from ddsp_tf.tasks.instrument.loss import compile_model, make_loss
    from ddsp_tf.training.fit import train
    from ddsp_tf.training.run import load_config_of_run, load_model_of_run

__all__ = [
    "compile_model",
    "load_config_of_run",
    "load_model_of_run",
    "make_loss",
    "train",
]

__getattr__, __dir__ = handed_on(
    __name__,
    {
        "compile_model": "ddsp_tf.tasks.instrument.loss",
        "load_config_of_run": "ddsp_tf.training.run",
        "load_model_of_run": "ddsp_tf.training.run",
        "make_loss": "ddsp_tf.tasks.instrument.loss",
        "train": "ddsp_tf.training.fit",
    },
)
