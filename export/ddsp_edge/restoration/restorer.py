"""A stream of sound, restored: windows, a network's gains, and the sum of the windows with them."""

from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ddsp_edge.card import Card
from ddsp_edge.errors import DdspError
from ddsp_edge.frames import FrameSpec
from ddsp_edge.model.file import ModelFile, read_model_file
from ddsp_edge.model.step_model import StepModel
from ddsp_edge.restoration.bands import HOPS_PER_WINDOW, Bands, hop_at, sine_window
from ddsp_edge.units import Array

TASK = "restoration"
MAX_CHANNELS = 64
_AT_ONCE = 128  # hops transformed together: bounds memory, whatever a block's size
_LOUDEST = 1000.0  # full scale is 1; squares of what is louder would drown everything for seconds


class Network(Protocol):
    """What gives gains: a `ddsp_edge.StepModel`, or a model that is being trained."""

    def reset(self) -> None:
        """Forget everything."""

    def process(self, *, log_power: npt.ArrayLike) -> dict[str, Array]:
        """Take log powers `[frames, bands]` that follow those before; give `gains`, the same shape."""


class Restorer:
    """Restore a stream of sound of any rate, in blocks of any size.

    Spectra are taken at the rate of the sound, of windows as long as those of the model, so nothing is
    resampled: bins lie where those of the model do. A sound of a lower rate is silent to the network in the
    bands that it lacks. What lies above the model's own range has the gain of its highest bin.

    All channels have the same gains, found from the mean of their powers, so that the picture does not move.

    What is not finite in the sound is silence.

    Args:
        network: What gives the gains; it is reset.
        bands: The bands that it takes and gives.
        sample_rate: Integer, Hz; None for the model's.
        channels: Integer, 1 to 64.
        strength: From 0, which leaves the sound as it is, to 1: gains are `1 - strength * (1 - gain)`.

    Attributes:
        spec: The frame grid at the rate of the sound.
        latency_samples: Integer, by which the output is later than the input.

    Raises:
        DdspError: If an argument is out of range.

    Example:
        >>> restorer = open_restorer("speech.tflite", sample_rate=48000)  # doctest: +SKIP
        >>> restored, before = restorer.push(block)                       # doctest: +SKIP
    """

    def __init__(
        self,
        network: Network,
        bands: Bands,
        sample_rate: int | None = None,
        channels: int = 1,
        strength: float = 1.0,
    ) -> None:
        self._network, self._bands = network, bands
        if not 1 <= channels <= MAX_CHANNELS:
            raise DdspError(f"channels must be 1 to {MAX_CHANNELS}. Received: {channels}")
        rate = bands.spec.sample_rate if sample_rate is None else sample_rate
        self.spec = FrameSpec(rate, hop_at(bands.spec, rate))
        self.channels = channels
        self.strength = strength
        size = self.window_samples = HOPS_PER_WINDOW * self.spec.hop
        self.latency_samples = size - self.spec.hop
        self._window = sine_window(size)
        # The squares of the windows, Hann windows, sum to half the number that overlap.
        self._window_out = self._window * np.float32(2.0 / HOPS_PER_WINDOW)
        # A sine and a noise of one density both have powers that grow with the square of the window.
        self._power_scale = np.float32((HOPS_PER_WINDOW * bands.spec.hop / size) ** 2 / channels)
        self.reset()

    @property
    def strength(self) -> float:
        """How much is done of what the network asks for, 0 to 1; may be changed at any time."""
        return self._strength

    @strength.setter
    def strength(self, value: float) -> None:
        if not 0.0 <= value <= 1.0:
            raise DdspError(f"strength must lie within 0 to 1. Received: {value!r}")
        self._strength = float(value)

    def reset(self) -> None:
        """Forget everything: the next sample is sample 0, with silence before it."""
        self._network.reset()
        self._waiting: Array = np.zeros((self.channels, 0), np.float32)
        self._history: Array = np.zeros((self.channels, self.latency_samples), np.float32)
        self._tail: Array = np.zeros((self.channels, self.latency_samples), np.float32)

    def push(self, audio: npt.ArrayLike) -> tuple[Array, Array]:
        """Add a block of sound.

        Args:
            audio: `[n, channels]`; `[n]` will do for one channel.

        Returns:
            The restored sound and the sound as it was, both float32 `[hops * hop, channels]`, as many whole
            hops as are known now and both `latency_samples` late.

        Raises:
            DdspError: If it has another number of channels.
        """
        block = np.asarray(audio, np.float32)
        block = block[:, np.newaxis] if block.ndim == 1 else block
        if block.ndim != 2 or block.shape[1] != self.channels:
            raise DdspError(
                f"A block must be [samples, {self.channels}]. Received shape: {list(np.shape(audio))}"
            )
        block = block.T
        if not np.abs(block).max(initial=0.0) <= _LOUDEST:  # also where it is no number
            block = np.clip(np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0), -_LOUDEST, _LOUDEST)
        self._waiting = np.concatenate([self._waiting, block], axis=1)
        parts, step = [], _AT_ONCE * self.spec.hop
        whole = self._waiting.shape[1] // self.spec.hop * self.spec.hop
        for start in range(0, whole, step):
            parts.append(self._advance(self._waiting[:, start : min(start + step, whole)]))
        self._waiting = self._waiting[:, whole:].copy()
        if not parts:
            none = np.zeros((0, self.channels), np.float32)
            return none, none
        restored, before = (np.concatenate(part, axis=1).T for part in zip(*parts, strict=True))
        return restored, before

    def gains(self, power: Array) -> Array:
        """Gains of the model's bands, float32 `[frames, bands]`, of powers of its bins `[frames, n_bins]`."""
        log_power = self._bands.log_powers(power)
        return self._network.process(log_power=log_power)["gains"]

    def _advance(self, audio: Array) -> tuple[Array, Array]:
        """Restore whole hops `[channels, n]`; returns them and what they were, `latency_samples` late."""
        hop, size, n = self.spec.hop, self.window_samples, audio.shape[1]
        extended = np.concatenate([self._history, audio], axis=1)
        windows = np.lib.stride_tricks.sliding_window_view(extended, size, axis=1)[:, ::hop]
        spectra = np.fft.rfft(windows * self._window)  # [channels, hops, bins]
        spectra *= self._mask(spectra)
        sounds = np.fft.irfft(spectra, size)
        sounds *= self._window_out
        hops = sounds.shape[1]
        joined = np.zeros((self.channels, hops + HOPS_PER_WINDOW - 1, hop), np.float32)
        for i in range(HOPS_PER_WINDOW):
            joined[:, i : i + hops] += sounds[:, :, i * hop : (i + 1) * hop]
        flat = joined.reshape(self.channels, -1)
        flat[:, : self.latency_samples] += self._tail
        self._tail = flat[:, n:].copy()
        self._history = extended[:, n:].copy()
        return flat[:, :n], extended[:, :n]

    def _mask(self, spectra: Array) -> Array:
        """Gains of all bins `[hops, bins]`."""
        own, bins = self._bands.n_bins, spectra.shape[2]
        power = np.zeros((spectra.shape[1], own), np.float32)
        shared = min(own, bins)
        for channel in spectra[:, :, :shared]:
            power[:, :shared] += channel.real**2 + channel.imag**2
        power *= self._power_scale
        gains = self._bands.bin_gains(self.gains(power))
        if self._strength < 1.0:
            gains = np.float32(1.0) - np.float32(self._strength) * (np.float32(1.0) - gains)
        if bins <= own:
            return gains[:, :bins]
        above = np.repeat(gains[:, -1:], bins - own, axis=1)
        return np.concatenate([gains, above], axis=1)


