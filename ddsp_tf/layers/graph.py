"""The structure of a processor group: nodes, their wiring, and everything that can be wrong with it.

No tensors: a group is checked and sorted here before a layer does any work.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras

from ddsp_edge.numeric import plain
from ddsp_tf.errors import DdspError, did_you_mean
from ddsp_tf.layers.processor import ControlSize, Processor, find_processor_type


@dataclass(frozen=True)
class Node:
    """One processor in a group.

    Args:
        name: Name of the node; its signal goes by this name.
        type: Class name of a processor (`"Harmonic"`) or of a layer of Keras (`"keras.layers.ReLU"`); or a
            layer itself, a processor or any other of Keras (see `SignalLayer`).
        inputs: For each input of the processor its source: an input of the group or another node.
        config: Constructor arguments beside sample rate and hop; none where the layer itself is given.
        layer: The layer itself, where it was given; `type` is then the name of its class.

    Raises:
        DdspError: If `type` is neither a name nor a layer, or settings stand beside a layer.
    """

    name: str
    type: str
    inputs: dict[str, str]
    config: dict[str, Any] = field(default_factory=dict)
    layer: Any = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if isinstance(self.type, str):
            return
        layer: Any = self.type
        if not isinstance(layer, keras.layers.Layer) or self.config:
            raise DdspError(
                f"node {self.name!r}: type must be the name of a processor or layer, or a layer with its own "
                f"settings. Received: type={layer!r}, config={self.config!r}"
            )
        object.__setattr__(self, "layer", layer)
        object.__setattr__(self, "type", type(layer).__name__)
        if isinstance(layer, Processor):
            object.__setattr__(self, "config", _settings(layer))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Node":
        """Read a node from plain data, as YAML gives it.

        Raises:
            DdspError: If a key is unknown or missing, or a value of the wrong type.
        """
        types: dict[str, Any] = {
            "name": str,
            "type": str | dict | keras.layers.Layer,
            "inputs": dict,
            "config": dict,
        }
        label = f"node {values.get('name', '')!r}" if isinstance(values, Mapping) else "a node"
        if not isinstance(values, Mapping):
            raise DdspError(f"{label} must be a mapping with {', '.join(types)}. Received: {values!r}")
        for key in values:
            if key not in types:
                raise DdspError(f"{label}: unknown key {key!r}.{did_you_mean(str(key), list(types))}")
        for key, kind in types.items():
            if key not in values and key != "config":
                raise DdspError(f"{label}: {key} is missing")
            if key in values and not isinstance(values[key], kind):
                words = "name or a layer" if key == "type" else kind.__name__
                raise DdspError(f"{label}: {key} must be a {words}. Received: {values[key]!r}")
        for key, source in values["inputs"].items():
            if not isinstance(source, str):
                raise DdspError(f"{label}: input {key!r} must be a name. Received: {source!r}")
        kind = values["type"]
        if isinstance(kind, dict):
            kind = _layer_of(kind, label)
        return cls(values["name"], kind, dict(values["inputs"]), dict(values.get("config", {})))

    def to_dict(self) -> dict[str, Any]:
        """The node as plain data; a layer of Keras that was given as it is becomes what Keras makes of it."""
        if self.layer is None or _is_known(self.layer):
            return {"name": self.name, "type": self.type, "config": plain(self.config), "inputs": self.inputs}
        layer = keras.saving.serialize_keras_object(self.layer)
        return {"name": self.name, "type": layer, "config": {}, "inputs": self.inputs}


_OF_EVERY_LAYER = ("name", "dtype", "sample_rate", "hop")


def _settings(layer: Processor) -> dict[str, Any]:
    """Constructor arguments of a processor beside those that a group gives it."""
    config = {key: value for key, value in layer.get_config().items() if key not in _OF_EVERY_LAYER}
    if layer.trainable:
        config.pop("trainable", None)
    return config


def _is_known(layer: Any) -> bool:
    """Whether a group can make the like of it by the name of its class."""
    try:
        return find_processor_type(type(layer).__name__) is type(layer)
    except DdspError:
        return False


def _layer_of(values: dict[str, Any], label: str) -> Any:
    try:
        return keras.saving.deserialize_keras_object(values)
    except (TypeError, ValueError, KeyError) as error:
        raise DdspError(
            f"{label}: its layer cannot be read: {' '.join(str(error).split())}. Received: "
            f"{values.get('class_name')!r}"
        ) from error


@dataclass(frozen=True)
class Port:
    """What a processor says of its inputs: sizes by name (None for a signal), and which may be absent."""

    sizes: Mapping[str, ControlSize]
    optional: tuple[str, ...] = ()


def check_names(inputs: Sequence[str], nodes: Sequence[Node]) -> None:
    """Refuse names that are unusable, used twice, or unknown.

    Raises:
        DdspError: Naming the first thing that is wrong.
    """
    if not nodes:
        raise DdspError("a processor group needs at least one node")
    seen: set[str] = set()
    for name in [*inputs, *(node.name for node in nodes)]:
        if not isinstance(name, str) or not name.isidentifier():
            raise DdspError(
                f"{name!r} cannot be a name in a processor group: use letters, digits and underscores"
            )
        if name in seen:
            raise DdspError(f"the name {name!r} is used twice in the processor group")
        seen.add(name)
    given = [id(node.layer) for node in nodes if node.layer is not None]
    for node in nodes:
        if node.layer is not None and given.count(id(node.layer)) > 1:
            raise DdspError(f"node {node.name!r}: its layer is another node's too; each needs one of its own")
        for key, source in node.inputs.items():
            if source not in seen:
                raise DdspError(
                    f"node {node.name!r}: its input {key!r} comes from {source!r}, which is neither an input "
                    f"of the group nor a node.{did_you_mean(source, sorted(seen))}"
                )
    used = {source for node in nodes for source in node.inputs.values()}
    for name in inputs:
        if name not in used:
            raise DdspError(f"the group's input {name!r} is not used by any node")


def sort_nodes(nodes: Sequence[Node]) -> list[Node]:
    """Order nodes so that each comes after its sources, else as given.

    Raises:
        DdspError: If there is a cycle; the message walks along it.
    """
    by_name = {node.name: node for node in nodes}
    waiting = {n.name: {s for s in n.inputs.values() if s in by_name} for n in nodes}
    ordered: list[Node] = []
    while waiting:
        ready = next((name for name, sources in waiting.items() if not sources), None)
        if ready is None:
            raise DdspError(f"the processor group has a cycle: {' -> '.join(_cycle(waiting))}")
        ordered.append(by_name[ready])
        del waiting[ready]
        for sources in waiting.values():
            sources.discard(ready)
    return ordered


def _cycle(waiting: Mapping[str, set[str]]) -> list[str]:
    path = [next(iter(waiting))]
    while path[-1] not in path[:-1]:
        path.append(min(waiting[path[-1]]))
    loop = path[path.index(path[-1]) :]
    return loop[::-1]  # from source to target, the way the sound goes


def find_output(nodes: Sequence[Node], output: str | None) -> str:
    """Find the node whose signal is the group's.

    Raises:
        DdspError: If `output` is no node, or several nodes could be meant.
    """
    names = [node.name for node in nodes]
    if output is not None:
        if output not in names:
            raise DdspError(f"the group's output {output!r} is no node.{did_you_mean(output, names)}")
        return output
    used = {source for node in nodes for source in node.inputs.values()}
    sinks = [name for name in names if name not in used]
    if len(sinks) != 1:
        raise DdspError(f"several nodes lead nowhere ({', '.join(sinks)}): add them, or name the output")
    return sinks[0]


def check_wiring(
    inputs: Sequence[str], nodes: Sequence[Node], ports: Mapping[str, Port]
) -> dict[str, ControlSize]:
    """Check every connection against what processors take.

    Returns:
        Channels of each input of the group by name; None for a signal.

    Raises:
        DdspError: If an input is missing, unknown, or connected to the wrong kind of source.
    """
    sizes: dict[str, ControlSize] = {}
    claimed: dict[str, str] = {}
    for node in nodes:
        port = ports[node.name]
        for key in port.sizes:
            if key not in node.inputs and key not in port.optional:
                raise DdspError(
                    f"node {node.name!r} ({node.type}) lacks its input {key!r}; "
                    f"it takes {', '.join(port.sizes)}"
                )
        for key, source in node.inputs.items():
            if key not in port.sizes:
                raise DdspError(
                    f"node {node.name!r} ({node.type}) has no input {key!r}."
                    f"{did_you_mean(key, list(port.sizes))} It takes {', '.join(port.sizes)}"
                )
            size = port.sizes[key]
            if source not in inputs:
                if size is not None:
                    raise DdspError(
                        f"node {node.name!r}: its input {key!r} is a control, "
                        f"but {source!r} is the signal of a node"
                    )
                continue
            where = f"{node.name}.{key}"
            if source in sizes and sizes[source] != size:
                raise DdspError(
                    f"the group's input {source!r} goes to {claimed[source]}, which takes "
                    f"{_kind(sizes[source])}, and to {where}, which takes {_kind(size)}"
                )
            sizes[source] = size
            claimed[source] = where
    return {name: sizes[name] for name in inputs}


def _kind(size: ControlSize) -> str:
    if isinstance(size, tuple):
        return f"what is {list(size)} in all frames"
    return "a signal" if size is None else f"{size} channel{'s' * (size > 1)}"


def as_table(nodes: Sequence[Node], output: str) -> str:
    """The group as a table of text: one node a line, in the order of the signal."""
    rows = [("node", "type", "inputs", "settings")]
    for node in nodes:
        rows.append(
            (
                node.name + (" (output)" if node.name == output else ""),
                node.type,
                ", ".join(k if k == s else f"{k} <- {s}" for k, s in node.inputs.items()),
                ", ".join(f"{k}={v}" for k, v in node.config.items()),
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def as_mermaid(inputs: Sequence[str], nodes: Sequence[Node], output: str) -> str:
    """The group as a Mermaid flow chart."""
    lines = ["flowchart LR"]
    lines += [f"  {name}([{name}])" for name in inputs]
    lines += [f"  {node.name}[{node.name}<br/>{node.type}]" for node in nodes]
    for node in nodes:
        lines += [f"  {source} -- {key} --> {node.name}" for key, source in node.inputs.items()]
    return "\n".join([*lines, f"  {output} --> audio((audio))"])
