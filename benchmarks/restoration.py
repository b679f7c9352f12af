"""How near restored speech comes to what it should be: model files beside what a user would take instead.

    python benchmarks/restoration.py --sets SETS speech.tflite other.tflite
    python benchmarks/restoration.py --dataset DATASET --out SETS

The first prints a table for each set, a folder `SETS/NAME` with `noisy/*.wav` and, of the same names,
`clean/*.wav`. Beside the files stand the noisy sound itself, RNNoise and noisereduce where they are installed
(packages `pyrnnoise`, `noisereduce`), and DTLN where `--dtln FOLDER` has its `model_1.tflite` and so on. PESQ
and STOI need the extra `judge`; `--phones` adds the phone error rate re clean speech, as `hama` reads it
(extra `content`). CPU s/s is CPU time a second of sound, transforms and all, of one thread.

The second makes such sets of what a dataset of `ddsp-tf prepare` holds back: clean sound in recorded noise at
0, 5 and 10 dB, and in rooms.
"""

import argparse
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import soundfile

from benchmarks.measure import machine
from ddsp_edge.restoration.restorer import open_restorer
from ddsp_edge.units import Array

RATE = 16_000
RATIOS_DB = (0.0, 5.0, 10.0)
SECONDS, MOST = 8.0, 12
Restore = Callable[[Array], Array]


def of_file(path: Path, sample_rate: int = RATE, strength: float = 1.0) -> Restore:
    """A model file, as a device runs it on sound `[samples]` of a rate in Hz."""

    def restore(audio: Array) -> Array:
        restorer = open_restorer(path, sample_rate, strength=strength)
        late = restorer.latency_samples
        padded = np.pad(audio, (0, late + (-len(audio)) % restorer.spec.hop))
        return restorer.push(padded)[0][late : late + len(audio), 0]

    return restore


def dtln(folder: Path, kind: str) -> Restore:
    """DTLN (Westhausen and Meyer 2020) by its published TFLite files: 32 ms windows, 8 ms apart."""
    from ai_edge_litert.interpreter import Interpreter

    def load(number: int) -> Interpreter:
        loaded = Interpreter(str(folder / f"model_{kind}{number}.tflite"), num_threads=1)
        loaded.allocate_tensors()
        return loaded

    first, second = load(1), load(2)
    ports = [(x.get_input_details(), x.get_output_details()) for x in (first, second)]

    def run(network: Interpreter, port: tuple, value: Array, state: Array) -> tuple[Array, Array]:
        inputs, outputs = port
        network.set_tensor(inputs[0]["index"], value)
        network.set_tensor(inputs[1]["index"], state)
        network.invoke()
        return network.get_tensor(outputs[0]["index"]), network.get_tensor(outputs[1]["index"])

    def restore(audio: Array) -> Array:
        states = [np.zeros(inputs[1]["shape"], np.float32) for inputs, _ in ports]
        heard, waiting, out = np.zeros(512, np.float32), np.zeros(512, np.float32), []
        padded = np.pad(audio, (0, 384 + (-len(audio)) % 128)).astype(np.float32)
        for start in range(0, len(padded), 128):
            heard = np.concatenate([heard[128:], padded[start : start + 128]])
            spectrum = np.fft.rfft(heard)
            magnitude = np.abs(spectrum).reshape(1, 1, -1).astype(np.float32)
            mask, states[0] = run(first, ports[0], magnitude, states[0])
            block = np.fft.irfft(spectrum * mask.ravel()).reshape(1, 1, -1).astype(np.float32)
            block, states[1] = run(second, ports[1], block, states[1])
            waiting = np.concatenate([waiting[128:], np.zeros(128, np.float32)]) + block.ravel()
            out.append(waiting[:128].copy())
        return np.concatenate(out)[384 : 384 + len(audio)]

    return restore


_read: dict[bytes, list[str]] = {}  # phones of clean sounds, which all systems are compared with


def phone_error_rate(clean: Array, estimate: Array) -> float:
    """Phones that are read otherwise than in clean speech, as a share of those in it."""
    from ddsp_tf.metrics.edits import edit_distance
    from ddsp_tf.tasks.voice.evaluation.judges import read_phones

    def read(sound: Array) -> list[str]:
        return read_phones(sound * np.float32(0.5 / max(float(np.abs(sound).max()), 1e-9)))

    key = clean.tobytes()
    if key not in _read:
        _read[key] = read(clean)
    return edit_distance(_read[key], read(estimate)) / max(1, len(_read[key]))


