"""The pitch of a recording, by the model of a run."""

from pathlib import Path

import numpy as np

from ddsp_edge.atomic import written_whole
from ddsp_edge.features.pitch import VOICED
from ddsp_edge.files.audio_file import AudioReader
from ddsp_edge.files.audio_writer import check_output
from ddsp_edge.voice.speech_pitch import SpeechPitch
from ddsp_tf.frames import FrameSpec
from ddsp_tf.tasks.pitch.model import PitchModel, network_of


def tracker_of(model: PitchModel) -> SpeechPitch:
    """The model as a device runs it."""
    config = model.facts["config"]
    spec = FrameSpec.from_frame_rate(config["sample_rate"], config["frame_rate"])
    return SpeechPitch(network_of(model), spec, model.f0_min_hz, model.f0_max_hz, model.lookahead_frames)


def write_pitch(model: PitchModel, source: Path, out: Path) -> tuple[int, int]:
    """Write a table of frames, `time_s,f0_hz,voicing`; return how many there are, and how many are voiced.

    Raises:
        DdspError: If the recording cannot be read, or would be overwritten.
    """
    check_output(out, {"recording": source}, ".csv")
    tracker = tracker_of(model)
    with AudioReader(source, tracker.spec.sample_rate) as reader:
        parts = [tracker.push(block) for block in reader.blocks()]
    f0_hz, voicing = (np.concatenate(columns) for columns in zip(*parts, tracker.flush(), strict=True))
    voiced = voicing >= VOICED
    lines = ["time_s,f0_hz,voicing"]
    for i, (pitch, probability) in enumerate(zip(np.where(voiced, f0_hz, 0.0), voicing, strict=True)):
        lines.append(f"{tracker.spec.seconds(i + 1):.3f},{pitch:.2f},{probability:.3f}")
    with written_whole(out) as beside:
        beside.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(f0_hz), int(voiced.sum())
