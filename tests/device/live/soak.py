"""A soak: minutes of playing with everything going wrong, faster than real time.

    python -m tests.device.live.soak INSTRUMENT.tflite --seconds 600

plays effect and instrument for so long each, or with `--player` one of them, and prints what was seen.
"""

import argparse
import gc
import json
import time
import tracemalloc
from pathlib import Path

import numpy as np

from ddsp_edge.live import LATENCIES, EffectSettings, KeySettings, LiveEffect, LiveInstrument
from ddsp_edge.live.session import Session
from tests.device.live.simulated_card import SimulatedCard

MESSAGES_A_SECOND = 500
_TURN_S = 0.25


def soak(player, seconds, rates, block, inputs, seed=0):
    """Play; return figures.

    Args:
        player: What sounds; keys are pressed at random on one that has keys.
        seconds: Of sound.
        rates: Hz, of the card, each time that it comes back.
        block: Samples, or 0 for another number each time.
        inputs: Channels heard.
        seed: Integer.
    """
    rng = np.random.default_rng(seed)
    card = SimulatedCard(rng, rates, block, inputs)
    sent, said = 0, list[str]()

    def messages(n, rate):
        nonlocal sent
        for _ in range(rng.poisson(MESSAGES_A_SECOND * n / rate)):
            sent += 1
            kind, a, b = rng.integers(0, 128, 3).tolist()
            channel = int(rng.integers(0, 2))
            if kind < 60:
                player.note_on(a, b, channel=channel)
            elif kind < 80:  # fewer than are pressed: the rest are stuck
                player.note_off(a, channel=channel)
            elif kind < 100:
                player.pitch_bend(a / 64 - 1, channel=channel)
            else:
                player.control_change(a, b, channel=channel)

    if hasattr(player, "note_on"):
        card.before_block = messages
    unplug_s = seconds / 4
    memory = list[int]()

    def sleep(_):
        card.play(_TURN_S)
        if card.seconds > unplug_s * card.opened:
            card.unplug()
        if len(memory) < card.seconds / seconds * 8:
            gc.collect()
            memory.append(tracemalloc.get_traced_memory()[0])

    began = time.process_time()
    tracemalloc.start()
    session = Session(card, player, said.append, sleep)
    try:
        session.run(lambda: card.seconds >= seconds)
    finally:
        tracemalloc.stop()
    # What is still held is let go; then there must be silence, once the room has rung out.
    player.panic()
    card.opened, card.refused = 1, 1
    card.stream, card.running = card.open(player), True
    card._faults, card._inputs = False, 0
    card.before_block = lambda n, rate: None
    silent = list[float]()
    card.listen = lambda out: silent.append(float(np.abs(out).max(initial=0.0)))
    card.play(4.0)
    return {
        "seconds": card.seconds,
        "cpu_seconds": time.process_time() - began,
        "messages": sent,
        "reopened": session.reopened,
        "xruns_made": card.xruns,
        "xruns_counted": session.xruns,
        "blocks_dropped": card.lost,
        "failures": [line for line in said if "could not" in line],
        "samples_beyond_full_scale": card.bad_samples,
        "peak": card.peak,
        "memory_growth_bytes": memory[-1] - memory[len(memory) // 2],
        "peak_after_panic": max(silent[len(silent) // 2 :]),
    }


def main():
    """Run the soak of a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("instrument", type=Path)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--player", choices=("effect", "keys"), help="one of them (both)")
    arguments = parser.parse_args()
    path, seconds = arguments.instrument, arguments.seconds
    rates = (48_000, 16_000, 44_100)
    if arguments.player != "keys":
        settings = EffectSettings(gate=True, match_loudness=True, match_octave=True, gain_db=12.0)
        effect = LiveEffect(path, settings, seed=0, **LATENCIES["low"])
        print(json.dumps({"effect": soak(effect, seconds, rates, 480, 1)}, indent=1), flush=True)
    if arguments.player != "effect":
        keys = LiveInstrument(path, 4, KeySettings(gain_db=12.0), seed=0)
        print(json.dumps({"keys": soak(keys, seconds, rates, 480, 0)}, indent=1), flush=True)


if __name__ == "__main__":
    main()
