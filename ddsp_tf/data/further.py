"""Further features of passages and clips, as `ddsp_edge.further` has them: measured when they are read.

So a dataset does not have to be prepared for them, and what augmentation does to a clip is heard.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ddsp_edge.card import Range
from ddsp_edge.features.loudness import window_size
from ddsp_edge.features.spectral import is_spectral, spectral_features, weighted_spectra
from ddsp_edge.further import VOICING, Usual
from ddsp_edge.units import Array, scale_f0, scale_loudness
from ddsp_tf.data.prepare.statistics import HEARD_DB
from ddsp_tf.data.reading import Passage
from ddsp_tf.errors import DdspError
from ddsp_tf.frames import FrameSpec

_TRACKER = "yin-viterbi"


def further_features(
    names: Sequence[str],
    audio: Array,
    f0_hz: Array,
    voicing: Array,
    spec: FrameSpec,
    frames: slice = slice(None),
) -> dict[str, Array]:
    """Measure the features of these names, float32 `[frames]` each.

    Args:
        names: Of `ddsp_edge.further.FURTHER`.
        audio: `[n * hop]`, full scale 1, with the sound around the frames that are wanted.
        f0_hz: `[n]`, above 0 Hz.
        voicing: `[n]`, 0 to 1.
        spec: The frame grid.
        frames: Which frames are wanted; all of them if nothing is said.
    """
    first, end, _ = frames.indices(len(f0_hz))
    found = {VOICING: np.asarray(voicing[first:end], np.float32)}
    if any(map(is_spectral, names)):
        around = -(-window_size(spec.sample_rate) // spec.hop)
        lead, tail = max(0, first - around), min(len(f0_hz), end + around)
        powers = weighted_spectra(audio[lead * spec.hop : tail * spec.hop], spec)[first - lead : end - lead]
        found.update(spectral_features(names, powers, f0_hz[first:end], spec.sample_rate))
    return {name: found[name] for name in names}


def further_of(names: Sequence[str], passage: Passage, spec: FrameSpec) -> dict[str, Array]:
    """The features of these names of a whole passage, float32 `[frames]` each."""
    return further_features(names, passage.audio, passage.f0_hz, passage.voicing, spec)


def check_tracker(names: Sequence[str], tracker: str) -> None:
    """Refuse voicing where it is not what a device measures.

    Raises:
        DdspError: If voicing is asked for of a dataset by another tracker than the one of devices.
    """
    if VOICING in names and tracker != _TRACKER:
        raise DdspError(
            f"model.features: voicing is what {_TRACKER} and devices measure, and the dataset's pitch is by "
            f"{tracker}: prepare it with --f0 {_TRACKER}, or leave voicing out"
        )


def usual_features(names: Sequence[str], passages: Iterable[Passage], spec: FrameSpec) -> dict[str, Usual]:
    """Measure how features are distributed over training data, and what they usually are.

    Those of the spectrum follow pitch and loudness along the line of least squares. Voicing is high while
    there is sound, and falls with the loudness below its range.

    Args:
        names: Of `ddsp_edge.further.FURTHER`.
        passages: The training data; one by one, a few numbers of each frame are kept.
        spec: The frame grid.
    """
    columns = [row for row in _heard(names, passages, spec) if row.shape[1]]
    table = np.concatenate([np.zeros((2 + len(names), 0)), *columns], axis=1)
    if not table.shape[1]:
        table = np.array([[0.5], [0.5], *([0.0] for _ in names)])
    f0_scaled, loudness_scaled, *values = table
    found = dict[str, Usual]()
    for name, value in zip(names, values, strict=True):
        low, median, high = (float(v) for v in np.percentile(value, [5.0, 50.0, 95.0]))
        if name == VOICING:
            softest = max(float(np.percentile(loudness_scaled, 5.0)), 1e-3)
            line = (0.0, 0.0, high / softest)
        else:
            terms = np.stack([np.ones_like(f0_scaled), f0_scaled, loudness_scaled], axis=1)
            line = tuple(np.linalg.lstsq(terms, value, rcond=1e-6)[0].tolist())
        found[name] = Usual(Range(low, median, high), line)
    return found


def _heard(names: Sequence[str], passages: Iterable[Passage], spec: FrameSpec) -> Iterator[Array]:
    """Of frames with a pitch: scaled f0 and loudness and the features, `[2 + features, frames]`."""
    for passage in passages:
        found = further_of(names, passage, spec)
        heard = passage.voiced & (passage.loudness_db > HEARD_DB)
        columns = [
            scale_f0(passage.f0_hz),
            scale_loudness(passage.loudness_db),
            *(found[name] for name in names),
        ]
        yield np.stack(columns)[:, heard].astype(np.float64)
