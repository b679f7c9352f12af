"""Render a trained model over sequences of any length, in constant memory."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from ddsp_edge.further import FURTHER, complete
from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError
from ddsp_tf.layers.processor import AUDIO, Tensors
from ddsp_tf.layers.processor_group import ProcessorGroup
from ddsp_tf.tasks.instrument.model.autoencoder import Autoencoder
from ddsp_tf.tasks.instrument.model.parts import FEATURES


class Renderer:
    """Play features through a model, block after block; the model's state is carried.

    Args:
        model: The model.
        block_seconds: Length of the pieces that are rendered at once, seconds; it bounds the memory.
    """

    def __init__(self, model: Autoencoder, block_seconds: float = 4.0) -> None:
        self.model = model
        self._block_frames = model.spec.frames_for(block_seconds)
        self._state: Any = None
        self._last: dict[str, Tensors] = {}  # the last frame of each control, by node
        self._compiled: dict[tuple[Any, ...], Any] = {}  # by features and whether there is a state yet

    def _stream(self, features: Tensors, state: Any = None) -> tuple[Any, ...]:
        output, state = self.model.stream(as_batch(features), state)
        return output.audio[0], state, self._last_frame(output.controls)

    def _stream_signals(self, features: Tensors, state: Any = None) -> tuple[Any, ...]:
        output, state = self.model.stream(as_batch(features), state)
        signals = {name: signal[0] for name, signal in output.signals.items()}
        return signals, state, self._last_frame(output.controls)

    def _last_frame(self, controls: dict[str, Tensors]) -> dict[str, Tensors]:
        """The last frame of each control, and what does not change; signals are left out."""
        return {
            node: {
                name: value[:, -1:] if len(value.shape) > 2 else value
                for name, value in values.items()
                if self.model.processors.processors[node].input_sizes.get(name, 0) is not AUDIO
            }
            for node, values in controls.items()
        }

    def reset(self) -> None:
        """Forget everything: the next frame is frame 0."""
        self._state, self._last = None, {}

    def blocks(
        self,
        f0_hz: Array,
        loudness_db: Array,
        *,
        audio: Array | None = None,
        instrument: Array | None = None,
        **further: Array,
    ) -> Iterator[Array]:
        """Yield audio, float32 `[n * hop]`, of blocks of frames.

        Args:
            f0_hz: `[frames]`, Hz, no zeros.
            loudness_db: `[frames]`, dB.
            audio: `[frames * hop]`, what an encoder listens to; None for a model without one.
            instrument: Weights of the instruments, `[instruments]`, or `[frames, instruments]` where they
                change; None for a model of one instrument, or that always plays one mix.
            **further: Further features by name, `[frames]`; what is left out is what it usually is.

        Raises:
            DdspError: If the model needs what is not given, or lengths differ.
        """
        for sound in self._rendered(self._stream, f0_hz, loudness_db, audio, instrument, further):
            yield np.asarray(sound)

    def signals(
        self,
        f0_hz: Array,
        loudness_db: Array,
        *,
        audio: Array | None = None,
        instrument: Array | None = None,
        **further: Array,
    ) -> Iterator[dict[str, Array]]:
        """Yield what `blocks` yields, of every node of the processor group by its name."""
        for signals in self._rendered(self._stream_signals, f0_hz, loudness_db, audio, instrument, further):
            yield {name: np.asarray(signal) for name, signal in signals.items()}

    def edited(
        self,
        f0_hz: Array,
        loudness_db: Array,
        edit: Callable[[dict[str, dict[str, Array]], int, int], Mapping[str, Mapping[str, Array]]],
        *,
        audio: Array | None = None,
        **further: Array,
    ) -> Iterator[dict[str, Array]]:
        """Yield what `signals` yields, of controls that were changed before they are rendered.

        Args:
            f0_hz: As in `blocks`.
            loudness_db: As in `blocks`.
            edit: Called with the controls of a block, `[frames, channels]` by node and name, the first of its
                frames among those given, and the first after it; returns the controls that are rendered.
            audio: As in `blocks`.
            **further: As in `blocks`.
        """
        first = 0
        given_frames = self._rendered(self._stream_controls, f0_hz, loudness_db, audio, None, further)
        for controls, state in given_frames:
            frames = min(self._block_frames, len(f0_hz) - first)
            plain = {
                node: {name: np.asarray(value[0]) for name, value in values.items() if len(value.shape) == 3}
                for node, values in controls.items()
            }
            changed = edit(plain, first, first + frames)
            first += frames
            given = {
                node: {
                    **values,
                    **{name: tf.constant(v[None], tf.float32) for name, v in changed.get(node, {}).items()},
                }
                for node, values in controls.items()
            }
            output, played = self.model.processors.stream_signal(given, state)
            self._state["processors"], self._last = played, self._last_frame(output.controls)
            yield {name: np.asarray(signal[0]) for name, signal in output.signals.items()}

    def controls(
        self, f0_hz: Array, loudness_db: Array, **further: Array
    ) -> Iterator[dict[str, dict[str, Array]]]:
        """Yield the controls of blocks of frames, which are not rendered: by node and name, with the axis of
        the batch; what does not change has no axis of frames.
        """
        for controls, _ in self._rendered(self._stream_controls, f0_hz, loudness_db, None, None, further):
            yield {
                node: {name: np.asarray(value) for name, value in values.items()}
                for node, values in controls.items()
            }

    def _stream_controls(self, features: Tensors, state: Any = None) -> tuple[Any, ...]:
        played = None if state is None else state.get("processors")
        controls, state = self.model.stream_controls(as_batch(features), state)
        return (controls, played), state, {}

    def _rendered(
        self,
        stream: Callable[..., Any],
        f0_hz: Array,
        loudness_db: Array,
        audio: Array | None,
        instrument: Array | None,
        further: Mapping[str, Array],
    ) -> Iterator[Any]:
        frames = len(f0_hz)
        for name, values in {"loudness_db": loudness_db, **further}.items():
            _check_length(name, values, frames, "as f0_hz has")
        usual = complete(self.model.usual, further, f0_hz, loudness_db)
        features = {"f0_hz": f0_hz, "loudness_db": loudness_db, **usual, **further}
        if audio is not None:
            _check_length("audio", audio, frames * self.model.spec.hop, f"a hop for each of {frames} frames")
            features["audio"] = audio
        if instrument is not None:
            each = np.atleast_2d(instrument)
            if len(each) != 1:
                _check_length("instrument", each, frames, "as f0_hz has, or one row")
            features["instrument"] = np.broadcast_to(each, [frames, each.shape[1]])
        for start in range(0, frames, self._block_frames):
            part = part_of(features, start, start + self._block_frames, self.model.spec.hop)
            given = {name: tf.constant(value, tf.float32) for name, value in part.items()}
            state = () if self._state is None else (self._state,)
            run = self._function(stream, given, *state)
            sound, self._state, self._last = run(given, *state)
            yield sound

    def ring_out(self) -> Array:
        """Render what rings on after the last frame: whole hops, none where nothing does.

        Levels of the processors that make sound go to zero over one hop; all other controls stay as they
        were in the last frame, as on the device.
        """
        return self.ring_out_signals()[self.model.processors.output_name]

    def ring_out_signals(self) -> dict[str, Array]:
        """Render what `ring_out` renders, of every node by its name."""
        group = self.model.processors
        if self._state is None:
            return {name: np.zeros(0, np.float32) for name in group.processors}
        signals = ring_out(group, self._last, self._state["processors"])
        if any(processor.tail_samples for processor in group.processors.values()):
            self.reset()
        return signals

    def _function(self, stream: Callable[..., Any], given: Tensors, *state: Any) -> Any:
        """`stream`, compiled once for these features, with or without a state."""
        features = {k: tf.TensorSpec([None, *v.shape[1:]], tf.float32) for k, v in given.items()}
        key = (
            stream.__name__,
            *sorted((name, *spec.shape[1:]) for name, spec in features.items()),
            bool(state),
        )
        if key not in self._compiled:
            states = tf.nest.map_structure(tf.TensorSpec.from_tensor, state)
            self._compiled[key] = tf.function(stream, [features, *states], autograph=False)
        return self._compiled[key]

    def render(
        self,
        f0_hz: Array,
        loudness_db: Array,
        *,
        audio: Array | None = None,
        instrument: Array | None = None,
        **further: Array,
    ) -> Array:
        """Render whole features, those of `blocks`; return audio `[frames * hop]`."""
        sounds = self.blocks(f0_hz, loudness_db, audio=audio, instrument=instrument, **further)
        return np.concatenate([np.zeros(0, np.float32), *sounds])


def ring_out(group: ProcessorGroup, last: Mapping[str, Tensors], state: Any) -> dict[str, Array]:
    """Render what rings on after the last frame, of every node of a group by its name, `[n * hop]`.

    Levels of the processors that make sound go to zero over one hop; all other controls stay as they were.

    Args:
        group: The processors.
        last: The last frame of each control, `[1, 1, channels]`, by node, and what lasts.
        state: What rendering that frame returned.
    """
    tail = sum(processor.tail_samples for processor in group.processors.values())
    if not tail:
        return {name: np.zeros(0, np.float32) for name in group.processors}
    frames = 1 + -(-tail // group.spec.hop)  # one to fade in
    held = {
        node: {
            name: tf.repeat(value, frames, axis=1) if len(value.shape) > 2 else value
            for name, value in values.items()
        }
        for node, values in last.items()
    }
    for node, processor in group.processors.items():
        held[node] |= {name: tf.zeros_like(held[node][name]) for name in processor.level_controls}
    output, _ = group.stream_signal(held, state)
    return {name: np.asarray(signal[0]) for name, signal in output.signals.items()}


def seed_noise(group: ProcessorGroup, seed: int) -> None:
    """Have the noise of processors begin anew, each with a seed of its own that follows from one.

    Args:
        group: The processors.
        seed: Integer from 0.
    """
    for number, processor in enumerate(group.processors.values()):
        generator = getattr(processor, "seed_generator", None)
        if generator is not None:
            own = np.random.SeedSequence([seed, number]).generate_state(1)[0] % 2**31
            generator.state.assign(np.array([own, 0]))


def _check_length(name: str, value: Array, length: int, why: str) -> None:
    if len(value) != length:
        raise DdspError(f"{name} must have length {length}, {why}. Received: {len(value)}")


def part_of(features: Mapping[str, Array], first: int, end: int, hop: int) -> dict[str, Array]:
    """Features of the frames from `first` up to `end`: `[frames]`, `[frames, channels]`, or audio."""
    return {
        name: value[first * hop : end * hop] if name == "audio" else value[first:end]
        for name, value in features.items()
    }


def as_batch(features: Mapping[str, Any]) -> Tensors:
    """Features of one sound, as `Renderer.blocks` takes them, as a batch that a model takes."""
    tensors = {name: tf.convert_to_tensor(value, tf.float32) for name, value in features.items()}
    for name in (*FEATURES, *FURTHER):
        if name in tensors:
            tensors[name] = tensors[name][:, tf.newaxis]
    return {name: value[tf.newaxis] for name, value in tensors.items()}