def open_restorer(
    path: str | Path | ModelFile[Card],
    sample_rate: int | None = None,
    channels: int = 1,
    strength: float = 1.0,
    runtime: str = "auto",
) -> Restorer:
    """Open a model file to restore with.

    Args:
        path: A `.tflite` made by `ddsp-tf export`, or what `read_model_file` made of it.
        sample_rate: As for `Restorer`.
        channels: As for `Restorer`.
        strength: As for `Restorer`.
        runtime: `"auto"`, `"litert"` or `"numpy"`.

    Raises:
        DdspError: If the file cannot be used, is of another task, or an argument is out of range.
    """
    file = path if isinstance(path, ModelFile) else read_model_file(path)
    bands = bands_of(file.card, "the model" if isinstance(path, ModelFile) else str(path))
    return Restorer(StepModel(file, runtime), bands, sample_rate, channels, strength)


def bands_of(card: Card, origin: str) -> Bands:
    """The bands that a card tells of.

    Raises:
        DdspError: If it is the card of another task, or they are not those that the network takes and gives.
    """
    if card.task != TASK:
        raise DdspError(f"{origin} holds a model of the task {card.task!r}, not a restoration")
    settings = card.extractors.get("log_power", {})
    counts = [settings.get(name) for name in ("low_bins", "high_bands")]
    if not all(type(count) is int for count in counts):
        raise DdspError(f"{origin}: its card does not tell the bands of log_power (low_bins, high_bands)")
    bands = Bands(card.spec, *counts)  # type: ignore[arg-type]
    ports = {"log_power": card.inputs.get("log_power"), "gains": card.outputs.get("gains")}
    for name, port in ports.items():
        if port is None or port.shape != (1, bands.count):
            raise DdspError(
                f"{origin}: {name} must have shape [1, {bands.count}], a value for each band. "
                f"Received: {'none' if port is None else list(port.shape)}"
            )
    return bands
