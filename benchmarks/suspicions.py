"""How often what `prepare` suspects is there, on recordings of which it is known.

    python benchmarks/suspicions.py RECORDINGS                as `prepare` does
    python benchmarks/suspicions.py RECORDINGS --f0 pyin      by another estimator

RECORDINGS is a folder with `f0-exact`, `rendered`, `voice` and `medley-solos` (one note at a time) and
`mixtures` (several). Passages are the first ten seconds of each file. What is wrong with them is put there: a
second recording mixed in, f0 doubled and halved, noise, hum, rooms of exponentially decaying noise as loud as
the direct sound.
"""

import argparse
import itertools
import sys
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import scipy.signal

from ddsp_edge.features.loudness import loudness_db
from ddsp_edge.files.audio_file import read_audio
from ddsp_edge.units import Array
from ddsp_tf.data import feature_grid
from ddsp_tf.data.quality.quality import Quality, measure_quality
from ddsp_tf.data.quality.survey import MIN_DECAYS, concerns_of
from ddsp_tf.features.f0 import F0Estimator
from ddsp_tf.features.f0_estimators import make_f0_estimator

RATE = 16_000
SPEC = feature_grid(RATE)
SECONDS = 10
CHORDS = ("piano", "guitar")  # of medley-solos, that may play several notes


