"""Does a transfer sound like the instrument that it is played on? Asked of a classifier of instruments.

    python benchmarks/naming.py KNOWN --real REAL --transfer SINGING.wav ... [--instruments violin flute ...]

KNOWN and REAL hold folders, or files whose names begin with an instrument: `violin/*.flac`, `violin-7.flac`.
A small classifier (support vectors of scikit-learn, on mel-cepstra without the level and how they move, of
windows of one second) learns from all of them, and from those of REAL eight times. How often it is right is
told for the recordings of REAL, a fifth of which it has not heard at a time (others of the same player it
may have). Then every instrument plays what `--transfer` names, as `ddsp-edge render --match-octave
--match-loudness` does, and the classifier says who plays. Where KNOWN has the notes that an instrument was
made from, it knows them again: docs/transfer.md has figures with them and without. Beside it stand: the
correlation of the loudness that was told and that which sounds, the level two seconds after the end of the
source, and how many samples are clipped.
"""

import argparse
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "export"))

import librosa
import numpy as np
import soundfile
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from ddsp_edge.features.loudness import loudness_db
from ddsp_edge.frames import FrameSpec
from ddsp_edge.model.file import read_model_file
from ddsp_edge.render.render import instrument_for_files, render_audio
from ddsp_edge.shipped import shipped_models
from ddsp_edge.units import Array, amplitude_to_db

RATE = 16_000
SECOND = RATE // 512  # frames of librosa's
CEPSTRA = 20
HEARD_DB = 40.0  # windows that are softer than the loudest by more are not judged
FOLDS = 5
EACH = 1200  # windows of each name that are learned from
SILENCE_S = 3  # after each source; the last second of it is judged
SAME = {"altosax": "saxophone", "tenorsax": "saxophone", "sax": "saxophone"}


