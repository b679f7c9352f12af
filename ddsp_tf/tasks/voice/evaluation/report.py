"""What the report of a run shows of a voice: held-back speech and its conversions, to see and to hear."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ddsp_edge.units import Array
from ddsp_tf.reports.html import Page
from ddsp_tf.tasks.voice.evaluation.evaluate import converted, somebody_else
from ddsp_tf.tasks.voice.examples import VoiceExamples, inputs_of
from ddsp_tf.tasks.voice.model import Voice
from ddsp_tf.training.evaluation import load_evaluation
from ddsp_tf.training.run import load_config_of_run

_SECONDS = 6.0


def show_results(page: Page, run: Path, model: Voice, data: Path) -> None:
    """Scores; a held-back passage, itself through the model, and somebody else's converted."""
    config: Any = load_config_of_run(run)
    evaluation = load_evaluation(run)
    if evaluation:
        page.heading("Scores")
        page.table(
            ["", ""], [[name, f"{v:g}"] for name, v in evaluation.items() if isinstance(v, int | float)]
        )
        for remark in evaluation.get("remarks", []):
            page.text(remark)
    spec = config.spec
    examples = VoiceExamples(data, "validation", config)
    passage, frames = examples.passage(0), spec.frames_for(_SECONDS)
    inputs = {name: v[np.newaxis] for name, v in inputs_of(passage, slice(0, frames), spec.hop).items()}
    voice = examples.voice(0)
    name = None
    if voice is not None:
        inputs["voice"] = voice[np.newaxis]
        name = list(config.voices)[int(np.argmax(voice))]
    audio = inputs["audio"][0]
    other = somebody_else(audio)
    page.heading("Held-back speech")
    for sound, caption in (
        (audio, "As it is."),
        (np.asarray(model(inputs))[0], "Itself, through the model."),
        (other, "As somebody else would say it: slower, lower, from a longer tract."),
        (converted(model, other, name), "That, converted."),
    ):
        page.sound(sound, spec.sample_rate, caption)
        page.figure(_spectrogram(sound, spec.sample_rate), caption)


def _spectrogram(audio: Array, sample_rate: int) -> Figure:
    figure = Figure(figsize=(11.0, 2.6), layout="constrained")
    axes = figure.subplots()
    axes.specgram(audio + 1e-6, NFFT=512, Fs=sample_rate, noverlap=384, vmin=-130, vmax=-30, cmap="magma")
    axes.set_xlabel("time, s")
    axes.set_ylabel("frequency, Hz")
    return figure
