"""Notes while somebody plays: each is told when it begins and when it ends."""

import queue
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ddsp_edge.errors import DdspError, printable
from ddsp_edge.live.resampler import Resampler
from ddsp_edge.transcription.naming import RunningNames
from ddsp_edge.transcription.note import Note
from ddsp_edge.transcription.transcriber import Transcriber
from ddsp_edge.units import Array, midi_to_hz, note_name, silence_bad

_WAITING_BLOCKS = 200  # of the sound card, that the transcriber may be behind; then sound is lost
_EXTRA = "Sending notes to {} needs {}: pip install 'ddsp-tf[live]'"


@dataclass(frozen=True)
class NoteBegins:
    """A note begins: MIDI note, onset in seconds since the start, velocity 1 to 127."""

    pitch: int
    onset_s: float
    velocity: int


@dataclass(frozen=True)
class NoteEnds:
    """A note ends: MIDI note, and what is known of it now; None where it turned out to be none."""

    pitch: int
    note: Note | None


class Sink(Protocol):
    """Where notes go."""

    def send(self, event: NoteBegins | NoteEnds) -> None:
        """Take an event."""
        ...


class NoteEvents:
    """Turns a stream into events: every note that begins ends, once, before its pitch begins again.

    Args:
        transcriber: What hears.
        rate: Integer, rate of the stream, Hz; it is resampled to that of the transcriber.
        names: Names notes when they end; None leaves them without names.
    """

    def __init__(self, transcriber: Transcriber, rate: int, names: RunningNames | None = None) -> None:
        self._transcriber, self._names = transcriber, names
        own = transcriber.spec.sample_rate
        self._resampler = Resampler(rate, own) if rate != own else None
        self._on: set[int] = set()
        transcriber.reset()

    def push(self, block: npt.ArrayLike) -> list[NoteBegins | NoteEnds]:
        """Add samples `[n]` at the rate of the stream; return what happened."""
        audio = silence_bad(np.array(block, np.float32))
        if self._resampler is not None:
            audio = self._resampler.process(audio)
        events: list[NoteBegins | NoteEnds] = []
        hop = self._transcriber.spec.hop
        for start in range(0, len(audio), hop):  # one frame at a time, so that nothing begins and ends in one
            events += self._events(audio[start : start + hop])
        return events

    def close(self) -> list[NoteBegins | NoteEnds]:
        """End all notes that sound."""
        ended: list[NoteBegins | NoteEnds] = [NoteEnds(pitch, None) for pitch in sorted(self._on)]
        self._on.clear()
        return ended

    def _events(self, audio: Array) -> list[NoteBegins | NoteEnds]:
        found = self._transcriber.push(audio)
        ended = {}
        for note, fit in zip(found.notes, found.fits, strict=True):
            if self._names is not None and fit is not None:
                note = self._names.name(note, fit.features)
            ended[round(note.pitch)] = note
        begun = {pitch for pitch, _, _ in found.begun}
        sounding = set(self._transcriber.open_pitches)
        events: list[NoteBegins | NoteEnds] = []
        for pitch in sorted(self._on):
            if pitch not in sounding or pitch in begun:
                events.append(NoteEnds(pitch, ended.get(pitch)))
                self._on.discard(pitch)
        for pitch, onset_s, velocity in found.begun:
            if pitch in sounding:
                events.append(NoteBegins(pitch, onset_s, velocity))
                self._on.add(pitch)
        return events


