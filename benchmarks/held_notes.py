"""What a restoration takes of music in which there is nothing to take: held notes, vibrato, breath and bow.

    python benchmarks/held_notes.py MODEL.tflite [RECORDING ...]

The instruments that come along hold notes of 6 s, at a low, a middle and a high pitch of theirs, straight
and with vibrato (5.5 Hz, 30 cents either way); a network that takes what stays for noise lets them fade.
Told is how much louder they are restored than played, from 0.5 to 1.5 s and in the last second; then the
same notes in hiss 20 dB softer, by the ratio of signal to distortion before and after. Of clean
recordings the level that is lost in each octave is told: breath and bow are what there is above 4 kHz.
"""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np

from benchmarks.restoration import RATE, of_file
from ddsp_edge.files.audio_file import read_audio
from ddsp_edge.instrument import Instrument
from ddsp_edge.model.file import read_model_file
from ddsp_edge.shipped import shipped_models
from ddsp_edge.units import Array
from ddsp_tf.metrics.distortion import si_sdr_db

SECONDS, VIBRATO_HZ, VIBRATO_CENTS, HISS_DB = 6.0, 5.5, 30.0, -20.0
OCTAVES_HZ = (125, 250, 500, 1000, 2000, 4000)


def level_db(audio: Array) -> float:
    """Mean square of a sound `[samples]`, dB."""
    return float(10.0 * np.log10(np.mean(np.square(audio, dtype=np.float64)) + 1e-20))


def ratio_db(wanted: Array, given: Array) -> float:
    """Scale-invariant ratio of signal to distortion of two sounds `[samples]`, dB."""
    return float(si_sdr_db(wanted[None], given[None])[0])


def notes(model: Path) -> None:
    """Print the table of held notes."""
    print("| | begin, dB | end, dB | with vibrato: begin | end | in hiss, dB: before | after |")
    print("| --- |" + " ---: |" * 6)
    rng = np.random.default_rng(0)
    for path in shipped_models().values():
        if read_model_file(path).card.task != "instrument":
            continue
        instrument = Instrument(path, seed=0)
        rate, spec = instrument.spec.sample_rate, instrument.spec
        restored = of_file(model, rate)
        pitches, loud = instrument.card.f0_hz_range, instrument.card.loudness_db_range.median
        frames = int(SECONDS * rate / spec.hop)
        wave = np.sin(2.0 * np.pi * VIBRATO_HZ * np.arange(frames) * spec.hop / rate)
        rows = []
        for hz in (pitches.low, pitches.median, pitches.high):
            row = []
            for cents in (0.0, VIBRATO_CENTS):
                instrument.reset()
                played = instrument.process(hz * 2.0 ** (wave * cents / 1200.0), np.full(frames, loud))
                clean = restored(played)
                for start in (0.5, SECONDS - 1.0):
                    part = slice(int(start * rate), int((start + 1.0) * rate))
                    row.append(level_db(clean[part]) - level_db(played[part]))
                if not cents:
                    hiss = rng.standard_normal(len(played)).astype(np.float32)
                    noisy = played + hiss * np.float32(10.0 ** ((level_db(played) + HISS_DB) / 20.0))
                    inside = slice(rate // 2, None)
                    hissed = [ratio_db(played[inside], x[inside]) for x in (noisy, restored(noisy))]
            rows.append([*row, *hissed])
        print(
            f"| {path.stem} | " + " | ".join(f"{value:.1f}" for value in np.mean(rows, axis=0)) + " |",
            flush=True,
        )


def recordings(model: Path, paths: list[Path]) -> None:
    """Print what clean recordings lose by octave."""
    heads = [f"{low} to {2 * low} Hz" for low in OCTAVES_HZ]
    print(
        f"\n| lost, dB | {' | '.join(heads)} | signal to distortion, dB |\n| --- |"
        + " ---: |" * (len(heads) + 1)
    )
    for path in paths:
        audio = read_audio(path, RATE)[0]
        clean = of_file(model)(audio)
        hz = np.fft.rfftfreq(len(audio), 1.0 / RATE)
        before, after = (np.abs(np.fft.rfft(x)) ** 2 for x in (audio, clean))
        lost = [
            10.0 * np.log10(before[band].sum() / (after[band].sum() + 1e-20))
            for band in ((hz >= low) & (hz < 2 * low) for low in OCTAVES_HZ)
        ]
        print(
            f"| {path.stem} | " + " | ".join(f"{v:.1f}" for v in lost) + f" | {ratio_db(audio, clean):.1f} |"
        )


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path, metavar="MODEL.tflite")
    parser.add_argument("recordings", type=Path, nargs="*", metavar="RECORDING")
    given = parser.parse_args()
    notes(given.model)
    if given.recordings:
        recordings(given.model, given.recordings)


if __name__ == "__main__":
    main()
