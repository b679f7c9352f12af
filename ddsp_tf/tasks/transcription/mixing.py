"""Mixtures of solos, made while training: by their number, the same whenever they are asked for."""

from dataclasses import dataclass

import numpy as np

from ddsp_edge.units import Array
from ddsp_tf.tasks.transcription.config import MixingConfig

_VELOCITY_DB = 2.0  # of MIDI velocity for each dB that a part is softer in the mixture
_TINY = 1e-6


@dataclass(frozen=True)
class Solo:
    """A stretch of a recording.

    Args:
        audio: float32 `[samples]`.
        notes: `[notes, 5]`, see `ddsp_tf.tasks.transcription.preparation.COLUMNS`.
    """

    audio: Array
    notes: Array


def mixed(solos: list[Solo], samples: int, rate: int, config: MixingConfig, rng: np.random.Generator) -> Solo:
    """Mix stretches of recordings: each transposed, filtered, at a level of its own; one room, one noise.

    Args:
        solos: The recordings, of any length.
        samples: Integer, length of the mixture.
        rate: Integer, Hz.
        config: How far things go.
        rng: Where chance comes from.

    Returns:
        The mixture, root mean square between -40 and -10 dB, with all its notes.
    """
    total: Array = np.zeros(samples, np.float32)
    tables = []
    detuned = rng.uniform(-config.cents, config.cents) / 100.0
    gains = -rng.uniform(0.0, config.level_db, len(solos))
    gains -= gains.max()
    for solo, gain_db in zip(solos, gains, strict=True):
        steps = int(rng.integers(-config.semitones, config.semitones + 1))
        part = stretch(solo, samples, rate, steps, detuned, rng)
        level = _level(part.audio)
        if level < _TINY:
            continue
        total += np.convolve(part.audio, [1.0, rng.uniform(-0.6, 0.6)])[:samples].astype(np.float32) * (
            np.float32(10.0 ** (gain_db / 20.0) / level)
        )
        notes = part.notes.copy()
        notes[:, 3] = np.clip(notes[:, 3] + _VELOCITY_DB * gain_db, 1.0, 127.0)
        tables.append(notes)
    if rng.random() < config.room_share:
        total = in_room(total, rate, rng)
    level = max(_level(total), _TINY)
    noise_db = rng.uniform(config.softest_noise_db, config.loudest_noise_db)
    total = total / level + _noise(samples, rng) * np.float32(10.0 ** (noise_db / 20.0))
    total *= np.float32(10.0 ** (rng.uniform(-40.0, -10.0) / 20.0))
    return Solo(total.astype(np.float32), np.concatenate(tables) if tables else np.zeros((0, 5), np.float32))


def stretch(
    solo: Solo, samples: int, rate: int, steps: int, detuned: float, rng: np.random.Generator
) -> Solo:
    """A random stretch of a recording, transposed by resampling, which changes its speed too.

    Args:
        solo: The recording.
        samples: Integer, how long it is to be; what is missing is silent.
        rate: Integer, Hz.
        steps: Integer, semitones.
        detuned: Semitones that the notes do not tell of.
        rng: Where chance comes from.
    """
    speed = 2.0 ** ((steps + detuned) / 12.0)
    wanted = int(samples * speed) + 2
    begin = int(rng.integers(0, max(1, len(solo.audio) - wanted)))
    taken = solo.audio[begin : begin + wanted]
    taken = np.pad(taken, (0, wanted - len(taken)))
    audio = np.interp(np.arange(samples) * speed, np.arange(wanted), taken).astype(np.float32)
    notes = solo.notes.copy()
    notes[:, :2] = (notes[:, :2] - begin / rate) / speed
    notes[:, 2] += steps
    heard = (notes[:, 1] > 0.0) & (notes[:, 0] < samples / rate)
    return Solo(audio, notes[heard])


def in_room(audio: Array, rate: int, rng: np.random.Generator) -> Array:
    """A sound in a room: noise that dies away after the direct sound, which stays where it is."""
    seconds = rng.uniform(0.15, 0.9)
    length = int(seconds * rate)
    tail = rng.normal(size=length) * 10.0 ** (-3.0 * np.arange(length) / length)  # -60 dB at its end
    first = int(rng.uniform(0.002, 0.02) * rate)
    tail[:first] = 0.0
    tail *= 10.0 ** (rng.uniform(-18.0, 0.0) / 20.0) / np.sqrt((tail**2).sum())
    tail[0] = 1.0
    size = 1 << (len(audio) + length - 1).bit_length()
    spectrum = np.fft.rfft(audio, size) * np.fft.rfft(tail, size)
    return np.asarray(np.fft.irfft(spectrum, size)[: len(audio)], np.float32)


def _noise(samples: int, rng: np.random.Generator) -> Array:
    """Noise of root mean square 1, between white and brown."""
    white = rng.standard_normal(samples, np.float32)
    colour = rng.uniform(0.0, 0.95)
    out = np.empty_like(white)
    block = np.float32(colour) ** np.arange(64, dtype=np.float32)
    out = np.convolve(white, block)[:samples].astype(np.float32)
    return np.asarray(out / max(_level(out), _TINY), np.float32)


def _level(audio: Array) -> float:
    """Root mean square of what is heard: of the samples within 40 dB of the peak's neighbourhood."""
    power = audio.astype(np.float64) ** 2
    blocks = power[: len(power) // 400 * 400].reshape(-1, 400).mean(axis=1)
    loud = blocks[blocks > 1e-4 * blocks.max(initial=0.0)]
    return float(np.sqrt(loud.mean())) if len(loud) else 0.0
