"""The model: noisy sound in, cleaner sound out."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from ddsp_edge.restoration.bands import HOPS_PER_WINDOW, POWER_FLOOR, Bands
from ddsp_tf.frames import FrameSpec
from ddsp_tf.layers.band_normaliser import BandNormaliser, State
from ddsp_tf.layers.gru import GRU
from ddsp_tf.layers.processor_group import ProcessorGroup
from ddsp_tf.ops.transforms import spectra_of_windows
from ddsp_tf.tasks.restoration.config import RestorationConfig
from ddsp_tf.tasks.restoration.loss import RestorationLoss
from ddsp_tf.tasks.restoration.model.band_loss import band_products
from ddsp_tf.tasks.restoration.model.gain_refinement import GainRefinement
from ddsp_tf.tasks.restoration.model.remixing import remixed
from ddsp_tf.training.model import TaskModel

PROCESSORS: dict[str, Any] = {
    "inputs": ["audio", "mask"],
    "nodes": [
        {
            "name": "masked",
            "type": "SpectralMask",
            "config": {"hops_per_window": HOPS_PER_WINDOW},
            "inputs": {"audio": "audio", "mask": "mask"},
        }
    ],
}
"""The group that carries the gains."""


@keras.saving.register_keras_serializable(package="ddsp_tf")
class Restoration(TaskModel):
    """Gains of bands from powers in bands, frame by frame, and the sound with them.

    Window `i` of four hops ends with hop `i` and gets the gains of frame `i`, so a stream needs no look-ahead
    and is `latency_samples` late; a call gives the sound in its place.

    Args:
        sample_rate: Integer, Hz.
        hop: Integer, samples a frame.
        low_bins: Integer, see `ddsp_edge.restoration.bands.Bands`.
        high_bands: Integer, see there.
        dense_units: Integer, width of the dense layer.
        units: Integer, width of each recurrent layer.
        by_band: Boolean, whether powers are heard re the running mean of their band, or of all bands.
        channels: Integer, of the convolutions over bands; 0 for none.
        least_gain: Float, the least that a gain can be, 0 to 0.5.
        facts: What belongs to the trained model beside its weights, plain data.

    Input: `{"audio": [batch, samples]}`. Output: `[batch, samples]`.
    """

    built: bool
    train_function: Any
    _reckons_in_bands = False

    def __init__(
        self,
        sample_rate: int,
        hop: int,
        low_bins: int,
        high_bands: int,
        dense_units: int,
        units: int,
        by_band: bool = True,
        channels: int = 0,
        least_gain: float = 0.0,
        facts: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.spec = FrameSpec(sample_rate, hop)
        self.bands = Bands(self.spec, low_bins, high_bands)
        self.dense_units, self.units, self.facts = dense_units, units, dict(facts or {})
        rate = sample_rate / hop
        self.normaliser = BandNormaliser(self.bands.count, rate, by_band, name="normaliser")
        self.dense = keras.layers.Dense(dense_units, "relu", name="dense")
        self.memories = [
            GRU(units, return_sequences=True, return_state=True, name=f"gru_{i}") for i in range(2)
        ]
        # Gains begin near 0.73: a sound that passes teaches more than one that is gone.
        self.channels, self.least_gain = channels, least_gain
        self.head = keras.layers.Dense(
            (2 if channels else 1) * self.bands.count,
            bias_initializer=keras.initializers.Constant(1.0),
            name="gains",
        )
        self.refinement = GainRefinement(self.bands.count, channels, name="refinement") if channels else None
        self.processors = ProcessorGroup(sample_rate, hop, **PROCESSORS, name="processors")

    @classmethod
    def from_experiment(cls, config: RestorationConfig, facts: Mapping[str, Any]) -> "Restoration":
        """Build the model that a configuration describes, with its weights."""
        keras.utils.set_random_seed(config.training.seed)
        spec, network = config.spec, config.network
        sizes = (network.low_bins, network.high_bands, network.dense_units, network.units)
        known = {"config": config.to_dict(), **facts}
        model = cls(
            spec.sample_rate,
            spec.hop,
            *sizes,
            network.by_band,
            network.channels,
            network.least_gain,
            facts=known,
            name="restoration",
        )
        model.build(None)
        return model

    @property
    def latency_samples(self) -> int:
        """How much later than the input a stream sounds."""
        return (HOPS_PER_WINDOW - 1) * self.spec.hop

    @property
    def state_sizes(self) -> dict[str, int]:
        """Width of each state of the network by name."""
        own = {memory.name: self.units for memory in self.memories}
        if self.refinement is not None:
            own["recent"] = self.refinement.state_size
        return {**self.normaliser.state_sizes, **own}

    @property
    def input_specs(self) -> dict[str, tf.TensorSpec]:
        """Sound, of any batch and length."""
        return {"audio": tf.TensorSpec([None, None], tf.float32, name="audio")}

    def build(self, input_shape: Any) -> None:
        """Create the weights; no shape is needed."""
        if self.built:
            return
        self.normaliser.build(None)
        self.dense.build([None, None, 2 * self.bands.count])
        width = self.dense_units
        for memory in self.memories:
            memory.build((None, None, width))
            width = self.units
        self.head.build([None, None, 2 * self.units])
        if self.refinement is not None:
            self.refinement.build(None)
        self.processors.build(None)
        self.built = True

    def spectra(self, audio: tf.Tensor) -> tf.Tensor:
        """Spectra of the windows that end with each hop, complex64 `[batch, frames, n_bins]`.

        Args:
            audio: `[batch, frames * hop]`; silence is taken to be before it.
        """
        padded = tf.pad(audio, [[0, 0], [self.latency_samples, 0]])
        return spectra_of_windows(padded, HOPS_PER_WINDOW * self.spec.hop, self.spec.hop)

    def log_powers(self, power: tf.Tensor) -> tf.Tensor:
        """Log powers of bands `[..., bands]` of powers of bins `[..., n_bins]`."""
        return tf.math.log(tf.matmul(power, tf.constant(self.bands.means)) + POWER_FLOOR)

    def network(self, log_power: tf.Tensor, state: State | None = None) -> tuple[tf.Tensor, State]:
        """Gains of bands, `[batch, frames, bands]`, of frames that follow each other; and the next state."""
        heard, after = self.normaliser(log_power, state)
        hidden = self.dense(heard)
        seen = []
        for memory in self.memories:
            first = None if state is None else state[memory.name]
            hidden, last = memory(hidden, initial_state=first)
            after[memory.name] = last
            seen.append(hidden)
        logits = self.head(tf.concat(seen, axis=-1))
        if self.refinement is not None:
            recent = None if state is None else state["recent"]
            logits, after["recent"] = self.refinement(heard, logits, recent)
        return self._gains(logits), after

    def _gains(self, logits: tf.Tensor) -> tf.Tensor:
        """Gains, from the least to 1."""
        gains = tf.sigmoid(logits)
        return self.least_gain + (1.0 - self.least_gain) * gains if self.least_gain else gains

    def step(
        self,
        log_power: tf.Tensor,
        mean: tf.Tensor,
        smooth: tf.Tensor,
        floor: tf.Tensor,
        weights: tf.Tensor,
        gru_0: tf.Tensor,
        gru_1: tf.Tensor,
        recent: tf.Tensor | None = None,
    ) -> dict[str, tf.Tensor]:
        """One frame, for export: `[1, bands]`, and the states, `[1, size]` each, see `state_sizes`.

        `recent` is there where there are convolutions over bands.
        """
        own = {"mean": mean, "smooth": smooth, "floor": floor, "weights": weights}
        heard, after = self.normaliser.step(log_power, own)
        hidden = self.dense(heard)
        seen = []
        for memory, state in zip(self.memories, (gru_0, gru_1), strict=True):
            hidden, _ = memory.cell(hidden, [state])
            # The state is named apart from what goes on through the network: a tensor has one name.
            after[memory.name] = hidden + 0.0
            seen.append(hidden)
        logits = self.head(tf.concat(seen, axis=-1))
        if self.refinement is not None:
            logits, after["recent"] = self.refinement.step(heard, logits, recent)
        return {"gains": self._gains(logits), **after}

    def bin_gains(self, gains: tf.Tensor) -> tf.Tensor:
        """Gains of bins, 0 to 1, of gains of bands."""
        return tf.clip_by_value(tf.matmul(gains, tf.constant(self.bands.shares.T)), 0.0, 1.0)

    def stream(
        self, audio: tf.Tensor, state: dict[str, Any] | None = None
    ) -> tuple[tf.Tensor, dict[str, Any]]:
        """Restore one block of a stream, `latency_samples` late.

        Args:
            audio: `[batch, frames * hop]`.
            state: What the call before returned; None starts anew.

        Returns:
            Sound `[batch, frames * hop]`, and the state for the next block.
        """
        history = None if state is None else state["history"]
        if history is None:
            history = tf.zeros([tf.shape(audio)[0], self.latency_samples])
        extended = tf.concat([history, audio], axis=1)
        spectra = spectra_of_windows(extended, HOPS_PER_WINDOW * self.spec.hop, self.spec.hop)
        power = tf.square(tf.math.real(spectra)) + tf.square(tf.math.imag(spectra))
        gains, network = self.network(self.log_powers(power), None if state is None else state["network"])
        controls = {"masked": {"audio": audio, "mask": self.bin_gains(gains)}}
        output, processors = self.processors.stream_signal(
            controls, None if state is None else state["processors"]
        )
        after = {
            "history": extended[:, -self.latency_samples :],
            "network": network,
            "processors": processors,
        }
        return output.audio, after

    def call(self, inputs: Mapping[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Restore whole sounds, in their place."""
        audio = tf.convert_to_tensor(inputs["audio"])
        n_samples = audio.shape[1] if audio.shape[1] is not None else tf.shape(audio)[1]
        padding = self.latency_samples + (-n_samples) % self.spec.hop
        late, _ = self.stream(tf.pad(audio, [[0, 0], [0, padding]]))
        in_place = late[:, self.latency_samples : self.latency_samples + n_samples]
        return tf.ensure_shape(in_place, audio.shape)

    def observed_loss(
        self, x: Any, y: Any, sample_weight: tf.Tensor | None, training: bool
    ) -> tuple[Any, tf.Tensor, dict[str, tf.Tensor]]:
        """The loss of the sound; in training, until the last steps, as reckoned from powers in bands."""
        y = tf.cast(y, tf.float32)
        if not isinstance(self.loss, RestorationLoss):
            return super().observed_loss(x, y, sample_weight, training)
        names = ("loss", *self.loss.term_names)
        weights = 1.0 if sample_weight is None else tf.reshape(tf.cast(sample_weight, tf.float32), [-1])
        loss = self.loss

        def means(values: tf.Tensor, terms: Mapping[str, tf.Tensor]) -> tuple[tf.Tensor, ...]:
            return tuple(tf.reduce_mean(value * weights) for value in (values, *terms.values()))

        def by_bands() -> tuple[tf.Tensor, ...]:
            return means(*loss.of_bands(*self._products(x["audio"], y)))

        def by_sound(estimate: tf.Tensor) -> tuple[tf.Tensor, ...]:
            return means(*loss.of_sound(y, estimate, tf.reduce_mean(tf.square(x["audio"]), axis=1)))

        if training and self._reckons_in_bands:
            prediction, found = x["audio"], by_bands()  # nothing is measured of the prediction
        else:
            prediction = self(x, training=training)
            found = by_sound(prediction)
        replicas = tf.distribute.get_strategy().num_replicas_in_sync  # Keras adds their gradients up
        return prediction, found[0] / replicas, dict(zip(names, found, strict=True))

    def make_train_function(self, force: bool = False) -> None:
        """Make the function that does a step: one for the steps in bands, one for those with sound."""
        if self.train_function is not None and not force:
            return
        made: dict[bool, Any] = {}
        until, make = self._steps_in_bands, super().make_train_function

        def step(iterator: Any) -> Any:
            # A loop that XLA compiles cannot stand in a `tf.cond` that has a gradient.
            in_bands = self._reckons_in_bands = int(self.optimizer.iterations) < until
            if in_bands not in made:
                make(force=True)
                made[in_bands], self.train_function = self.train_function, step
            return made[in_bands](iterator)

        self.train_function = step

    @property
    def _steps_in_bands(self) -> int:
        settings = self.facts["config"]
        share, steps = settings["loss"]["spectra_share"], settings["training"]["steps"]
        return round((1.0 - share) * steps)

    def _products(self, noisy: tf.Tensor, clean: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """What `RestorationLoss.of_bands` takes: gains, then powers of noisy and clean and their product."""
        frames = tf.shape(noisy)[1] // self.spec.hop * self.spec.hop
        heard, wanted = self.spectra(noisy[:, :frames]), self.spectra(clean[:, :frames])
        settings = self.facts["config"]
        mixtures, seed = settings["mixtures"], settings["training"]["seed"]
        known = band_products(heard, wanted, tf.constant(self.bands.means))
        power, target, product = remixed(
            known,
            level_db=mixtures["remix_level_db"],
            colour_db=mixtures["remix_colour_db"],
            seed=tf.stack([seed, tf.cast(self.optimizer.iterations, tf.int32)]),
        )
        log_power = tf.stop_gradient(tf.math.log(power + POWER_FLOOR))
        return self.network(log_power)[0], power, target, product

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {
            **super().get_config(),
            "sample_rate": self.spec.sample_rate,
            "hop": self.spec.hop,
            "low_bins": self.bands.low,
            "high_bands": self.bands.high,
            "dense_units": self.dense_units,
            "units": self.units,
            "by_band": self.normaliser.by_band,
            "channels": self.channels,
            "least_gain": self.least_gain,
            "facts": self.facts,
        }

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Create the weights when a saved model is loaded."""
        self.build(None)
