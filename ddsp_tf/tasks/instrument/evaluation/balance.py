"""How loud each branch of an instrument is: the balance of harmonics, noise and room."""

import math
from collections.abc import Iterable

import tensorflow as tf

from ddsp_tf.data.reading import Passage
from ddsp_tf.layers.branches import branch_kinds, branch_signals
from ddsp_tf.tasks.instrument.evaluation.playing import features_of
from ddsp_tf.tasks.instrument.model.autoencoder import Autoencoder
from ddsp_tf.tasks.instrument.model.render import as_batch, part_of

BLOCK_SECONDS = 4.0
RECORDING = "recording"
_SMALLEST_POWER = 1e-12  # -120 dB


def branch_levels_db(model: Autoencoder, passages: Iterable[Passage]) -> dict[str, float]:
    """Measure the level of every branch over passages that a model plays, in memory that does not grow.

    Args:
        model: The model.
        passages: Passages on the model's frame grid.

    Returns:
        Root mean square in dB relative to full scale, -120 and up, of the recordings (`"recording"`) and of
        what each branch adds, by its name; of a room that is the echoes.
    """
    spec = model.spec
    step = spec.frames_for(BLOCK_SECONDS)
    sums: dict[str, float] = dict.fromkeys([RECORDING, *branch_kinds(model.processors)], 0.0)
    samples = 0
    for passage in passages:
        state = None
        features = features_of(model, passage)
        for first in range(0, len(passage.f0_hz), step):
            part = as_batch(part_of(features, first, first + step, spec.hop))
            output, state = model.stream(part, state)
            for name, signal in branch_signals(model.processors, output.signals).items():
                sums[name] += float(tf.reduce_sum(tf.square(signal)))
        samples += len(passage.audio)
        sums[RECORDING] += float((passage.audio.astype("float64") ** 2).sum())
    return {
        name: 10.0 * math.log10(total / max(1, samples) + _SMALLEST_POWER) for name, total in sums.items()
    }


def harmonic_to_noise_db(model: Autoencoder, levels_db: dict[str, float]) -> float | None:
    """How far the tonal branches together are above the noise ones, dB; None without one of them."""
    kinds = branch_kinds(model.processors)
    powers = {
        kind: sum(10.0 ** (levels_db[name] / 10.0) for name in kinds if kinds[name] == kind)
        for kind in ("tonal", "noise")
    }
    if not all(powers.values()):
        return None
    return 10.0 * math.log10(powers["tonal"] / powers["noise"])
