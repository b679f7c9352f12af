"""Compare what MIDI messages do to our instruments with what they do to FluidSynth.

    apt-get install libfluidsynth3 fluid-soundfont-gm
    python benchmarks/controllers.py            prints the table of docs/midi.md
    python benchmarks/controllers.py --write    writes tests/device/data/controllers.json as well: tests hold
                                                us to its figures, where there is no FluidSynth

Each sequence is sent to both, to a new synthesizer each time. FluidSynth plays a synth bass (program 39), the
steadiest of all programs in pitch, without reverb and chorus; its sound is measured: pitch, swing of the
pitch (half of peak to peak) and level, pitch and level against the plain note. Of ours, pitch and loudness
are those that the network is asked for.
"""

import argparse
import ctypes
import ctypes.util
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from ddsp_edge.live import LiveInstrument
from ddsp_edge.units import LOUDNESS_FLOOR_DB, hz_to_midi

ROOT = Path(__file__).parent.parent
RATE = 16_000
INSTRUMENT = ROOT / "tests" / "device" / "data" / "tiny-instrument.tflite"
FIGURES = ROOT / "tests" / "device" / "data" / "controllers.json"
SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
PROGRAM = 39
WINDOW_MS = 300  # that is measured: more than a turn of either vibrato
HEARD_DB = -40.0  # below the plain note, at which a note counts as silent

Message = tuple[int, tuple[int, ...]]
"""Time in ms and bytes."""


def on(ms: int, note: int = 69, velocity: int = 100) -> Message:
    """A key is struck."""
    return ms, (0x90, note, velocity)


def off(ms: int, note: int = 69) -> Message:
    """A key is let go."""
    return ms, (0x80, note, 64)


def cc(ms: int, *pairs: tuple[int, int]) -> list[Message]:
    """Control changes."""
    return [(ms, (0xB0, control, value)) for control, value in pairs]


def bend(ms: int, value: int) -> Message:
    """A bend from -8192 to 8191."""
    return ms, (0xE0, (value + 8192) & 127, (value + 8192) >> 7)


def rpn(ms: int, number: int, *data: tuple[int, int]) -> list[Message]:
    """A registered parameter is selected and data come."""
    return cc(ms, (101, 0), (100, number), *data)


@dataclass(frozen=True)
class Sequence:
    """What is sent, and when it is looked at.

    Args:
        name: What it is.
        messages: In the order of time.
        at: Where the window begins, ms.
        wanted: What ours does instead of FluidSynth, by measure; empty where they are to agree.
        reason: Why.
    """

    name: str
    messages: list[Message]
    at: int = 700
    wanted: tuple[tuple[str, float], ...] = ()
    reason: str = ""


def differs(reason: str, **wanted: float) -> dict[str, object]:
    """Arguments of a sequence in which ours does something else."""
    return {"wanted": tuple(wanted.items()), "reason": reason}


