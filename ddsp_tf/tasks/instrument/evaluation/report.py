"""The report of an instrument: listen, look, compare."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ddsp_edge.features.loudness import loudness_db
from ddsp_edge.files.audio_file import read_audio
from ddsp_edge.model.file import read_instrument_file
from ddsp_edge.units import Array
from ddsp_tf.data.reading import Passage, read_passages
from ddsp_tf.data.records.info import load_dataset_info
from ddsp_tf.errors import DdspError
from ddsp_tf.features.f0_estimators import f0_estimator_as_recorded
from ddsp_tf.layers.branches import ROOMS, branch_kinds
from ddsp_tf.reports import plots
from ddsp_tf.reports.html import Page
from ddsp_tf.reports.log import numbers
from ddsp_tf.tasks.instrument.evaluation.baseline import mean_distribution
from ddsp_tf.tasks.instrument.evaluation.playing import features_of
from ddsp_tf.tasks.instrument.model.autoencoder import Autoencoder
from ddsp_tf.tasks.instrument.model.render import Renderer, as_batch
from ddsp_tf.tasks.task import Log
from ddsp_tf.training.branch_watch import branch_warnings
from ddsp_tf.training.callbacks import read_log
from ddsp_tf.training.evaluation import load_evaluation
from ddsp_tf.training.group_model import RECORDING
from ddsp_tf.training.run import load_model_of_run


@dataclass(frozen=True)
class Rendering:
    """A sound that was rendered, and what it was rendered from.

    Args:
        title: What it is.
        output: The sound file.
        input: The sound file it follows; None for a MIDI file.
    """

    title: str
    output: Path
    input: Path | None = None


@dataclass(frozen=True)
class DeviceFigures:
    """What the device side measured of one model file.

    Args:
        path: The model file.
        bench: What `ddsp-edge bench --json` printed.
    """

    path: Path
    bench: dict[str, Any] = field(default_factory=dict)


def write_report(
    path: Path,
    run: Path,
    data: Path,
    renderings: list[Rendering],
    devices: list[DeviceFigures],
    *,
    title: str,
) -> None:
    """Write one HTML file that shows an instrument from its data to the device.

    Args:
        path: Where to.
        run: The run folder, evaluated.
        data: The dataset it was trained on.
        renderings: What was rendered with it.
        devices: The files exported from it.
        title: Heading of the page.

    Raises:
        DdspError: If the run was not evaluated, or anything is damaged.
    """
    model = load_model_of_run(run)
    passage = _held_back(data, model)
    page = Page(title)
    add_scores(page, run, data)
    add_resynthesis(page, model, passage)
    for rendering in renderings:
        _rendering(page, model, rendering)
    add_learned(page, model, data, passage)
    page.heading("Training")
    page.figure(plots.plot_loss(read_log(run)), "Loss a step, on clips for training and held back")
    page.code(model.processors.table())
    _devices(page, devices)
    page.write(path)


def show_results(page: Page, run: Path, model: Autoencoder, data: Path, log: Log) -> None:
    """Add what there is to hear and see of a run's results, its scores, and warnings.

    Raises:
        DdspError: If nothing is held back.
    """
    passage = _held_back(data, model)
    kinds = branch_kinds(model.processors)
    levels = {name: value for name, value in numbers(log[-1]).items() if name.endswith("_db")}
    if RECORDING in levels:
        for warning in branch_warnings(kinds, levels).values():
            page.text(f"Warning: {warning}.")
    if load_evaluation(run):
        add_scores(page, run, data)
    else:
        page.text("Not measured against baselines yet: `ddsp-tf evaluate` does that.")
    add_resynthesis(page, model, passage)


def show_model(page: Page, model: Autoencoder, data: Path) -> None:
    """Add what a model has learned, and its processors."""
    add_learned(page, model, data, _held_back(data, model))
    page.code(model.processors.table())


def _held_back(data: Path, model: Autoencoder) -> Passage:
    passage = next(iter(read_passages(data, "validation", model.spec)), None)
    if passage is None:
        raise DdspError(f"{data} holds nothing back for validation")
    return passage


def add_scores(page: Page, run: Path, data: Path) -> None:
    """Add the table of what `evaluate` measured."""
    scores = load_evaluation(run)
    if not scores:
        raise DdspError(f"{run} was not evaluated: run `ddsp-tf evaluate` first")
    info = load_dataset_info(data)
    page.heading("How good it is")
    page.text(
        f"Trained on {info.train_seconds:.0f} s of sound, measured on {scores['seconds']:.0f} s that "
        "training has not seen. Smaller is better for distance and loudness; pitch was tracked by "
        f"{scores['f0_estimator']}."
    )
    rows = []
    for key, name in (
        ("trained", "trained"),
        ("untrained", "untrained"),
        ("mean_spectrum", "mean spectrum at the right pitch and loudness"),
    ):
        row = scores[key]
        f0 = row["f0_within_50_cents"]
        rows.append(
            (
                name,
                f"{row['spectral_distance']:.3f}",
                f"{row['loudness_l1_db']:.2f}",
                "" if f0 is None else f"{100 * f0:.1f}",
            )
        )
    page.table(["", "spectral distance", "loudness L1, dB", "f0 within 50 cents, %"], rows)


def add_resynthesis(page: Page, model: Autoencoder, passage: Passage) -> None:
    """Add a passage and its resynthesis, to be heard and seen."""
    rate = model.spec.sample_rate
    rendered = Renderer(model).render(**features_of(model, passage))
    page.heading("Resynthesis of a held-back passage")
    for name, audio in (("recording", passage.audio), ("resynthesis", rendered)):
        page.sound(audio, rate, f"The {name}")
        page.figure(plots.plot_spectrogram(audio, rate), f"Spectrogram of the {name}")
    voiced = np.where(passage.voiced, passage.f0_hz, 0.0)
    estimator = f0_estimator_as_recorded(model.instrument["f0_estimator"])
    track = estimator.estimate(rendered, model.spec)
    page.figure(
        plots.plot_features(
            {
                "recording": (voiced, passage.loudness_db),
                "resynthesis": (track.f0_hz, loudness_db(rendered, model.spec)),
            },
            model.spec,
        ),
        "Fundamental frequency and loudness of both",
    )


def _rendering(page: Page, model: Autoencoder, rendering: Rendering) -> None:
    page.heading(rendering.title)
    rate = model.spec.sample_rate
    files = {"input": rendering.input, "output": rendering.output}
    for name, file in files.items():
        if file is None:
            continue
        audio, _ = read_audio(file, rate)
        page.sound(audio, rate, f"The {name}: {file.name}")
        page.figure(plots.plot_spectrogram(audio, rate), f"Spectrogram of the {name}")


def add_learned(page: Page, model: Autoencoder, data: Path, passage: Passage) -> None:
    """Add the harmonic distributions and impulse responses that a model has learned."""
    page.heading("What it learned")
    controls = model.get_controls(as_batch(features_of(model, passage)))
    measured: Array = mean_distribution(read_passages(data, "train", model.spec), model.spec)
    for node in model.processors.nodes:
        if node.type == "Harmonic":
            shares = np.asarray(controls[node.name]["distribution"])[0]
            amplitude = np.asarray(controls[node.name]["amplitude"])[0]
            learned = (shares * amplitude).sum(axis=0) / amplitude.sum()
            page.figure(
                plots.plot_harmonic_distributions(
                    {"learned": learned, "measured in the training data": measured[: len(learned)]}
                ),
                "Mean harmonic distribution",
            )
        if node.type in ROOMS:
            response = np.asarray(controls[node.name]["impulse_response"])
            page.figure(
                plots.plot_impulse_response(response, model.spec.sample_rate),
                "Learned impulse response; the direct path is 0 dB",
            )


def _devices(page: Page, devices: list[DeviceFigures]) -> None:
    if not devices:
        return
    page.heading("On the device")
    rows = []
    for device in devices:
        card = read_instrument_file(device.path).card
        quality = card.quality
        rows.append(
            (
                device.path.name,
                card.quantization,
                f"{device.path.stat().st_size / 1000:.0f}",
                f"{quality['harmonic_level_error_db_mean']:.3f}",
                f"{quality['spectral_distance_change_percent']:+.2f}",
                f"{quality['network_us_per_frame']:.0f}",
                f"{quality['real_time_factor_by_hops']:.0f}",
            )
        )
    page.table(
        [
            "file",
            "weights",
            "size, kB",
            "level error, dB",
            "spectral distance against Keras, %",
            "network, us a frame",
            "times real time",
        ],
        rows,
    )
    page.text("Measured on this machine in one thread, without TensorFlow, one hop at a time.")
    for device in devices:
        if device.bench:
            page.code(f"ddsp-edge bench {device.path.name}\n{json.dumps(device.bench, indent=1)}")
