"""The sound card, by sounddevice and PortAudio, and words for all that can be missing."""

from typing import Any

from ddsp_edge.errors import DdspError, printable
from ddsp_edge.live.player import Player
from ddsp_edge.live.stream import LiveStream
from ddsp_edge.units import Array

_EXTRA = "Playing live needs {}: pip install 'ddsp-tf[live]'"
_PORTAUDIO = (
    "The PortAudio library is not installed. On Debian, Ubuntu and Raspberry Pi OS: "
    "sudo apt install libportaudio2"
)


def sounddevice() -> Any:
    """The module, once it is sure that it works.

    Raises:
        DdspError: If it or PortAudio is not installed.
    """
    try:
        import sounddevice as module
    except ModuleNotFoundError as error:
        raise DdspError(_EXTRA.format("sounddevice")) from error
    except OSError as error:  # what it says when it finds no library
        raise DdspError(_PORTAUDIO) from error
    return module


def device_table() -> str:
    """The sound cards, a line each: number, name, channels in and out, rate.

    Raises:
        DdspError: If sounddevice or PortAudio is not installed.
    """
    devices = sounddevice().query_devices()
    if not len(devices):
        return "no sound card was found"
    return "\n".join(
        f"{number:3}  {printable(device['name'])}: {device['max_input_channels']} in, "
        f"{device['max_output_channels']} out, {device['default_samplerate']:.0f} Hz"
        for number, device in enumerate(devices)
    )


class SoundCard:
    """Play on a sound card.

    Args:
        wants_input: Whether sound is to come from it, too.
        input_name: Number or part of the name of the device to hear; None for the system's own choice.
        output_name: The same of the device to play on.
        rate: Integer, Hz; None for the player's where the card takes it, or else the card's own.
        block: Integer, samples a block; 0 to let the card choose.
    """

    def __init__(
        self,
        wants_input: bool,
        input_name: str | None = None,
        output_name: str | None = None,
        rate: int | None = None,
        block: int = 0,
    ) -> None:
        self._module = sounddevice()
        self._wants_input = wants_input
        self._names = input_name, output_name
        self._rate, self._block = rate, block
        self._stream: Any = None
        self._opened = False

    def open(self, player: Player) -> LiveStream:
        """Begin to play; see `ddsp_edge.live.session.Device`."""
        module = self._module
        if self._opened:  # PortAudio looks for devices once, when it is started
            module._terminate()
            module._initialize()
        self._opened = True
        heard, played = (_number(name) for name in self._names)
        try:
            rate = self._rate or self._rate_for(player, heard, played)
            live = LiveStream(player, rate)
            self._stream = self._built(live, rate, heard, played)
            self._stream.start()
        except (module.PortAudioError, ValueError) as error:
            self.close()
            reason = printable(error)[:200]
            raise DdspError(
                f"The sound card cannot be opened: {reason}. See ddsp-edge play --list-devices"
            ) from error
        return live

    def close(self) -> None:
        """Let the card go."""
        if self._stream is not None:
            stream, self._stream = self._stream, None
            try:
                stream.close(ignore_errors=True)
            except self._module.PortAudioError:  # it is gone already
                return

    @property
    def running(self) -> bool:
        """Whether it still calls."""
        return self._stream is not None and bool(self._stream.active)

    @property
    def card_latency_s(self) -> float:
        """What the card adds, both ways together, as PortAudio says, s."""
        latency = self._stream.latency if self._stream is not None else 0.0
        return float(sum(latency) if isinstance(latency, tuple) else latency)

    def _built(self, live: LiveStream, rate: int, heard: int | str | None, played: int | str | None) -> Any:
        module = self._module
        how = {"samplerate": rate, "blocksize": self._block, "dtype": "float32", "latency": "low"}
        channels_out = min(2, module.query_devices(played, "output")["max_output_channels"])
        if not self._wants_input:

            def play(outdata: Array, frames: int, time: object, status: object) -> None:
                live.callback(None, outdata, bool(status))

            return module.OutputStream(device=played, channels=channels_out, callback=play, **how)

        def play_heard(indata: Array, outdata: Array, frames: int, time: object, status: object) -> None:
            live.callback(indata, outdata, bool(status))

        channels_in = min(2, module.query_devices(heard, "input")["max_input_channels"])
        channels = channels_in, channels_out
        return module.Stream(device=(heard, played), channels=channels, callback=play_heard, **how)

    def _rate_for(self, player: Player, heard: int | str | None, played: int | str | None) -> int:
        own = player.spec.sample_rate
        try:
            self._module.check_output_settings(device=played, samplerate=own)
            if self._wants_input:
                self._module.check_input_settings(device=heard, samplerate=own)
        except (self._module.PortAudioError, ValueError):
            return int(self._module.query_devices(played, "output")["default_samplerate"])
        return own


def _number(name: str | None) -> int | str | None:
    return int(name) if name is not None and name.isdecimal() else name
