"""From controls to sound: the processors alone, no network."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from ddsp_edge.files.sound_with_stems import SoundWriter
from ddsp_tf.errors import DdspError
from ddsp_tf.layers import ProcessorGroup
from ddsp_tf.layers.processor import AUDIO
from ddsp_tf.tasks.instrument.controls.controls import Controls
from ddsp_tf.tasks.instrument.model.render import ring_out, seed_noise

_BLOCK_S = 4.0


def render_controls(
    controls: Controls,
    out: Path,
    *,
    inputs: Mapping[str, str | Path] | None = None,
    seed: int | None = None,
    progress: Callable[[float, float], None] = lambda done, total: None,
) -> list[str]:
    """Render controls into a sound file, block by block, with what rings on at the end.

    Args:
        controls: The controls.
        out: `.wav` or `.flac`.
        inputs: What is not to be overwritten, by what it is in words.
        seed: Integer from 0, seed of the noise; None for another noise every time.
        progress: Called with the seconds done and the seconds in all.

    Returns:
        What the user should know, a line each: by how much the sound was clipped.

    Raises:
        DdspError: If a control is missing, has another number of channels, or cannot be rendered.
    """
    group = group_of(controls)
    if seed is not None:
        seed_noise(group, seed)
    block, state, last = controls.spec.frames_for(_BLOCK_S), None, dict[str, Any]()
    writing = SoundWriter(out, controls.spec.sample_rate, inputs or {})
    with writing:
        for start in range(0, controls.n_frames, block):
            last = _by_node(group, controls.part(start, start + block))
            output, state = group.stream_signal(last, state)
            audio = np.asarray(output.audio[0])
            writing.write(audio, audio, {})
            progress(controls.spec.seconds(min(start + block, controls.n_frames)), controls.seconds)
        if state is not None:
            audio = ring_out(group, _last_frame(last), state)[group.output_name]
            writing.write(audio, audio, {})
    return list(writing.warnings("where it is clipped"))


def group_of(controls: Controls) -> ProcessorGroup:
    """The processors that controls are for.

    Raises:
        DdspError: If they are not valid.
    """
    try:
        nodes = controls.processors["nodes"]
        if any(str(node.get("type", "")).startswith("keras.") for node in nodes):
            raise DdspError("the controls are for a layer of Keras, whose weights they do not hold")
        group = ProcessorGroup(
            controls.spec.sample_rate,
            controls.spec.hop,
            inputs=controls.processors["inputs"],
            nodes=nodes,
            output=controls.processors["output"],
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise DdspError(f"the controls do not say what processors they are for: {error}") from error
    group.build(None)
    return group


def _last_frame(controls: Mapping[str, Mapping[str, tf.Tensor]]) -> dict[str, dict[str, tf.Tensor]]:
    """Of each control, and what lasts."""
    return {
        node: {name: value[:, -1:] if value.shape.rank == 3 else value for name, value in values.items()}
        for node, values in controls.items()
    }


def _by_node(group: ProcessorGroup, controls: Controls) -> dict[str, dict[str, tf.Tensor]]:
    """Controls as the group takes them, `[1, frames, channels]`; what is missing or does not fit is told."""
    found: dict[str, dict[str, tf.Tensor]] = {}
    for node in group.nodes:
        processor = group.processors[node.name]
        found[node.name] = {}
        for name, size in processor.control_sizes.items():
            if size is AUDIO:
                continue
            key = f"{node.name}.{name}"
            if key in controls.lasting:
                found[node.name][name] = tf.constant(controls.lasting[key], tf.float32)
            elif key in controls.frames:
                values = controls.frames[key]
                if isinstance(size, int) and values.shape[1] != size:
                    raise DdspError(f"{key} must have {size} channels. Received: {values.shape[1]}")
                found[node.name][name] = tf.constant(values[np.newaxis], tf.float32)
            elif name not in processor.optional_controls:
                raise DdspError(
                    f"the controls lack {key}. A .csv does not hold what lasts, such as a room: name the run "
                    "that it is from (--run)"
                )
    return found
