"""Standard MIDI Files, played by the engine that plays live keys.

All tracks and channels play together, each channel with wheels and pedals of its own; drums (channel 10) are
left out.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import mido
import numpy as np

from ddsp_edge.errors import DdspError
from ddsp_edge.files.midi_file import MidiFile, read_midi_file
from ddsp_edge.live.controllers import ALL_NOTES_OFF, CHANNELS
from ddsp_edge.live.messages import hear
from ddsp_edge.live.offline import OfflineInstrument
from ddsp_edge.units import Array, midi_to_hz

MAX_FILE_BYTES = 4 << 20  # a million messages; an hour of dense playing is a tenth of it
MAX_SECONDS = 24 * 3600
DRUMS = 9  # channel 10, counted from 0


class MidiScore:
    """A Standard MIDI File, checked and timed. Memory is that of the file, however long it plays.

    Args:
        path: The file.
        sample_rate: Integer, Hz, of the samples that time is counted in.

    Raises:
        DdspError: If the file is missing, damaged, longer than a day, or holds no notes.
    """

    def __init__(self, path: str | Path, sample_rate: int) -> None:
        self.path = Path(path)
        self._rate = sample_rate
        self._file = self._read()
        self.notes: Counter[int] = Counter()
        """How often each MIDI note is struck."""
        self.n_samples = 0
        """Sample at which the piece ends; what was let go then fades after it."""
        try:
            for sample, message in self.events():
                self.n_samples = sample
                if message.type == "note_on" and message.velocity > 0:
                    self.notes[message.note] += 1
        except ValueError as error:
            if isinstance(error, DdspError):
                raise
            raise self._unreadable(error) from error
        if not self.notes:
            raise DdspError(f"{self.path} holds no notes (drums on channel 10 are left out)")

    @property
    def f0_hz(self) -> Array:
        """Frequencies of all notes struck, `[notes]`, at most a thousand for each of the 128."""
        notes, counts = np.array(sorted(self.notes.items())).T
        share = min(1.0, 1000.0 / counts.max())
        return np.asarray(midi_to_hz(np.repeat(notes, np.ceil(counts * share).astype(int))))

    def events(self) -> Iterator[tuple[int, mido.Message]]:
        """Yield messages and the first sample that is not before them; ends with the end of the piece."""
        tempo, elapsed, before = 500_000, 0, 0  # microseconds a beat; microseconds x ticks a beat; ticks
        second = 1_000_000 * self._file.ticks_per_beat
        for tick, message in self._file.messages():
            elapsed += (tick - before) * tempo
            before = tick
            if elapsed > MAX_SECONDS * second:
                raise DdspError(f"{self.path} is longer than {MAX_SECONDS // 3600} hours")
            if message.type == "set_tempo":
                tempo = message.tempo
            elif message.type == "end_of_track" or message.channel != DRUMS:
                yield -(-elapsed * self._rate // second), message

    def _read(self) -> MidiFile:
        if self.path.is_dir():
            raise DdspError(f"{self.path} is a folder, not a MIDI file")
        if not self.path.is_file():
            raise DdspError(f"{self.path}: no such file")
        size = self.path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise DdspError(f"{self.path} has {size} bytes; a MIDI file of at most {MAX_FILE_BYTES} is read")
        try:
            file = read_midi_file(self.path.read_bytes())
        except ValueError as error:
            raise self._unreadable(error) from error
        if file.ticks_per_beat <= 0:
            raise DdspError(
                f"{self.path} counts time in SMPTE frames (division {file.ticks_per_beat}); "
                "only ticks a beat can be read"
            )
        if file.kind == 2:
            raise DdspError(f"{self.path} is a MIDI file of type 2 (separate patterns); 0 and 1 can be read")
        return file

    def _unreadable(self, error: ValueError) -> DdspError:
        return DdspError(f"{self.path} is not a readable MIDI file: {error}")


def play(
    score: MidiScore, player: OfflineInstrument, block_hops: int = 64
) -> Iterator[tuple[Array, dict[str, Array]]]:
    """Play a piece from its beginning until the last of it has rung out.

    What is heard is what the player gives live when the messages of the file are sent to it at their
    samples, less its latency: a note begins where the file has it, or less than a hop before.

    Args:
        score: The piece.
        player: What plays it; it is reset.
        block_hops: Integer > 0, hops a block.

    Yields:
        The sound, float32 `[n]`, whole hops, and as much of the signals of all nodes; see
        `OfflineInstrument.take_signals`.

    Raises:
        DdspError: At the end, if nothing has sounded.
    """
    hops, audible = list[Array](), False
    for hop in _hops(score, player):
        audible |= player.audible
        hops.append(hop)
        if len(hops) == block_hops:
            yield np.concatenate(hops), player.take_signals()
            hops.clear()
    if not audible:
        raise DdspError(
            f"{score.path} holds no notes that sound: each ends where it begins (a tempo of 0?), or its "
            "volume is 0"
        )
    yield np.concatenate([np.zeros(0, np.float32), *hops]), player.take_signals()


def _hops(score: MidiScore, player: OfflineInstrument) -> Iterator[Array]:
    player.reset()
    hop = player.spec.hop
    now = -hop  # sample of the piece at which the next hop that is heard begins
    for sample, message in score.events():
        while sample >= now + 2 * hop:
            yield from _hop(player, now)
            now += hop
        offset = sample - (now + hop)
        if message.type == "end_of_track":
            for channel in range(CHANNELS):  # what still sounds was never let go
                player.control_change(ALL_NOTES_OFF, 0, offset, channel)
        else:
            hear(player, message, offset)
    while now <= score.n_samples or player.sounding:
        yield from _hop(player, now)
        now += hop
    player.rest()
    for _ in range(1 - (-player.tail_samples // hop)):
        yield from _hop(player, now)


def _hop(player: OfflineInstrument, now: int) -> Iterator[Array]:
    audio = player.render(player.spec.hop)
    if now >= 0:
        yield audio
    else:
        player.take_signals()  # of the latency: silence
