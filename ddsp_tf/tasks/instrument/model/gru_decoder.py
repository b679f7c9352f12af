"""The recurrent decoder: scaled features in, raw controls out."""

from typing import Any

import keras
import tensorflow as tf

from ddsp_tf.errors import DdspError
from ddsp_tf.layers.gru import GRU
from ddsp_tf.tasks.instrument.model.decoder import Decoder, Tensors


@keras.saving.register_keras_serializable(package="ddsp_tf")
class GruDecoder(Decoder):
    """A decoder whose memory is one gated recurrent unit, that of Engel et al. 2020, appendix B.2.

    Arguments, input and output are those of `Decoder`; `depth` is 1.

    Example:
        >>> decoder = GruDecoder({"amplitude": 1, "distribution": 60}, units=32)
        >>> decoder.state_sizes
        {'state': 32}
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.depth != 1:
            raise DdspError(f"GruDecoder: depth must be 1. Received: depth={self.depth}")
        self.gru = GRU(
            self.units, return_sequences=True, return_state=True, name="gru", dtype=self.dtype_policy
        )

    @property
    def state_sizes(self) -> dict[str, int]:
        """Width of the state of the recurrent unit."""
        return {"state": self.units}

    def build_memory(self, channels: int) -> int:
        """Create the weights of the recurrent unit."""
        self.gru.build((None, None, channels))
        return self.units

    def remember(self, hidden: tf.Tensor, state: Tensors) -> tuple[tf.Tensor, Tensors]:
        """Run over a sequence."""
        sequence, last = self.gru(hidden, initial_state=state["state"])
        return sequence, {"state": last}

    def remember_frame(self, hidden: tf.Tensor, state: Tensors) -> tuple[tf.Tensor, Tensors]:
        """Run over one frame."""
        output, _ = self.gru.cell(hidden, [state["state"]])
        return output, {"state": output}