def table(sets: Path, systems: dict[str, Restore], every: int = 1, phones: bool = False) -> None:
    """Print the table of one set, and of those of its examples whose names tell a ratio.

    Of its examples one in `every` is judged; those that differ in their ratio alone count as one.
    """
    from ddsp_tf.tasks.restoration.evaluation.anchors import in_place
    from ddsp_tf.tasks.restoration.evaluation.judges import FORMS, judges

    measure = judges(RATE) | ({"per": phone_error_rate} if phones else {})
    forms = FORMS | {"per": "phone errors"}
    paths = sorted((sets / "noisy").glob("*.wav"))
    names = list(dict.fromkeys(path.stem.partition("@")[0] for path in paths))[::every]
    paths = [path for path in paths if path.stem.partition("@")[0] in names]
    scores: dict[str, dict[str, list[float]]] = {name: {} for name in systems}  # by system and example
    speed: dict[str, float] = {}
    for name, restore in systems.items():
        seconds = sound = 0.0
        for path in paths:
            noisy, clean = (
                soundfile.read(sets / part / path.name, dtype="float32")[0] for part in ("noisy", "clean")
            )
            began = time.process_time()
            estimate = restore(noisy)
            seconds, sound = seconds + time.process_time() - began, sound + len(noisy) / RATE
            estimate = in_place(clean, estimate, RATE * 60 // 1000)
            scores[name][path.name] = [judge(clean, estimate) for judge in measure.values()]
        speed[name] = seconds / max(sound, 1e-9)
    for group in ["", *(f"@{ratio:g}dB" for ratio in RATIOS_DB)]:
        chosen = [path.name for path in paths if group in path.name]
        if not chosen or (group and len(chosen) == len(paths)):
            continue
        print(f"\n{f'{sets.name} {group} ({len(chosen)})':24}", end="")
        print("".join(f"{forms[figure]:>13}" for figure in measure) + f"{'CPU s/s':>12}")
        for name, found in scores.items():
            means = np.nanmean([found[example] for example in chosen], axis=0)
            print(
                f"{name:24}" + "".join(f"{value:13.3f}" for value in means) + f"{speed[name]:12.4f}",
                flush=True,
            )


def make_sets(dataset: Path, out: Path, match: str, least_s: float) -> None:
    """Write sets of what a dataset holds back, of clean sounds so long in whose names `match` is found."""
    from ddsp_tf.data.records.info import load_dataset_info
    from ddsp_tf.data.records.shards import read_records
    from ddsp_tf.tasks.restoration.mixing.changes import active_level, filtered, room_parts
    from ddsp_tf.tasks.restoration.preparation import CLEAN, NOISE, ROOMS, sound_of

    groups: dict[str, dict[str, Array]] = {CLEAN: {}, NOISE: {}, ROOMS: {}}
    for _, record in read_records(dataset, load_dataset_info(dataset), "validation"):
        name = Path(record.source).stem
        groups[record.group].setdefault(name, sound_of(record))  # the first passage of each
    n = int(SECONDS * RATE)
    least = int(least_s * RATE)
    sounds = {k: v[:n] for k, v in groups[CLEAN].items() if len(v) >= least and re.search(match, k)}
    chosen = [list(sounds)[round(i * (len(sounds) - 1) / (MOST - 1))] for i in range(MOST)]
    rng = np.random.default_rng(7)

    def write(kind: str, name: str, noisy: Array, clean: Array) -> None:
        for part, sound in (("noisy", noisy), ("clean", clean)):
            (out / kind / part).mkdir(parents=True, exist_ok=True)
            soundfile.write(out / kind / part / f"{name}.wav", sound, RATE, subtype="FLOAT")

    for number, name in enumerate(dict.fromkeys(chosen)):
        clean = sounds[name] * np.float32(0.05 / active_level(sounds[name], RATE))
        clean /= max(1.0, float(np.abs(clean).max()) / 0.5)
        write("clean", name, clean, clean)
        noises, rooms = list(groups[NOISE].items()), list(groups[ROOMS].items())
        for title, noise in (noises[(2 * number + i) % len(noises)] for i in range(min(2, len(noises)))):
            start = int(rng.integers(0, max(1, len(noise) - len(clean))))
            part = np.resize(noise[start : start + len(clean)], len(clean))
            part = part / np.sqrt(np.mean(part**2)) * active_level(clean, RATE)
            for ratio in RATIOS_DB:
                noisy = clean + part * np.float32(10.0 ** (-ratio / 20.0))
                write("noise", f"{name}+{title}@{ratio:g}dB", noisy, clean)
        if rooms:
            title, response = rooms[number % len(rooms)]
            whole, _ = room_parts(response, RATE, 30.0)
            (heard,) = filtered(clean, whole)
            level = active_level(clean, RATE) / active_level(heard, RATE)
            write("room", f"{name}+{title}", heard * np.float32(level), clean)


def main() -> None:
    """Print tables, or write sets."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="*", type=Path, metavar="MODEL")
    parser.add_argument("--sets", type=Path)
    parser.add_argument("--dtln", type=Path)
    parser.add_argument("--strength", type=float, default=1.0, help="of the model files (%(default)s)")
    parser.add_argument("--every", type=int, default=1, help="judge one in so many (%(default)s)")
    parser.add_argument("--phones", action="store_true", help="phone error rate as well, by hama")
    parser.add_argument("--dataset", type=Path)
    parser.add_argument("--match", default="", help="regular expression of names of clean sound")
    parser.add_argument("--least", type=float, default=4.0, help="seconds of clean sound (%(default)s)")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    if given.dataset is not None and given.out is not None:
        make_sets(given.dataset, given.out, given.match, given.least)
        return
    from ddsp_tf.tasks.restoration.evaluation.anchors import anchors
    from ddsp_tf.tasks.voice.evaluation.judges import can_read_phones

    if given.phones and (why := can_read_phones()):
        parser.error(why)
    systems: dict[str, Restore] = {"noisy": lambda audio: audio}
    systems |= {path.stem: of_file(path, strength=given.strength) for path in given.models}
    systems |= anchors(RATE)
    if given.dtln is not None:
        systems |= {"DTLN": dtln(given.dtln, ""), "DTLN int8": dtln(given.dtln, "quant_")}
    print(machine())
    for folder in sorted(path for path in given.sets.iterdir() if path.is_dir()):
        table(folder, systems, given.every, given.phones)


if __name__ == "__main__":
    main()
