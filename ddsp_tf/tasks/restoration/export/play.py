"""Restore with a model file as a device does, in a process that cannot import TensorFlow.

    python -m ddsp_tf.tasks.restoration.export.play MODEL.tflite GIVEN.npz RESULT.npz

GIVEN holds `noisy`, sounds `[sounds, samples]`. RESULT gets what was restored, in its place, and in blocks of
other sizes; the gains, `[sounds, frames, bands]`; and how long it took.
"""

import sys
import time

BLOCKED = ("tensorflow", "keras", "tf_keras", "librosa", "scipy", "jax", "torch")


def main(model: str, given: str, result: str) -> None:
    """Restore `given` with `model` and write what came out to `result`."""
    for name in BLOCKED:
        sys.modules[name] = None  # type: ignore[assignment]  # this is how Python is told 'not here'

    import numpy as np

    from ddsp_edge.model.file import read_model_file
    from ddsp_edge.restoration.bands import sine_window
    from ddsp_edge.restoration.restorer import bands_of, open_restorer
    from ddsp_edge.units import Array

    with np.load(given) as values:
        noisy = values["noisy"]
    file = read_model_file(model)
    restorer = open_restorer(file)
    hop, late = restorer.spec.hop, restorer.latency_samples
    window = sine_window(restorer.window_samples)
    bands_of(file.card, model)

    def restored(sound: Array, block: int) -> Array:
        restorer.reset()
        padded = np.pad(sound, (0, late + (-len(sound)) % hop))
        parts = [restorer.push(padded[i : i + block])[0][:, 0] for i in range(0, len(padded), block)]
        return np.concatenate(parts)[late : late + len(sound)]

    def gains(sound: Array) -> Array:
        restorer.reset()
        padded = np.pad(sound, (late, 0))
        windows = np.lib.stride_tricks.sliding_window_view(padded, len(window))[::hop]
        spectra = np.fft.rfft(windows * window)
        return restorer.gains(np.asarray(spectra.real**2 + spectra.imag**2, np.float32))

    restored(noisy[0], 4096)  # the first call of all makes things
    began = time.process_time()
    whole = np.stack([restored(sound, 4096) for sound in noisy])
    seconds = time.process_time() - began
    np.savez(
        result,
        restored=whole,
        by_blocks=restored(noisy[0], 77),
        gains=np.stack([gains(sound) for sound in noisy]),
        seconds=seconds,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
