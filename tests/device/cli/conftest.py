"""A sound card and a keyboard that modules of the tests pretend."""

import sys
import threading
import time
import types

import mido
import numpy as np
import pytest


class FakeStream:
    """Calls back from a thread of its own, as PortAudio does."""

    def __init__(self, module, callback, **how):
        self.module, self._callback, self.how = module, callback, how
        self.active, self.latency = False, (0.003, 0.004)
        if how["samplerate"] not in module.rates:
            raise module.PortAudioError("Invalid sample rate")
        module.streams.append(self)

    def start(self):
        self.active = True
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        channels = self.how["channels"]
        size = self.how["blocksize"] or 256
        number = 0
        while self.active:
            times = (np.arange(size) + size * number) / self.how["samplerate"]
            heard = (0.3 * np.sin(2 * np.pi * 330 * times)).astype(np.float32)
            out = np.zeros((size, channels[1] if isinstance(channels, tuple) else channels), np.float32)
            status = "output underflow" if number == 3 else ""
            both = (np.repeat(heard[:, None], channels[0], axis=1),) if isinstance(channels, tuple) else ()
            self._callback(*both, out, size, None, status)
            self.module.played.append(out)
            number += 1
            time.sleep(0.001)

    def close(self, ignore_errors=True):
        self.active = False
        self._thread.join(5.0)


@pytest.fixture
def card(monkeypatch):
    module = types.ModuleType("sounddevice")
    module.PortAudioError = type("PortAudioError", (Exception,), {})
    module.rates, module.streams, module.played, module.started = (48_000,), [], [], 0
    description = {
        "name": "USB\x1b[2J audio",
        "max_input_channels": 1,
        "max_output_channels": 2,
        "default_samplerate": 48_000.0,
    }

    def query(device=None, kind=None):
        if device not in (None, 0, "USB"):
            raise ValueError(f"No device matching {device!r}")
        return [description] if kind is None and device is None else description

    def check(device=None, samplerate=None, **_):
        if samplerate not in module.rates:
            raise module.PortAudioError("Invalid sample rate")

    module.query_devices = query
    module.check_output_settings = module.check_input_settings = check
    module.Stream = module.OutputStream = lambda **how: FakeStream(module, **how)
    module._terminate = lambda: None
    module._initialize = lambda: setattr(module, "started", module.started + 1)
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    return module


@pytest.fixture
def ports(monkeypatch):
    """A keyboard that holds a key as soon as it is opened."""
    opened = []

    class Port:
        def __init__(self, callback):
            opened.append(self)
            self.closed = False
            callback(mido.Message("note_on", note=69, velocity=100))

        def close(self):
            self.closed = True

    monkeypatch.setitem(sys.modules, "rtmidi", types.ModuleType("rtmidi"))
    monkeypatch.setattr(mido, "get_input_names", lambda: ["Midi Through:0", "Keys 61:1"], raising=False)
    monkeypatch.setattr(mido, "open_input", lambda name, callback: Port(callback), raising=False)
    return opened


def settings_file(folder, text):
    """Write a settings file; its path."""
    path = folder / "settings.toml"
    path.write_text(text)
    return path
