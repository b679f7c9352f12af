"""`ddsp-edge render`: a recording or a MIDI file, played on an instrument."""

import argparse
from typing import TYPE_CHECKING, Any

from ddsp_edge.cli.command import path_argument
from ddsp_edge.cli.file_use import (
    MIDI,
    Files,
    FileUse,
    Outcome,
    Progress,
    add_settings,
    pace_of,
    run_file_use,
)
from ddsp_edge.cli.midi import add_sound_of_keys, sound_of_keys
from ddsp_edge.cli.options import (
    DEFAULTS,
    EXPRESSION_HELP,
    RECORDING_OPTIONS,
    VOICES,
    WIDE,
    add_instrument,
    add_transfer_options,
    share,
    transfer_changes,
)
from ddsp_edge.errors import DdspError
from ddsp_edge.ranges import check_range

if TYPE_CHECKING:
    from ddsp_edge.render.render import RenderReport
    from ddsp_edge.render.watch import Watch


class RenderRecording(FileUse):
    """A recording, played on an instrument."""

    command, title = "render", "Play it on the instrument"
    also = {"controls": ".npz"}  # noqa: RUF012 - of the protocol's type

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """See `FileUse`."""
        add_transfer_options(parser)
        controls_help = "also write what it is told (.npz, .csv)"
        parser.add_argument("--controls", metavar="FILE", type=path_argument, help=controls_help)

    def defaults(self) -> dict[str, Any]:
        """See `FileUse`."""
        from ddsp_edge.transfer.settings import TransferSettings

        return dict(TransferSettings()._asdict())

    def check(self, arguments: argparse.Namespace) -> None:
        """See `FileUse`."""
        from ddsp_edge.transfer.settings import TransferSettings

        TransferSettings(**transfer_changes(arguments)).checked()

    def run(
        self, files: Files, arguments: argparse.Namespace, progress: Progress, watch: "Watch | None" = None
    ) -> Outcome:
        """See `FileUse`."""
        from contextlib import ExitStack

        from ddsp_edge.render.controls_file import ControlsWriter
        from ddsp_edge.render.render import instrument_for_files, render_audio

        instrument = instrument_for_files(files.model, arguments.seed)
        with ExitStack() as opened:
            watches = [] if watch is None else [watch]
            if arguments.controls is not None:
                inputs = {"recording that is to be played": files.source, "instrument": files.model}
                watches.append(opened.enter_context(ControlsWriter(arguments.controls, instrument, inputs)))
            report = render_audio(
                instrument,
                files.source,
                files.out,
                progress=progress,
                stems=bool(arguments.stems),
                watches=watches,
                **transfer_changes(arguments),
            )
        return _outcome(report)


class RenderMidi(FileUse):
    """A MIDI file, played on an instrument."""

    command, title, takes = "render", "Play it on the instrument", MIDI

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """See `FileUse`."""
        add_sound_of_keys(parser)

    def defaults(self) -> dict[str, Any]:
        """See `FileUse`."""
        import dataclasses

        from ddsp_edge.live.settings import KeySettings

        return {**dataclasses.asdict(KeySettings()), "octaves": DEFAULTS["octaves"], "voices": VOICES}

    def with_settings(self, arguments: argparse.Namespace) -> argparse.Namespace:
        """They are read where it is played: a file for `ddsp-edge midi` tells of devices too."""
        return arguments

    def run(
        self, files: Files, arguments: argparse.Namespace, progress: Progress, watch: "Watch | None" = None
    ) -> Outcome:
        """See `FileUse`."""
        from ddsp_edge.render.render import render_midi

        if arguments.transposition is not None:
            check_range("transposition", arguments.transposition)
        names = [action.dest for action in self.parser()._actions]
        sound = sound_of_keys(
            getattr(arguments, "settings", None), **{name: getattr(arguments, name, None) for name in names}
        )
        report = render_midi(
            files.model,
            files.source,
            files.out,
            sound.voices,
            sound.settings,
            sound.octaves,
            sound.seed,
            progress,
            sound.stems,
        )
        return _outcome(report)


USES = (RenderRecording(), RenderMidi())


def add_render(commands: Any, debug: argparse.ArgumentParser) -> None:
    """Add the command to those of a parser."""
    parser = commands.add_parser(
        "render",
        parents=[debug],
        help="play a recording or a MIDI file",
        usage="ddsp-edge render [options] INSTRUMENT RECORDING|MIDI OUTPUT.wav|.flac",
        formatter_class=WIDE,
    )
    add_instrument(parser, argparse.SUPPRESS)  # what they are stands above: the help fits a screen
    parser.set_defaults(handler=_render)
    parser.add_argument("input", metavar="INPUT", type=path_argument, help=argparse.SUPPRESS)
    parser.add_argument("output", metavar="OUTPUT", type=path_argument, help=argparse.SUPPRESS)
    USES[0].add_options(parser)
    parser.add_argument(
        "--voices", metavar="N", type=int, help=f"notes of MIDI at a time; 1 plays legato ({VOICES})"
    )
    parser.add_argument("--expression", metavar="E", type=share, help=EXPRESSION_HELP)
    add_settings(parser, "options in TOML; for MIDI those of ddsp-edge midi")


def _render(arguments: argparse.Namespace) -> None:
    from ddsp_edge.files.midi_container import is_midi_file

    files = Files(arguments.instrument, arguments.input, arguments.output)
    recording, keys = USES
    if not is_midi_file(files.source):
        for option in ("voices", "expression"):
            if getattr(arguments, option) is not None:
                raise DdspError(f"--{option} is for MIDI files, and {files.source} is none")
        run_file_use(recording, files, arguments)
        return
    for option in (*RECORDING_OPTIONS, *recording.also):
        if getattr(arguments, option) is not None:
            name = option.replace("_", "-")
            raise DdspError(f"--{name} is for recordings, and {files.source} is a MIDI file")
    run_file_use(keys, files, arguments)


def _outcome(report: "RenderReport") -> Outcome:
    return Outcome([pace_of(report)], report.warnings)
