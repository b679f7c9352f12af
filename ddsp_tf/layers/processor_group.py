"""Processors joined into a directed acyclic graph, as one layer."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from ddsp_tf.errors import DdspError, did_you_mean
from ddsp_tf.frames import FrameSpec
from ddsp_tf.layers import graph
from ddsp_tf.layers.checks import check_float32
from ddsp_tf.layers.graph import Node
from ddsp_tf.layers.inputs import WIRED, named_inputs, named_shapes
from ddsp_tf.layers.lengths import check_lengths
from ddsp_tf.layers.node_layers import make_processor
from ddsp_tf.layers.processor import Tensors


class GroupOutput(NamedTuple):
    """Everything a group computed, by name of the node.

    Attributes:
        audio: The group's signal, `[batch, samples]`.
        signals: The signal of each node, `[batch, samples]`.
        controls: The controls of each node, by name of the control.
    """

    audio: tf.Tensor
    signals: Tensors
    controls: dict[str, Tensors]


@keras.saving.register_keras_serializable(package="ddsp_tf")
class ProcessorGroup(keras.layers.Layer):
    """Processors and the wires between them.

    The group is data: a list of nodes that YAML can hold. It is checked when it is built (names, inputs,
    kinds, cycles), sorted for you, and every intermediate signal can be had by name.

    Args:
        sample_rate: Integer, Hz.
        hop: Integer, samples a frame.
        inputs: Names of what the group takes: raw controls, features, signals.
        nodes: `Node`s, or mappings with `name`, `type`, `config` and `inputs`, in any order.
        output: Name of the node whose signal is the group's; by default the one that leads nowhere.

    Example:
        >>> group = ProcessorGroup(
        ...     16000,
        ...     64,
        ...     inputs=["f0_hz", "amplitude", "distribution", "magnitudes"],
        ...     nodes=[
        ...         Node("harmonic", "Harmonic", config={"n_harmonics": 60}, inputs={
        ...             "amplitude": "amplitude", "distribution": "distribution", "f0_hz": "f0_hz"}),
        ...         Node("noise", "FilteredNoise", config={"n_bands": 65}, inputs={
        ...             "magnitudes": "magnitudes"}),
        ...         Node("sum", "Add", inputs={"audio_0": "harmonic", "audio_1": "noise"}),
        ...     ],
        ... )
        >>> print(group.table())  # doctest: +SKIP

    A node may also be a layer that you made: a processor of the same sample rate and hop, or any other layer
    of Keras that takes signals (`Node("clip", keras.layers.Activation("tanh"), inputs={"audio": "sum"})`, see
    `SignalLayer`).

    Input: a dict of tensors named as `inputs`, sized as `input_sizes` says; a list of them in that order will
    do, and where there is but one that has to be there, that alone.

    Output: audio `[batch, frames * hop]`.

    Raises:
        DdspError: If the graph is not valid; the message names the node and what would be valid.
    """

    def __init__(
        self,
        sample_rate: int,
        hop: int,
        inputs: Sequence[str],
        nodes: Sequence[Node | Mapping[str, Any]],
        output: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{**kwargs, "dtype": check_float32("ProcessorGroup", kwargs.get("dtype"))})
        self.spec = FrameSpec(sample_rate, hop)
        self.input_names = list(inputs)
        given = [node if isinstance(node, Node) else Node.from_dict(node) for node in nodes]
        graph.check_names(self.input_names, given)
        self.nodes = graph.sort_nodes(given)
        self.output_name = graph.find_output(given, output)
        self.processors = {node.name: make_processor(node, self.spec) for node in self.nodes}
        ports = {name: graph.Port(p.input_sizes, p.optional_inputs) for name, p in self.processors.items()}
        self.input_sizes = graph.check_wiring(self.input_names, self.nodes, ports)

    def build(self, input_shape: Any) -> None:
        """Build every processor; none needs shapes."""
        for processor in self.processors.values():
            if not processor.built:
                processor.build(None)
        self.built = True

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Turn raw inputs, by name, in order or alone, into audio `[batch, frames * hop]`."""
        return super().__call__(self._named(inputs), *args, **kwargs)

    def _named(self, inputs: Any) -> Tensors:
        return named_inputs(self.name, inputs, self.input_names, self.required_inputs)

    @property
    def required_inputs(self) -> list[str]:
        """Names of the inputs that must be there: those that some node cannot do without."""
        needed = {
            source
            for node in self.nodes
            for key, source in node.inputs.items()
            if key not in self.processors[node.name].optional_inputs
        }
        return [name for name in self.input_names if name in needed]

    def call(self, inputs: Tensors) -> tf.Tensor:
        """Turn raw inputs into audio `[batch, frames * hop]`."""
        return self.stream(inputs)[0].audio

    def stream(
        self, inputs: Tensors, state: dict[str, Any] | None = None
    ) -> tuple[GroupOutput, dict[str, Any]]:
        """Render one block of raw inputs: `get_controls`, then `stream_signal`.

        Args:
            inputs: As for a call, for the frames of this block.
            state: What the call before returned; None starts anew.

        Returns:
            Everything the group computed, and the state for the next block.
        """
        return self.stream_signal(self.get_controls(inputs), state)

    def get_controls(self, inputs: Tensors) -> dict[str, Tensors]:
        """Scale raw inputs to the controls of each node, by node and name of the control.

        Signals of other nodes are left out: they are made when the controls are rendered.

        Args:
            inputs: As for a call.

        Raises:
            DdspError: If inputs are missing, unknown, no numbers, or do not fit each other.
        """
        inputs = self._named(inputs)
        self._check_inputs(inputs)
        controls = {}
        for node in self.nodes:
            processor = self.processors[node.name]
            raw = {key: inputs[source] for key, source in node.inputs.items() if source in inputs}
            wired = {key: WIRED for key, source in node.inputs.items() if source in self.processors}
            scaled = processor.get_controls(**raw, **wired)
            controls[node.name] = {key: value for key, value in scaled.items() if value is not None}
        return controls

    def stream_signal(
        self, controls: Mapping[str, Tensors], state: dict[str, Any] | None = None
    ) -> tuple[GroupOutput, dict[str, Any]]:
        """Render one block of controls, for example edited ones.

        Args:
            controls: As `get_controls` returns them, for the frames of this block. A signal between nodes is
                computed, whatever `controls` holds for it.
            state: What the call before returned; None starts anew.

        Returns:
            Everything the group computed, and the state for the next block.
        """
        if not isinstance(controls, Mapping) or not set(self.processors) <= set(controls):
            have = ", ".join(map(str, controls)) if isinstance(controls, Mapping) else type(controls).__name__
            raise DdspError(
                f"the group takes controls by node: {', '.join(self.processors)}. Received: {have}"
            )
        signals: Tensors = {}
        complete: dict[str, Tensors] = {}
        next_state: dict[str, Any] = {}
        for node in self.nodes:
            wired = {key: signals[source] for key, source in node.inputs.items() if source in signals}
            complete[node.name] = {**controls[node.name], **wired}
            signals[node.name], next_state[node.name] = self.processors[node.name].stream_signal(
                complete[node.name], None if state is None else state[node.name]
            )
        return GroupOutput(signals[self.output_name], signals, complete), next_state

    def get_signal(self, controls: Mapping[str, Tensors]) -> GroupOutput:
        """Render controls in one piece."""
        return self.stream_signal(controls)[0]

    def _check_inputs(self, inputs: Tensors) -> None:
        for name in self.required_inputs:
            if name not in inputs:
                raise DdspError(f"the group lacks its input {name!r}; it has {', '.join(inputs) or 'none'}")
        for name in inputs:
            if name not in self.input_names:
                raise DdspError(
                    f"the group has no input {name!r}.{did_you_mean(name, self.input_names)} "
                    f"It takes {', '.join(self.input_names)}"
                )
        # How long a signal should be is a matter of the nodes that it goes through.
        check_lengths("the group", inputs, self.input_sizes, hop=None)

    def table(self) -> str:
        """The group as a table of text."""
        return graph.as_table(self.nodes, self.output_name)

    def mermaid(self) -> str:
        """The group as a Mermaid flow chart."""
        return graph.as_mermaid(self.input_names, self.nodes, self.output_name)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, int | None]:
        """Shape of the audio, `(batch, samples)`, of shapes as a call takes inputs; None is any."""
        shapes = named_shapes(input_shape, self.input_names, self.required_inputs)
        for node in self.nodes:
            given = {key: shapes[source] for key, source in node.inputs.items() if source in shapes}
            shapes[node.name] = self.processors[node.name].compute_output_shape(given)
        batch, samples = shapes[self.output_name]
        return (batch, samples)

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {
            **super().get_config(),
            "sample_rate": self.spec.sample_rate,
            "hop": self.spec.hop,
            "inputs": self.input_names,
            "nodes": [node.to_dict() for node in self.nodes],
            "output": self.output_name,
        }
