#!/usr/bin/env python3
"""Render the recordings of this folder: seeded melodies, played by a sampled instrument.

The files are in the repository; this script says how they came about and is not part of any set-up.
It needs numpy, mido, soundfile and soxr, and from Debian `apt install fluidsynth fluid-soundfont-gm`:

    python demo/recordings/render.py

Every phrase is made of one motif (a rhythm and a contour) that is repeated, moved, turned upside down and
ended on a long note. Dynamics run from soft to loud within and between phrases, long notes get vibrato,
and the synthesizer adds a small room, so that a model has something to learn from each.
"""

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import mido
import numpy as np
import soundfile
import soxr

HERE = Path(__file__).parent
SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
RENDER_RATE = 48_000  # Hz
SAMPLE_RATE = 16_000  # Hz, of the files written
PEAK = 10.0 ** (-2.0 / 20.0)
TICKS_PER_SECOND = 1000  # 480 ticks a beat at 125 beats a minute
BEND_CENTS = 200.0  # General MIDI: two semitones each way
ROOM = ["synth.reverb.room-size=0.45", "synth.reverb.damp=0.3", "synth.reverb.level=0.5"]

SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10), "dorian": (0, 2, 3, 5, 7, 9, 10)}
RHYTHMS = [  # beats
    (1.0, 0.5, 0.5, 1.0),
    (0.5, 0.5, 0.5, 0.5, 1.0),
    (1.5, 0.5, 1.0),
    (0.75, 0.25, 0.75, 0.25, 1.0),
    (0.25, 0.25, 0.25, 0.25, 0.5, 0.5),
    (2.0, 1.0, 1.0),
    (1 / 3, 1 / 3, 1 / 3, 1.0, 1.0),
    (0.5, 1.0, 0.5, 1.0),
]
CONTOURS = [
    (0, 1, 2, 1, 0, -1),
    (0, 2, 4, 2, 3, 1),
    (0, -1, -2, 0, 2, 1),
    (0, 4, 3, 2, 1, 0),
    (0, 1, -1, 2, 0, 3),
]


@dataclass(frozen=True)
class Instrument:
    """A General MIDI program and the range and vibrato of who plays it (MIDI notes, cents, Hz)."""

    program: int
    low: int
    high: int
    vibrato_cents: float
    vibrato_hz: float


@dataclass(frozen=True)
class Note:
    """A note of a performance: seconds, MIDI pitch, dynamic 0 to 1."""

    start: float
    end: float
    pitch: int
    dynamic: float


SAXOPHONE = Instrument(66, 46, 75, 14.0, 5.0)
FLUTE = Instrument(73, 60, 75, 9.0, 5.2)  # its low register, where a tenor saxophone can follow


def compose(instrument: Instrument, seconds: float, rng: np.random.Generator) -> list[Note]:
    """Make phrases until the time is over."""
    notes: list[Note] = []
    at = 0.4
    while True:
        phrase = compose_phrase(instrument, at, rng)
        if phrase[-1].end > seconds - 1.5:  # the room rings on
            return notes
        notes += phrase
        at = phrase[-1].end + rng.uniform(0.25, 0.9)


def compose_phrase(instrument: Instrument, at: float, rng: np.random.Generator) -> list[Note]:
    """One motif in two to four shapes, and a long note at the end."""
    scale = SCALES[str(rng.choice(list(SCALES)))]
    root = int(rng.integers(0, 12))
    ladder = [p for p in range(instrument.low, instrument.high + 1) if (p - root) % 12 in scale]
    rhythm, contour = RHYTHMS[rng.integers(len(RHYTHMS))], CONTOURS[rng.integers(len(CONTOURS))]
    beat = rng.uniform(0.42, 0.8)
    articulation = rng.choice([1.0, 1.0, 0.85, 0.6])  # legato, legato, tenuto, staccato
    dynamic, arch = rng.uniform(0.15, 0.8), rng.uniform(0.05, 0.35)
    step = int(rng.integers(2, len(ladder) - 3))
    steps: list[tuple[int, float]] = []
    for _ in range(int(rng.integers(2, 5))):
        turned = -1 if rng.random() < 0.3 else 1
        steps += [(step + turned * contour[i % len(contour)], beats) for i, beats in enumerate(rhythm)]
        step += int(rng.choice([-2, -1, 1, 2, 3]))
    steps.append((step, float(rng.choice([2.0, 3.0]))))
    notes = []
    for i, (wanted, beats) in enumerate(steps):
        length = beats * beat * rng.uniform(0.97, 1.03)
        held = length * (0.95 if i == len(steps) - 1 else articulation)
        swell = arch * np.sin(np.pi * (i + 1) / (len(steps) + 1))
        loud = float(np.clip(dynamic + swell + rng.normal(0.0, 0.03), 0.05, 1.0))
        notes.append(Note(at, at + max(0.07, held), ladder[int(np.clip(wanted, 0, len(ladder) - 1))], loud))
        at += length
    return notes


