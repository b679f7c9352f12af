"""The phones of a recording, by the model of a run."""

from pathlib import Path

import numpy as np

from ddsp_edge.atomic import written_whole
from ddsp_edge.features.log_mel import LogMel
from ddsp_edge.files.audio_file import AudioReader
from ddsp_edge.files.audio_writer import check_output
from ddsp_edge.units import Array
from ddsp_tf.frames import FrameSpec
from ddsp_tf.tasks.content.model import ContentModel
from ddsp_tf.tasks.content.network import network_of
from ddsp_tf.tasks.content.phones import PHONES


def runs_of(phones: Array) -> list[tuple[int, int, int]]:
    """Begin, end (frames) and number of each phone that lasts, of numbers `[frames]`."""
    begins = np.flatnonzero(np.diff(phones, prepend=-2))
    ends = np.append(begins[1:], len(phones))
    return [(int(b), int(e), int(phones[b])) for b, e in zip(begins, ends, strict=True)]


def write_phones(model: ContentModel, source: Path, out: Path) -> int:
    """Write a table of phones, `begin_s,end_s,phone`, and return how many there are.

    Raises:
        DdspError: If the recording cannot be read, or would be overwritten.
    """
    check_output(out, {"recording": source}, ".csv")
    config = model.facts["config"]
    spec = FrameSpec.from_frame_rate(config["sample_rate"], config["frame_rate"])
    network, numbers = network_of(model), []
    with AudioReader(source, config["sample_rate"]) as reader:
        meter = LogMel(spec)
        for block in reader.blocks():
            numbers.append(network.process(log_mel=meter.push(block))["phones"].argmax(axis=1))
        numbers.append(network.process(log_mel=meter.flush())["phones"].argmax(axis=1))
    phones = np.concatenate(numbers)[model.encoder.lookahead_frames :]
    lines = ["begin_s,end_s,phone"]
    for begin, end, number in runs_of(phones):
        lines.append(f"{spec.seconds(begin):.3f},{spec.seconds(end):.3f},{PHONES[number]}")
    with written_whole(out) as beside:
        beside.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(lines) - 1
