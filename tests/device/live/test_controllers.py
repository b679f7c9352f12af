"""Wheels, pedals and parameters, held to figures of FluidSynth that `benchmarks/controllers.py` wrote down.

Where MIDI 1.0 or its recommended practices want something else than FluidSynth does, the file says what is
wanted, and why.
"""

import json
from pathlib import Path

import mido
import numpy as np
import pytest

from ddsp_edge.live import LiveInstrument
from ddsp_edge.live.messages import hear
from ddsp_edge.live.parameters import Parameters
from ddsp_edge.units import hz_to_midi
from tests.device.conftest import TINY

RATE = 16_000
WINDOW_MS = 300
FIGURES = json.loads((Path(__file__).parents[1] / "data" / "controllers.json").read_text())["sequences"]
PLAIN = [[200, [0x90, 69, 100]]]


@pytest.fixture(scope="module")
def keys():
    return LiveInstrument(TINY, voices=4, seed=1)


@pytest.fixture
def measure(keys, monkeypatch):
    """Send bytes at their times; MIDI note and loudness asked for, frame by frame, in a window after them."""
    asked, play_voices = [], keys._bank.play_voices

    def spy(numbers, f0_hz, loudness_db, settings):
        loudest = int(np.argmax(loudness_db))
        asked.append((float(hz_to_midi(f0_hz[loudest])), float(loudness_db[loudest])))
        return play_voices(numbers, f0_hz, loudness_db, settings)

    monkeypatch.setattr(keys._bank, "play_voices", spy)

    def run(messages, at_ms):
        keys.reset()
        now = 0
        for ms, data in [*messages, (at_ms, [])]:
            keys.render((ms - now) * RATE // 1000)
            now = ms
            if data:
                hear(keys, mido.Message.from_bytes(data))
        asked.clear()
        keys.render(WINDOW_MS * RATE // 1000)
        return np.array(asked or [(69.0, -80.0)]).T

    return run


@pytest.mark.parametrize("row", FIGURES, ids=[row["name"] for row in FIGURES])
def test_messages_do_what_they_do_in_fluidsynth_or_what_the_standard_says(measure, row):
    plain_db = measure(PLAIN, 700)[1].mean()
    note, loudness = measure(row["messages"], row["at"])
    wanted = row["wanted"]
    if wanted["db"] is None:
        assert loudness.mean() < plain_db - 40
        return
    assert loudness.mean() - plain_db == pytest.approx(wanted["db"], abs=0.3)
    cents = 100 * (note - 69)
    if wanted["cents"] is not None:
        # FluidSynth bends by 1 % less: SF2 maps 7 bits to shares of 128, not of 127.
        middle = (cents.max() + cents.min()) / 2
        assert middle == pytest.approx(wanted["cents"], rel=0.012, abs=3)
    if wanted["swing"] is not None:
        assert (cents.max() - cents.min()) / 2 == pytest.approx(wanted["swing"], abs=15)  # its sample wavers


def test_every_difference_to_fluidsynth_has_its_reason():
    for row in FIGURES:
        assert (row["wanted"] != row["fluidsynth"]) == bool(row["reason"])


def told(*pairs):
    parameters = Parameters()
    for control, value in pairs:
        parameters.hear(control, value)
    return parameters


BEND, FINE, COARSE, NULL = [((101, high), (100, low)) for high, low in ((0, 0), (0, 1), (0, 2), (127, 127))]


@pytest.mark.parametrize(
    ("pairs", "semitones"),
    [
        ([], 2.0),
        ([*BEND, (6, 12)], 12.0),
        ([*BEND, (6, 12), (38, 50)], 12.5),
        ([*BEND, (38, 50), (6, 12)], 12.5),
        ([*BEND, (6, 12), (38, 50), (6, 3)], 3.0),  # an MSB alone has an LSB of 0
        ([*BEND, (6, 12), (38, 50), *BEND, (6, 3)], 3.0),
        ([*BEND, (38, 50)], 2.5),
        ([(100, 0), (101, 0), (6, 7)], 7.0),  # in the other order
        ([(100, 0), (6, 7)], 2.0),  # half a number
        ([*BEND, *NULL, (6, 7), (38, 7), (96, 0)], 2.0),
        ([*BEND, (99, 1), (6, 7), (38, 7), (97, 0)], 2.0),
        ([*BEND, (98, 1), (6, 7)], 2.0),
        ([(99, 127), (98, 127), *BEND, (6, 7)], 7.0),
        ([*BEND, (6, 4), (38, 99), (96, 0)], 5.0),
        ([*BEND, (6, 4), (97, 127)], 3.99),
        ([*BEND, (6, 0), (97, 0)], 0.0),
        ([*BEND, (6, 127), (38, 99), (96, 0)], 127.99),
        ([*FINE, (6, 12), *COARSE, (6, 12)], 2.0),
        ([(101, 1), (100, 0), (6, 12)], 2.0),
    ],
)
def test_the_bend_range_follows_midi_1_0_and_rp_018(pairs, semitones):
    assert told(*pairs).bend_range == pytest.approx(semitones)


@pytest.mark.parametrize(
    ("pairs", "semitones"),
    [
        ([], 0.0),
        ([*FINE, (6, 127), (38, 127)], 8191 / 8192),
        ([*FINE, (6, 0)], -1.0),
        ([*FINE, (38, 1)], 1 / 8192),
        ([*FINE, (6, 64), (38, 127), (96, 0)], 128 / 8192),
        ([*COARSE, (6, 52)], -12.0),
        ([*COARSE, (6, 52), (96, 3)], -11.0),
        ([*COARSE, (6, 0), (97, 3)], -64.0),
        ([*COARSE, (6, 52), *FINE, (6, 96)], -11.5),
    ],
)
def test_tuning_follows_midi_1_0_and_rp_018(pairs, semitones):
    assert told(*pairs).tuning_semitones == pytest.approx(semitones)