HALF = 4096
PLAIN = [on(200)]
_HELD = {"reason": "a strike is over when it was let go itself", "db": 0.0}
_KEPT = "RP-015 keeps parameters"
SEQUENCES = [
    Sequence("bend, full up", [bend(100, 8191), *PLAIN]),
    Sequence("bend, full down", [bend(100, -8192), *PLAIN]),
    Sequence("bend range 12 (RPN 0, CC 6), half up", [*rpn(0, 0, (6, 12)), bend(100, HALF), *PLAIN]),
    Sequence(
        "bend range 12, 50 cents (CC 6, 38), half up",
        [*rpn(0, 0, (6, 12), (38, 50)), bend(100, HALF), *PLAIN],
        **differs("cents count, as MIDI 1.0 has them", cents=625),
    ),
    Sequence(
        "bend range 12, 50 cents (CC 38, 6), half up",
        [*rpn(0, 0, (38, 50), (6, 12)), bend(100, HALF), *PLAIN],
        **differs("cents count, in either order", cents=625),
    ),
    Sequence(
        "RPN 0, then NRPN 1/8 and CC 6 of 64, half up",
        [*rpn(0, 0, (6, 2)), *cc(10, (99, 1), (98, 8), (6, 64)), bend(100, HALF), *PLAIN],
    ),
    Sequence(
        "RPN 0, then NRPN 1/8 and CC 38 of 64, half up",
        [*rpn(0, 0, (6, 2)), *cc(10, (99, 1), (98, 8), (38, 64)), bend(100, HALF), *PLAIN],
    ),
    Sequence(
        "RPN 0, then RPN null and CC 6 of 40, half up",
        [*rpn(0, 0, (6, 2)), *cc(10, (101, 127), (100, 127), (6, 40)), bend(100, HALF), *PLAIN],
    ),
    Sequence(
        "NRPN 1/8, then RPN 0 and CC 6 of 12, half up",
        [*cc(0, (99, 1), (98, 8), (6, 64)), *rpn(10, 0, (6, 12)), bend(100, HALF), *PLAIN],
    ),
    Sequence(
        "RPN 0 with range 4, then CC 96 three times, full down",
        [*rpn(0, 0, (6, 4), (96, 0), (96, 0), (96, 0)), bend(100, -8192), *PLAIN],
        **differs("RP-018: a cent each", cents=-403),
    ),
    Sequence(
        "RPN 0 with range 4, then CC 97, full down",
        [*rpn(0, 0, (6, 4), (97, 0)), bend(100, -8192), *PLAIN],
        **differs("RP-018: a cent, with its carry", cents=-399),
    ),
    Sequence("fine tuning (RPN 1, CC 6 of 96)", [*rpn(0, 1, (6, 96)), *PLAIN]),
    Sequence("fine tuning (RPN 1, CC 6 of 64, 38 of 64)", [*rpn(0, 1, (6, 64), (38, 64)), *PLAIN]),
    Sequence("coarse tuning (RPN 2, CC 6 of 69)", [*rpn(0, 2, (6, 69)), *PLAIN]),
    Sequence(
        "coarse tuning 69, then CC 97 twice",
        [*rpn(0, 2, (6, 69), (97, 0), (97, 0)), *PLAIN],
        **differs("RP-018: a semitone each", cents=300),
    ),
    Sequence("tuning program (RPN 3, CC 6 of 12)", [*rpn(0, 3, (6, 12)), *PLAIN]),
    Sequence("volume 64 (CC 7)", [*cc(100, (7, 64)), *PLAIN]),
    Sequence("volume 127", [*cc(100, (7, 127)), *PLAIN]),
    Sequence("volume 0", [*cc(100, (7, 0)), *PLAIN]),
    Sequence("expression 64 (CC 11)", [*cc(100, (11, 64)), *PLAIN]),
    Sequence("expression 0", [*cc(100, (11, 0)), *PLAIN]),
    Sequence("modulation 127 (CC 1)", [*cc(100, (1, 127)), *PLAIN]),
    Sequence("channel pressure 127", [(100, (0xD0, 127)), *PLAIN]),
    Sequence(
        "modulation range 1 semitone (RPN 5), CC 1 of 127",
        [*rpn(0, 5, (6, 1), (38, 0)), *cc(100, (1, 127)), *PLAIN],
        **differs("General MIDI 2 has it", swing=100),
    ),
    Sequence("soft pedal (CC 67)", [*cc(100, (67, 127)), *PLAIN]),
    Sequence("program change", [(100, (0xC0, PROGRAM)), *PLAIN]),
    Sequence("key pressure 127", [on(200), (300, (0xA0, 69, 127))]),
    Sequence("sustain (CC 64), note let go", [*cc(100, (64, 127)), on(200), off(400)]),
    Sequence("sustain 63", [*cc(100, (64, 63)), on(200), off(400)]),
    Sequence("sustain, let go, pedal up", [*cc(100, (64, 127)), on(200), off(400), *cc(500, (64, 0))], 900),
    Sequence(
        "sustain, let go, struck again, pedal up",
        [*cc(100, (64, 127)), on(200), off(300), on(400), *cc(500, (64, 0))],
        900,
    ),
    Sequence("sostenuto (CC 66) after the note, let go", [on(200), *cc(300, (66, 127)), off(400)]),
    Sequence("sostenuto before the note, let go", [*cc(100, (66, 127)), on(200), off(400)], 900),
    Sequence(
        "sostenuto, let go, pedal up",
        [on(200), *cc(300, (66, 127)), off(400), *cc(500, (66, 0))],
        900,
    ),
    Sequence(
        "sustain, let go, sostenuto, sustain up",
        [*cc(100, (64, 127)), on(200), off(300), *cc(400, (66, 127)), *cc(500, (64, 0))],
        900,
    ),
    Sequence("all sound off (CC 120)", [on(200), *cc(400, (120, 0))]),
    Sequence("all sound off under the pedal", [*cc(100, (64, 127)), on(200), *cc(400, (120, 0))]),
    Sequence(
        "bend, all sound off, a new note",
        [bend(100, -8192), on(200), *cc(300, (120, 0)), on(400)],
    ),
    Sequence(
        "reset all (CC 121) after bend and modulation", [bend(0, -8192), *cc(0, (1, 127), (121, 0)), *PLAIN]
    ),
    Sequence("reset all after volume 64", [*cc(0, (7, 64), (121, 0)), *PLAIN]),
    Sequence("reset all after expression 64", [*cc(0, (11, 64), (121, 0)), *PLAIN]),
    Sequence("reset all after channel pressure", [(0, (0xD0, 127)), *cc(0, (121, 0)), *PLAIN]),
    Sequence(
        "reset all after bend range 12, full down",
        [*rpn(0, 0, (6, 12)), *cc(50, (121, 0)), bend(100, -8192), *PLAIN],
    ),
    Sequence(
        "reset all after RPN 0, then CC 6 of 40, full down",
        [*rpn(0, 0, (6, 2)), *cc(50, (121, 0), (6, 40)), bend(100, -8192), *PLAIN],
    ),
    Sequence(
        "reset all after coarse tuning 69",
        [*rpn(0, 2, (6, 69)), *cc(50, (121, 0)), *PLAIN],
        **differs(_KEPT, cents=500),
    ),
    Sequence("reset all lifts the pedal", [*cc(100, (64, 127)), on(200), off(300), *cc(400, (121, 0))], 900),
    Sequence("local control off (CC 122)", [*cc(100, (122, 0)), on(200), *cc(400, (122, 0))]),
    Sequence("all notes off (CC 123)", [on(200), *cc(400, (123, 0))], 900),
    Sequence("all notes off under the pedal", [*cc(100, (64, 127)), on(200), *cc(400, (123, 0))], 900),
    Sequence(
        "all notes off under the pedal, pedal up",
        [*cc(100, (64, 127)), on(200), *cc(400, (123, 0)), *cc(500, (64, 0))],
        900,
    ),
    *(
        Sequence(f"{name} (CC {number})", [on(200), *cc(400, (number, 0))], 900)
        for number, name in ((124, "omni off"), (125, "omni on"), (126, "mono"), (127, "poly"))
    ),
    Sequence("note-on with velocity 0", [on(200), on(400, velocity=0)], 900),
    Sequence("struck twice, let go once", [on(200), on(400), off(600)], 900, **differs(**_HELD)),
    Sequence("struck twice, let go twice", [on(200), on(400), off(600), off(700)], 1100),
    Sequence("legato of 10 ms", [on(200), on(400), off(410)], 700, **differs(**_HELD)),
    Sequence("note-on before note-off, at one time", [on(200), on(400), off(400)], 700, **differs(**_HELD)),
    Sequence("note-off before note-on, at one time", [on(200), off(400), on(400)], 700),
    Sequence("let go twice, struck again", [on(200), off(300), off(310), on(400)], 700),
    Sequence("let go before it is struck", [off(100), on(200)], 700),
]


