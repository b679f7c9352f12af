"""How many of a singer's s, f and breaths does an instrument play as notes, and how many notes are lost?

    python benchmarks/consonants.py SINGER.flac PITCH.csv INSTRUMENT.tflite

PITCH.csv holds seconds and Hz, 0 where there is no pitch, below a line of names, annotated by hand. The
recording is tracked as by `ddsp-edge render` (and `play --latency full`, which tracks the same), and its
controls are those that are played with each way of `--consonants`. A frame is played as a pitch where the
harmonics are told a level within 30 dB of their median in frames with a pitch. Frames without a pitch count
where the recording has -60 dB or more, the usual gate: all of them, and those 16 ms and more away from a
frame with a pitch, half a window of the loudness, since no two people hear a note end in the same frame.
Frames with a pitch are lost where `hold` plays them as one and the other way does not.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "export"))

import numpy as np

from ddsp_edge.files.audio_file import AudioReader
from ddsp_edge.ranges import CONSONANTS
from ddsp_edge.render.render import instrument_for_files
from ddsp_edge.render.tracking import RecordingTracker
from ddsp_edge.transfer.consonants import Consonants
from ddsp_edge.transfer.recording import RecordingTransfer
from ddsp_edge.transfer.settings import TransferSettings
from ddsp_edge.units import Array

_WITHIN_DB = 30.0
_GATE_DB = -60.0
_EDGE_S = 0.016


def annotated(path: Path, at: Array) -> Array:
    """Whether there is a pitch at times in seconds, by the annotation nearest to each."""
    seconds, f0_hz = np.loadtxt(path, delimiter=",", skiprows=1).T
    after = np.clip(np.searchsorted(seconds, at), 1, len(seconds) - 1)
    nearer = np.where(at - seconds[after - 1] < seconds[after] - at, after - 1, after)
    return np.asarray(f0_hz[nearer] > 0.0)


def near(pitched: Array, frames: int) -> Array:
    """Whether a frame lies within so many frames of one with a pitch."""
    return np.asarray(np.convolve(pitched, np.ones(2 * frames + 1), "same") > 0.0)


def main() -> None:
    """Play with each way, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recording", type=Path)
    parser.add_argument("pitch", type=Path)
    parser.add_argument("instrument", type=Path)
    args = parser.parse_args()
    print("| consonants | without a pitch, played as one, % | 16 ms from one, % | with a pitch, lost, % |")
    print("| --- | ---: | ---: | ---: |")
    held: Array | None = None
    for way in CONSONANTS:
        instrument = instrument_for_files(args.instrument, seed=0)
        card, spec = instrument.card, instrument.spec
        settings = TransferSettings(match_octave=True, match_loudness=True, consonants=way)
        ranges = card.f0_hz_range, card.loudness_db_range
        transfer = RecordingTransfer(spec, settings, *ranges, card.further)
        consonants = Consonants(instrument.synthesizer, way)
        levels = list[Array]()
        with AudioReader(args.recording, spec.sample_rate) as reader:
            tracked = [found for found, _ in RecordingTracker(card).blocks(reader)]
            heard = [found.loudness_db for found in tracked]
            for played in transfer.process(tracked):
                told = instrument.controls(played.f0_hz, played.loudness_db, **played.further)
                told = consonants.process(told, played.pitched)
                levels.append(told["harmonic_amplitude"][:, 0])
        level = 20.0 * np.log10(np.concatenate(levels) + 1e-9)
        pitched = annotated(args.pitch, (np.arange(len(level)) + 1.0) * spec.hop / spec.sample_rate)
        sounds = level > np.median(level[pitched]) - _WITHIN_DB
        held = sounds if held is None else held  # `hold` comes first
        loud = ~pitched & (np.concatenate(heard) >= _GATE_DB)
        lost = (pitched & held & ~sounds).sum() / pitched.sum()
        far = loud & ~near(pitched, spec.frames_for(_EDGE_S))
        shares = (float(sounds[part].mean()) for part in (loud, far))
        print(f"| {way} | {' | '.join(f'{100 * share:.1f}' for share in (*shares, lost))} |")


if __name__ == "__main__":
    main()
