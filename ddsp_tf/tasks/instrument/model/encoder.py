"""The encoder: sound in, a latent that changes over time out."""

import functools
import importlib.util
import math
import warnings
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ddsp_tf.arguments import check_integer, check_number
from ddsp_tf.errors import DdspError
from ddsp_tf.frames import FrameSpec
from ddsp_tf.layers.checks import network_dtype
from ddsp_tf.layers.gru import GRU
from ddsp_tf.layers.inputs import as_input
from ddsp_tf.ops import mfcc
from ddsp_tf.ops.arguments import Arguments, Axis, Hops

Tensors = dict[str, tf.Tensor]

WINDOW_SECONDS = 0.064  # that of Engel et al. 2020: 1024 samples at 16 kHz
_LEVEL_DB, _LEVEL_STEP_DB, _SHAPE_STEP_DB = -40.0, 20.0, 2.0
"""Middle and spread of a recording's mean level in mel bands, and spread of its other coefficients:
normalisation by constants, so that a frame depends on nothing after it."""
_SMALLEST_SCALE = 1e-3
_SEED_STATE = "seed_state"


@keras.saving.register_keras_serializable(package="ddsp_tf")
class MfccEncoder(keras.layers.Layer):
    """Mel-frequency cepstral coefficients, a gated recurrent unit, and a linear layer.

    Frame `i` stands for sample `(i + 1) * hop` and hears nothing after it: its window ends there. Sound may
    come in blocks of any whole number of hops.

    With a `kl_weight` the latent is a normal distribution for each value, independent of the others
    (a variational autoencoder); training draws from it, rendering takes its mean.

    References:
        - J. Engel et al., "DDSP: Differentiable Digital Signal Processing", ICLR 2020, appendix B.1.
        - D. P. Kingma, M. Welling, "Auto-Encoding Variational Bayes", ICLR 2014.

    Args:
        sample_rate: Integer, Hz.
        hop: Integer, samples a frame.
        z_size: Integer > 0, channels of the latent.
        units: Integer > 0, width of the recurrent unit.
        n_mfcc: Integer > 0, coefficients.
        n_mels: Integer >= `n_mfcc`, mel bands.
        kl_weight: Float >= 0, weight in the loss of the divergence from a standard normal distribution; at 0
            the latent is a number and no distribution.

    Input: audio `[batch, frames * hop]`, and the state that the call before gave; None begins with silence.

    Output: what was heard, by name: `mean` `[batch, frames, z_size]` and, where there is a `kl_weight`,
    `scale` of the same shape; and the state.

    Raises:
        DdspError: If a size is not as above.
    """

    def __init__(
        self,
        sample_rate: int,
        hop: int,
        z_size: int = 16,
        units: int = 128,
        n_mfcc: int = 30,
        n_mels: int = 128,
        kl_weight: float = 0.0,
        **kwargs: Any,
    ) -> None:
        kwargs["dtype"] = network_dtype("MfccEncoder", kwargs.get("dtype"))
        super().__init__(autocast=False, **kwargs)  # sound stays float32
        sizes = {"z_size": z_size, "units": units, "n_mfcc": n_mfcc, "n_mels": n_mels}
        z_size, units, n_mfcc, n_mels = (check_integer("MfccEncoder", k, v, 1) for k, v in sizes.items())
        if n_mfcc > n_mels:
            raise DdspError(
                f"MfccEncoder: n_mfcc must not be above n_mels. Received: n_mfcc={n_mfcc}, n_mels={n_mels}"
            )
        self.spec = FrameSpec(sample_rate, hop)
        self.z_size, self.units, self.n_mfcc, self.n_mels = z_size, units, n_mfcc, n_mels
        self.kl_weight = check_number("MfccEncoder", "kl_weight", kl_weight, 0.0, math.inf)
        self.gru = GRU(units, return_sequences=True, return_state=True, name="gru", dtype=self.dtype_policy)
        self.head = keras.layers.Dense(z_size * (2 if kl_weight else 1), name="head", dtype=self.dtype_policy)
        self.seed_generator = keras.random.SeedGenerator()

    @property
    def past_hops(self) -> int:
        """How many hops before its own a frame hears."""
        return -(-round(WINDOW_SECONDS * self.spec.sample_rate) // self.spec.hop) - 1

    def build(self, input_shape: Any) -> None:
        """Create the weights; shapes follow from the arguments alone."""
        self.gru.build((None, None, self.n_mfcc))
        self.head.build((None, None, self.units))
        self.built = True

    def __call__(self, audio: Any, state: Any = None, **kwargs: Any) -> Any:
        """Listen to one block; sound may be an array or lists of any numbers.

        Raises:
            DdspError: If it is not `[batch, frames * hop]`.
        """
        audio = as_input(self.name, "audio", audio)
        hops: list[Axis] = ["batch", Hops(self.spec.hop)]
        Arguments(self.name).check_shape("input 'audio'", tf.TensorShape(audio.shape), hops)
        return super().__call__(audio, state, **kwargs)

    def call(self, audio: tf.Tensor, state: Tensors | None = None) -> tuple[Tensors, Tensors]:
        """Listen to one block."""
        batch, hop = tf.shape(audio)[0], self.spec.hop
        if state is None:
            past = tf.zeros([batch, self.past_hops * hop])
            state = {"past": past, "state": tf.zeros([batch, self.units])}
        heard = tf.concat([state["past"], audio], axis=1)
        hidden, last = self.gru(self._normalised_mfcc(heard), initial_state=state["state"])
        raw = tf.cast(self.head(hidden), tf.float32)
        state = {"past": heard[:, tf.shape(audio)[1] :], "state": last}
        if not self.kl_weight:
            return {"mean": raw}, state
        mean, scale = tf.split(raw, 2, axis=-1)
        return {"mean": mean, "scale": tf.nn.softplus(scale) + _SMALLEST_SCALE}, state

    def _normalised_mfcc(self, heard: tf.Tensor) -> tf.Tensor:
        """Coefficients of all frames but those that are in the past, about -2 to 2."""
        past, (rate, hop) = self.past_hops, (self.spec.sample_rate, self.spec.hop)
        # Windows begin in the silence that `mfcc` adds; window i ends with hop i.
        coefficients = mfcc(heard, rate, (past + 1) * hop, hop, self.n_mels, self.n_mfcc)
        level_db = coefficients[:, past : tf.shape(heard)[1] // hop] / self.n_mels**0.5
        steps = [_LEVEL_STEP_DB] + [_SHAPE_STEP_DB] * (self.n_mfcc - 1)
        middles = [_LEVEL_DB] + [0.0] * (self.n_mfcc - 1)
        return (level_db - tf.constant(middles)) / tf.constant(steps)

    def compute_output_shape(self, input_shape: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Shapes of what was heard and of the states by name."""
        batch, samples = (None, None) if input_shape is None else input_shape[:2]
        heard = (batch, None if samples is None else samples // self.spec.hop, self.z_size)
        names = ("mean", "scale") if self.kl_weight else ("mean",)
        past = self.past_hops * self.spec.hop
        return dict.fromkeys(names, heard), {"past": (batch, past), "state": (batch, self.units)}

    def sample(self, latent: Tensors) -> tf.Tensor:
        """Draw z `[batch, frames, z_size]`, new at every call; the mean where it is no distribution."""
        if "scale" not in latent:
            return latent["mean"]
        noise = tf.random.stateless_normal(tf.shape(latent["mean"]), self.seed_generator.next())
        return latent["mean"] + latent["scale"] * noise

    def kl_divergence(self, latent: Tensors) -> tf.Tensor:
        """From a standard normal distribution, nats: `[batch]`, sums over channels, means over frames.

        Raises:
            DdspError: If TensorFlow Probability is not installed.
        """
        with tf.init_scope():
            distributions = tensorflow_distributions()
        heard = distributions.Normal(latent["mean"], latent["scale"])
        divergence = distributions.kl_divergence(heard, distributions.Normal(0.0, 1.0))
        return tf.reduce_mean(tf.reduce_sum(divergence, axis=-1), axis=-1)

    def save_own_variables(self, store: Any) -> None:
        """Save where the random numbers have got to, which Keras leaves out."""
        super().save_own_variables(store)
        store[_SEED_STATE] = self.seed_generator.state

    def load_own_variables(self, store: Any) -> None:
        """Load what `save_own_variables` saved."""
        values = {key: store[key] for key in store.keys()}  # noqa: SIM118 (a Keras store is no dict)
        self.seed_generator.state.assign(np.array(values.pop(_SEED_STATE)))
        super().load_own_variables(values)

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {
            **super().get_config(),
            "sample_rate": self.spec.sample_rate,
            "hop": self.spec.hop,
            "z_size": self.z_size,
            "units": self.units,
            "n_mfcc": self.n_mfcc,
            "n_mels": self.n_mels,
            "kl_weight": self.kl_weight,
        }


@functools.cache
def tensorflow_distributions() -> Any:
    """`tensorflow_probability.distributions`, loaded when it is first needed.

    Raises:
        DdspError: If it is not installed.
    """
    if any(importlib.util.find_spec(name) is None for name in ("tensorflow_probability", "tf_keras")):
        raise DdspError(
            'model.encoder.kl_weight needs TensorFlow Probability (pip install ".[train,variational]" in a '
            "checkout of ddsp_tf); without it the latent is no distribution"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the packages it imports: nothing a user can act on
        import tensorflow_probability as tfp
    return tfp.distributions
