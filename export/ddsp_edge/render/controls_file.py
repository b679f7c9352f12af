"""Controls of an instrument as they are made, into the file that `docs/controls.md` tells of.

They wait in temporary files, one for each, so that memory does not grow with them.
"""

import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np

from ddsp_edge.atomic import check_name, written_whole
from ddsp_edge.errors import DdspError
from ddsp_edge.files.audio_writer import check_output
from ddsp_edge.files.controls_format import LASTING, LOUDNESS, about_text, check_ending, is_table, write_table
from ddsp_edge.instrument import Instrument
from ddsp_edge.units import Array

_AT_ONCE = 1 << 20  # bytes copied together


class ControlsWriter:
    """Write what an instrument is told, frame by frame; a `Watch`. The file gets its name when it is whole.

    Args:
        path: `.npz`, or `.csv`, which has no room.
        instrument: Whose controls they are.
        inputs: What is not to be overwritten, by what it is in words.

    Raises:
        DdspError: If the ending is another, or the file cannot be written there.
    """

    def __init__(self, path: Path, instrument: Instrument, inputs: Mapping[str, str | Path]) -> None:
        check_ending(path)
        check_output(path, inputs)
        check_name(path)
        self._path, self._card = path, instrument.card
        self._lasting = _lasting(instrument)
        self._names = _controls(instrument)
        self._files: dict[str, IO[bytes]] = {}
        self._widths: dict[str, int] = {}
        self._frames = 0
        self._open = ExitStack()

    def __enter__(self) -> "ControlsWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._open:
            if kind is None:
                with written_whole(self._path) as beside:
                    (self._write_csv if is_table(self._path) else self._write_npz)(beside)

    def heard(self, f0_hz: Array, loudness_db: Array) -> None:
        """What was tracked is not kept."""

    def told(self, f0_hz: Array, loudness_db: Array, controls: Mapping[str, Array]) -> None:
        """Take frames; see `ddsp_edge.render.watch.Watch`."""
        for name, source in self._names.items():
            self._add(name, controls[source])
        self._add(LOUDNESS, loudness_db)
        self._frames += len(f0_hz)

    def _add(self, name: str, values: Array) -> None:
        if name not in self._files:
            self._files[name] = self._open.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
            self._widths[name] = 0 if values.ndim == 1 else values.shape[1]
        try:
            self._files[name].write(np.ascontiguousarray(values, "<f4").tobytes())
        except OSError as error:
            raise DdspError(f"controls cannot be kept in a temporary file: {error.strerror}") from error

    def _about(self) -> str:
        return about_text(self._card.spec, group_of_card(self._card.synthesizer, self._lasting))

    def _write_npz(self, path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
            _put(archive, "about", np.array(self._about()))
            for name, values in self._lasting.items():
                _put(archive, LASTING + name, values)
            for name, file in self._files.items():
                width = self._widths[name]
                shape = (self._frames, width) if width else (self._frames,)
                header: dict[str, Any] = {"descr": "<f4", "fortran_order": False, "shape": shape}
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array_header_1_0(member, header)
                    file.seek(0)
                    shutil.copyfileobj(file, member, _AT_ONCE)

    def _write_csv(self, path: Path) -> None:
        channels = {name: width for name, width in self._widths.items() if name != LOUDNESS}
        for file in self._files.values():
            file.seek(0)
        write_table(path, self._card.spec, self._about(), channels, self._rows(channels))

    def _rows(self, channels: Mapping[str, int]) -> Iterator[list[float]]:
        for _ in range(self._frames):
            row = [self._row(LOUDNESS, 1), *(self._row(name, width) for name, width in channels.items())]
            yield np.concatenate(row).tolist()

    def _row(self, name: str, width: int) -> Array:
        return np.frombuffer(self._files[name].read(4 * width), "<f4")


def group_of_card(synthesizer: Mapping[str, Any], lasting: Mapping[str, Array]) -> dict[str, Any]:
    """The synthesizer of a card as `ddsp_tf.layers.ProcessorGroup` takes it.

    Args:
        synthesizer: As the card has it: `nodes` and `output`.
        lasting: Impulse responses by `NODE.impulse_response`.
    """
    names = {node["name"] for node in synthesizer["nodes"]}
    inputs = dict[str, None]()
    nodes = []
    for node in synthesizer["nodes"]:
        inputs.update(dict.fromkeys(given for given in node["inputs"].values() if given not in names))
        room = lasting.get(f"{node['name']}.impulse_response")
        config = dict(node["config"]) if room is None else {"length_samples": room.size}
        nodes.append({**node, "config": config})
    return {"inputs": list(inputs), "nodes": nodes, "output": synthesizer["output"]}


def _controls(instrument: Instrument) -> dict[str, str]:
    """Name of the controls in the file, and in what the instrument gives."""
    names = set(instrument.synthesizer.node_names)
    return {
        f"{node}.{control}": source
        for node, _, inputs in instrument.synthesizer.nodes()
        for control, source in inputs.items()
        if source not in names
    }


def _lasting(instrument: Instrument) -> dict[str, Array]:
    arrays = instrument.arrays
    return {
        f"{node['name']}.impulse_response": arrays[node["config"]["impulse_response"]]
        for node in instrument.card.synthesizer["nodes"]
        if "impulse_response" in node["config"]
    }


def _put(archive: zipfile.ZipFile, name: str, values: Array) -> None:
    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
        np.lib.format.write_array(member, values, allow_pickle=False)
