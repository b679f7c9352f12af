"""How right and how fast the pitch estimators are, on recordings whose pitch is known.

    DDSP_TEST_DATA=FOLDER python benchmarks/pitch.py                      all, and a minute of each file
    DDSP_TEST_DATA=FOLDER python benchmarks/pitch.py --seconds 30 pyin    less of each file, some estimators
    DDSP_TEST_DATA=FOLDER python benchmarks/pitch.py --only leaps         leaps alone, which need no data

Leaps are notes of our own synthesizer (`tests/leaps.py`), of all intervals up to two octaves, up and down.
Told is the time from the first sample of the new note until every frame is right, without the tracker's own
delay.
`f0-exact, noise` has pink noise 10 dB below the sound added, `f0-exact, room` is in a measured room.

`pitch` is the network that voices hear speech by, from 60 to 500 Hz.

The folder holds `f0-exact` (resynthesised from a known pitch), `rendered` (soundfont and sampled notes with
nominal pitch; where only notes are known, 30 ms at either end of one do not count) and `voice/vocadito_1`
(annotated by hand). With `crepe/model-tiny.h5.bz2` there, CREPE is measured as well; with TensorFlow
Probability, what gives a posterior is measured smoothed by a hidden Markov model, too. An estimate of a frame
that is called unvoiced counts where the estimator gives one, as in the field's definition of raw pitch
accuracy.
"""

import argparse
import csv
import importlib.util
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np

from benchmarks.measure import machine
from ddsp_edge.features.pitch import VOICED, PitchTracker
from ddsp_edge.files.audio_file import read_audio
from ddsp_edge.shipped import shipped_models
from ddsp_edge.units import Array
from ddsp_edge.voice.speech_pitch import open_speech_pitch
from ddsp_tf.features.f0_estimators import make_f0_estimator
from ddsp_tf.features.swift_f0 import swift_f0_is_installed
from ddsp_tf.frames import FrameSpec
from ddsp_tf.metrics.pitch import (
    octave_error_rate,
    raw_chroma_accuracy,
    raw_pitch_accuracy,
    voicing_false_alarm,
    voicing_recall,
)
from tests.leaps import INTERVALS, MANNERS, Heard, judge, make_leaps

SPEC = FrameSpec(16_000, 128)
EXACT = "f0-exact/*.flac"
GROUPS = {
    "f0-exact": EXACT,
    "rendered": "rendered/*.flac",
    "vocadito": "voice/vocadito_1.flac",
    "f0-exact, noise": EXACT,
    "f0-exact, room": EXACT,
}
ROOM = "rir/webaudio-medium-room1.flac"
NOISE_DB = 10.0  # of the sound where there is some, over the noise
RIGHT_MS = 25.0
COLUMNS = ("RPA", "RCA", "octave errors", "voicing recall", "false alarm", "CPU s/s")
Estimate = Callable[[Array], tuple[Array, Array]]  # f0 of every frame, and whether it is voiced


