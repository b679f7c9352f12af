"""What the report of a run shows: a held-back passage, its pitch and the one that was heard."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ddsp_tf.tasks.pitch.evaluation import heard, tracked
from ddsp_tf.tasks.pitch.examples import PitchExamples, features_of
from ddsp_tf.tasks.pitch.model import PitchModel

if TYPE_CHECKING:
    from ddsp_edge.units import Array
    from ddsp_tf.reports.html import Page

_SECONDS = 4.0


def show_results(page: "Page", model: PitchModel, data: Path) -> None:
    """Add a passage: what repeats itself in it, with pitch as labelled, as heard, and as tracked without."""
    from matplotlib.figure import Figure

    config = model.config
    audio, labels = PitchExamples(data, "validation", config).passage(0)
    samples = min(len(audio), config.spec.n_samples(config.spec.frames_for(_SECONDS)))
    audio, labels = audio[:samples], labels[: samples // config.spec.hop]
    grid = model.pitches_hz
    repetition = features_of(audio, config.spec, config.data)["repetition"][:, : len(grid)]
    page.heading("Held-back speech")
    page.sound(audio, config.sample_rate, "The passage")
    figure = Figure(figsize=(12.0, 6.0), layout="constrained")
    axes = figure.subplots()
    end_s = config.spec.seconds(len(repetition))
    axes.imshow(
        repetition.T,
        origin="lower",
        aspect="auto",
        extent=(0.0, end_s, 0.0, float(len(grid))),
        cmap="gray_r",
    )
    times = (np.arange(len(repetition)) + 1) * config.spec.seconds(1)

    def draw(f0_hz: "Array", style: str, label: str) -> None:
        place = np.log(np.where(f0_hz > 0.0, f0_hz, np.nan) / grid[0]) / np.log(grid[1] / grid[0])
        axes.plot(times[: len(place)], place, style, markersize=4.0, label=label)

    draw(tracked(config, audio), "c.", "tracker of the device")
    draw(labels, "go", "label")
    draw(heard(model, config, audio), "r.", "heard")
    ticks = np.arange(0, len(grid), 24)
    axes.set_yticks(ticks, [f"{grid[i]:.0f}" for i in ticks])
    axes.set_ylabel("Hz")
    axes.set_xlabel("time, s")
    axes.legend(loc="upper right")
    page.figure(figure, "How well the sound repeats itself after each period (dark), and its pitch.")
