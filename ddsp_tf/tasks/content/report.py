"""What the report of a run shows: a held-back passage, its phones and those that were found."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ddsp_edge.features.log_mel import log_mel
from ddsp_tf.config.sections import Config
from ddsp_tf.tasks.content.evaluation import heard
from ddsp_tf.tasks.content.examples import PhoneExamples
from ddsp_tf.tasks.content.model import ContentModel
from ddsp_tf.tasks.content.phones import PHONES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ddsp_edge.units import Array
    from ddsp_tf.reports.html import Page

_SECONDS = 4.0


def show_results(page: "Page", model: ContentModel, data: Path) -> None:
    """Add a passage: its bands, its content, and phones as labelled and as named."""
    from matplotlib.figure import Figure

    config = Config.from_dict(model.facts["config"])
    audio, labels = PhoneExamples(data, "validation", config).passage(0)  # type: ignore[arg-type]
    samples = min(len(audio), config.spec.n_samples(config.spec.frames_for(_SECONDS)))
    audio = audio[:samples]
    content, found = heard(model, audio)
    labels = labels[: len(found)]
    page.heading("Held-back speech")
    page.sound(audio, config.sample_rate, "The passage")
    figure = Figure(figsize=(12.0, 6.0), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    end_s = config.spec.seconds(len(found))
    above.imshow(
        log_mel(audio, config.spec).T, origin="lower", aspect="auto", extent=(0, end_s, 0, 40), cmap="magma"
    )
    above.set_ylabel("mel band")
    below.imshow(np.asarray(content).T, origin="lower", aspect="auto", extent=(0, end_s, 0, content.shape[1]))
    below.set_ylabel("channel of content")
    below.set_xlabel("time, s")
    _mark(above, labels, config.spec.seconds(1), 41.0)
    _mark(below, found, config.spec.seconds(1), content.shape[1] + 0.3)
    page.figure(figure, "Mel bands with the phones that are labelled; content with those that it names.")


def _mark(axes: "Axes", track: "Array", frame_s: float, height: float) -> None:
    """Write phones above a picture."""
    begins = np.flatnonzero(np.diff(track, prepend=-9))
    ends = np.append(begins[1:], len(track))
    for begin, end in zip(begins, ends, strict=True):
        number = int(track[begin])
        if end - begin >= 3 and number >= 0:
            axes.text((begin + end) / 2 * frame_s, height, PHONES[number], ha="center", fontsize=7)
