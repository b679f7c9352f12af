"""How fast an instrument plays here, on one thread.

Measured in a process of its own: the number of threads of numpy's linear algebra is fixed when it is
loaded, and load time and memory should be those of a program that does nothing else.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ddsp_edge.children import module_command
from ddsp_edge.errors import DdspError
from ddsp_edge.threads import THREAD_VARIABLES

MAX_SECONDS = 60.0
_TIMEOUT_S = 600


def bench(path: str | Path, seconds: float = 10.0) -> dict[str, Any]:
    """Time an instrument in a fresh process with one thread.

    Args:
        path: The model file.
        seconds: Length of the sound that is rendered for each figure.

    Returns:
        `load_ms`, `start_ms` (CPU time from the start of Python to the first block of the live effect),
        `memory_mb` (of the process then), `live` (see `ddsp_edge.live.bench`), `network_us` (median, a
        frame), `synthesis_us` (median, a hop, by node), `realtime_factor` (`blocks of a hop`, `blocks of
        100 ms`, and `the same, following a recording`: with pitch and loudness tracked), and the grid:
        `sample_rate`, `hop`. All but `live` is of `step` and numpy, as files are rendered. Ready for JSON.
        Real-time factors are of CPU time: on one thread that is the time of an idle machine, whatever else
        this one is doing.

    Raises:
        DdspError: If the file cannot be played.
    """
    if not 0.1 <= seconds <= MAX_SECONDS:
        raise DdspError(f"seconds must be from 0.1 to {MAX_SECONDS:g}. Received: {seconds}")
    command = module_command("ddsp_edge.timing", str(path), str(seconds))
    one_thread = dict.fromkeys(THREAD_VARIABLES, "1")
    environment = {**os.environ, **one_thread}
    try:
        done = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DdspError(f"{path}: {seconds:g} s of it took longer than {_TIMEOUT_S} s to play") from error
    answer = done.stdout.splitlines()[-1] if done.stdout else ""
    try:
        document: dict[str, Any] = json.loads(answer)
    except ValueError as error:
        raise RuntimeError(f"bench broke off with status {done.returncode}: {done.stderr[-500:]}") from error
    if "error" in document:
        raise DdspError(document["error"])
    return document


def measure(path: str | Path, seconds: float) -> dict[str, Any]:
    """Time an instrument in this process; see `bench`."""
    began = time.perf_counter()
    import numpy as np

    from ddsp_edge.features.level import level_meter
    from ddsp_edge.features.pitch import PitchTracker
    from ddsp_edge.further import complete, scaled
    from ddsp_edge.live import LiveEffect
    from ddsp_edge.live.bench import measure_live
    from ddsp_edge.render.render import instrument_for_files
    from ddsp_edge.units import scale_f0, scale_loudness

    instrument = instrument_for_files(path, seed=0)
    load_s = time.perf_counter() - began
    LiveEffect(path, seed=0).process(np.zeros(instrument.spec.sample_rate // 100, np.float32))
    start_s, memory_mb = time.process_time(), _resident_mb()
    live = measure_live(path, seconds)

    spec, card = instrument.spec, instrument.card
    frames = spec.frames_for(seconds)
    times = np.arange(frames) * spec.hop / spec.sample_rate
    f0_hz = card.f0_hz_range.median * 2.0 ** (np.sin(2 * np.pi * 5.0 * times) / 24.0)
    loudness_db = card.loudness_db_range.median + 3.0 * np.sin(2 * np.pi * times)

    told = scaled(complete(card.further, None, f0_hz, loudness_db))
    columns = [scale_f0(f0_hz), scale_loudness(loudness_db), *told]
    controls = instrument.controls(f0_hz, loudness_db)
    instrument.reset()
    network_us = _median_us(
        lambda i: instrument.network.process(*(column[i : i + 1] for column in columns)),
        min(frames, 2000),
    )
    synthesis_us = _synthesis_us(instrument, controls)

    def factor(block: int) -> float:
        instrument.reset()
        began = time.process_time()
        for i in range(0, frames, block):
            instrument.process(f0_hz[i : i + block], loudness_db[i : i + block])
        return spec.seconds(frames) / (time.process_time() - began)

    def tracked() -> float:
        instrument.reset()
        sound = instrument.process(f0_hz, loudness_db)
        instrument.reset()
        meter, tracker = level_meter(card.level, spec), PitchTracker.for_card(card)
        step = spec.hop * spec.frames_for(0.1)
        began = time.process_time()
        for i in range(0, len(sound), step):
            meter.push(sound[i : i + step])
            tracker.push(sound[i : i + step])
        features_s = time.process_time() - began
        return spec.seconds(frames) / (features_s + spec.seconds(frames) / by_100_ms)

    by_hop, by_100_ms = factor(1), factor(spec.frames_for(0.1))
    return {
        "name": card.name,
        "sample_rate": spec.sample_rate,
        "hop": spec.hop,
        "load_ms": 1e3 * load_s,
        "start_ms": 1e3 * start_s,
        "memory_mb": memory_mb,
        "live": live,
        "network_us": network_us,
        "synthesis_us": synthesis_us,
        "realtime_factor": {
            "blocks of a hop": by_hop,
            "blocks of 100 ms": by_100_ms,
            "the same, following a recording": tracked(),
        },
    }


def _synthesis_us(instrument: Any, controls: dict[str, Any]) -> dict[str, float]:
    """Median time of a hop by node."""
    synthesizer = instrument.synthesizer
    frames = min(2000, len(controls["f0_hz"]))
    signals = synthesizer.stems(controls)
    hop = instrument.spec.hop
    result = {}
    for name, processor, inputs in synthesizer.nodes():
        processor.reset()
        slices = [
            {
                control: signals[source][i * hop : (i + 1) * hop]
                if source in signals
                else controls[source][i : i + 1]
                for control, source in inputs.items()
            }
            for i in range(frames)
        ]

        def call(i: int, processor: Any = processor, slices: list[Any] = slices) -> None:
            processor.process(**slices[i])

        result[name] = _median_us(call, frames)
    synthesizer.reset()
    return result


def _median_us(call: Callable[[int], object], count: int) -> float:
    durations = []
    for i in range(count):
        began = time.perf_counter()
        call(i)
        durations.append(time.perf_counter() - began)
    return 1e6 * sorted(durations)[count // 2]


def _resident_mb() -> float | None:
    """Memory this process holds now, or at its peak, or None where the system does not tell."""
    status = Path("/proc/self/statm")
    if status.is_file():
        return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3


if __name__ == "__main__":
    try:
        print(json.dumps(measure(sys.argv[1], float(sys.argv[2]))))
    except DdspError as error:
        print(json.dumps({"error": str(error)}))
