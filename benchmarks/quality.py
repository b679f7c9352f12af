"""How good is an instrument on recordings that it has never seen? By measures that nothing was trained on.

    ddsp-tf prepare UNSEEN.flac --out unseen
    python benchmarks/quality.py unseen RUN [RUN|FILE.tflite ...]
    python benchmarks/quality.py unseen RUN --pictures FOLDER           spectrograms at changes of note
    python benchmarks/quality.py DATASET RUN --held-back                what a run's own dataset holds back
    python benchmarks/quality.py unseen RUN --ceiling 300               and controls fitted in so many steps

plays each recording of the dataset by its own pitch, loudness and further features, as each run and model
file does, and prints a table with a column for each: log-spectral distance, log-mel distance by band, error
and correlation of loudness, pitch, centroid, levels of partials and how far they move on a held note, and at
changes of note: how loud the old note still is 112 ms after it, how far the level sinks at the joint, and the
distance and the level by band in the first 50 ms. `benchmarks/likeness.py` says what each is. Beside them
stand a sawtooth with the mean spectrum of the recordings, made exactly as loud; the first instrument against
itself with other noise: what no instrument with noise in it can be better than; and, where `--ceiling` asks
for it, the processors of the first run with controls that were fitted to the recording frame by frame, by so
many steps from what the network says: about what the synthesizer can do in its room.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "export"))

import numpy as np
from matplotlib.figure import Figure

from benchmarks.ceiling import play_fitted
from benchmarks.likeness import Likeness
from ddsp_edge.instrument import Instrument
from ddsp_edge.units import Array
from ddsp_tf.data import Passage, read_passages
from ddsp_tf.data.further import further_of
from ddsp_tf.data.records.info import load_dataset_info
from ddsp_tf.features.f0 import F0Estimator
from ddsp_tf.features.f0_estimators import f0_estimator_as_recorded
from ddsp_tf.frames import FrameSpec
from ddsp_tf.metrics.pitch import octave_error_rate, raw_pitch_accuracy
from ddsp_tf.tasks.instrument.evaluation.baseline import mean_distribution, play_mean_spectrum
from ddsp_tf.tasks.instrument.evaluation.playing import features_of
from ddsp_tf.tasks.instrument.model.load import load_instrument
from ddsp_tf.tasks.instrument.model.render import Renderer

Play = Callable[[Passage], Array]
CEILING = "fitted controls"


def player(path: Path) -> tuple[Play, FrameSpec]:
    """What plays a passage on a run, or on a model file."""
    if path.is_file():
        instrument = Instrument(path)  # other noise every time, as a run has it

        def play_file(passage: Passage) -> Array:
            instrument.reset()
            further = further_of(tuple(instrument.card.further), passage, instrument.spec)
            return instrument.process(passage.f0_hz, passage.loudness_db, **further)

        return play_file, instrument.spec
    model = load_instrument(path)
    renderer = Renderer(model)

    def play_run(passage: Passage) -> Array:
        renderer.reset()
        return renderer.render(**features_of(model, passage))

    return play_run, model.spec


def passages_of(folder: Path, spec: FrameSpec, held_back: bool) -> Iterable[Passage]:
    """The passages of a dataset, all or those held back."""
    for split in ("validation",) if held_back else ("train", "validation"):
        yield from read_passages(folder, split, spec)


def mean_of(scores: list[dict[str, float]]) -> dict[str, float]:
    """Means of each measure over the passages that have it."""
    names = dict.fromkeys(name for score in scores for name in score)
    return {name: float(np.nanmean([s[name] for s in scores if name in s])) for name in names}


def likeness_to(sound: Array, passage: Passage, spec: FrameSpec) -> Likeness:
    """What is like a sound `[samples]` that has the pitch of a passage."""
    f0_hz = np.where(passage.voiced, passage.f0_hz, 0.0)
    return Likeness(sound, f0_hz, spec.hop, spec.sample_rate)


def pitch_of(sound: Array, passage: Passage, spec: FrameSpec, tracker: F0Estimator) -> dict[str, float]:
    """How right the pitch of a sound `[samples]` is, tracked as the passage was, where both have one, %."""
    tracked = tracker.estimate(sound.astype(np.float32), spec).f0_hz[: len(passage.f0_hz)]
    both = passage.voiced & (tracked > 0.0)
    if not both.any():
        return {}
    pair = passage.f0_hz[both], tracked[both]
    return {
        "f0 within 50 cents, %": 100.0 * raw_pitch_accuracy(*pair),
        "octave errors, %": 100.0 * octave_error_rate(*pair),
    }


def judge(
    passages: list[Passage], players: dict[str, Play], spec: FrameSpec, tracker: F0Estimator
) -> dict[str, dict[str, float]]:
    """Measures by name, of each player and of what it stands beside."""
    spectrum = mean_distribution(passages, spec)
    players["sawtooth, mean spectrum"] = lambda p: play_mean_spectrum(spectrum, p.f0_hz, p.loudness_db, spec)
    first = next(iter(players.values()))
    scores: dict[str, list[dict[str, float]]] = {name: [] for name in (*players, "itself, other noise")}
    recorded: list[dict[str, float]] = []
    for passage in passages:
        likeness = likeness_to(passage.audio, passage, spec)
        for name, play in players.items():
            sound = play(passage)
            scores[name].append({**likeness.of(sound), **pitch_of(sound, passage, spec, tracker)})
        once = likeness_to(first(passage), passage, spec)
        scores["itself, other noise"].append(once.of(first(passage)))
        recorded.append(likeness.of(passage.audio))
    found = {name: mean_of(each) for name, each in scores.items()}
    found["recording"] = mean_of(recorded)
    return found


def pictures(passages: list[Passage], players: dict[str, Play], spec: FrameSpec, folder: Path) -> None:
    """Spectrograms of the recording and of each player around the first changes of note."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, passage in enumerate(passages[:3]):
        likeness = likeness_to(passage.audio, passage, spec)
        if not likeness.changes:
            continue
        middle = likeness.changes[len(likeness.changes) // 2].frame * likeness.hop
        part = slice(max(0, middle - spec.sample_rate), middle + spec.sample_rate)
        sounds = {"recording": passage.audio, **{name: play(passage) for name, play in players.items()}}
        figure = Figure(figsize=(11.0, 2.6 * len(sounds)), layout="constrained")
        for axes, (name, sound) in zip(figure.subplots(len(sounds), 1).flat, sounds.items(), strict=True):
            axes.specgram(
                sound[part] + 1e-9,
                NFFT=likeness.size,
                Fs=spec.sample_rate,
                noverlap=likeness.size * 7 // 8,
                vmin=-140,
                vmax=-40,
                cmap="magma",
            )
            axes.set(
                title=name,
                xlabel="time, s",
                ylabel="frequency, Hz",
                ylim=(0, min(8000, spec.sample_rate / 2)),
            )
        figure.savefig(folder / f"change-{number}.png", dpi=80)


def main() -> None:
    """Judge, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, metavar="DATASET")
    parser.add_argument("instruments", type=Path, nargs="+", metavar="RUN")
    parser.add_argument("--held-back", action="store_true", help="only what the dataset holds back")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER")
    parser.add_argument("--ceiling", type=int, metavar="STEPS", help="fit controls to the recordings too")
    args = parser.parse_args()
    made = {path.stem if path.is_file() else path.name: player(path) for path in args.instruments}
    spec = next(iter(made.values()))[1]
    for name, (_, other) in made.items():
        if other != spec:
            parser.error(
                f"{name} has {other.sample_rate} Hz and {float(other.frame_rate):g} frames a second, the "
                f"first {spec.sample_rate} and {float(spec.frame_rate):g}: judge it by itself"
            )
    players = {name: play for name, (play, _) in made.items()}
    if args.ceiling:
        runs = [path for path in args.instruments if path.is_dir()]
        if not runs:
            parser.error("--ceiling fits the controls of a run: name one, beside model files")
        model = load_instrument(runs[0])
        players[CEILING] = lambda passage: play_fitted(model, passage, args.ceiling)
    passages = list(passages_of(args.data, spec, args.held_back))
    if args.pictures is not None:
        pictures(passages, players, spec, args.pictures)
    tracker = f0_estimator_as_recorded(load_dataset_info(args.data).f0_estimator)
    found = judge(passages, players, spec, tracker)
    print(f"| {sum(len(p.audio) for p in passages) / spec.sample_rate:.0f} s | {' | '.join(found)} |")
    print(f"| --- | {' | '.join(['---:'] * len(found))} |")
    for name in dict.fromkeys(key for scores in found.values() for key in scores):
        digits = 3 if "correlation" in name else 1 if "%" in name or "cents" in name else 2
        cells = (f"{scores[name]:.{digits}f}" if name in scores else "" for scores in found.values())
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
