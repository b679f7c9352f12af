"""What the report of a run shows of a transcriber: a held-back mixture, seen and heard."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ddsp_edge.files.audio_file import AudioReader
from ddsp_edge.transcription.decode import Thresholds
from ddsp_edge.transcription.files import Transcript
from ddsp_edge.transcription.harmonics import features_of
from ddsp_edge.transcription.names import NAMES
from ddsp_edge.transcription.naming import Namer, named
from ddsp_edge.transcription.note import Note
from ddsp_edge.transcription.resynthesis import played
from ddsp_edge.transcription.spectra import FIRST_MIDI, HOP, LAST_MIDI, SAMPLE_RATE, log_spectra
from ddsp_edge.units import Array
from ddsp_tf.frames import FrameSpec
from ddsp_tf.metrics.notes import score_notes
from ddsp_tf.reports.html import Page
from ddsp_tf.tasks.transcription.evaluation import COUNTS, THRESHOLDS, Heard, judged
from ddsp_tf.tasks.transcription.examples import LEAD_FRAMES, MixtureExamples
from ddsp_tf.tasks.transcription.hearing import transcription_config
from ddsp_tf.training.evaluation import load_evaluation

_COLOURS = ("#e41a1c", "#ff9f1c", "#2ec4b6", "#8f5bff", "#f06ec4", "#4daf4a", "#ffe14d", "#6ea8fe")
_SECONDS = 10.0
_SHOWN_S = 60.0


def show_results(page: Page, run: Path, model: Any, data: Path) -> None:
    """Scores, and a held-back mixture with its notes and those that were found."""
    config = transcription_config(run)
    evaluation = load_evaluation(run)
    if evaluation:
        page.heading("Scores on mixtures of held-back recordings")
        rows = [
            [name, f"{value:g}"] for name, value in evaluation.items() if name not in (COUNTS, THRESHOLDS)
        ]
        page.table(["", ""], rows)
    seconds = min(_SECONDS, 0.5 * config.data.passage_seconds)
    seconds = max(seconds, config.training.clip_seconds)
    examples = MixtureExamples(data, "validation", config, frames=config.spec.frames_for(seconds))
    clip = examples.place(min(2, len(examples.fitting()) - 1), 0)
    mixture = examples.mixture(clip)
    spectra = log_spectra(mixture.audio, config.spec)
    logits = np.asarray(model({"spectra": spectra[np.newaxis]})["roll"])[0]
    roll = np.asarray(1.0 / (1.0 + np.exp(-logits)), np.float32)
    lead_s = config.spec.seconds(LEAD_FRAMES)
    truth = [
        Note(max(0.0, float(a)), float(b), float(p), int(v), NAMES[int(i)] if i >= 0 else "")
        for a, b, p, v, i in mixture.notes
        if a > lead_s
    ]
    heard = Heard(spectra, roll, truth, clip.instruments, [])
    thresholds = Thresholds.from_plain(evaluation.get(THRESHOLDS, {}))
    judgement = judged(heard, config, thresholds)
    features = features_of(judgement.fits)
    likelihoods = Namer(model.namer_arrays(evaluation.get(COUNTS, ()))).log_likelihoods(features)
    found = named(judgement.notes, likelihoods)
    page.heading("A mixture of held-back recordings")
    page.figure(plot_notes(spectra, found, config.spec.hop / config.spec.sample_rate), "The notes found")
    page.figure(plot_notes(spectra, truth, config.spec.hop / config.spec.sample_rate), "The notes there are")
    rate = config.spec.sample_rate
    page.sound(_levelled(mixture.audio), rate, "the mixture")
    length = len(mixture.audio)
    page.sound(_levelled(played(found, rate, length)), rate, "what was understood of it, as plain harmonics")


def write_page(path: Path, source: Path, found: Transcript, truth: Sequence[Note] = ()) -> None:
    """Write a page about a recording: its notes over its spectra, the truth below, and players for both.

    Args:
        path: Where to; one file.
        source: The recording; its first minute is shown and played.
        found: What was heard in it.
        truth: Its notes, where they lie beside it.
    """
    rate, frame_s = SAMPLE_RATE, HOP / SAMPLE_RATE
    blocks: list[Array] = []
    with AudioReader(source, rate) as reader:
        for block in reader.blocks():
            blocks.append(block)
            if sum(map(len, blocks)) >= _SHOWN_S * rate:
                break
    audio = np.concatenate(blocks)[: int(_SHOWN_S * rate)]
    spectra = log_spectra(audio, FrameSpec(rate, HOP))
    shown = [note for note in found.notes if note.onset_s < len(audio) / rate]
    page = Page(f"{source.name}: {len(found.notes)} notes in {found.seconds:.1f} s")
    if found.parts():
        rows = [[name, str(count), f"{sure:.0%}"] for name, count, sure in found.parts()]
        page.table(["instrument", "notes", "sure of the name"], rows)
    page.figure(plot_notes(spectra, shown, frame_s), "The notes found, over the spectra of the recording")
    if truth:
        score, with_ends = (score_notes(truth, found.notes, offsets=offsets) for offsets in (False, True))
        page.figure(
            plot_notes(spectra, [n for n in truth if n.onset_s < len(audio) / rate], frame_s),
            f"The notes that lie beside the recording: {score.recall:.0%} of them were found, "
            f"{score.precision:.0%} of those found are there; F1 {score.f1:.3f}, with ends "
            f"{with_ends.f1:.3f}",
        )
    page.sound(_levelled(audio), rate, "the recording")
    page.sound(_levelled(played(shown, rate, len(audio))), rate, "what was understood, as plain harmonics")
    page.write(path)


def plot_notes(spectra: Array, notes: Sequence[Note], frame_s: float) -> Figure:
    """Piano roll, coloured by instrument, over the spectra of the long window `[frames, 288, 2]`."""
    figure = Figure(figsize=(11, 5), layout="constrained")
    axes = figure.subplots()
    extent = (0.5 * frame_s, (len(spectra) + 0.5) * frame_s, FIRST_MIDI - 0.17, LAST_MIDI - 0.17)
    axes.imshow(spectra[:, :, 0].T, origin="lower", aspect="auto", extent=extent, cmap="gray_r", alpha=0.7)
    names = list(dict.fromkeys(note.instrument for note in notes))
    for note in notes:
        colour = _COLOURS[names.index(note.instrument) % len(_COLOURS)]
        axes.plot(
            [note.onset_s, note.offset_s], [note.pitch] * 2, color=colour, lw=3.5, solid_capstyle="butt"
        )
        axes.plot([note.onset_s], [note.pitch], "|", color=colour, ms=9, mew=2)
    for name in names:
        colour = _COLOURS[names.index(name) % len(_COLOURS)]
        axes.plot([], [], color=colour, lw=4, label=name or "notes")
    pitches = [note.pitch for note in notes] or [60.0]
    axes.set_ylim(min(pitches) - 6, max(pitches) + 18)
    axes.set_xlabel("time, s")
    axes.set_ylabel("MIDI note")
    axes.legend(loc="upper right", fontsize=8)
    return figure


def _levelled(audio: Array) -> Array:
    return np.asarray(0.5 * audio / max(1e-6, float(np.abs(audio).max(initial=0.0))), np.float32)
