"""A wavetable oscillator as a layer."""

from collections.abc import Sequence
from typing import Any, ClassVar

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from ddsp_tf.errors import DdspError
from ddsp_tf.layers.checks import check_boolean, check_choice, check_integer
from ddsp_tf.layers.processor import ControlSize, Processor, Tensors, processor_type
from ddsp_tf.ops.delay import INTERPOLATIONS
from ddsp_tf.ops.oscillators import nyquist_fade
from ddsp_tf.ops.scaling import exp_sigmoid
from ddsp_tf.ops.wavetables import (
    WavetableState,
    harmonics_of_table,
    tables_from_harmonics,
    wavetable_oscillator,
)


@processor_type
class Wavetable(Processor):
    """One period of a waveform, given or learned, at a fundamental frequency; or several, mixed over time.

    It is band-limited: in every frame the harmonics of the table are faded out towards Nyquist as those
    of `Harmonic` are, without putting the lost energy into the others. What is left of aliasing are the
    images of the interpolation (`ddsp_tf.ops.wavetables.wavetable_oscillator` has numbers).

    Reference: S. Shan, L. Hantrakul, J. Chen, M. Avent, D. Trevelyan, "Differentiable Wavetable Synthesis",
    ICASSP 2022. Unlike there, tables are mixed and band-limited at frame rate.

    Args:
        sample_rate: Integer, Hz.
        hop: Integer, samples a frame.
        n_tables: Integer in 1 to 256.
        table_size: Integer in 4 to 16384, points of a table, which carries the harmonics below half of it.
        tables: Floats `[n_tables, table_size]`, or `[table_size]` for one, from which to start; both sizes
            then follow from it and must not contradict. None starts with random phases and amplitudes that
            fall as 1 / k, at a root mean square of 0.5.
        learned: Boolean, False to keep the given tables as they are.
        interpolation: `"linear"` or `"cubic"`, between the points of a table.
        oversampling: Integer in 1 to 16; a frame's table is read at so many times the points.
        seed: Integer in 0 to 2,147,483,647, seed of the random tables, or None for a seed of their own.

    Input: `amplitude` `[batch, frames, 1]`, raw network output; `f0_hz` `[batch, frames, 1]` in Hz; for
    several tables `mix` `[batch, frames, n_tables]`, raw; optionally `tables` `[batch, n_tables,
    table_size]`, tables for each example in the place of the layer's own, which then get no gradient.

    Controls: `amplitude` `[batch, frames, 1]` linear, 0 to 2; `f0_hz`; `mix` `[batch, frames, n_tables]`, 0
    to 1, sums to 1; `tables` `[n_tables, table_size]`, or `[batch, n_tables, table_size]` if they were given.
    At an `f0_hz` of 0 the wave stands still, at a negative one it runs backwards, and from Nyquist on, either
    way, all is silent.

    Output: audio `[batch, frames * hop]`.

    Raises:
        DdspError: If an argument is not as above; in a call, if inputs are missing, unknown or do not fit
            each other; where controls are rendered, if one is missing, unknown, not finite or too large.
    """

    optional_inputs: ClassVar[tuple[str, ...]] = ("tables",)
    level_controls: ClassVar[tuple[str, ...]] = ("amplitude",)

    def __init__(
        self,
        sample_rate: int,
        hop: int,
        n_tables: int | None = None,
        table_size: int | None = None,
        tables: Sequence[Any] | npt.NDArray[Any] | None = None,
        learned: bool = True,
        interpolation: str = "cubic",
        oversampling: int = 2,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(sample_rate, hop, **kwargs)
        self.initial_tables = None if tables is None else _checked_tables(tables)
        n_given, size_given = (1, 512) if self.initial_tables is None else self.initial_tables.shape
        self.n_tables = check_integer(
            "Wavetable", "n_tables", n_given if n_tables is None else n_tables, 1, 256
        )
        self.table_size = check_integer(
            "Wavetable", "table_size", size_given if table_size is None else table_size, 4, 16384
        )
        if self.initial_tables is not None and (self.n_tables, self.table_size) != (n_given, size_given):
            raise DdspError(
                f"Wavetable: tables are [{n_given}, {size_given}]. "
                f"Received: n_tables={n_tables!r}, table_size={table_size!r}"
            )
        self.learned = check_boolean("Wavetable", "learned", learned)
        if not learned and tables is None:
            raise DdspError("Wavetable: learned=False keeps the given tables. Received: tables=None")
        self.interpolation = check_choice("Wavetable", "interpolation", interpolation, INTERPOLATIONS)
        self.oversampling = check_integer("Wavetable", "oversampling", oversampling, 1, 16)
        self.seed = None if seed is None else check_integer("Wavetable", "seed", seed, 0, 2**31 - 1)

    @property
    def input_sizes(self) -> dict[str, ControlSize]:
        """Channels of each raw input by name, and the shape of tables."""
        mix = {} if self.n_tables == 1 else {"mix": self.n_tables}
        return {"amplitude": 1, "f0_hz": 1, **mix, "tables": (self.n_tables, self.table_size)}

    @property
    def optional_controls(self) -> tuple[str, ...]:
        """None: without tables of their own examples have those of the layer."""
        return ()

    def build(self, input_shape: Any) -> None:
        """Create the tables."""
        initial = self.initial_tables
        self.tables = self.add_weight(
            shape=(self.n_tables, self.table_size),
            initializer=self._random_tables if initial is None else keras.initializers.Constant(initial),
            trainable=self.learned,
            name="tables",
        )
        self.built = True

    def get_controls(  # type: ignore[override]
        self,
        amplitude: tf.Tensor,
        f0_hz: tf.Tensor,
        mix: tf.Tensor | None = None,
        tables: tf.Tensor | None = None,
    ) -> Tensors:
        """Scale raw outputs; add the tables, unless there are some."""
        if not self.built:  # controls may be asked for before the first call
            self.build(None)
        controls = {
            "amplitude": exp_sigmoid(amplitude),
            "f0_hz": f0_hz,
            "tables": tf.convert_to_tensor(self.tables) if tables is None else tables,
        }
        return controls if mix is None else {**controls, "mix": tf.nn.softmax(mix)}

    def render_block(
        self, controls: Tensors, state: WavetableState | None = None
    ) -> tuple[tf.Tensor, WavetableState]:
        """Render one block; the state holds phase and the last frame."""
        amplitude, f0_hz, tables = controls["amplitude"], controls["f0_hz"], controls["tables"]
        harmonics = harmonics_of_table(self.table_size)
        gains = amplitude * nyquist_fade(f0_hz, harmonics, self.spec.sample_rate)
        mix = controls.get("mix", tf.ones_like(amplitude))
        tables = tables_from_harmonics(tables, mix, gains, self.oversampling)
        return wavetable_oscillator(f0_hz, tables, self.spec, self.interpolation, state)

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {
            **super().get_config(),
            "n_tables": self.n_tables,
            "table_size": self.table_size,
            "tables": None if self.initial_tables is None else self.initial_tables.tolist(),
            "learned": self.learned,
            "interpolation": self.interpolation,
            "oversampling": self.oversampling,
            "seed": self.seed,
        }

    def _random_tables(self, shape: tuple[int, ...], dtype: Any = None) -> tf.Tensor:
        """Sums of harmonics with normally distributed sine and cosine parts over `k`."""
        harmonics = harmonics_of_table(shape[1])
        numbers = np.arange(1, harmonics + 1)
        parts = keras.initializers.RandomNormal(stddev=1.0, seed=self.seed)((2, shape[0], harmonics))
        spectra = tf.complex(parts[0] / numbers, parts[1] / numbers)
        waves = tf.signal.irfft(tf.pad(spectra, [[0, 0], [1, shape[1] // 2 - harmonics]]), [shape[1]])
        rms = tf.sqrt(tf.reduce_mean(tf.square(waves), axis=-1, keepdims=True))
        return tf.cast(0.5 * waves / rms, dtype or tf.float32)


def _checked_tables(tables: Sequence[Any] | npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    try:
        values = np.atleast_2d(np.asarray(tables, np.float32))
    except (TypeError, ValueError) as error:
        raise DdspError(f"Wavetable: tables must be rows of numbers of one length: {error}") from error
    if values.ndim != 2 or not np.isfinite(values).all():
        raise DdspError(
            "Wavetable: tables must be finite numbers [n_tables, table_size] or [table_size]. "
            f"Received: shape {np.shape(tables)}"
        )
    return values
