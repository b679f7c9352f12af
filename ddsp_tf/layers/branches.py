"""The branches of a processor group: which nodes make sound, and which add a room."""

from collections.abc import Mapping

import tensorflow as tf

from ddsp_tf.layers.processor_group import ProcessorGroup

TONAL = frozenset({"Harmonic", "Sinusoidal", "Wavetable"})
NOISE = frozenset({"FilteredNoise"})
ROOMS = frozenset({"Reverb", "Room", "ExpDecayReverb", "FilteredNoiseReverb"})

Tensors = dict[str, tf.Tensor]


def branch_kinds(group: ProcessorGroup) -> dict[str, str]:
    """Kinds of the nodes that are branches, by name: `"tonal"`, `"noise"`, `"room"`, or `"other"` synths."""
    names = {node.name for node in group.nodes}
    kinds = {}
    for node in group.nodes:
        for kind, types in (("tonal", TONAL), ("noise", NOISE), ("room", ROOMS)):
            if node.type in types:
                kinds[node.name] = kind
        if node.name not in kinds and not names & set(node.inputs.values()):
            kinds[node.name] = "other"
    return kinds


def branch_signals(group: ProcessorGroup, signals: Mapping[str, tf.Tensor]) -> Tensors:
    """What each branch adds to the sound, `[batch, samples]` by name; of a room that is the echoes alone."""
    added = {}
    inputs = {node.name: node.inputs for node in group.nodes}
    for name, kind in branch_kinds(group).items():
        signal = signals[name]
        added[name] = signal - signals[inputs[name]["audio"]] if kind == "room" else signal
    return added


def sum_of_kind(group: ProcessorGroup, signals: Mapping[str, tf.Tensor], kind: str) -> tf.Tensor | None:
    """The sum of all branches of a kind, `[batch, samples]`; None if there is none."""
    kinds = branch_kinds(group)
    chosen = [signals[name] for name in kinds if kinds[name] == kind]
    return tf.add_n(chosen) if chosen else None
