"""An instrument: a model file, ready to turn pitch and loudness into sound."""

from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ddsp_edge.errors import DdspError
from ddsp_edge.features.pitch import hold_unvoiced
from ddsp_edge.further import complete, scaled
from ddsp_edge.model.file import read_instrument_file
from ddsp_edge.model.network import Network, check_instrument
from ddsp_edge.model.runtimes import has_litert, open_litert, step_of_litert
from ddsp_edge.shipped import model_path
from ddsp_edge.synthesis.graph_player import GraphPlayer
from ddsp_edge.synthesis.synthesizer import Synthesizer
from ddsp_edge.units import LOUDNESS_FLOOR_DB, Array, scale_f0, scale_loudness, silence_bad

BACKENDS = ("auto", "play", "step", "numpy")
"""What an instrument plays with:

- `play`: the signature of the model file that is the whole instrument, by LiteRT. A call of LiteRT a hop: by
  far the fastest where a call of `process` is few frames.
- `step`: the network by LiteRT, a frame at a time, and the synthesizer in numpy, which takes all frames of a
  call at once: at 16 kHz faster where these are ten and more, at 48 kHz as fast as `play`.
- `numpy`: both in numpy. The slowest; needs no LiteRT.
- `auto`: the first of these that the file and the machine have.
"""