def main() -> None:
    """Measure everything and print a line each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recordings", type=Path)
    parser.add_argument("--f0", default="auto")
    args = parser.parse_args()
    estimator = make_f0_estimator(args.f0)
    single = {path.stem: audio for path, audio in sounds(args.recordings, "f0-exact rendered voice")}
    stage = {
        path.stem: audio
        for path, audio in sounds(args.recordings, "medley-solos")
        if not any(word in path.stem for word in CHORDS)
    }
    print("| what | passages | suspected |\n| --- | ---: | ---: |")
    begun = time.process_time()
    tracks = {name: estimator.estimate(audio, SPEC).f0_hz for name, audio in single.items()}
    tracked_at = time.process_time()
    clean = {name: quality(audio, tracks[name]) for name, audio in single.items()}
    seconds = sum(map(len, single.values())) / RATE
    pitch, all_else = (1e3 * t / seconds for t in (tracked_at - begun, time.process_time() - tracked_at))
    print(f"| CPU a second of sound: pitch, all else | | {pitch:.0f} ms, {all_else:.0f} ms |")
    for concern in ("polyphony", "octave errors", "hum", "clipping"):
        line(f"nothing wrong: {concern}", [concern in concerns_of(q) for q in clean.values()])
    found = [concerns_of(tracked(audio, estimator)) for audio in stage.values()]
    for concern in ("polyphony", "octave errors", "hum"):
        line(f"solos cut from productions: {concern}", [concern in concerns for concerns in found])
    mixed = [tracked(audio, estimator) for _, audio in sounds(args.recordings, "mixtures")]
    line("two to four instruments: polyphony", ["polyphony" in concerns_of(q) for q in mixed])
    pairs = list(itertools.pairwise(single.values()))[::2]
    for below_db in (0, 10):
        both = [tracked(duet(a, b, below_db), estimator) for a, b in pairs]
        line(f"a second one {below_db} dB below: polyphony", ["polyphony" in concerns_of(q) for q in both])
    for factor in (2.0, 0.5):
        wrong = [quality(audio, factor * tracks[name]) for name, audio in single.items()]
        line(f"f0 times {factor:g}: octave errors", ["octave errors" in concerns_of(q) for q in wrong])
        share = np.sum([q.octave_frames for q in wrong]) / np.sum([q.judged_frames for q in wrong])
        print(f"| ... frames of them | | {share:.1%} |")
    noise_and_hum(single, tracks)
    rooms(single, tracks)


def noise_and_hum(single: dict[str, Array], tracks: dict[str, Array]) -> None:
    """Levels of white noise, and of hum with three harmonics."""
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(SECONDS * RATE).astype(np.float32)
    noise /= 10.0 ** (np.median(loudness_db(noise, SPEC)) / 20.0)
    t = np.arange(SECONDS * RATE) / RATE
    lines = sum(a * np.sin(2 * np.pi * 50.0 * k * t + k) for k, a in ((1, 1.0), (2, 0.5), (3, 0.4)))
    lines = (lines / np.sqrt(np.mean(np.square(lines)))).astype(np.float32)
    for level_db in (-40, -50, -60):
        gain = np.float32(10.0 ** (level_db / 20.0))
        errors = [
            quality(a + gain * noise[: len(a)], tracks[name]).noise_db - level_db
            for name, a in single.items()
        ]
        print(f"| noise of {level_db} dB: error, median and largest | {len(errors)} | {spread(errors)} |")
    for level_db in (-50, -60, -70):
        gain = np.float32(10.0 ** (level_db / 20.0))
        hum = [quality(a + gain * lines[: len(a)], tracks[name]) for name, a in single.items()]
        line(f"hum of {level_db} dB: hum", ["hum" in concerns_of(q) for q in hum])
        errors = [q.hum_db - level_db for q in hum if q.mains_hz]
        print(f"| ... error of its level | {len(errors)} | {spread(errors)} |")


def rooms(single: dict[str, Array], tracks: dict[str, Array]) -> None:
    """Reverberation times of rooms of noise; of recordings in which enough notes end freely."""
    rng = np.random.default_rng(1)
    for seconds in (0.0, 0.3, 0.6, 1.2, 2.4):
        times, several = [], []
        for name, audio in single.items():
            wet = audio
            if seconds:
                t = np.arange(round(1.2 * seconds * RATE)) / RATE
                response = rng.standard_normal(len(t)) * 10.0 ** (-3.0 * t / seconds)
                response /= np.sqrt(np.sum(np.square(response)))
                response[0] += 1.0
                wet = scipy.signal.fftconvolve(audio, response)[: len(audio)].astype(np.float32)
            found = quality(wet, tracks[name])
            several.append("polyphony" in concerns_of(found))
            if len(found.decay_seconds) >= MIN_DECAYS:
                times.append(float(np.median(found.decay_seconds)))
        middle = f"{np.median(times):.2f} s ({min(times):.2f} to {max(times):.2f})" if times else "none"
        print(f"| a room of {seconds:g} s: median and range found | {len(times)} | {middle} |")
        line(f"... of {seconds:g} s: polyphony", several)


def sounds(folder: Path, names: str) -> Iterator[tuple[Path, Array]]:
    """The first seconds of all recordings in some folders."""
    for path in sorted(p for name in names.split() for p in (folder / name).glob("*.flac")):
        audio, _ = read_audio(path, RATE)
        yield path, audio[: SECONDS * RATE]


def duet(a: Array, b: Array, below_db: float) -> Array:
    """Two sounds at once, the second so far below the first."""
    size = min(len(a), len(b))
    a, b = (x[:size] / np.sqrt(np.mean(np.square(x[:size]))) for x in (a, b))
    return np.asarray(0.05 * (a + b * 10.0 ** (-below_db / 20.0)), np.float32)


def tracked(audio: Array, estimator: F0Estimator) -> Quality:
    """Quality of a sound whose f0 is to be estimated."""
    return quality(audio, estimator.estimate(audio, SPEC).f0_hz)


def quality(audio: Array, f0_hz: Array) -> Quality:
    """Quality of a passage."""
    return measure_quality(audio, f0_hz, loudness_db(audio, SPEC), SPEC)


def line(what: str, suspected: list[bool]) -> None:
    """Print how many of the passages are suspected."""
    print(f"| {what} | {len(suspected)} | {sum(suspected)} |", flush=True)


def spread(errors: list[float]) -> str:
    """Median and largest error."""
    return f"{np.median(errors):+.1f}, {max(errors, key=abs):+.1f} dB" if errors else "none"


if __name__ == "__main__":
    main()