def windows(path: Path) -> Array:
    """What the classifier hears of a recording, `[windows, 3 (CEPSTRA - 1)]`."""
    sound, _ = librosa.load(path, sr=RATE, mono=True)
    mel = librosa.feature.melspectrogram(y=sound, sr=RATE, n_fft=1024, hop_length=512, n_mels=64)
    cepstra = librosa.feature.mfcc(S=librosa.power_to_db(mel, top_db=80.0), n_mfcc=CEPSTRA)
    cepstra = cepstra[1:]  # the first is the level
    moves = np.diff(cepstra, axis=1, prepend=cepstra[:, :1])
    levels = librosa.power_to_db(mel.sum(axis=0))
    found = []
    for start in range(0, max(1, cepstra.shape[1] - SECOND + 1), SECOND // 2):
        part = slice(start, start + SECOND)
        if levels[part].max() < levels.max() - HEARD_DB:
            continue
        shape = cepstra[:, part]
        found.append(np.concatenate([shape.mean(axis=1), shape.std(axis=1), moves[:, part].std(axis=1)]))
    return np.asarray(found)


@dataclass
class Heard:
    """What the classifier learns from: of each recording its windows, who plays, and how often it counts.

    Args:
        windows: `[windows, 3 (CEPSTRA - 1)]` of each, as `windows` gives them.
        names: The instrument of each.
        weights: Integers, how often each is learned from.
    """

    windows: list[Array] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    weights: list[int] = field(default_factory=list)

    def add(self, found: Mapping[str, Sequence[Path]], weight: int = 1) -> None:
        """Hear recordings of each instrument, and learn from each so many times."""
        for name, paths in found.items():
            for path in paths:
                self.windows.append(windows(path))
                self.names.append(name)
                self.weights.append(weight)

    def classifier(self, leave_out: Sequence[int] = ()) -> Pipeline:
        """What names an instrument, having heard as much of each, but nothing of some recordings."""
        rng = np.random.default_rng(0)
        learned: dict[str, list[Array]] = defaultdict(list)
        for i, (name, heard, weight) in enumerate(zip(self.names, self.windows, self.weights, strict=True)):
            if i not in set(leave_out):
                learned[name] += [heard] * weight
        alike = {name: rng.choice(np.concatenate(each), EACH) for name, each in learned.items()}
        told = np.repeat(list(alike), EACH)
        return make_pipeline(StandardScaler(), SVC(C=3.0, probability=True, random_state=0)).fit(
            np.concatenate(list(alike.values())), told
        )


def name_of(classifier: Pipeline, heard: Array) -> str:
    """Who plays, by all windows of a recording together, `[windows, 3 (CEPSTRA - 1)]`."""
    return str(classifier.classes_[classifier.predict_log_proba(heard).mean(axis=0).argmax()])


def recordings(folder: Path, names: set[str]) -> dict[str, list[Path]]:
    """Sound files in a folder by the instrument that is named by their folder or their names."""
    found = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in (".wav", ".flac", ".mp3", ".ogg"):
            continue
        words = [path.parent.name, *path.stem.replace("_", "-").split("-")]
        known = [SAME.get(word, word) for word in words]
        name = next((word for word in known if word in names), None)
        if name is not None:
            found[name].append(path)
    return found


def judge(source: Path, name: str, folder: Path, match: bool) -> tuple[Path, dict[str, float]]:
    """A recording, with silence after it, played on an instrument, and what is measured of that."""
    out = folder / f"{source.stem}-{name}.wav"
    instrument = instrument_for_files(shipped_models()[name], seed=0)
    listener = Listener()
    with tempfile.TemporaryDirectory() as temporary:
        followed = Path(temporary) / "source.wav"
        sound, rate = soundfile.read(source)
        soundfile.write(
            followed, np.concatenate([sound, np.zeros((SILENCE_S * rate, *sound.shape[1:]))]), rate
        )
        render_audio(instrument, followed, out, watches=[listener], match_octave=match, match_loudness=match)
    sound, rate = soundfile.read(out)
    wanted = np.concatenate(listener.loudness_db)
    sounding = loudness_db(sound, FrameSpec(rate, instrument.spec.hop))[: len(wanted)]
    heard = wanted > wanted.max() - HEARD_DB
    last = sound[(len(wanted) * instrument.spec.hop) - rate :][:rate]
    return out, {
        "correlation": float(np.corrcoef(wanted[heard], sounding[heard])[0, 1]),
        "silence": float(amplitude_to_db(np.sqrt(np.mean(last**2)), -120.0)),
        "clipped": float(np.sum(np.abs(sound) >= 1.0 - 2.0**-15)),
    }


class Listener:
    """Keeps the loudness that an instrument is told, dB `[frames]` each time."""

    def __init__(self) -> None:
        self.loudness_db: list[Array] = []

    def heard(self, f0_hz: Array, loudness_db: Array) -> None:
        """Nothing."""

    def told(self, f0_hz: Array, loudness_db: Array, controls: Mapping[str, Array]) -> None:
        """Keep it."""
        self.loudness_db.append(np.asarray(loudness_db))


def main() -> None:
    """Learn, say how well, and judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("known", type=Path, nargs="+", metavar="KNOWN")
    parser.add_argument("--real", type=Path, nargs="+", required=True, metavar="FOLDER")
    parser.add_argument("--transfer", type=Path, nargs="+", required=True, metavar="RECORDING")
    parser.add_argument("--instruments", nargs="+", metavar="NAME")
    parser.add_argument("--as-it-is", action="store_true", help="match neither octave nor loudness")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where the transfers go")
    args = parser.parse_args()
    shipped = [n for n, path in shipped_models().items() if read_model_file(path).card.task == "instrument"]
    instruments = args.instruments or shipped
    names, heard = set(shipped), Heard()
    for folder in args.known:
        heard.add(recordings(folder, names))
    first_real = len(heard.names)
    for folder in args.real:
        heard.add(recordings(folder, names), weight=8)
    real = range(first_real, len(heard.names))
    right: Counter[str] = Counter()
    for fold in range(FOLDS):
        left = [i for i in real if i % FOLDS == fold]
        classifier = heard.classifier(left)
        right.update(heard.names[i] for i in left if name_of(classifier, heard.windows[i]) == heard.names[i])
    counts = Counter(heard.names[i] for i in real)
    print(f"{len(heard.names)} recordings, {sum(map(len, heard.windows))} windows, {len(names)} names")
    print(f"real recordings named right: {sum(right.values())} of {len(real)}: ", end="")
    print(", ".join(f"{name} {right[name]} of {count}" for name, count in sorted(counts.items())))
    classifier = heard.classifier()
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        print("| instrument | named so | named otherwise | loudness correlation | in silence, dB | clipped |")
        print("| --- | ---: | --- | ---: | ---: | ---: |")
        hits = 0
        for name in instruments:
            named, measured = Counter[str](), []
            for source in args.transfer:
                out, found = judge(source, name, folder, not args.as_it_is)
                named[name_of(classifier, windows(out))] += 1
                measured.append(found)
            hits += named[name]
            others = ", ".join(f"{other} {n}" for other, n in named.most_common() if other != name)
            correlation = np.mean([found["correlation"] for found in measured])
            silence = max(found["silence"] for found in measured)
            clipped = sum(found["clipped"] for found in measured)
            print(
                f"| {name} | {named[name]} of {len(measured)} | {others} | {correlation:.3f} "
                f"| {silence:.0f} | {clipped:.0f} |",
                flush=True,
            )
        total = len(instruments) * len(args.transfer)
        print(f"named as what they are: {hits} of {total}, {100 * hits / total:.0f} %")


if __name__ == "__main__":
    main()