class TextSink:
    """A line for each note, when it begins and when it ends."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell

    def send(self, event: NoteBegins | NoteEnds) -> None:
        """Tell it."""
        name = note_name(float(midi_to_hz(event.pitch)))
        if isinstance(event, NoteBegins):
            self._tell(f"{event.onset_s:9.3f} s  {name:<4} on   velocity {event.velocity}")
        elif event.note is not None:
            length_s = event.note.offset_s - event.note.onset_s
            who = f"  {event.note.instrument}" if event.note.instrument else ""
            self._tell(f"{event.note.offset_s:9.3f} s  {name:<4} off  after {length_s:.2f} s{who}")


class OscSink:
    """Messages by OSC: `/note_on note velocity` and `/note_off note`, as `ddsp-edge midi` hears them.

    Args:
        host: Where to.
        port: Integer, UDP port.
    """

    def __init__(self, host: str, port: int) -> None:
        try:
            from pythonosc.udp_client import SimpleUDPClient
        except ImportError as error:
            raise DdspError(_EXTRA.format("OSC", "python-osc")) from error
        self._client = SimpleUDPClient(host, port)

    def send(self, event: NoteBegins | NoteEnds) -> None:
        """Send it."""
        if isinstance(event, NoteBegins):
            self._client.send_message("/note_on", [event.pitch, event.velocity])
        else:
            self._client.send_message("/note_off", [event.pitch])


class MidiSink:
    """Messages to a MIDI port.

    Args:
        name: Part of the port's name; a port of this name is made where there is none.
    """

    def __init__(self, name: str) -> None:
        try:
            import mido
            import rtmidi  # noqa: F401 - what mido opens ports with
        except ImportError as error:
            raise DdspError(_EXTRA.format("a MIDI port", "python-rtmidi")) from error
        self._message: Any = mido.Message
        try:
            found = next((n for n in mido.get_output_names() if name.lower() in n.lower()), None)
            self._port: Any = mido.open_output(found or name, virtual=found is None)
        except Exception as error:  # of the library under it; it has no one class of its own
            reason = printable(error)[:200]
            raise DdspError(f"MIDI port {printable(name)!r} cannot be used: {reason}") from error

    def send(self, event: NoteBegins | NoteEnds) -> None:
        """Send it."""
        if isinstance(event, NoteBegins):
            self._port.send(self._message("note_on", note=event.pitch, velocity=event.velocity))
        else:
            self._port.send(self._message("note_off", note=event.pitch))


class Microphone:
    """The sound card's input, as blocks that wait until they are asked for.

    Args:
        rate: Integer, Hz; None for the transcriber's where the card takes it, or else the card's own.
        own_rate: Integer, the transcriber's, Hz.
        name: Number or part of the name of the device; None for the system's own choice.

    Raises:
        DdspError: If there is no sound card, or it cannot be opened.
    """

    def __init__(self, own_rate: int, rate: int | None = None, name: str | None = None) -> None:
        from ddsp_edge.live.sound_card import sounddevice

        module = sounddevice()
        device = int(name) if name is not None and name.isdecimal() else name
        self.lost = 0
        self._blocks: queue.Queue[Array] = queue.Queue(_WAITING_BLOCKS)
        try:
            self.rate = rate or self._rate_for(module, device, own_rate)
            self._stream = module.InputStream(
                device=device,
                samplerate=self.rate,
                channels=min(2, module.query_devices(device, "input")["max_input_channels"]),
                dtype="float32",
                callback=self._heard,
            )
            self._stream.start()
        except (module.PortAudioError, ValueError) as error:
            reason = printable(error)[:200]
            raise DdspError(
                f"The sound card cannot be opened: {reason}. See ddsp-edge play --list-devices"
            ) from error

    def block(self, wait_s: float) -> Array | None:
        """The next block, mono float32 `[n]`; None if none comes in time."""
        try:
            return self._blocks.get(timeout=wait_s)
        except queue.Empty:
            return None

    def close(self) -> None:
        """Let the card go."""
        self._stream.close(ignore_errors=True)

    def _heard(self, data: Array, frames: int, moment: object, status: object) -> None:
        try:
            self._blocks.put_nowait(data.mean(axis=1, dtype=np.float32))
        except queue.Full:
            self.lost += len(data)

    @staticmethod
    def _rate_for(module: Any, device: int | str | None, own_rate: int) -> int:
        try:
            module.check_input_settings(device=device, samplerate=own_rate)
        except (module.PortAudioError, ValueError):
            return int(module.query_devices(device, "input")["default_samplerate"])
        return own_rate


def listen(
    events: NoteEvents,
    microphone: Microphone,
    sinks: Iterable[Sink],
    ended: Callable[[], bool],
) -> None:
    """Send the notes of a microphone to sinks until told to stop; then end all notes."""
    every = list(sinks)
    try:
        while not ended():
            block = microphone.block(0.25)
            for event in [] if block is None else events.push(block):
                for sink in every:
                    sink.send(event)
    finally:
        for event in events.close():
            for sink in every:
                sink.send(event)
        microphone.close()
