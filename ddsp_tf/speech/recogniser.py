"""The package hama, which reads phones: a tool of training, never needed to convert."""

from functools import lru_cache
from typing import Any

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.errors import DdspError

SAMPLE_RATE = 16_000
HOP = 320
"""Samples of one of its frames."""
_BLANK = "<blank>"
_PEAK = 0.5
_MISSING = (
    "phones are labelled by the package hama, which is not installed: `pip install ddsp-tf[content]`, or "
    "hama by itself. It is needed to prepare, not to train or to convert"
)


@lru_cache(maxsize=1)
def _model() -> Any:
    try:
        import hama
    except ImportError as error:
        raise DdspError(_MISSING) from error
    try:
        return hama.ASRModel()
    except (OSError, RuntimeError) as error:
        raise DdspError(f"the package hama does not run here: {error}") from error


def check_recogniser() -> None:
    """Refuse to begin where it is not there.

    Raises:
        DdspError: If hama is not installed, or does not run.
    """
    _model()


def recogniser_version() -> str:
    """The version of hama that labels."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("hama")
    except PackageNotFoundError:
        return "unknown"


def phone_probabilities(audio: Array) -> tuple[Array, list[str], int]:
    """Read a sound.

    Args:
        audio: float32 `[samples]` at 16 kHz.

    Returns:
        Log probabilities `[frames, tokens]` of frames of 320 samples, names of the tokens, number of
        the blank.

    Raises:
        DdspError: As `check_recogniser`.
    """
    model = _model()
    peak = float(np.abs(audio).max(initial=0.0))
    wave = np.asarray(audio * (_PEAK / peak) if peak else audio, np.float32)[np.newaxis]
    found = model.session.run(
        [model._log_probs_output_name, model._out_lengths_output_name],
        {
            model._waveform_input_name: wave,
            model._waveform_lengths_input_name: np.array([wave.shape[1]], np.int64),
        },
    )
    length = int(np.reshape(found[1], -1)[0])
    tokens = list(model.decoder_tokens)
    return np.array(found[0][0][:length], np.float32), tokens, tokens.index(_BLANK)
