"""`ddsp-edge render`: a recording or a MIDI file, played on an instrument."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from ddsp_edge.cli.command import path_argument, tell
from ddsp_edge.cli.midi import sound_of_keys
from ddsp_edge.cli.options import (
    RECORDING_OPTIONS,
    VOICES,
    WIDE,
    add_instrument,
    add_transfer_options,
    transfer_changes,
)
from ddsp_edge.cli.progress import seconds_bar
from ddsp_edge.errors import DdspError, printable
from ddsp_edge.ranges import check_range

if TYPE_CHECKING:
    from ddsp_edge.render.render import Progress, RenderReport


def add_render(commands: Any, debug: argparse.ArgumentParser) -> None:
    """Add the command to those of a parser."""
    parser = commands.add_parser(
        "render",
        parents=[debug],
        help="play a recording or a MIDI file",
        usage="ddsp-edge render [options] INSTRUMENT INPUT OUTPUT",
        description="Play INPUT, a recording or a MIDI file, on INSTRUMENT (.tflite), into OUTPUT (.wav or "
        ".flac). For matching, a recording is heard to its end before it is played. The parts that --stems "
        "writes add up to the sound before its limiter.",
        formatter_class=WIDE,
    )
    add_instrument(parser, argparse.SUPPRESS)  # what they are stands above: the help fits a screen
    parser.set_defaults(handler=_render)
    parser.add_argument("input", metavar="INPUT", type=path_argument, help=argparse.SUPPRESS)
    parser.add_argument("output", metavar="OUTPUT", type=path_argument, help=argparse.SUPPRESS)
    add_transfer_options(parser)
    parser.add_argument(
        "--voices", metavar="N", type=int, help=f"notes of MIDI at a time; 1 plays legato ({VOICES})"
    )
    settings_help = "sound of MIDI: options of ddsp-edge midi (TOML)"
    parser.add_argument("--settings", metavar="FILE", type=path_argument, help=settings_help)


def _render(arguments: argparse.Namespace) -> None:
    from ddsp_edge.files.midi_container import is_midi_file

    render = _render_midi if is_midi_file(arguments.input) else _render_audio
    with seconds_bar(arguments.quiet) as progress:
        report = render(arguments, progress)
    for warning in report.warnings:
        print(f"ddsp-edge: warning: {printable(warning)}", file=sys.stderr)
    if not arguments.quiet:
        tell(
            f"{printable(arguments.output)}: {report.seconds:.1f} s in {report.wall_seconds:.1f} s, "
            f"{report.realtime_factor:.1f} x real time"
        )


def _render_audio(arguments: argparse.Namespace, progress: "Progress") -> "RenderReport":
    from ddsp_edge.render.render import instrument_for_files, render_audio

    for option in ("settings", "voices"):
        if getattr(arguments, option) is not None:
            raise DdspError(f"--{option} is for MIDI files, and {arguments.input} is none")
    return render_audio(
        instrument_for_files(arguments.instrument, arguments.seed),
        arguments.input,
        arguments.output,
        progress=progress,
        stems=arguments.stems,
        **transfer_changes(arguments),
    )


def _render_midi(arguments: argparse.Namespace, progress: "Progress") -> "RenderReport":
    from ddsp_edge.render.render import render_midi

    for option in RECORDING_OPTIONS:
        if getattr(arguments, option) is not None:
            name = option.replace("_", "-")
            raise DdspError(f"--{name} is for recordings, and {arguments.input} is a MIDI file")
    if arguments.transposition is not None:
        check_range("transposition", arguments.transposition)
    settings, voices, octaves = sound_of_keys(
        arguments.settings,
        voices=arguments.voices,
        octaves=arguments.octaves,
        transposition=arguments.transposition,
        loudness_shift_db=arguments.loudness_shift_db,
    )
    return render_midi(
        arguments.instrument,
        arguments.input,
        arguments.output,
        voices,
        settings,
        octaves,
        arguments.seed,
        progress,
        arguments.stems,
    )
