"""Something like speech: three sounds that differ in their spectra, and a recogniser that knows them."""

import sys
import types
from pathlib import Path

import numpy as np
import soundfile

RATE, HOP = 16_000, 320
TOKENS = ["i", "ɑ", "s", "<wb>", "<blank>"]
_FORMANTS = {"i": (300.0, 2300.0), "ɑ": (750.0, 1200.0)}


def utterance(
    seed: int, seconds: float, f0_hz: float = 120.0
) -> tuple[np.ndarray, list[tuple[str, float, float]]]:
    """A sound and its phones: name, begin and end in seconds; pauses between some."""
    rng = np.random.default_rng(seed)
    sound, phones, at = np.zeros(int(seconds * RATE)), [], 0.2
    while at < seconds - 0.5:
        name, length = str(rng.choice(["i", "ɑ", "s"])), float(rng.uniform(0.12, 0.25))
        if phones and phones[-1][0] == name and abs(phones[-1][2] - at) < 1e-6:
            continue
        begin, end = int(at * RATE), int((at + length) * RATE)
        sound[begin:end] = _phone(name, end - begin, f0_hz, rng)
        phones.append((name, at, at + length))
        at += length + (0.25 if rng.random() < 0.2 else 0.0)
    return (sound + rng.normal(0.0, 1e-4, len(sound))).astype(np.float32), phones


def _phone(name: str, samples: int, f0_hz: float, rng: np.random.Generator) -> np.ndarray:
    if name == "s":
        noise = np.diff(rng.standard_normal(samples + 2), 2)
        return 0.05 * noise
    t = np.arange(samples) / RATE
    k = np.arange(1, int(7000 / f0_hz))
    gains = sum(1.0 / (1.0 + ((k * f0_hz - f) / 120.0) ** 2) for f in _FORMANTS[name])
    return 0.2 * np.sum(gains[:, None] * np.sin(2 * np.pi * f0_hz * k[:, None] * t), axis=0) / gains.sum() * 3


class FakeRecogniser:
    """Reads the sounds of `utterance` as a recogniser does that was trained by CTC: one frame of a phone."""

    decoder_tokens = TOKENS
    _log_probs_output_name, _out_lengths_output_name = "log_probs", "out_lengths"
    _waveform_input_name, _waveform_lengths_input_name = "waveform", "waveform_lengths"

    def __init__(self) -> None:
        self.session = self

    def run(self, names, feeds):
        """Log probabilities of frames, and how many."""
        wave = feeds["waveform"][0]
        frames = wave[: len(wave) // HOP * HOP].reshape(-1, HOP)
        power = np.abs(np.fft.rfft(frames * np.hanning(HOP))) ** 2
        hz = np.fft.rfftfreq(HOP, 1 / RATE)
        bands = [power[:, (hz >= a) & (hz < b)].sum(1) for a, b in ((1900, 2800), (600, 1500), (4500, 8000))]
        heard = np.argmax(bands, axis=0)
        heard[np.sum(power, axis=1) < 0.02 * np.sum(power, axis=1).max()] = 4
        table = np.full((len(frames), len(TOKENS)), -9.0, np.float32)
        table[:, 4] = -0.1
        begins = np.flatnonzero(np.diff(heard, prepend=4))
        ends = np.append(begins[1:], len(heard))
        for begin, end in zip(begins, ends, strict=True):
            if heard[begin] != 4 and end - begin > 2:
                table[(begin + end) // 2, heard[begin]] = 0.0
                table[(begin + end) // 2, 4] = -5.0
        return table[np.newaxis], np.array([len(frames)])


def install_recogniser(monkeypatch) -> None:
    """Put the recogniser where hama would be."""
    from ddsp_tf.speech import recogniser

    module = types.ModuleType("hama")
    module.ASRModel = FakeRecogniser
    monkeypatch.setitem(sys.modules, "hama", module)
    recogniser._model.cache_clear()


def write_speakers(folder: Path, count: int, seconds: float, first: int = 0) -> None:
    """Write recordings of speakers of different pitch: `speaker-N.wav`."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        sound, _ = utterance(number, seconds, 95.0 + 17.0 * number)
        soundfile.write(folder / f"speaker-{number}.wav", sound, RATE)
