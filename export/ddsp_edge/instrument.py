"""An instrument: a model file, ready to turn pitch and loudness into sound."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from ddsp_edge.card import read_model_file
from ddsp_edge.errors import DdspError
from ddsp_edge.network import Network
from ddsp_edge.pitch import hold_unvoiced
from ddsp_edge.synthesizer import Synthesizer
from ddsp_edge.units import LOUDNESS_FLOOR_DB, Array, scale_f0, scale_loudness, silence_bad


class Instrument:
    """Play a model file, any number of frames at a time.

    Args:
        path: A `.tflite` made by `ddsp-tf export`.
        seed: Seed of the noise; None for another noise every time.

    Raises:
        DdspError: If the file is no model, or holds what cannot be played.

    Example:
        >>> instrument = Instrument("violin.tflite")          # doctest: +SKIP
        >>> audio = instrument.process([440.0] * 250, [-20.0] * 250)  # doctest: +SKIP
    """

    def __init__(self, path: str | Path, seed: int | None = None) -> None:
        self.path = Path(path)
        file = read_model_file(path)
        self.card = file.card
        self.spec = file.card.spec
        try:
            self.network = Network(file.model, file.card)
            self.synthesizer = Synthesizer(file.card, file.arrays, seed, self.network.output_channels)
        except DdspError as error:
            raise DdspError(f"{path}: {error}") from error
        # A frame given at a block's end is heard in full one hop later.
        self.latency_samples = self.spec.hop
        self._start_hz = file.card.f0_hz_range.median
        if not self._start_hz > 0.0 or not np.isfinite(self._start_hz):
            raise DdspError(f"{path}: the median of f0_hz_range must be above 0 Hz, not {self._start_hz}")
        self._f0_hz = self._start_hz

    def reset(self) -> None:
        """Forget everything: the next frame is frame 0."""
        self.network.reset()
        self.synthesizer.reset()
        self._f0_hz = self._start_hz

    def controls(self, f0_hz: npt.ArrayLike, loudness_db: npt.ArrayLike) -> dict[str, Array]:
        """Run the network.

        Args:
            f0_hz: `[frames]`, fundamental frequency, at most Nyquist; where it is no number above 0, the
                last good one holds (at the start the median of the training data).
            loudness_db: `[frames]`, dB; where it is not finite, the floor.

        Returns:
            The controls of the synthesizer, `[frames, channels]`, by name, `f0_hz` among them.
        """
        f0 = self._hold(np.asarray(f0_hz, np.float64).reshape(-1))
        loudness = np.asarray(loudness_db, np.float64).reshape(-1)
        loudness = np.where(np.isfinite(loudness), loudness, LOUDNESS_FLOOR_DB)
        controls = self.network.process(scale_f0(f0), scale_loudness(loudness))
        return {"f0_hz": f0[:, None], **controls}

    def process(self, f0_hz: npt.ArrayLike, loudness_db: npt.ArrayLike) -> Array:
        """Play frames.

        Args:
            f0_hz: `[frames]`, as in `controls`.
            loudness_db: `[frames]`, as in `controls`.

        Returns:
            float32 audio `[frames * hop]`, always finite; loud controls may exceed full scale.
        """
        return self.render(self.controls(f0_hz, loudness_db))

    def render(self, controls: dict[str, Array]) -> Array:
        """Play controls that `controls` gave, changed or not; return audio `[frames * hop]`."""
        if not len(controls["f0_hz"]):
            return np.zeros(0, np.float32)
        return silence_bad(self.synthesizer.process(controls))

    def stems(self, f0_hz: npt.ArrayLike, loudness_db: npt.ArrayLike) -> dict[str, Array]:
        """Play frames as `process`; return the signal `[frames * hop]` of every node by its name."""
        controls = self.controls(f0_hz, loudness_db)
        if not len(controls["f0_hz"]):
            return {name: np.zeros(0, np.float32) for name in self.synthesizer.node_names}
        return _finite(self.synthesizer.stems(controls))

    def flush(self) -> Array:
        """Return what rings on after the last frame, a whole number of hops (none where nothing does)."""
        return silence_bad(self.synthesizer.flush())

    def flush_stems(self) -> dict[str, Array]:
        """Return what `flush` returns, of every node by its name."""
        return _finite(self.synthesizer.flush_stems())

    def _hold(self, f0_hz: Array) -> Array:
        good = (f0_hz > 0.0) & (f0_hz < np.inf)
        held = hold_unvoiced(np.minimum(f0_hz, self.spec.sample_rate / 2), good, self._f0_hz)
        if len(held):
            self._f0_hz = float(held[-1])
        return held


def _finite(signals: dict[str, Array]) -> dict[str, Array]:
    return {name: silence_bad(audio) for name, audio in signals.items()}