def to_midi(notes: list[Note], instrument: Instrument, rng: np.random.Generator) -> mido.MidiFile:
    """Write the performance as MIDI: notes, expression (CC 11) and vibrato (pitch bend)."""
    events: list[tuple[float, mido.Message]] = [
        (0.0, mido.Message("program_change", program=instrument.program))
    ]
    for note in notes:
        velocity = round(40 + 80 * note.dynamic)
        events.append((note.start, mido.Message("note_on", note=note.pitch, velocity=velocity)))
        events.append((note.end, mido.Message("note_off", note=note.pitch)))
        length = note.end - note.start
        rate, tuning = instrument.vibrato_hz * rng.uniform(0.92, 1.08), rng.normal(0.0, 3.0)
        swells = length > 0.7
        for t in np.arange(0.0, length, 0.01):
            grown = np.clip((t - 0.25) / 0.4, 0.0, 1.0) if swells else 0.0
            wave = grown * np.sin(2.0 * np.pi * rate * t)
            cents = tuning + instrument.vibrato_cents * wave
            bend = mido.Message("pitchwheel", pitch=round(cents / BEND_CENTS * 8191))
            swell = 14.0 * np.sin(np.pi * t / length) if swells else 0.0
            level = round(np.clip(74 + 36 * note.dynamic + swell + 4.0 * wave, 1, 127))
            events += [
                (note.start + t, bend),
                (note.start + t, mido.Message("control_change", control=11, value=level)),
            ]
    order = {"program_change": 0, "note_off": 1, "control_change": 2, "pitchwheel": 2, "note_on": 3}
    events.sort(key=lambda event: (round(event[0] * TICKS_PER_SECOND), order[event[1].type]))
    track, now = mido.MidiTrack(), 0
    track.append(mido.MetaMessage("set_tempo", tempo=480_000))  # microseconds a beat: 1 ms a tick
    for seconds, message in events:
        tick = round(seconds * TICKS_PER_SECOND)
        track.append(message.copy(time=tick - now))
        now = tick
    return mido.MidiFile(type=0, ticks_per_beat=480, tracks=[track])


def play(midi: mido.MidiFile, seconds: float) -> np.ndarray:
    """Let fluidsynth play it in a small room; return mono samples at `SAMPLE_RATE`."""
    with tempfile.TemporaryDirectory() as folder:
        song, sound = Path(folder) / "song.mid", Path(folder) / "sound.wav"
        midi.save(song)
        command = ["fluidsynth", "-ni", "-q", "-R", "1", "-C", "0", "-g", "0.4", "-r", str(RENDER_RATE)]
        command += [word for setting in ROOM for word in ("-o", setting)]
        command += ["-o", "synth.cpu-cores=1", "-o", "audio.file.format=float", "-T", "wav"]
        subprocess.run([*command, "-F", str(sound), str(SOUNDFONT), str(song)], check=True)
        stereo, _ = soundfile.read(sound, always_2d=True)
    mono = soxr.resample(stereo.mean(axis=1), RENDER_RATE, SAMPLE_RATE, quality="VHQ")
    length = round(seconds * SAMPLE_RATE)
    mono = np.pad(mono, (0, max(0, length - len(mono))))[:length]
    fade = np.linspace(1.0, 0.0, SAMPLE_RATE // 20)
    mono[-len(fade) :] *= fade
    return np.asarray(mono * (PEAK / np.abs(mono).max()))


def render(name: str, instrument: Instrument, seconds: float, seed: int) -> None:
    """Compose, play and write one recording."""
    rng = np.random.default_rng(seed)
    midi = to_midi(compose(instrument, seconds, rng), instrument, rng)
    soundfile.write(HERE / name, play(midi, seconds), SAMPLE_RATE, subtype="PCM_16")
    print(f"{name}: {seconds:g} s, {(HERE / name).stat().st_size / 1e6:.2f} MB")


def write_tune(name: str, seconds: float, seed: int) -> None:
    """Write a tune as a MIDI file, as a player's keyboard would: notes and velocities only."""
    rng = np.random.default_rng(seed)
    range_of_both = Instrument(SAXOPHONE.program, 55, 74, 0.0, 5.0)
    notes = compose(range_of_both, seconds, rng)
    whole = to_midi(notes, range_of_both, rng)
    kept, waiting = mido.MidiTrack(), 0
    for message in whole.tracks[0]:
        waiting += message.time
        if message.type in ("set_tempo", "program_change", "note_on", "note_off"):
            kept.append(message.copy(time=waiting))
            waiting = 0
    mido.MidiFile(type=0, ticks_per_beat=480, tracks=[kept]).save(HERE / name)
    print(f"{name}: {notes[-1].end:.1f} s, {len(notes)} notes")


if __name__ == "__main__":
    render("tenor-saxophone.flac", SAXOPHONE, 150.0, seed=1)
    render("flute-phrase.flac", FLUTE, 14.5, seed=18)
    write_tune("melody.mid", 17.0, seed=3)
