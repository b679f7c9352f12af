"""How well voices convert speakers that training has not heard, beside a shift of pitch and formants.

    python benchmarks/voice.py VOICE.tflite --sources FOLDER --targets FILE... [--match REGEX] [--out FOLDER]

Sources are recordings of one speaker each, cut to 8 s. Phones are read by hama (`pip install hama`), speakers
compared by Resemblyzer (with torch, or its weights as an `.npz` by `--speaker-weights`: `numpy.savez` of the
tensors under `model_state` in `resemblyzer/pretrained.pt`), pitch tracked by pyworld where it is installed,
else by pYIN. CPU time is that of one process with one thread, of `ddsp_edge` alone.
"""

import argparse
import importlib.util
import os
import re
import tempfile
import time
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import soundfile

from ddsp_edge.files.audio_file import read_audio
from ddsp_edge.model.file import read_model_file
from ddsp_edge.voice.card import facts_of
from ddsp_edge.voice.converter import open_converter
from ddsp_edge.voice.files import convert_file, range_of_file
from ddsp_tf.features.f0_estimators import make_f0_estimator
from ddsp_tf.tasks.voice.evaluation.judges import Judges, can_read_phones
from ddsp_tf.tasks.voice.evaluation.speaker import SpeakerJudge, speaker_judge

RATE = 16_000
SECONDS = 8.0


def shifted(audio, ratio):
    """Pitch and formants moved by resampling, and the tempo given back: what needs no model."""
    import librosa

    faster = np.interp(np.arange(int(len(audio) / ratio)) * ratio, np.arange(len(audio)), audio)
    return librosa.effects.time_stretch(faster.astype(np.float32), rate=1.0 / ratio)[: len(audio)]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("voices", type=Path, nargs="+")
    parser.add_argument("--sources", type=Path, required=True)
    parser.add_argument("--match", default="", help="regular expression that names of sources hold")
    parser.add_argument("--targets", type=Path, nargs="+", required=True)
    parser.add_argument("--speaker-weights", type=Path)
    parser.add_argument("--limit", type=int, default=20)
    parser.add_argument("--out", type=Path, help="keep the sounds")
    given = parser.parse_args()
    if why := can_read_phones():
        print(why)
    speaker = speaker_judge()
    if given.speaker_weights is not None:
        speaker = SpeakerJudge(dict(np.load(given.speaker_weights)))
    targets = [read_audio(path, RATE)[0] for path in given.targets]
    parts = [
        sound[i : i + 10 * RATE] for sound in targets for i in range(0, len(sound) - 5 * RATE, 30 * RATE)
    ]
    installed = importlib.util.find_spec("pyworld") is not None
    pitch = make_f0_estimator("harvest", f0_min_hz=60.0, f0_max_hz=500.0) if installed else None
    judges = Judges(speaker, parts, not why, pitch)
    files = [p for p in sorted(given.sources.iterdir()) if re.search(given.match, p.name)][: given.limit]
    rows: dict[str, list[tuple[object, float]]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        out = given.out or Path(scratch)
        out.mkdir(parents=True, exist_ok=True)
        for path in files:
            source = read_audio(path, RATE)[0][: int(SECONDS * RATE)]
            cut = out / f"{path.stem}.wav"
            soundfile.write(cut, source, RATE)
            rows.setdefault("source itself", []).append((judges.judge(source, source), 0.0))
            for voice in given.voices:
                file = read_model_file(voice)
                facts = facts_of(file.card, str(voice))
                began = time.process_time()
                made = out / f"{path.stem}-{voice.stem}.wav"
                convert_file(
                    partial(open_converter, file, seed=0),
                    file.card.spec,
                    facts,
                    cut,
                    made,
                )
                cpu = (time.process_time() - began) / (len(source) / RATE)
                sound = read_audio(made, RATE)[0]
                rows.setdefault(voice.stem, []).append((judges.judge(source, sound), cpu))
                own = range_of_file(cut, file.card.spec, facts).median_hz or facts.f0_hz_range.median
                moved = shifted(source, facts.f0_hz_range.median / own)
                soundfile.write(out / f"{path.stem}-shifted.wav", moved, RATE)
                key = f"pitch and formants shifted to {voice.stem}"
                rows.setdefault(key, []).append((judges.judge(source, moved), 0.0))
    print(f"{len(files)} speakers, {SECONDS:g} s each\n")
    heads = ("PER", "to target", "to source", "nearer", "f0 correlation", "voiced in both", "CPU s a second")
    print(f"| | {' | '.join(heads)} |")
    print("| --- |" + " ---: |" * len(heads))
    for name, found in rows.items():
        table = np.array([list(vars(one).values()) for one, _ in found], float)
        per, target, origin, f0, voiced = np.nanmean(table, axis=0)
        nearer = np.nanmean(table[:, 1] > table[:, 2])
        cpu = float(np.mean([c for _, c in found]))
        figures = (f"{per:.3f}", f"{target:.3f}", f"{origin:.3f}", f"{100 * nearer:.0f} %")
        print(f"| {name} | {' | '.join(figures)} | {f0:.3f} | {voiced:.3f} | {cpu:.3f} |")
    itself = [judges.likeness(part) for part in parts[:10]]
    print(f"\nrecordings of the target against its mean: {np.mean(itself):.3f}")


if __name__ == "__main__":
    main()
