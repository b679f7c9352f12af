"""Its clips: log-mel bands of speech that was changed at random, and the phone of every frame."""

from pathlib import Path

import numpy as np

from ddsp_edge.features.log_mel import N_MELS, log_mel
from ddsp_edge.units import Array
from ddsp_tf.data.batches import Shapes
from ddsp_tf.data.records.shards import OnDamage
from ddsp_tf.speech.examples import Clip, SpeechExamples
from ddsp_tf.tasks.content.config import ContentConfig
from ddsp_tf.tasks.content.phones import UNKNOWN
from ddsp_tf.tasks.content.preparation import PHONE

_WARPS = 9  # as many tables are kept
_CURVES = 4  # cosines that a colour is made of


class PhoneExamples(SpeechExamples):
    """See `ddsp_tf.speech.examples.SpeechExamples`.

    Args:
        data: Folder of the dataset.
        split: `"train"` or `"validation"`.
        config: The configuration.
        on_damage: As in `read_records`.
    """

    label = PHONE

    def __init__(
        self, data: Path, split: str, config: ContentConfig, on_damage: OnDamage | None = None
    ) -> None:
        self.config = config
        super().__init__(data, split, config, config.changes, config.network.lookahead_frames, on_damage)
        widest = config.changes.warp
        self._warps = np.linspace(1.0 - widest, 1.0 + widest, _WARPS)

    @property
    def shapes(self) -> Shapes:
        """Log-mel bands, and the phone that is to be named in each frame."""
        return {"log_mel": (self.frames, N_MELS)}, (self.frames,)

    def example(self, clip: Clip) -> tuple[dict[str, Array], Array]:
        """Bands with other formants and another colour, and phones."""
        speech = self.changed(clip)
        _, phones = self.passage(clip.passage)
        rng = speech.rng
        warp = 1.0 if rng is None else float(self._warps[int(rng.integers(_WARPS))])
        bands = log_mel(speech.audio, self.spec, warp)
        if rng is not None:
            bands = bands + self._colour(rng)
        index = np.rint(speech.places).astype(int)
        known = (index >= 0) & (index < len(phones))
        named = np.where(known, phones[np.clip(index, 0, len(phones) - 1)], UNKNOWN)
        return {"log_mel": bands}, named.astype(np.float32)

    def _colour(self, rng: np.random.Generator) -> Array:
        """A smooth colour, and a level, in natural logarithms of powers, `[N_MELS]`."""
        most = self.config.changes.equaliser_db * np.log(10.0) / 10.0
        k = np.arange(1, _CURVES + 1)[:, np.newaxis]
        curves = np.cos(np.pi * k * (np.arange(N_MELS) + 0.5) / N_MELS)
        weights = rng.uniform(-1.0, 1.0, _CURVES) / np.sqrt(np.arange(1, _CURVES + 1))
        return np.asarray(most * 0.5 * weights @ curves + rng.uniform(-2.0, 2.0), np.float32)
