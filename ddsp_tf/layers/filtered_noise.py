"""White noise through a time-varying filter, as a layer."""

from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from ddsp_tf.layers.checks import check_integer, check_number
from ddsp_tf.layers.processor import AUDIO, Processor, Tensors, processor_type
from ddsp_tf.ops.frame_filters import MAX_BANDS, filter_frames
from ddsp_tf.ops.noise import white_noise
from ddsp_tf.ops.scaling import exp_sigmoid

_SEED_STATE = "seed_state"


@processor_type
class FilteredNoise(Processor):
    """Uniform white noise through a linear-phase FIR filter that changes every frame.

    The noise of hop `i` is filtered with the magnitudes of frame `i`; tails overlap and add. The filter
    is causal and delays by `latency_samples`, which is not taken back: noise has no waveform to
    keep in step, and a stream needs no look-ahead.

    Any cut into blocks gives the samples of one piece if the noise is given. Noise that is drawn is new at
    every call, so blocks, and two renderings, have the same spectrum but other samples.

    Reference: J. Engel et al., "DDSP: Differentiable Digital Signal Processing", ICLR 2020, section 3.4.

    Args:
        n_bands: Integer in 2 to 1025, frequencies from 0 to Nyquist at which the filter is given.
        sample_rate: Integer, Hz.
        hop: Integer, samples a frame.
        initial_bias: Float in -20 to 20, added to raw magnitudes, so that an untrained network's noise is
            quiet.
        seed: Integer in 0 to 2,147,483,647, seed of the noise, or None for a seed of its own.

    Input: `magnitudes` `[batch, frames, n_bands]`, raw network outputs; optionally `noise`
    `[batch, frames * hop]` in -1 to 1, otherwise it is drawn, new at every call.

    Controls: `magnitudes` `[batch, frames, n_bands]`, linear gain, 0 to 2; `noise` if it was given.

    Output: audio `[batch, frames * hop]`.

    Raises:
        DdspError: If an argument is not as above; in a call, if inputs are missing, unknown or do not fit
            each other; where controls are rendered, if one is missing, unknown, not finite or too large.
    """

    optional_inputs: ClassVar[tuple[str, ...]] = ("noise",)
    level_controls: ClassVar[tuple[str, ...]] = ("magnitudes",)

    def __init__(
        self,
        n_bands: int,
        sample_rate: int,
        hop: int,
        initial_bias: float = -5.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(sample_rate, hop, **kwargs)
        self.n_bands = check_integer("FilteredNoise", "n_bands", n_bands, 2, MAX_BANDS)
        self.initial_bias = check_number("FilteredNoise", "initial_bias", initial_bias, -20, 20)
        self.seed = None if seed is None else check_integer("FilteredNoise", "seed", seed, 0, 2**31 - 1)
        self.seed_generator = keras.random.SeedGenerator(seed)

    @property
    def input_sizes(self) -> dict[str, int | None]:
        """Channels of each raw input by name."""
        return {"magnitudes": self.n_bands, "noise": AUDIO}

    @property
    def latency_samples(self) -> int:
        """How much later than its frame the filtered noise sounds."""
        return self.n_bands - 1

    @property
    def tail_samples(self) -> int:
        """How long the filters ring on."""
        return 2 * self.n_bands - 3

    def get_controls(  # type: ignore[override]
        self, magnitudes: tf.Tensor, noise: tf.Tensor | None = None
    ) -> Tensors:
        """Scale raw magnitudes; noise passes through."""
        controls = {"magnitudes": exp_sigmoid(magnitudes + self.initial_bias)}
        return controls if noise is None else {**controls, "noise": noise}

    def render_block(self, controls: Tensors, state: tf.Tensor | None = None) -> tuple[tf.Tensor, tf.Tensor]:
        """Render one block; the state is the tail of the filters, `[batch, 2 * n_bands - 3]`."""
        magnitudes = controls["magnitudes"]
        noise = controls.get("noise")
        if noise is None:
            shape = tf.shape(magnitudes)
            noise = white_noise(shape[0], shape[1] * self.spec.hop, self.seed_generator.next())
        return filter_frames(noise, magnitudes, self.spec.hop, state)

    def save_own_variables(self, store: Any) -> None:
        """Save where the noise has got to, which Keras leaves out: a run goes on with the same noise."""
        super().save_own_variables(store)
        store[_SEED_STATE] = self.seed_generator.state

    def load_own_variables(self, store: Any) -> None:
        """Load what `save_own_variables` saved."""
        values = {key: store[key] for key in store.keys()}  # noqa: SIM118 (a Keras store is no dict)
        if _SEED_STATE in values:  # a file that was written without one still loads
            self.seed_generator.state.assign(np.array(values.pop(_SEED_STATE)))
        super().load_own_variables(values)

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {
            **super().get_config(),
            "n_bands": self.n_bands,
            "initial_bias": self.initial_bias,
            "seed": self.seed,
        }
