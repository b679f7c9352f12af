"""A mask over a spectrogram, as a layer."""

from typing import Any, NamedTuple

import tensorflow as tf

from ddsp_tf.layers.checks import check_choice
from ddsp_tf.layers.processor import AUDIO, Processor, Tensors, processor_type
from ddsp_tf.ops.transforms import overlap_add_spectra, spectra_of_windows


class SpectralMaskState(NamedTuple):
    """What a spectral mask carries from one block to the next.

    Attributes:
        history: `[batch, latency_samples]`, the input's last samples.
        tail: `[batch, latency_samples]`, what the windows so far give to later samples.
    """

    history: tf.Tensor
    tail: tf.Tensor


@processor_type
class SpectralMask(Processor):
    """A gain for every bin of a short-time Fourier transform: denoiser, gate or equaliser.

    Window `i` ends with hop `i` of the input and is weighed with the mask of frame `i`. Windows are square
    roots of Hann windows before and after, so a mask of ones gives the input back, `latency_samples` late.
    With two hops a window, hop `i` of the output goes over from the mask of frame `i - 1` to that of frame
    `i`, like any other control; with four, the mask acts one hop later and changes more smoothly.

    A mask multiplies spectra, so it filters each window in a circle: a mask that jumps from bin to bin
    smears within the window. `FIRFilter` has no such limit, and fewer bands.

    Reference: D. W. Griffin and J. S. Lim, "Signal Estimation from Modified Short-Time Fourier Transform",
    IEEE Transactions on Acoustics, Speech, and Signal Processing 32, 1984: overlap and add with the window
    applied before and after is the signal nearest to the modified spectra.

    Args:
        sample_rate: Integer, Hz.
        hop: Integer, samples a frame, and between windows.
        hops_per_window: Integer, 2 or 4.

    Input: `audio` `[batch, frames * hop]`; `mask` `[batch, frames, n_bins]`, raw network outputs, with
    `n_bins = hops_per_window * hop // 2 + 1` frequencies from 0 to Nyquist.

    Controls: `audio`; `mask` `[batch, frames, n_bins]`, linear gain, 0 to 1.

    Output: audio `[batch, frames * hop]`.

    Raises:
        DdspError: If an argument is not as above; in a call, if inputs are missing, unknown or do not fit
            each other; where controls are rendered, if one is missing, unknown, not finite or too large.
    """

    def __init__(self, sample_rate: int, hop: int, hops_per_window: int = 2, **kwargs: Any) -> None:
        super().__init__(sample_rate, hop, **kwargs)
        self.hops_per_window = check_choice("SpectralMask", "hops_per_window", hops_per_window, (2, 4))

    @property
    def window_samples(self) -> int:
        """Length of a window."""
        return self.hops_per_window * self.spec.hop

    @property
    def n_bins(self) -> int:
        """Frequencies from 0 to Nyquist that have a gain."""
        return self.window_samples // 2 + 1

    @property
    def latency_samples(self) -> int:
        """How much later than the input the output sounds."""
        return self.window_samples - self.spec.hop

    @property
    def tail_samples(self) -> int:
        """How long the last windows still sound."""
        return 2 * self.latency_samples  # of whole hops

    @property
    def input_sizes(self) -> dict[str, int | None]:
        """Channels of each raw input by name."""
        return {"audio": AUDIO, "mask": self.n_bins}

    def get_controls(self, audio: tf.Tensor, mask: tf.Tensor) -> Tensors:  # type: ignore[override]
        """Scale the mask to 0 to 1."""
        return {"audio": audio, "mask": tf.sigmoid(mask)}

    def render_block(
        self, controls: Tensors, state: SpectralMaskState | None = None
    ) -> tuple[tf.Tensor, SpectralMaskState]:
        """Render one block."""
        audio, mask = controls["audio"], controls["mask"]
        if state is None:
            silence = tf.zeros([tf.shape(audio)[0], self.latency_samples], audio.dtype)
            state = SpectralMaskState(silence, silence)
        n_samples = tf.shape(audio)[1]
        extended = tf.concat([state.history, audio], axis=1)
        spectra = spectra_of_windows(extended, self.window_samples, self.spec.hop)
        masked = spectra * tf.complex(mask, tf.zeros_like(mask))
        joined = overlap_add_spectra(masked, self.window_samples, self.spec.hop)
        joined += tf.pad(state.tail, [[0, 0], [0, n_samples]])
        output = tf.ensure_shape(joined[:, :n_samples], audio.shape)
        return output, SpectralMaskState(extended[:, n_samples:], joined[:, n_samples:])

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {**super().get_config(), "hops_per_window": self.hops_per_window}