class Instrument:
    """Play a model file, any number of frames at a time.

    The sound is the same with every backend, to 1e-4 of full scale, and to what 8-bit weights add where the
    last bits of what goes between layers differ. With `play`, sound comes from the graph in the model file as
    long as `process` and `flush` are all that is called; a stream that begins with `controls`, `render` or
    `stems` is played as `step` does it until `reset`.

    Args:
        path: A `.tflite` made by `ddsp-tf export`, or the name of an instrument that comes with the package.
        seed: Seed of the noise; None for another noise every time.
        backend: One of `BACKENDS`.

    Raises:
        DdspError: If the file is no model, holds what cannot be played, or has not the backend.

    Example:
        >>> instrument = Instrument("violin")
        >>> audio = instrument.process([440.0] * 250, [-20.0] * 250)
        >>> audio.shape
        (96000,)
    """

    def __init__(self, path: str | Path, seed: int | None = None, backend: str = "auto") -> None:
        if backend not in BACKENDS:
            raise DdspError(f"backend must be one of {', '.join(BACKENDS)}. Received: {backend!r}")
        self.path = model_path(path)
        self._file = file = read_instrument_file(self.path)
        self.card = file.card
        self.spec = file.card.spec
        in_file = bool(file.card.synthesis_state_shapes)
        if backend == "auto":
            backend = "numpy" if not has_litert() else "play" if in_file else "step"
        self.backend = backend
        """`play`, `step` or `numpy`."""
        self._player: GraphPlayer | None = None
        try:
            if backend == "play" and not in_file:
                raise DdspError("the file has no signature 'play'; use the backend 'step'")
            if backend == "play":
                interpreter = open_litert(file.model)
                channels = check_instrument(file.card, *step_of_litert(interpreter))
                self.synthesizer = Synthesizer(file.card, file.arrays, seed, channels)
                self._player = GraphPlayer(interpreter, file.card, self.synthesizer)
            else:
                self.synthesizer = Synthesizer(file.card, file.arrays, seed, self.network.output_channels)
        except DdspError as error:
            raise DdspError(f"{path}: {error}") from error
        # A frame given at a block's end is heard in full one hop later.
        self.latency_samples = self.spec.hop
        self._start_hz = float(np.float32(file.card.f0_hz_range.median))
        self._begin()

    @property
    def arrays(self) -> dict[str, Array]:
        """Arrays of the file by name: the impulse response of each room."""
        return self._file.arrays

    @cached_property
    def network(self) -> Network:
        """The network alone; with `play` it is loaded when it is first asked for."""
        return Network(self._file.model, self.card, "numpy" if self.backend == "numpy" else "litert")

    def _begin(self) -> None:
        self._f0_hz = self._start_hz
        self._in_graph: bool | None = None  # whether this stream is; told by what is called first

    def reset(self) -> None:
        """Forget everything: the next frame is frame 0."""
        if self._player is not None:
            self._player.reset()
        if "network" in self.__dict__:
            self.network.reset()
        self.synthesizer.reset()
        self._begin()

    def controls(
        self, f0_hz: npt.ArrayLike, loudness_db: npt.ArrayLike, **further: npt.ArrayLike
    ) -> dict[str, Array]:
        """Run the network.

        Args:
            f0_hz: `[frames]`, fundamental frequency, at most Nyquist, rounded to float32; where it is no
                number above 0, the last good one holds (at the start the median of the training data).
            loudness_db: `[frames]`, dB; where it is not finite, the floor.
            **further: `[frames]`, further features of the card by name (`ddsp_edge.further`). What is left
                out, or is not finite, is what it usually is for the pitch and the loudness.

        Returns:
            The controls of the synthesizer, `[frames, channels]`, by name, `f0_hz` among them.

        Raises:
            DdspError: If there are not as many of one as of the other, the instrument takes no such feature,
                or the stream is played in the graph.
        """
        self._leave_graph("controls")
        f0, loudness = self._features(f0_hz, loudness_db)
        told = scaled(complete(self.card.further, further, f0, loudness))
        return {"f0_hz": f0[:, None], **self.network.process(scale_f0(f0), scale_loudness(loudness), *told)}

    def process(self, f0_hz: npt.ArrayLike, loudness_db: npt.ArrayLike, **further: npt.ArrayLike) -> Array:
        """Play frames.

        Args:
            f0_hz: `[frames]`, as in `controls`.
            loudness_db: `[frames]`, as in `controls`.
            **further: As in `controls`.

        Returns:
            float32 audio `[frames * hop]`, always finite; loud controls may exceed full scale.
        """
        if self._player is None or self._in_graph is False:
            return self.render(self.controls(f0_hz, loudness_db, **further))
        f0, loudness = self._features(f0_hz, loudness_db)
        if not len(f0):
            return np.zeros(0, np.float32)
        self._in_graph = True
        return self._player.process(f0, loudness, complete(self.card.further, further, f0, loudness))

    def render(self, controls: dict[str, Array]) -> Array:
        """Play controls that `controls` gave, changed or not; return audio `[frames * hop]`."""
        self._leave_graph("render")
        if not len(controls["f0_hz"]):
            return np.zeros(0, np.float32)
        return silence_bad(self.synthesizer.process(controls))

    def stems(
        self, f0_hz: npt.ArrayLike, loudness_db: npt.ArrayLike, **further: npt.ArrayLike
    ) -> dict[str, Array]:
        """Play frames as `process`; return the signal `[frames * hop]` of every node by its name."""
        self._leave_graph("stems")
        return self.render_stems(self.controls(f0_hz, loudness_db, **further))

    def render_stems(self, controls: dict[str, Array]) -> dict[str, Array]:
        """Play controls as `render`; return the signal `[frames * hop]` of every node by its name."""
        self._leave_graph("render_stems")
        if not len(controls["f0_hz"]):
            return {name: np.zeros(0, np.float32) for name in self.synthesizer.node_names}
        return _finite(self.synthesizer.stems(controls))

    def flush(self) -> Array:
        """Return what rings on after the last frame, a whole number of hops (none where nothing does)."""
        if self._player is None or not self._in_graph:
            return silence_bad(self.synthesizer.flush())
        if not self.synthesizer.tail_samples:
            return np.zeros(0, np.float32)
        return self._player.flush(1 + -(-self.synthesizer.tail_samples // self.spec.hop))

    def flush_stems(self) -> dict[str, Array]:
        """Return what `flush` returns, of every node by its name."""
        self._leave_graph("flush_stems")
        return _finite(self.synthesizer.flush_stems())

    def _leave_graph(self, method: str) -> None:
        """Have this stream played by network and synthesizer; too late where the graph has begun it."""
        if self._in_graph:
            raise DdspError(
                f"{self.path}: {method} cannot go on where process has played with the file's graph: call "
                "reset first, or open the file with backend='step'"
            )
        self._in_graph = False

    def _features(self, f0_hz: npt.ArrayLike, loudness_db: npt.ArrayLike) -> tuple[Array, Array]:
        """F0 and loudness `[frames]`, float64, all good and as the graph rounds them."""
        f0 = np.asarray(f0_hz, np.float64).reshape(-1)
        loudness = np.asarray(loudness_db, np.float64).reshape(-1)
        if len(f0) != len(loudness):
            raise DdspError(f"f0 has {len(f0)} frames and loudness {len(loudness)}; they must be as many")
        # Beyond 1e6 dB nothing differs, but for float32, in which there is no 1e39.
        loudness = np.clip(np.where(np.isfinite(loudness), loudness, LOUDNESS_FLOOR_DB), -1e6, 1e6)
        # Rounded by the graph alone, f0 would let the two drift apart: 0.001 cycle in a minute.
        rounded = np.clip(f0, 0.0, self.spec.sample_rate / 2).astype(np.float32).astype(np.float64)
        held = hold_unvoiced(rounded, (rounded > 0.0) & (f0 < np.inf), self._f0_hz)
        if len(held):
            self._f0_hz = float(held[-1])
        return held, loudness


def _finite(signals: dict[str, Array]) -> dict[str, Array]:
    return {name: silence_bad(audio) for name, audio in signals.items()}
