"""How near do notes played by an instrument's expression come to performances that it has never heard?

    python benchmarks/expression.py FILE.tflite HELD_BACK...
    python benchmarks/expression.py FILE.tflite HELD_BACK... --sound      the sound too, of a minute

plays the notes beside recordings (files, or folders of them: NAME.flac with NAME.notes.csv or NAME.mid) with
one voice, frame by frame, as a device does: with the plain envelope of the settings; with the expression of
the file, live; and with it knowing what comes, as in a file of MIDI. How loud a recording is as a whole
counts nothing.

- loudness: mean error of the contour, from the onset of each note to that of the next, a second after its end
  at most; what is 40 dB below the loud end of the instrument's range counts as silence.
- pitch: mean error of the contour, cents, without the vibrato, whose phase nobody can know.
- onsets: mean error of the time at which a note after a rest of 50 ms is within 10 dB of its loudest.
- vibrato: mean depth of notes of 0.35 s and more, and mean rate, each note by its depth: of what is played
  and of the recordings, by the same measure.
- with --sound: distances of the sound to the recording, as `benchmarks/likeness.py` has them; beside them the
  recording's own pitch and loudness, which is what the instrument can do.
"""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "export"))

import numpy as np

from benchmarks.likeness import Likeness
from ddsp_edge.expression.network import ExpressionNetwork, has_expression
from ddsp_edge.features.loudness import loudness_db
from ddsp_edge.files.audio_file import AudioReader
from ddsp_edge.instrument import Instrument
from ddsp_edge.units import midi_to_hz
from ddsp_tf.errors import DdspError
from ddsp_tf.features.f0_estimators import f0_estimator_as_recorded
from ddsp_tf.tasks.instrument.expression.judge import Distance
from ddsp_tf.tasks.instrument.expression.learn import WAYS, judge, read_performances, recordings_with_notes
from ddsp_tf.tasks.instrument.expression.performance import Performance
from ddsp_tf.tasks.instrument.expression.playing import play_notes

_MEASURES = ("log-spectral distance, dB", "log-mel, dB", "loudness error, dB", "onsets, dB")


def print_contours(found: dict[str, Distance]) -> None:
    """A line for each way to play, and what it is to come to."""
    plain = found["plain"].loudness_db
    heads = ("loudness error, dB", "less", "pitch, cents", "onsets, ms", "vibrato, cents", "vibrato, Hz")
    print(f"| | {' | '.join(heads)} |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, row in found.items():
        less = f"{100 * (1 - row.loudness_db / plain):.0f} %"
        vibrato = f"{row.depth_cents:.1f} | {row.vibrato_hz:.2f}"
        print(
            f"| {name} | {row.loudness_db:.2f} | {less} | {row.cents:.1f} | {row.onset_ms:.1f} | {vibrato} |"
        )
    row = found["file"]
    print(f"| recordings | | | | | {row.recorded_depth_cents:.1f} | {row.recorded_vibrato_hz:.2f} |")


def sounds(path: Path, recording: Path, performance: Performance) -> dict[str, dict[str, float]]:
    """Distances of the sound of a performance, in each way to play it, to its recording."""
    instrument = Instrument(path)
    spec, card = instrument.spec, instrument.card
    with AudioReader(recording, spec.sample_rate) as reader:
        audio = np.concatenate(list(reader.blocks()))[: len(performance.midi) * spec.hop]
    measured = loudness_db(audio, spec)
    audio = audio * 10.0 ** (np.median(performance.loudness_db - measured) / 20.0)
    f0_hz = np.where(np.isfinite(performance.midi), midi_to_hz(performance.midi), 0.0)
    likeness = Likeness(audio.astype(np.float32), f0_hz, spec.hop, spec.sample_rate)
    network = ExpressionNetwork(instrument.arrays)
    played = {"its own contours": (f0_hz, performance.loudness_db)}
    for way, (expressive, known) in WAYS.items():
        midi, loudness = play_notes(
            performance.notes,
            len(f0_hz),
            spec,
            card.loudness_db_range,
            network if expressive else None,
            known=known,
        )
        played[way] = midi_to_hz(midi), loudness
    found = {}
    for way, contours in played.items():
        instrument.reset()
        found[way] = likeness.of(instrument.process(*contours))
    return found


def main() -> None:
    """Judge, and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("instrument", type=Path, metavar="FILE.tflite")
    parser.add_argument("recordings", type=Path, nargs="+", metavar="HELD_BACK")
    parser.add_argument("--sound", action="store_true", help="also the sound of the first recording")
    args = parser.parse_args()
    instrument = Instrument(args.instrument)
    card, spec = instrument.card, instrument.spec
    if not has_expression(instrument.arrays):
        raise DdspError(f"{args.instrument} has no expression: ddsp-tf expression gives it one")
    recordings, _ = recordings_with_notes(args.recordings)
    estimator = f0_estimator_as_recorded(card.f0_estimator)
    performances = read_performances(recordings, spec, estimator, card.loudness_db_range)
    notes = sum(len(performance.notes) for performance in performances)
    print(f"{args.instrument.name}: {notes} notes of {len(performances)} recordings\n")
    print_contours(judge(performances, card.loudness_db_range, ExpressionNetwork(instrument.arrays)))
    if args.sound:
        found = sounds(args.instrument, recordings[0], performances[0])
        print(f"\n| {recordings[0].name} | {' | '.join(found)} |")
        print(f"| --- | {' | '.join(['---:'] * len(found))} |")
        for measure in _MEASURES:
            print(f"| {measure} | {' | '.join(f'{row[measure]:.2f}' for row in found.values())} |")


if __name__ == "__main__":
    main()
