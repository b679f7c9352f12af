"""Clean sound and noise to a mixture and what it should be, by the number of an example."""

from dataclasses import dataclass

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.data.records.shards import RecordPlace
from ddsp_tf.frames import FrameSpec
from ddsp_tf.tasks.restoration.config import MixturesConfig
from ddsp_tf.tasks.restoration.mixing.changes import Curve, active_level, filtered, resampled, room_parts
from ddsp_tf.tasks.restoration.mixing.sources import Sources
from ddsp_tf.tasks.restoration.mixing.synthetic import SyntheticNoises
from ddsp_tf.tasks.restoration.preparation import NOISE, ROOMS

_PAUSE_S = 0.5  # longest pause between two clean sounds
_FULL_SCALE = 0.99


@dataclass(frozen=True)
class Mixture:
    """An example.

    Args:
        noisy: float32 `[samples]`, within full scale.
        clean: float32 `[samples]`, what it should be.
        snr_db: Level of the clean sound above the noise, dB; infinite without noise, minus infinity where
            there is nothing but noise.
        in_room: Whether the clean sound stood in a room.
        noise: What noise there is: name of the first recording, `"babble"`, `"synthetic"`, or empty.
    """

    noisy: Array
    clean: Array
    snr_db: float
    in_room: bool
    noise: str = ""


