"""Does each instrument of a model of several keep its timbre? Spectral centroids and distances.

    ddsp-tf prepare RECORDINGS --out DATASET --config four_instruments
    python benchmarks/timbre.py DATASET --out FOLDER [--steps 1000]

trains `four_instruments` on the dataset (`FOLDER/instruments`), the same without knowing the instruments
(`FOLDER/absent`, the control), and the same with an encoder that listens (`FOLDER/latent`); what is there is
not trained again. Then each held-back passage is played by its own pitch and loudness as each instrument.

- Distance: multi-scale spectral distance of the rendering to the recording. An instrument keeps its timbre
  where its own column is the smallest of its row.
- Centroid: mean spectral centroid of all frames above -45 dB, Hz, by librosa.
- On the way from one instrument to another, played by the first passage of each, the centroid has to move
  from one to the other.

`FOLDER/timbre.md` has the tables, `FOLDER/timbre.png` the mean spectra, `FOLDER/ways.png` the ways.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))

import librosa
import numpy as np
from matplotlib.figure import Figure

from ddsp_edge.units import Array
from ddsp_tf.config import Config, load_config
from ddsp_tf.data import Passage, read_passages
from ddsp_tf.data.instruments import Instruments
from ddsp_tf.metrics import MultiScaleSpectralDistance
from ddsp_tf.models import Autoencoder
from ddsp_tf.tasks.instrument.evaluation.playing import features_of
from ddsp_tf.tasks.instrument.model.render import Renderer
from ddsp_tf.training import load_model_of_run, train

HEARD_DB = -45.0
FFT_SIZE = 1024
RUNS = {
    "instruments": (),
    "absent": ("model.instruments={}",),
    "latent": ("model.encoder={z_size: 8, units: 64}",),
}
WAY = (0.0, 0.25, 0.5, 0.75, 1.0)

Play = Callable[[Passage], Array]


def trained(data: Path, folder: Path, name: str, steps: int) -> Autoencoder:
    """The model of a run, which is trained or goes on if it has done fewer steps."""
    overrides = (*RUNS[name], f"training.steps={steps}")
    config = load_config("four_instruments", overrides)
    train(config, data, folder / name, resume=(folder / name).exists(), verbose=0, progress=print)
    return load_model_of_run(folder / name)


def centroid_hz(passages: Sequence[Passage], sounds: Sequence[Array], rate: int, hop: int) -> float:
    """Mean spectral centroid of the frames in which the recording is heard."""
    every = []
    for passage, sound in zip(passages, sounds, strict=True):
        each = librosa.feature.spectral_centroid(y=sound, sr=rate, n_fft=FFT_SIZE, hop_length=hop)[0]
        frames = min(len(each), len(passage.loudness_db))
        every.append(each[:frames][passage.loudness_db[:frames] > HEARD_DB])
    return float(np.concatenate(every).mean())


def distance(passages: Sequence[Passage], sounds: Sequence[Array]) -> float:
    """Mean multi-scale spectral distance, by length."""
    metric = MultiScaleSpectralDistance()
    for passage, sound in zip(passages, sounds, strict=True):
        metric.update_state(passage.audio[None], sound[None], sample_weight=[float(len(sound))])
    return float(metric.result())


def mean_spectrum_db(sounds: Sequence[Array]) -> Array:
    """Mean power spectrum, dB."""
    power = [np.abs(librosa.stft(sound, n_fft=FFT_SIZE)) ** 2 for sound in sounds]
    return 10.0 * np.log10(np.concatenate(power, axis=1).mean(axis=1) + 1e-9)


class Player:
    """Plays passages on one model: as the instruments that they are of, or as a mix."""

    def __init__(self, model: Autoencoder) -> None:
        self.model, self.renderer = model, Renderer(model, block_seconds=5.0)

    def __call__(self, passage: Passage, mix: dict[str, float] | None = None) -> Array:
        features = features_of(self.model, passage)
        if mix is not None and self.model.embedding is not None:
            features["instrument"] = self.model.embedding.weights_of(mix)
        self.renderer.reset()
        return self.renderer.render(**features)


def table(title: str, columns: Sequence[str], rows: dict[str, Sequence[float]], form: str) -> str:
    """A table in Markdown."""
    lines = [f"{title}\n", f"| | {' | '.join(columns)} |", f"| --- | {' | '.join(['---:'] * len(columns))} |"]
    lines += [f"| {name} | {' | '.join(format(v, form) for v in values)} |" for name, values in rows.items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Train, measure, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, metavar="DATASET")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--steps", type=int, default=1000)
    args = parser.parse_args()
    models = {name: trained(args.data, args.out, name, args.steps) for name in RUNS}
    config: Config = load_config("four_instruments")
    spec, instruments = config.spec, Instruments(config.model.instruments)
    rate, hop = spec.sample_rate, spec.hop
    passages: dict[str, list[Passage]] = {name: [] for name in instruments.names}
    for passage in read_passages(args.data, "validation", spec):
        own = instruments.names[int(np.argmax(instruments.weights_of(passage.source)))]
        passages[own].append(passage)
    player = Player(models["instruments"])
    players: dict[str, Play] = {f"as {n}": partial(player, mix={n: 1.0}) for n in instruments.names}
    players["instruments absent"] = Player(models["absent"])
    players["own, and listening"] = Player(models["latent"])
    distances: dict[str, list[float]] = {}
    centroids: dict[str, list[float]] = {}
    spectra = Figure(figsize=(12, 8), layout="constrained")
    frequencies = librosa.fft_frequencies(sr=rate, n_fft=FFT_SIZE)
    for name, axes in zip(passages, spectra.subplots(2, 2).flat, strict=True):
        recorded = [passage.audio for passage in passages[name]]
        sounds = {label: [play(p) for p in passages[name]] for label, play in players.items()}
        distances[name] = [distance(passages[name], played) for played in sounds.values()]
        centroids[name] = [
            centroid_hz(passages[name], played, rate, hop) for played in (recorded, *sounds.values())
        ]
        axes.plot(frequencies, mean_spectrum_db(recorded), "k", lw=2, label="recording")
        for label, played in sounds.items():
            axes.plot(frequencies, mean_spectrum_db(played), lw=1, label=label)
        axes.set(title=f"{name}, held back", xlabel="frequency, Hz", ylabel="power, dB")
    axes.legend()
    spectra.savefig(args.out / "timbre.png", dpi=80)
    text = table("Distance to the recording", list(players), distances, ".2f")
    text += "\n" + table("Spectral centroid, Hz", ["recording", *players], centroids, ".0f")
    first = [one[0] for one in passages.values()]
    ways: dict[str, list[float]] = {}
    for i, one in enumerate(instruments.names):
        for other in instruments.names[i + 1 :]:
            ways[f"{one} to {other}"] = [
                centroid_hz(first, [player(p, {one: 1.0 - w, other: w}) for p in first], rate, hop)
                for w in WAY
            ]
    text += "\n" + table("Spectral centroid on the way, Hz", [f"{w:g}" for w in WAY], ways, ".0f")
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for name, values in ways.items():
        axes.plot(WAY, values, marker="o", label=name)
    axes.set(xlabel="weight of the second", ylabel="spectral centroid, Hz")
    axes.legend()
    figure.savefig(args.out / "ways.png", dpi=80)
    (args.out / "timbre.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
