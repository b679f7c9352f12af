"""How much of the time that a sound card leaves live playing takes, block by block."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ddsp_edge.live.effect import LATENCIES, LiveEffect
from ddsp_edge.live.keys import LiveInstrument
from ddsp_edge.units import Array, db_to_amplitude

VOICES = 4
_BLOCKS_A_SECOND = 100
_WARM_UP = 20  # blocks, the first of which wait for memory and for tables of the transforms
_CHORD = (0, 4, 7, 12)  # semitones over the middle of the range
Figures = dict[str, float]


def measure_live(path: str | Path, seconds: float) -> dict[str, Figures]:
    """Time the effect, one voice and four voices in blocks of 10 ms.

    Args:
        path: The model file.
        seconds: Length of the sound of each.

    Returns:
        For `effect` (as `ddsp-edge play` has it), `1 voice` and `4 voices`: `median_ms`, `p95_ms` and
        `p999_ms`, CPU time of a block; `wall_p999_ms`, what a clock on the wall says, which other work of
        the machine lengthens; `deadline_ms`, how long a block sounds; `deadline_share`, the 99.9th percentile
        in deadlines; `realtime_factor`, of the CPU time of all blocks.

    Raises:
        DdspError: If the file cannot be played.
    """
    effect = LiveEffect(path, seed=0, **LATENCIES["low"])
    size = effect.spec.sample_rate // _BLOCKS_A_SECOND
    count = max(1, round(seconds * _BLOCKS_A_SECOND))
    sound = _tone(effect, size * (count + _WARM_UP))
    found = {
        "effect": _time(lambda i: effect.process(sound[i * size : (i + 1) * size]), count, size, effect),
    }
    for voices in (1, VOICES):
        keys = LiveInstrument(path, voices, seed=0)
        root = round(69 + 12 * np.log2(keys.card.f0_hz_range.median / 440.0))
        for semitones in _CHORD[:voices]:
            keys.note_on(min(max(root + semitones, 0), 127))
        name = f"{voices} voice" if voices == 1 else f"{voices} voices"
        found[name] = _time(lambda i, keys=keys: keys.render(size), count, size, keys)  # type: ignore[misc]
    return found


def _time(
    play: Callable[[int], object], count: int, size: int, player: LiveEffect | LiveInstrument
) -> Figures:
    for i in range(_WARM_UP):
        play(i)
    cpu_s, wall_s = np.empty(count), np.empty(count)
    for i in range(count):
        wall, cpu = time.perf_counter(), time.thread_time()
        play(_WARM_UP + i)
        cpu_s[i], wall_s[i] = time.thread_time() - cpu, time.perf_counter() - wall
    deadline_s = size / player.spec.sample_rate
    median, high, highest = np.percentile(cpu_s, [50.0, 95.0, 99.9])
    return {
        "median_ms": 1e3 * float(median),
        "p95_ms": 1e3 * float(high),
        "p999_ms": 1e3 * float(highest),
        "wall_p999_ms": 1e3 * float(np.percentile(wall_s, 99.9)),
        "deadline_ms": 1e3 * deadline_s,
        "deadline_share": float(highest / deadline_s),
        "realtime_factor": float(count * deadline_s / cpu_s.sum()),
    }


def _tone(effect: LiveEffect, n_samples: int) -> Array:
    """Ten partials with a vibrato at the middle of the instrument's range, float32."""
    card, rate = effect.card, effect.spec.sample_rate
    seconds = np.arange(n_samples) / rate
    f0_hz = card.f0_hz_range.median * 2.0 ** (np.sin(2 * np.pi * 5.0 * seconds) / 24.0)
    phase = 2 * np.pi * np.cumsum(f0_hz) / rate
    partials = [np.sin(k * phase) / k for k in range(1, 11) if k * card.f0_hz_range.median < rate / 2.2]
    level = db_to_amplitude(min(card.loudness_db_range.median, -10.0))
    return np.asarray(level * np.sum(partials, axis=0), np.float32)
