"""Training runs."""

from ddsp_tf.training.fit import compile_model, train
from ddsp_tf.training.run import load_config_of_run, load_model_of_run

__all__ = ["compile_model", "load_config_of_run", "load_model_of_run", "train"]
