"""Render an hour with the synthesizer alone, block by block: real-time factor, and memory minute by minute.

    python benchmarks/rendering.py               an hour
    python benchmarks/rendering.py --minutes 5   less

100 harmonics, 65 noise bands and a second of reverb at 16 kHz, 250 frames a second, from controls that move
all the time; the state is carried from block to block.
"""

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import tensorflow as tf

from benchmarks.instrument import instrument
from benchmarks.measure import machine, require_quiet, resident_mb

RATE, HOP, HARMONICS, BANDS, BLOCK_FRAMES = 16000, 64, 100, 65, 2500
GROUP = instrument(RATE, HOP, HARMONICS, BANDS, taps=RATE)


def controls(block: int) -> dict[str, tf.Tensor]:
    """Raw controls of one block: a glide with vibrato, and random walks of what is left."""
    rng = np.random.default_rng(block)
    seconds = (block * BLOCK_FRAMES + np.arange(BLOCK_FRAMES)) * HOP / RATE
    f0 = 220.0 * 2.0 ** (np.sin(0.3 * seconds) + 0.02 * np.sin(35.0 * seconds))
    values = {
        "f0_hz": f0[:, np.newaxis],
        "amplitude": np.sin(2.0 * seconds)[:, np.newaxis],
        "distribution": rng.normal(size=[BLOCK_FRAMES, HARMONICS]),
        "magnitudes": rng.normal(size=[BLOCK_FRAMES, BANDS]),
    }
    return {name: tf.constant(value[np.newaxis], tf.float32) for name, value in values.items()}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--anyway", action="store_true", help="measure on a busy machine too, and say so")
    args = parser.parse_args()
    require_quiet(args.anyway)
    block_seconds = BLOCK_FRAMES * HOP / RATE
    blocks = int(60 * args.minutes / block_seconds)
    GROUP.build(None)
    render = tf.function(lambda inputs, state: _audio(*GROUP.stream(inputs, state)), autograph=False)
    start = time.perf_counter()
    _, state = _audio(*GROUP.stream(controls(0)))
    render(controls(0), state)  # traces and compiles
    print(f"{machine()}, TensorFlow {tf.__version__}; compiled in {time.perf_counter() - start:.1f} s")
    wall, cpu, peak = 0.0, 0.0, 0.0
    for block in range(blocks):
        inputs = controls(block)
        begun, used = time.perf_counter(), time.process_time()
        audio, state = render(inputs, state)
        peak = max(peak, float(tf.reduce_max(tf.abs(audio))))
        wall, cpu = wall + time.perf_counter() - begun, cpu + time.process_time() - used
        if (block + 1) % max(1, blocks // 6) == 0:
            done = (block + 1) * block_seconds
            print(
                f"{done / 60:6.1f} min rendered: {done / wall:5.0f}x real time, "
                f"{done / cpu:5.0f}x for CPU time, {resident_mb():5.0f} MB resident, peak {peak:.2f}",
                flush=True,
            )


def _audio(output: object, state: object) -> tuple[tf.Tensor, object]:
    return output.audio, state  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
