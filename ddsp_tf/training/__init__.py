"""Training runs."""

from ddsp_tf.tasks.instrument.loss import compile_model, make_loss
from ddsp_tf.training.fit import train
from ddsp_tf.training.run import load_config_of_run, load_model_of_run

__all__ = ["compile_model", "load_config_of_run", "load_model_of_run", "make_loss", "train"]