class FluidSynth:
    """FluidSynth by its C library, with one sound font."""

    def __init__(self) -> None:
        name = ctypes.util.find_library("fluidsynth")
        if name is None or not SOUNDFONT.exists():
            sys.exit("needs FluidSynth: apt-get install libfluidsynth3 fluid-soundfont-gm")
        self._c = ctypes.CDLL(name)
        for function in ("new_fluid_settings", "new_fluid_synth"):
            getattr(self._c, function).restype = ctypes.c_void_p
        self._c.fluid_version_str.restype = ctypes.c_char_p
        self._settings = ctypes.c_void_p(self._c.new_fluid_settings())
        self._c.fluid_settings_setnum(self._settings, b"synth.sample-rate", ctypes.c_double(RATE))
        for effect in (b"synth.reverb.active", b"synth.chorus.active"):
            self._c.fluid_settings_setint(self._settings, effect, 0)
        # Samples are read when they are played: the sound font is large, and loaded for each sequence.
        self._c.fluid_settings_setint(self._settings, b"synth.dynamic-sample-loading", 1)

    @property
    def version(self) -> str:
        """Its version."""
        return str(self._c.fluid_version_str().decode())

    def play(self, sequence: Sequence) -> np.ndarray:
        """Play a sequence up to the end of its window; its sound `[n]`."""
        self._synth = ctypes.c_void_p(self._c.new_fluid_synth(self._settings))
        self._c.fluid_synth_sfload(self._synth, str(SOUNDFONT).encode(), 1)
        self._c.fluid_synth_program_change(self._synth, 0, PROGRAM)
        parts, now = [], 0
        for ms, data in [*sequence.messages, (sequence.at + WINDOW_MS, ())]:
            parts.append(self._render((ms - now) * RATE // 1000))
            now = ms
            if data:
                self._send(*data)
        self._c.delete_fluid_synth(self._synth)
        return np.concatenate(parts)

    def _render(self, n: int) -> np.ndarray:
        left, right = (ctypes.c_float * n)(), (ctypes.c_float * n)()
        self._c.fluid_synth_write_float(self._synth, n, left, 0, 1, right, 0, 1)
        return (np.frombuffer(left, np.float32) + np.frombuffer(right, np.float32)).astype(float)

    def _send(self, status: int, first: int, second: int = 0) -> None:
        send = {
            0x80: lambda: self._c.fluid_synth_noteoff(self._synth, 0, first),
            0x90: lambda: self._c.fluid_synth_noteon(self._synth, 0, first, second),
            0xA0: lambda: self._c.fluid_synth_key_pressure(self._synth, 0, first, second),
            0xB0: lambda: self._c.fluid_synth_cc(self._synth, 0, first, second),
            0xC0: lambda: self._c.fluid_synth_program_change(self._synth, 0, first),
            0xD0: lambda: self._c.fluid_synth_channel_pressure(self._synth, 0, first),
            0xE0: lambda: self._c.fluid_synth_pitch_bend(self._synth, 0, first | second << 7),
        }
        send[status]()

    def measure(self, sequence: Sequence) -> dict[str, float]:
        """Pitch in cents from A4, its swing in cents, and level in dB."""
        sound = self.play(sequence)[sequence.at * RATE // 1000 :]
        level = 20 * np.log10(np.sqrt(np.mean(sound**2)) + 1e-9)
        spectrum = np.fft.rfft(sound * np.hanning(len(sound)), 1 << 15)
        f = np.fft.rfftfreq(1 << 15, 1 / RATE)
        inside = (f > 150) & (f < 1200)
        peak = f[inside][np.argmax(np.abs(spectrum[inside]))]
        analytic = np.fft.fft(sound)
        bins = np.fft.fftfreq(len(sound), 1 / RATE)
        analytic[(bins < 0.75 * peak) | (bins > 1.25 * peak)] = 0
        phase = np.unwrap(np.angle(np.fft.ifft(analytic)))
        hz = np.diff(phase)[400:-400] * RATE / (2 * np.pi)
        cents = 1200 * np.log2(np.maximum(hz, 1.0) / 440)
        return _measures(cents, level)


def measure_ours(sequence: Sequence) -> dict[str, float]:
    """The same of ours: what the network is asked for."""
    keys = LiveInstrument(INSTRUMENT, voices=4, seed=0)
    asked: list[tuple[float, float]] = []
    play_voices = keys._bank.play_voices

    def spy(numbers, f0_hz, loudness_db, settings):  # type: ignore[no-untyped-def]
        loudest = int(np.argmax(loudness_db))
        asked.append((float(hz_to_midi(f0_hz[loudest])), float(loudness_db[loudest])))
        return play_voices(numbers, f0_hz, loudness_db, settings)

    keys._bank.play_voices = spy  # type: ignore[method-assign]
    now = 0
    for ms, data in [*sequence.messages, (sequence.at, ())]:
        keys.render((ms - now) * RATE // 1000)
        now = ms
        if data:
            send(keys, *data)
    asked.clear()
    keys.render(WINDOW_MS * RATE // 1000)
    notes, levels = np.array(asked).T if asked else (np.array([69.0]), np.array([LOUDNESS_FLOOR_DB]))
    return _measures(100 * (notes - 69), float(np.mean(levels)))


def send(keys: LiveInstrument, status: int, first: int, second: int = 0) -> None:
    """Send the bytes of a message of channel 1 as a MIDI port would."""
    import mido

    from ddsp_edge.live.messages import hear

    size = 2 if status in (0xC0, 0xD0) else 3
    hear(keys, mido.Message.from_bytes([status, first, second][:size]))


def _measures(cents: np.ndarray, level_db: float) -> dict[str, float]:
    low, high = np.percentile(cents, [1, 99])
    return {"cents": float((low + high) / 2), "swing": float((high - low) / 2), "db": level_db}


def relative(found: dict[str, float], plain: dict[str, float]) -> dict[str, float | None]:
    """Pitch and level against the plain note; nothing but silence where there is none."""
    level = found["db"] - plain["db"]
    if level < HEARD_DB:
        return {"cents": None, "swing": None, "db": None}
    return {
        "cents": round(found["cents"] - plain["cents"], 1),
        "swing": round(found["swing"], 1),
        "db": round(level, 1),
    }


def text(figures: dict[str, float | None]) -> str:
    """Figures for a cell of a table."""
    if figures["db"] is None:
        return "silent"
    swing = figures["swing"] or 0.0
    return f"{figures['cents']:+.0f}{f' ±{swing:.0f}' if swing > 10 else ''} cents, {figures['db']:+.1f} dB"


def main() -> None:
    """Print the table; write the figures, if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help=f"write {FIGURES.name}")
    write = parser.parse_args().write
    fluid, plain = FluidSynth(), Sequence("plain note", PLAIN)
    plain_fluid, plain_ours = fluid.measure(plain), measure_ours(plain)
    rows = []
    print(f"| message | FluidSynth {fluid.version} | ours |\n| --- | --- | --- |")
    for sequence in SEQUENCES:
        theirs = relative(fluid.measure(sequence), plain_fluid)
        ours = relative(measure_ours(sequence), plain_ours)
        reason = f": {sequence.reason}" if sequence.reason else ""
        print(f"| {sequence.name} | {text(theirs)} | {text(ours)}{reason} |")
        row = {"name": sequence.name, "at": sequence.at, "messages": sequence.messages, "fluidsynth": theirs}
        rows.append({**row, "wanted": {**theirs, **dict(sequence.wanted)}, "reason": sequence.reason})
    if write:
        lines = ",\n".join(json.dumps(row) for row in rows)
        FIGURES.write_text(f'{{"fluidsynth": "{fluid.version}", "sequences": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