class Mixer:
    """Makes examples; each depends on nothing but the recordings and the random numbers that it is given.

    Args:
        sources: The recordings.
        spec: The frame grid.
        n_samples: Integer, length of an example.
        settings: What is done to clean sound.
    """

    def __init__(self, sources: Sources, spec: FrameSpec, n_samples: int, settings: MixturesConfig) -> None:
        self._sources, self._spec, self._n, self._set = sources, spec, n_samples, settings
        self._synthetic = SyntheticNoises(spec, n_samples, tones=settings.synthetic_tones)

    def mix(self, passage: RecordPlace, rng: np.random.Generator, snr_db: float | None = None) -> Mixture:
        """Make an example.

        Args:
            passage: What clean sound it begins with.
            rng: Draws everything else.
            snr_db: Level of the clean sound above the noise, dB, infinite for none; drawn if None, and then
                there may be no noise, or nothing else.
        """
        settings = self._set
        kind = rng.random() if snr_db is None else 1.0
        alone = kind < settings.noise_share
        quiet = not alone and kind < settings.noise_share + settings.clean_share
        drawn = float(rng.uniform(settings.snr_min_db, settings.snr_max_db))
        ratio_db = drawn if snr_db is None else snr_db
        heard, clean, in_room = self._clean(passage, rng)
        level = active_level(clean, self._spec.sample_rate)
        wanted = 10.0 ** (float(rng.uniform(settings.level_min_db, settings.level_max_db)) / 20.0)
        scale = np.float32(wanted / level) if level > 1e-7 else np.float32(0.0)
        heard, clean = heard * scale, clean * scale
        if alone:
            heard = clean = np.zeros(self._n, np.float32)
        noise, name = np.zeros(self._n, np.float32), ""
        if not quiet and ratio_db < np.inf:
            noise, name = self._noise(rng)
            noise *= np.float32(wanted * 10.0 ** (-(0.0 if alone else ratio_db) / 20.0))
            noise += self._faults(rng, wanted)
        noisy = heard + noise
        if rng.random() < settings.clip_share:
            bound = np.float32(np.abs(noisy).max() * rng.uniform(0.2, 0.8))
            noisy = np.clip(noisy, -bound, bound)
        peak = max(float(np.abs(noisy).max()), float(np.abs(clean).max()), 1e-9)
        fit = np.float32(min(1.0, _FULL_SCALE / peak))
        found_db = -np.inf if alone else np.inf if quiet else ratio_db
        return Mixture(noisy * fit, clean * fit, float(found_db), in_room, name)

    def _clean(self, passage: RecordPlace, rng: np.random.Generator) -> tuple[Array, Array, bool]:
        """What is heard without noise, what is to be left of it, and whether the two differ by a room."""
        settings, rate = self._set, self._spec.sample_rate
        dry = self._spoken(rng, passage)
        limited = rng.random() < settings.band_limit_share
        curve = Curve(rng, rate, settings.equaliser_db, band=limited)
        if self._sources.has(ROOMS) and rng.random() < settings.room_share:
            response, _ = self._sources.any_of(ROOMS, rng)
            whole, early = room_parts(response, rate, settings.early_ms)
            heard, clean = filtered(dry, whole, early, gains=curve)
            return heard, clean, True
        (clean,) = filtered(dry, gains=curve)
        return clean, clean, False

    def _spoken(self, rng: np.random.Generator, first: RecordPlace | None = None) -> Array:
        """Clean sounds, one after the other with pauses, until the example is full."""
        sound = np.zeros(self._n, np.float32)
        pause = int(_PAUSE_S * self._spec.sample_rate)
        at = int(rng.integers(0, pause)) if rng.random() < 0.5 else 0
        factor = 1.0 + float(rng.uniform(-self._set.speed, self._set.speed))
        clean = self._sources.clean
        while at < self._n:
            place = first if first is not None else clean[int(rng.integers(len(clean)))]
            audio, first = self._sources.read(place), None
            needed = int((self._n - at) * factor) + 2
            start = int(rng.integers(0, max(1, len(audio) - needed + 1)))
            piece = audio[start : start + needed]
            piece = (resampled(piece, factor) if self._set.speed else piece)[: self._n - at]
            sound[at : at + len(piece)] = piece
            at += len(piece) + int(rng.integers(1, pause))
        return sound

    def _noise(self, rng: np.random.Generator) -> tuple[Array, str]:
        """Noise of a mean square of 1, and the name of it."""
        noise, name = self._one_noise(rng)
        if rng.random() < self._set.second_noise_share:
            noise = noise + self._one_noise(rng)[0] * np.float32(rng.uniform(0.1, 0.8))
        return _of_unit_power(noise), name

    def _one_noise(self, rng: np.random.Generator) -> tuple[Array, str]:
        settings, kind, rate = self._set, rng.random(), self._spec.sample_rate
        if kind < settings.babble_share:
            noise, name = self._babble(rng), "babble"
        elif not self._sources.has(NOISE) or kind < settings.babble_share + settings.synthetic_share:
            noise, name = self._synthetic.any(rng), "synthetic"
        else:
            noise, name = self._recorded(rng)
        curve = Curve(rng, rate, settings.equaliser_db)
        responses = []
        if self._sources.has(ROOMS) and rng.random() < settings.noise_room_share:
            response = self._sources.any_of(ROOMS, rng)[0]
            responses.append(room_parts(response, rate, settings.early_ms)[0])
        (noise,) = filtered(noise, *responses, gains=curve)
        return _of_unit_power(noise), name

    def _babble(self, rng: np.random.Generator) -> Array:
        """Several at once."""
        babble = np.zeros(self._n, np.float32)
        for _ in range(int(rng.integers(3, 8))):
            voice = self._spoken(rng)
            level = active_level(voice, self._spec.sample_rate) + 1e-6
            babble += voice * np.float32(rng.uniform(0.5, 1.0) / level)
        return babble

    def _recorded(self, rng: np.random.Generator) -> tuple[Array, str]:
        audio, name = self._sources.any_of(NOISE, rng)
        factor = 1.0 + float(rng.uniform(-2.0 * self._set.speed, 2.0 * self._set.speed))
        needed = int(self._n * factor) + 2
        start = int(rng.integers(0, max(1, len(audio) - needed + 1)))
        piece = np.resize(audio[start : start + needed], needed)
        if rng.random() < 0.25:
            piece = piece[::-1]
        piece = np.ascontiguousarray(piece)
        return (resampled(piece, factor) if self._set.speed else piece)[: self._n], name

    def _faults(self, rng: np.random.Generator, level: float) -> Array:
        """Hum, hiss and crackle beside a sound of a level."""
        total, settings = np.zeros(self._n, np.float32), self._set
        for share, make, low, high in (
            (settings.hum_share, self._synthetic.hum, 0.0, 30.0),
            (settings.hiss_share, self._synthetic.hiss, 5.0, 40.0),
            (settings.crackle_share, self._synthetic.crackle, 5.0, 30.0),
        ):
            if rng.random() < share:
                fault = make(rng)
                rms = float(np.sqrt(np.mean(np.square(fault)))) + 1e-9
                total += fault * np.float32(level / rms * 10.0 ** (-rng.uniform(low, high) / 20.0))
        return total


def _of_unit_power(audio: Array) -> Array:
    return audio / np.float32(np.sqrt(np.mean(np.square(audio))) + 1e-9)
