"""Time our processors against the classic algorithms, side by side in one process.

    python benchmarks/processors.py [NAME ...]     all of them, or some
    python benchmarks/processors.py --rounds 15    more rounds

Prints CPU time (median), its ratio, and peak memory of each in a process of its own.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import tensorflow as tf

from benchmarks import classic
from benchmarks.measure import Others, interleave, machine, peak_memory_mb, require_quiet
from ddsp_tf.frames import FrameSpec
from ddsp_tf.layers import FilteredNoise, FIRFilter, Reverb, Sinusoidal, Wavetable
from ddsp_tf.losses import MultiScaleSpectralLoss
from ddsp_tf.ops.oscillators import harmonic_oscillator

RATE, HOP, FRAMES, HARMONICS, BANDS = 16000, 64, 1000, 100, 65
SAMPLES = FRAMES * HOP
SIZES = (2048, 1024, 512, 256, 128, 64)
SPEC = FrameSpec(RATE, HOP)

Variants = dict[str, Callable[[], object]]


def backward(function: Callable[..., tf.Tensor], inputs: list[tf.Tensor]) -> Callable[[], object]:
    """Value of `function(*inputs)`, and its gradients from a fixed random one upstream."""
    upstream = tf.random.stateless_normal(tf.shape(function(*inputs)), [1, 2])

    @tf.function
    def run() -> object:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            value = function(*inputs)
        return value, tape.gradient(value, inputs, output_gradients=upstream)

    return run


def forward(function: Callable[..., tf.Tensor], inputs: list[tf.Tensor]) -> Callable[[], object]:
    """`function(*inputs)` as a graph."""
    return tf.function(lambda: function(*inputs))


def harmonic_inputs(batch: int) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """f0 with glides and vibrato, amplitudes that move, a distribution masked above Nyquist."""
    rng = np.random.default_rng(0)
    seconds = np.arange(FRAMES) * HOP / RATE
    f0 = rng.uniform(80, 400, [batch, 1]) * 2 ** (0.5 * np.sin(2 * seconds) + 0.02 * np.sin(35 * seconds))
    amplitude = 0.2 + 0.8 * np.abs(np.sin(rng.uniform(2, 9, [batch, 1]) * seconds))
    shares = np.exp(rng.normal(size=[batch, FRAMES, HARMONICS]) - np.arange(HARMONICS) * 4.0 / HARMONICS)
    shares *= f0[..., None] * np.arange(1, HARMONICS + 1) < 0.98 * RATE / 2
    shares /= shares.sum(-1, keepdims=True)
    return tuple(tf.constant(x, tf.float32) for x in (f0[..., None], amplitude[..., None], shares))


def _harmonic(wrap: Callable[..., Callable[[], object]]) -> Variants:
    f0, amplitude, shares = harmonic_inputs(4)
    return {
        "classic": wrap(lambda f, a, d: classic.harmonic(f, a, d, HOP, RATE), [f0, amplitude, shares]),
        "ours": wrap(lambda f, a, d: harmonic_oscillator(f, a * d, SPEC)[0], [f0, amplitude, shares]),
    }


def harmonic_backward() -> Variants:
    """Harmonic, batch 4, forward and backward, by f0 too."""
    return _harmonic(backward)


def harmonic_forward() -> Variants:
    """Harmonic, batch 4, forward."""
    return _harmonic(forward)


def noise_backward() -> Variants:
    """FilteredNoise, batch 4, 65 bands, forward and backward."""
    magnitudes = tf.random.stateless_uniform([4, FRAMES, BANDS], [1, 2])
    layer = FilteredNoise(BANDS, RATE, HOP)
    return {
        "classic": backward(lambda m: classic.filtered_noise(m, HOP), [magnitudes]),
        "ours": backward(lambda m: layer.get_signal(magnitudes=m), [magnitudes]),
    }


def sinusoidal_backward() -> Variants:
    """Sinusoidal, batch 4, 100 sinusoids, forward and backward."""
    f0, amplitude, shares = harmonic_inputs(4)
    inputs = [f0 * tf.range(1.0, HARMONICS + 1), amplitude * shares]
    layer = Sinusoidal(HARMONICS, RATE, HOP)
    return {
        "classic": backward(lambda f, a: classic.sinusoidal(f, a, HOP, RATE), inputs),
        "ours": backward(lambda f, a: layer.get_signal(frequencies_hz=f, amplitudes=a), inputs),
    }


def wavetable_backward() -> Variants:
    """Wavetable, batch 4, 512 points, forward and backward."""
    f0, amplitude, _ = harmonic_inputs(4)
    table = tf.sin(2.0 * np.pi * tf.range(512, dtype=tf.float32) / 512)
    layer = Wavetable(RATE, HOP, table_size=512)
    return {
        "classic": backward(lambda f, a, t: classic.wavetable(f, a, t, HOP, RATE), [f0, amplitude, table]),
        "ours": backward(
            lambda f, a, t: layer.get_signal(f0_hz=f, amplitude=a, tables=t[tf.newaxis]),
            [f0, amplitude, table],
        ),
    }


def filter_backward() -> Variants:
    """FIRFilter, batch 4, 65 bands, forward and backward."""
    magnitudes = tf.random.stateless_uniform([4, FRAMES, BANDS], [1, 2])
    audio = tf.random.stateless_uniform([4, SAMPLES], [3, 4], -1.0, 1.0)
    layer = FIRFilter(BANDS, RATE, HOP)
    return {
        "classic": backward(lambda a, m: classic.fir_filter(a, m, HOP), [audio, magnitudes]),
        "ours": backward(lambda a, m: layer.get_signal(audio=a, magnitudes=m), [audio, magnitudes]),
    }


def reverb_backward() -> Variants:
    """Reverb, batch 16, 48000 taps, forward and backward."""
    audio = tf.random.stateless_uniform([16, SAMPLES], [1, 2], -1.0, 1.0)
    response = tf.random.stateless_normal([48000], [3, 4]) * 0.01
    layer = Reverb(48000, RATE, HOP)
    return {
        "classic": backward(classic.reverb, [audio, response]),
        "ours": backward(lambda a, r: layer.get_signal(audio=a, impulse_response=r), [audio, response]),
    }


def loss_backward() -> Variants:
    """Six-scale spectral loss, batch 4, forward and backward."""
    target, audio = (tf.random.stateless_uniform([4, SAMPLES], [i, 2], -1.0, 1.0) for i in (1, 2))
    loss = MultiScaleSpectralLoss(SIZES)
    return {
        "classic": backward(lambda a: classic.spectral_loss(target, a, SIZES), [audio]),
        "ours": backward(lambda a: loss(target, a), [audio]),
    }


CASES: dict[str, Callable[[], Variants]] = {
    "harmonic_backward": harmonic_backward,
    "harmonic_forward": harmonic_forward,
    "noise_backward": noise_backward,
    "sinusoidal_backward": sinusoidal_backward,
    "wavetable_backward": wavetable_backward,
    "filter_backward": filter_backward,
    "reverb_backward": reverb_backward,
    "loss_backward": loss_backward,
}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", choices=[[], *CASES], metavar="NAME", help=", ".join(CASES))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--memory-of", nargs=2, metavar=("NAME", "VARIANT"), help=argparse.SUPPRESS)
    parser.add_argument("--anyway", action="store_true", help="measure on a busy machine too, and say so")
    args = parser.parse_args()
    if args.memory_of:
        name, variant = args.memory_of
        print(peak_memory_mb(CASES[name]()[variant]))
        return
    require_quiet(args.anyway)
    print(f"{machine()}, TensorFlow {tf.__version__}; 4 s at 16 kHz, hop 64")
    print(f"| {'':44} | classic, ms | ours, ms | ratio | classic, MB | ours, MB | ratio |")
    print("|" + "|".join(["---"] * 7) + "|")
    for name in args.names or CASES:
        others = Others()
        timed = interleave(CASES[name](), args.rounds)
        remark = others.remark()
        cpu = {variant: figures["cpu_ms"] for variant, figures in timed.items()}
        memory = {variant: memory_in_own_process(name, variant) for variant in timed}
        print(
            f"| {CASES[name].__doc__:44} | {cpu['classic']:11.1f} | {cpu['ours']:8.1f} "
            f"| {cpu['classic'] / cpu['ours']:4.1f}x | {memory['classic']:11.0f} | {memory['ours']:8.0f} "
            f"| {memory['classic'] / max(memory['ours'], 1.0):4.1f}x | {remark}".rstrip(),
            flush=True,
        )


def memory_in_own_process(name: str, variant: str) -> float:
    """Peak memory of one variant in a fresh process, MB."""
    done = subprocess.run(
        [sys.executable, __file__, "--memory-of", name, variant], capture_output=True, text=True, check=True
    )
    return float(done.stdout.split()[-1])


if __name__ == "__main__":
    main()
