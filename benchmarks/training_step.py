"""Time a whole training step against the classic library's algorithm, side by side in one process.

    python benchmarks/training_step.py                 float32 and bfloat16
    python benchmarks/training_step.py --rounds 9      more rounds

The classic network on both sides (GRU 512, stacks of three dense layers of 512, 100 harmonics, 65 noise
bands, an impulse response of 48000 taps), 4 s at 16 kHz, 250 frames a second, Adam with a clipped gradient.
Prints CPU time (median) of a step, its ratio, and peak memory of each in a process of its own.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))

import keras
import tensorflow as tf

from benchmarks import classic
from benchmarks.instrument import instrument
from benchmarks.measure import Others, interleave, machine, peak_memory_mb, require_quiet
from ddsp_tf.losses import MultiScaleSpectralLoss
from ddsp_tf.models import Autoencoder, GruDecoder
from ddsp_tf.tasks.instrument.model.autoencoder import control_sizes

RATE, HOP, FRAMES, HARMONICS, BANDS, TAPS, BATCH = 16000, 64, 1000, 100, 65, 48000, 4
SIZES = (2048, 1024, 512, 256, 128, 64)
VARIANTS = ("classic", "ours", "ours, bfloat16")


def features() -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    """Features of a batch, and audio to come near to."""
    time = tf.range(FRAMES, dtype=tf.float32) * (HOP / RATE)
    f0 = 220.0 * 2.0 ** (tf.sin(time) + 0.02 * tf.sin(35.0 * time))
    loudness = -30.0 + 10.0 * tf.sin(3.0 * time)
    batch = {
        name: tf.tile(x[tf.newaxis, :, tf.newaxis], [BATCH, 1, 1])
        for name, x in (("f0_hz", f0), ("loudness_db", loudness))
    }
    return batch, 0.1 * tf.random.stateless_normal([BATCH, FRAMES * HOP], [1, 2])


class Classic(keras.Model):
    """The classic solo instrument."""

    def __init__(self) -> None:
        super().__init__()
        self.decoder = classic.Decoder(HARMONICS, BANDS)
        self.response = self.add_weight(
            shape=[TAPS], initializer=keras.initializers.RandomNormal(stddev=1e-6)
        )

    def call(self, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        """Features to audio."""
        f0, loudness = inputs["f0_hz"], inputs["loudness_db"]
        scaled = tf.math.log(f0 / 440.0), loudness / 80.0 + 1.0
        amplitude, distribution, magnitudes = self.decoder(*scaled)
        shares = classic.exp_sigmoid(distribution)
        shares *= tf.cast(f0 * tf.range(1, HARMONICS + 1, dtype=tf.float32) < RATE / 2, tf.float32)
        shares /= tf.reduce_sum(shares, axis=-1, keepdims=True)
        harmonic = classic.harmonic(f0, classic.exp_sigmoid(amplitude), shares, HOP, RATE)
        noise = classic.filtered_noise(classic.exp_sigmoid(magnitudes - 5.0), HOP)
        return classic.reverb(harmonic + noise, self.response)


def ours() -> keras.Model:
    """The same instrument of our parts."""
    group = instrument(RATE, HOP, HARMONICS, BANDS, TAPS)
    return Autoencoder(GruDecoder(control_sizes(group), units=512, layer_units=512, layers=3), group)


def build(variant: str) -> Callable[[], object]:
    """One training step of a variant."""
    keras.config.set_dtype_policy("mixed_bfloat16" if "bfloat16" in variant else "float32")
    keras.utils.set_random_seed(0)
    model = Classic() if variant == "classic" else ours()
    keras.config.set_dtype_policy("float32")
    loss = MultiScaleSpectralLoss(SIZES)
    optimizer = keras.optimizers.Adam(1e-4, global_clipnorm=3.0)
    inputs, target = features()
    model(inputs)
    optimizer.build(model.trainable_variables)

    @tf.function(autograph=False)
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            audio = model(inputs)
            if variant == "classic":
                value = classic.spectral_loss(target, audio, SIZES)
            else:
                value = loss(target, audio)
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(value, variables), variables, strict=True))
        return value

    return step


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory-of", choices=VARIANTS, help=argparse.SUPPRESS)
    parser.add_argument("--anyway", action="store_true", help="measure on a busy machine too, and say so")
    args = parser.parse_args()
    if args.memory_of:
        print(peak_memory_mb(build(args.memory_of)))
        return
    require_quiet(args.anyway)
    print(f"{machine()}, TensorFlow {tf.__version__}; batch {BATCH} of 4 s at 16 kHz, hop {HOP}")
    others = Others()
    timed = interleave({variant: build(variant) for variant in VARIANTS}, args.rounds)
    print(others.remark() or "quiet: others took less than a tenth of a core")
    print("| training step | CPU, ms | ratio | wall, ms | ratio | memory, MB | ratio |")
    print("|" + "|".join(["---"] * 7) + "|")
    base: dict[str, float] = {}
    for variant, figures in timed.items():
        memory = subprocess.run(
            [sys.executable, __file__, "--memory-of", variant], capture_output=True, text=True, check=True
        )
        row = {
            "cpu": figures["cpu_ms"],
            "wall": figures["wall_ms"],
            "memory": float(memory.stdout.split()[-1]),
        }
        base = base or row
        cells = (f"{row[key]:8.0f} | {base[key] / row[key]:4.1f}x" for key in row)
        print(f"| {variant:14} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
