"""The report of a restoration: listen, look, compare."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from ddsp_edge.units import Array
from ddsp_tf.metrics.distortion import si_sdr_db
from ddsp_tf.reports import plots
from ddsp_tf.reports.html import Page
from ddsp_tf.tasks.restoration.evaluation.judges import FORMS
from ddsp_tf.tasks.restoration.held_back import load_held_back
from ddsp_tf.tasks.restoration.model.model import Restoration
from ddsp_tf.training.evaluation import load_evaluation

_SHOWN = 3
_FORMS = {"stoi": ".3f"}


def show_results(page: Page, run: Path, model: Restoration) -> None:
    """Add held-back mixtures, restored, with their masks, and the scores.

    Raises:
        DdspError: If the run keeps no mixtures.
    """
    held_back, rate = load_held_back(run), model.spec.sample_rate
    scores = load_evaluation(run)
    if scores:
        add_scores(page, scores)
    else:
        page.text("Not measured beside others yet: `ddsp-tf evaluate` does that.")
    page.heading("Held-back mixtures")
    for noisy, clean in list(zip(held_back.noisy, held_back.clean, strict=True))[:_SHOWN]:
        restored = np.asarray(model({"audio": noisy[np.newaxis]}))[0]
        before, after = (float(si_sdr_db(clean[None], y[None])[0]) for y in (noisy, restored))
        page.text(f"SI-SDR {before:.1f} dB before, {after:.1f} dB after.")
        for sound, caption in ((noisy, "noisy"), (restored, "restored"), (clean, "clean")):
            page.sound(sound, rate, caption)
            page.figure(plots.plot_spectrogram(sound, rate, caption), caption)
        gains = mask_of(model, noisy)
        hz = np.arange(gains.shape[1]) * rate / (2.0 * (gains.shape[1] - 1))
        figure = plots.plot_gains(gains, model.spec.hop / rate, hz, "mask")
        page.figure(figure, "What the mask lets through")


def mask_of(model: Restoration, audio: Array) -> Array:
    """Gains of all bins, `[frames, n_bins]`, 0 to 1, for a sound `[samples]`."""
    frames = len(audio) // model.spec.hop * model.spec.hop
    spectra = model.spectra(tf.constant(audio[np.newaxis, :frames]))
    gains, _ = model.network(model.log_powers(tf.square(tf.abs(spectra))))
    return np.asarray(model.bin_gains(gains))[0]


def add_scores(page: Page, scores: dict) -> None:
    """Add the tables of an evaluation."""
    page.heading("Scores")
    conditions, examples = scores["conditions"], scores["examples"]
    figures = list(next(iter(next(iter(conditions.values())).values())))
    rows = [
        [f"{condition} ({examples[condition]}), {system}", *(_shown(name, found[name]) for name in figures)]
        for condition, systems in conditions.items()
        for system, found in systems.items()
    ]
    page.table(["held back (examples), system", *(FORMS[name] for name in figures)], rows)
    noises = scores["noises"]
    if noises:
        systems = list(next(iter(noises.values())))
        page.text("SI-SDR by recording of noise, dB, over all ratios.")
        page.table(
            ["noise", *systems],
            [[name, *(_shown("", found[system]) for system in systems)] for name, found in noises.items()],
        )


def _shown(name: str, value: float | None) -> str:
    return "-" if value is None else format(value, _FORMS.get(name, ".2f"))