def estimators(data: Path) -> Iterator[tuple[str, Estimate]]:
    """What there is to compare, by name."""

    def of_device(f0_min_hz: float, lookahead_frames: int | None) -> Estimate:
        def run(audio: Array) -> tuple[Array, Array]:
            tracker = PitchTracker(SPEC, f0_min_hz, lookahead_frames=lookahead_frames)
            f0, voicing = (np.concatenate(x) for x in zip(tracker.push(audio), tracker.flush(), strict=True))
            return f0, voicing >= VOICED

        return run

    def of_network(audio: Array) -> tuple[Array, Array]:
        tracker = open_speech_pitch(shipped_models()["pitch"])
        f0, voicing = (np.concatenate(x) for x in zip(tracker.push(audio), tracker.flush(), strict=True))
        return f0, voicing >= VOICED

    def of_library(name: str, **settings: object) -> Estimate:
        made = make_f0_estimator(name, **settings)  # type: ignore[arg-type]

        def run(audio: Array) -> tuple[Array, Array]:
            track = made.estimate(audio, SPEC)
            return track.guess_hz, track.f0_hz > 0

        return run

    # As `ddsp-edge play --latency` full, middle and low.
    yield "device", of_device(55.0, None)
    yield "device, middle latency", of_device(55.0, 0)
    yield "device, low latency", of_device(110.0, 0)
    yield "pitch", of_network
    smoothed = importlib.util.find_spec("tensorflow_probability") is not None
    yield "yin-viterbi", of_library("yin-viterbi")
    if smoothed:
        yield "yin-viterbi, hmm", of_library("yin-viterbi", smoothing="hmm")
    yield "pyin", of_library("pyin")
    if importlib.util.find_spec("pyworld") is not None:
        yield "harvest", of_library("harvest")
    if swift_f0_is_installed():
        yield "swift-f0", of_library("swift-f0")
    weights = data / "crepe" / "model-tiny.h5.bz2"
    if weights.exists():
        yield "crepe (tiny)", of_library("crepe", crepe_weights=weights)
        if smoothed:
            yield "crepe (tiny), hmm", of_library("crepe", crepe_weights=weights, smoothing="hmm")


def truth(path: Path, frames: int) -> Array:
    """Known f0 on the frame grid, Hz; 0 without pitch, NaN where nothing can be said."""
    at = (np.arange(frames) + 1) * SPEC.hop / SPEC.sample_rate
    curve = path.with_suffix(".f0.csv")
    if curve.exists():
        table = np.loadtxt(curve, delimiter=",", skiprows=1)
        return np.interp(at, *_nearest(table, at))
    f0 = np.zeros(frames)
    with path.with_suffix(".notes.csv").open() as file:
        for note in csv.DictReader(file):
            onset, offset = float(note["onset_s"]), float(note["offset_s"])
            inside = (at >= onset) & (at < offset)
            f0[inside] = 440.0 * 2.0 ** ((float(note["midi_pitch"]) - 69.0) / 12.0)
            f0[(np.abs(at - onset) < 0.03) | (np.abs(at - offset) < 0.03)] = np.nan
    return f0


def _nearest(table: Array, at: Array) -> tuple[Array, Array]:
    """The instant of a table nearest to each frame: pitch is not interpolated across gaps."""
    right = np.clip(np.searchsorted(table[:, 0], at), 1, len(table) - 1)
    nearer = right - (at - table[right - 1, 0] < table[right, 0] - at)
    return at, table[nearer, 1]


def heard_in(group: str, audio: Array, data: Path) -> Array:
    """The sound as a group has it: as it is, in noise, or in a room."""
    if group.endswith("noise"):
        waves = np.fft.rfft(np.random.default_rng(0).normal(size=len(audio)))
        hz = np.fft.rfftfreq(len(audio), 1.0 / SPEC.sample_rate)
        noise = np.fft.irfft(waves * (hz > 30.0) / np.sqrt(np.maximum(hz, 30.0)), len(audio))
        sounding = audio[np.abs(audio) > 1e-3 * np.abs(audio).max()]
        level = np.sqrt(np.mean(np.square(sounding)) / np.mean(np.square(noise)))
        return np.asarray(audio + noise * level * 10.0 ** (-NOISE_DB / 20.0), np.float32)
    if group.endswith("room"):
        room, _ = read_audio(data / ROOM, SPEC.sample_rate)
        room = room[np.argmax(np.abs(room)) :]  # the sound itself comes without delay
        size = len(audio) + len(room)
        wet = np.fft.irfft(np.fft.rfft(audio, size) * np.fft.rfft(room, size), size)[: len(audio)]
        return np.asarray(wet / np.abs(wet).max(), np.float32)
    return audio


