"""OSC: every setting, keys, and what is wrong is passed over."""

import socket
import struct
import sys
import time
from dataclasses import fields

import numpy as np
import pytest

from ddsp_edge import DdspError
from ddsp_edge.live import EffectSettings, KeySettings, LiveEffect, LiveInstrument
from ddsp_edge.live.remote import Remote, listening_for_osc
from tests.device.conftest import TINY


@pytest.fixture(scope="module")
def keys():
    return LiveInstrument(TINY, voices=2, seed=1)


@pytest.mark.parametrize(("build", "kind"), [(LiveEffect, EffectSettings), (LiveInstrument, KeySettings)])
def test_every_setting_is_heard(build, kind):
    player = build(TINY, settings=kind())
    remote = Remote(player)
    for field in fields(kind):
        remote.hear(f"/{field.name}", 1)
        value = getattr(player.settings, field.name)
        assert value == 1
        assert type(value) is (bool if isinstance(field.default, bool) else float)
    assert remote.refused == 0


def test_keys_are_heard(keys):
    keys.reset()
    remote = Remote(keys)
    for message in (("/note_on", 60, 100), ("/note_on", 64.0), ("/pitch_bend", -0.5), ("/note_off", 60)):
        remote.hear(*message)
    keys.render(300)
    assert keys.notes == [64]
    remote.hear("/control_change", 123, 0)
    keys.render(300)
    assert keys.notes == []
    remote.hear("/note_on", 60, 100)
    remote.hear("/panic")
    keys.render(300)
    assert keys.notes == []
    assert remote.refused == 0


@pytest.mark.parametrize(
    "message",
    [
        ("/gian_db", 1),
        ("/gain_db",),
        ("/gain_db", 1, 2),
        ("/gain_db", "loud"),
        ("/note_on", 128),
        ("/note_on",),
        ("/note_on", float("inf")),
        ("/note_off", 60, 1),
        ("/pitch_bend", float("nan")),
        ("/control_change", 1),
        ("/__class__", 1),
        ("/reset", 1),
        ("", b"\0"),
    ],
)
def test_what_is_wrong_is_passed_over(keys, message):
    keys.reset()
    before = dict(vars(keys.settings))
    remote = Remote(keys)
    remote.hear(*message)
    assert remote.refused == 1
    assert vars(keys.settings) == before
    keys.render(300)
    assert keys.notes == []


def test_messages_come_over_the_network(keys):
    builder = pytest.importorskip("pythonosc.osc_message_builder").OscMessageBuilder("/gain_db")
    builder.add_arg(-6.0)
    keys.reset()
    with (
        listening_for_osc(keys, "127.0.0.1", 0) as port,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        client.sendto(b"no message of OSC", ("127.0.0.1", port))
        client.sendto(builder.build().dgram, ("127.0.0.1", port))
        until = time.monotonic() + 10.0
        while keys.settings.gain_db != -6.0 and time.monotonic() < until:
            time.sleep(0.01)
        assert keys.settings.gain_db == -6.0
        with pytest.raises(DdspError, match=f"port {port}"), listening_for_osc(keys, "127.0.0.1", port):
            pass
    keys.settings.gain_db = 0.0


def gain(value):
    return b"/gain_db\0\0\0\0,f\0\0" + struct.pack(">f", value)


def bundle(*parts, time=b"\xff" * 8):
    return b"#bundle\0" + time + b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def test_the_messages_of_a_bundle_are_heard_at_once(keys):
    """Whatever its time: a sender whose clock is fast must not make anybody wait."""
    pytest.importorskip("pythonosc")
    remote = Remote(keys)
    remote.hear_packet(bundle(gain(-3.0), bundle(b"/reverb\0,f\0\0" + struct.pack(">f", 0.5))))
    assert (keys.settings.gain_db, keys.settings.reverb) == (-3.0, 0.5)
    assert remote.refused == 0


def test_broken_packets_are_passed_over_without_a_word(keys, capfd):
    pytest.importorskip("pythonosc")
    rng, good = np.random.default_rng(0), [gain(-3.0), bundle(gain(1.0), gain(2.0))]
    deep = gain(5.0)
    for _ in range(50):
        deep = bundle(deep)
    packets = [b"", b"/", b"#bundle\0", deep, b"/\xff\xfe\0,i\0\0\0\0\0\1", b"/a\0\0,s\0\0\xff\xff\0\0"]
    for _ in range(500):
        packet = bytearray(good[int(rng.integers(2))])
        for where in rng.integers(0, len(packet), 2):
            packet[where] = int(rng.integers(256))
        packets.append(bytes(packet[: int(rng.integers(1, len(packet) + 1))]))
    with (
        listening_for_osc(keys, "127.0.0.1", 0) as port,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out,
    ):
        for packet in packets:
            out.sendto(packet, ("127.0.0.1", port))
        deadline = time.monotonic() + 10.0
        while keys.settings.gain_db != -7.5 and time.monotonic() < deadline:
            out.sendto(gain(-7.5), ("127.0.0.1", port))
            time.sleep(0.01)
    assert keys.settings.gain_db == -7.5
    assert capfd.readouterr() == ("", "")


def test_without_the_extra_it_is_said(keys, monkeypatch):
    monkeypatch.setitem(sys.modules, "pythonosc.osc_message", None)
    with pytest.raises(DdspError, match=r"ddsp-tf\[live\]"), listening_for_osc(keys, "127.0.0.1", 0):
        pass
