"""The base of all signal processors."""

from collections.abc import Mapping
from typing import Any, ClassVar

import keras
import tensorflow as tf

from ddsp_tf.errors import DdspError, did_you_mean
from ddsp_tf.frames import FrameSpec
from ddsp_tf.layers.checks import check_float32
from ddsp_tf.layers.finite import LARGEST_CONTROL, finite_controls
from ddsp_tf.layers.inputs import named_inputs, named_shapes, scaling_of_checked_inputs
from ddsp_tf.layers.lengths import check_lengths, check_shape
from ddsp_tf.ops.arguments import as_floats

__all__ = [
    "AUDIO",
    "LARGEST_CONTROL",
    "ControlSize",
    "Processor",
    "Tensors",
    "find_processor_type",
    "processor_type",
]

Tensors = dict[str, tf.Tensor]
ControlSize = int | tuple[int, ...] | None
AUDIO = None
"""The size of an input that is a signal `[batch, samples]` rather than frames of a control."""
_types: dict[str, type["Processor"]] = {}


class Processor(keras.layers.Layer):
    """A Keras layer that turns controls into sound.

    A processor works in two halves, so that what lies between can be plotted, edited and replayed:
    `get_controls` scales raw network outputs to physical controls, `get_signal` renders controls.
    Calling the layer does both. Rendering can also be cut into blocks: `stream_signal` carries a state,
    and any cut gives the same samples as one piece.

    A control that is not finite, or larger than `LARGEST_CONTROL`, is refused before anything is rendered:
    one such number would otherwise spread over a whole Fourier transform, and through the state into
    everything that comes after it. The error names the layer and the control. Raw network outputs are
    squashed first, so an infinite one may become the end of a range; what is no number stays none.

    Sub-classes are Keras layers like any other: they give `input_sizes`, `get_controls` and `render_block`,
    list their arguments in `get_config`, and are made known by the decorator `@processor_type`. Where
    controls are not those of the inputs, `control_sizes` says which they are. Those that make sound of
    their own say in `level_controls` how they fall silent, those that ring on say in `tail_samples` how long.

    Args:
        sample_rate: Integer, Hz.
        hop: Integer, samples a frame.
        **kwargs: Of `keras.layers.Layer`. The dtype is float32 whatever the global policy, and another is
            refused: phases and spectra need it.

    Input: a dict of tensors, named by `input_sizes`; controls have shape `[batch, frames, size]` and
    signals `[batch, frames * hop]`. A list of them in that order will do, and where one input is required,
    that alone. Arrays and lists of any real numbers are taken.

    Output: audio `[batch, frames * hop]`.
    """

    optional_inputs: ClassVar[tuple[str, ...]] = ()
    level_controls: ClassVar[tuple[str, ...]] = ()
    """Controls that are zero where the processor makes no sound of its own; effects have none."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "get_controls" in vars(cls):
            cls.get_controls = scaling_of_checked_inputs(cls.get_controls)  # type: ignore[method-assign]

    def __init__(self, sample_rate: int, hop: int, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": check_float32(type(self).__name__, kwargs.get("dtype"))})
        self.spec = FrameSpec(sample_rate, hop)

    @property
    def input_sizes(self) -> Mapping[str, ControlSize]:
        """Channels of each raw input by name; `AUDIO` (None) for a signal; a shape for what lasts."""
        raise TypeError(f"{type(self).__name__} must say which inputs it has (input_sizes)")

    @property
    def required_inputs(self) -> list[str]:
        """Names of the inputs that must be there."""
        return [name for name in self.input_sizes if name not in self.optional_inputs]

    @property
    def control_sizes(self) -> Mapping[str, ControlSize]:
        """What `get_controls` gives by name: that of the inputs, unless a sub-class says otherwise.

        Channels of a control in frames, `AUDIO` for a signal, or the whole shape of what is the same in all
        frames.
        """
        return dict(self.input_sizes)

    @property
    def optional_controls(self) -> tuple[str, ...]:
        """Controls that may be absent: the optional inputs, unless something stands in their place."""
        return self.optional_inputs

    @property
    def latency_samples(self) -> int:
        """How much later than its controls the processor sounds: its group delay."""
        return 0

    @property
    def tail_samples(self) -> int:
        """How long the processor rings on after its inputs fell silent."""
        return 0

    @scaling_of_checked_inputs
    def get_controls(self, **inputs: tf.Tensor) -> Tensors:
        """Scale raw inputs to physical controls; signals pass through under their own names."""
        return inputs

    def render_block(self, controls: Tensors, state: Any = None) -> tuple[tf.Tensor, Any]:
        """Render one block of controls that were checked; sub-classes define it, others call `stream_signal`.

        Args:
            controls: What `get_controls` returned, for the frames of this block.
            state: What the call before returned; None starts anew.

        Returns:
            Audio `[batch, frames * hop]`, and the state for the next block: a structure of tensors, empty
            where nothing is carried.
        """
        raise TypeError(f"{type(self).__name__} must render its controls (render_block)")

    def stream_signal(self, controls: Tensors, state: Any = None) -> tuple[tf.Tensor, Any]:
        """Check one block of controls and render it.

        Args:
            controls: What `get_controls` returned, for the frames of this block.
            state: What the call before returned; None starts anew.

        Returns:
            Audio `[batch, frames * hop]`, and the state for the next block: a structure of tensors, empty
            where nothing is carried.

        Raises:
            DdspError: If a control is missing or unknown, not finite or too large. For numbers in a
                `tf.function` the words are the same, but the error is TensorFlow's `InvalidArgumentError`;
                compiled by XLA (`jit_compile=True`) they are not checked, for XLA has no way to stop.
        """
        return self.render_block(finite_controls(self.name, self._named_controls(controls)), state)

    def get_signal(self, **controls: tf.Tensor) -> tf.Tensor:
        """Render controls in one piece; returns audio `[batch, frames * hop]`."""
        return self.stream_signal(controls)[0]

    def build(self, input_shape: Any) -> None:
        """Create weights; most processors have none, so they need no shapes."""
        self.built = True

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Turn raw inputs, by name, in order or alone, into audio `[batch, frames * hop]`."""
        named = named_inputs(self.name, inputs, list(self.input_sizes), self.required_inputs)
        return super().__call__(named, *args, **kwargs)

    def call(self, inputs: Tensors) -> tf.Tensor:
        """Turn raw inputs into audio `[batch, frames * hop]`."""
        self.check_inputs(inputs)
        return self.get_signal(**self.get_controls(**inputs))

    def check_inputs(self, inputs: Tensors, known: tuple[str, ...] = ()) -> None:
        """Refuse missing, unknown and wrongly sized inputs, and those that do not fit each other.

        Signals are compared with controls, frames times hop, where there are any, else with each other.

        Args:
            inputs: Raw inputs by name.
            known: Names of inputs that are sure to come later.

        Raises:
            DdspError: Naming the input, its shape, and what would be valid.
        """
        sizes = self.input_sizes
        for name in self.required_inputs:
            if name not in inputs and name not in known:
                raise DdspError(f"{self.name} lacks the input {name!r}; it has {', '.join(inputs) or 'none'}")
        for name, value in inputs.items():
            if name not in sizes:
                raise DdspError(
                    f"{self.name} has no input {name!r}.{did_you_mean(name, list(sizes))} "
                    f"It takes {', '.join(sizes)}"
                )
            check_shape(f"{self.name}: input {name!r}", tf.TensorShape(value.shape), sizes[name])
        check_lengths(self.name, inputs, sizes, self.spec.hop)

    def _named_controls(self, controls: Tensors) -> Tensors:
        """Return the controls as float32; refuse what is missing, unknown, or does not fit."""
        sizes = self.control_sizes
        known = tuple(sizes)
        values = {name: value for name, value in controls.items() if value is not None}
        for name in values:
            if name not in known:
                raise DdspError(
                    f"{self.name} has no control {name!r}.{did_you_mean(name, known)} "
                    f"It takes {', '.join(known)}"
                )
        for name in known:
            if name not in values and name not in self.optional_controls:
                raise DdspError(
                    f"{self.name} lacks the control {name!r}; it has {', '.join(values) or 'none'}"
                )
        tensors = {k: as_floats(self.name, f"control {k!r}", v, tf.float32) for k, v in values.items()}
        for name, tensor in tensors.items():
            check_shape(f"{self.name}: control {name!r}", tensor.shape, sizes[name])
        check_lengths(self.name, tensors, sizes, self.spec.hop, "control")
        for name, tensor in tensors.items():
            if isinstance(sizes[name], int) and tensor.shape.rank is not None and tensor.shape[1] == 0:
                raise DdspError(
                    f"{self.name}: control {name!r} must have at least one frame. "
                    f"Received: {tuple(tensor.shape)}"
                )
        return tensors

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, int | None]:
        """Shape of the audio, `(batch, samples)`, of shapes as a call takes inputs; None is any."""
        shapes = named_shapes(input_shape, list(self.input_sizes), self.required_inputs)
        for name, shape in shapes.items():
            if self.input_sizes.get(name, ()) is AUDIO:
                return (shape[0], shape[1])
        controls = (shape for name, shape in shapes.items() if isinstance(self.input_sizes.get(name), int))
        batch, frames = next(controls, (None, None))[:2]
        return (batch, None if frames is None else self.spec.n_samples(frames))

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {
            **super().get_config(),
            "sample_rate": self.spec.sample_rate,
            "hop": self.spec.hop,
        }


def processor_type(cls: type[Processor]) -> type[Processor]:
    """Make a processor known by its class name, to Keras and to processor groups.

    A class may be defined again, as notebooks do.

    Raises:
        DdspError: If the name is that of one of our own processors.
    """
    known = _types.get(cls.__name__)
    if known is not None and known.__module__.startswith("ddsp_tf.") and known.__module__ != cls.__module__:
        raise DdspError(f"there is a processor {cls.__name__} in ddsp_tf already: give yours another name")
    _types[cls.__name__] = cls
    return keras.saving.register_keras_serializable(package="ddsp_tf")(cls)


def find_processor_type(name: str) -> type[Processor]:
    """Look up a processor by its class name.

    Raises:
        DdspError: If there is none, with the nearest name.
    """
    if name not in _types:
        raise DdspError(
            f"there is no processor of type {name!r}.{did_you_mean(name, list(_types))} "
            f"Known: {', '.join(sorted(_types))}"
        )
    return _types[name]