def measure(estimate: Estimate, group: str, path: Path, data: Path, seconds: float) -> list[float]:
    """The figures of one estimator on one file, in the order of `COLUMNS`."""
    audio, _ = read_audio(path, SPEC.sample_rate)
    audio = heard_in(group, audio[: int(seconds * SPEC.sample_rate)], data)
    used = time.process_time()
    f0, voiced = estimate(audio)
    used = time.process_time() - used
    known = truth(path, len(f0))
    counts = ~np.isnan(known)
    known, f0, voiced = known[counts], f0[counts], voiced[counts]
    decided = np.where(voiced, f0, 0.0)
    return [
        raw_pitch_accuracy(known, f0),
        raw_chroma_accuracy(known, f0),
        octave_error_rate(known, decided),
        voicing_recall(known, decided),
        voicing_false_alarm(known, decided),
        used / (len(audio) / SPEC.sample_rate),
    ]


def follow_leaps(estimate: Estimate) -> list[Heard]:
    """What an estimator makes of the leaps."""
    heard = list[Heard]()
    for manner in MANNERS:
        audio, leaps = make_leaps(SPEC, manner)
        heard += judge(leaps, SPEC, *estimate(audio))
    return heard


def print_leaps(found: dict[str, list[Heard]]) -> None:
    """Print the leaps of each estimator by manner, and the times by interval."""
    print("\n| leaps | estimator | right within 25 ms | median, ms | 90 % within, ms | astray, ms |")
    print("|---|---|---|---|---|---|")
    for manner in MANNERS:
        for name, heard in found.items():
            of_manner = [x for x in heard if x.leap.manner == manner]
            until = np.array([x.until_right_ms for x in of_manner])
            astray = np.mean([x.astray_ms for x in of_manner])
            print(
                f"| {manner} | {name} | {100 * np.mean(until <= RIGHT_MS):.1f} % | {np.median(until):.0f} "
                f"| {np.percentile(until, 90):.0f} | {astray:.1f} |"
            )
    print(f"\nMean ms until right of semitones up / down, by {', '.join(found)}:\n")
    print(f"| semitones | {' | '.join(found)} |\n|---|{'---|' * len(found)}")
    for semitones in INTERVALS:
        cells = []
        for heard in found.values():
            times = [
                float(np.mean([x.until_right_ms for x in heard if x.leap.semitones == signed]))
                for signed in (semitones, -semitones)
            ]
            cells.append(f"{times[0]:.0f} / {times[1]:.0f}")
        print(f"| {semitones} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="ESTIMATOR")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each file (60)")
    parser.add_argument("--only", choices=[*GROUPS, "leaps"], nargs="+", help="these groups alone")
    args = parser.parse_args()
    groups = {name: pattern for name, pattern in GROUPS.items() if not args.only or name in args.only}
    data = Path(os.environ.get("DDSP_TEST_DATA", "absent"))
    if groups and not data.is_dir():
        parser.error(f"DDSP_TEST_DATA must name the folder of recordings. Received: {data}")
    print(machine())
    if groups:
        print(f"| group | estimator | {' | '.join(COLUMNS)} |")
        print("|" + "|".join(["---"] * (2 + len(COLUMNS))) + "|")
    leaps = dict[str, list[Heard]]()
    for name, estimate in estimators(data):
        if args.names and name.split()[0].rstrip(",") not in args.names:
            continue
        if groups:
            warm = np.random.default_rng(0).normal(size=round(min(30.0, args.seconds) * SPEC.sample_rate))
            estimate(0.1 * warm)  # loads weights, compiles for pieces of this length
        for group, pattern in groups.items():
            rows = [measure(estimate, group, path, data, args.seconds) for path in sorted(data.glob(pattern))]
            figures = np.nanmean(rows, axis=0)
            cells = [f"{100 * x:.1f} %" for x in figures[:-1]] + [f"{figures[-1]:.3f}"]
            print(f"| {group} | {name} | {' | '.join(cells)} |", flush=True)
        if not args.only or "leaps" in args.only:
            leaps[name] = follow_leaps(estimate)
    if leaps:
        print_leaps(leaps)


if __name__ == "__main__":
    main()
