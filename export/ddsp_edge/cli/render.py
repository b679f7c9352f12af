"""`ddsp-edge render`: a recording or a MIDI file, played on an instrument."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from ddsp_edge.cli.command import path_argument, tell
from ddsp_edge.cli.midi import sound_of_keys
from ddsp_edge.cli.options import VOICES, add_instrument, seed
from ddsp_edge.errors import DdspError, printable

if TYPE_CHECKING:
    from ddsp_edge.render.render import Progress, RenderReport


def add_render(commands: Any, debug: argparse.ArgumentParser) -> None:
    """Add the command to those of a parser."""
    parser = commands.add_parser(
        "render",
        parents=[debug],
        help="play a recording or a MIDI file",
        description="Play the pitch and loudness of a recording, or a MIDI file, on an instrument.",
    )
    add_instrument(parser)
    parser.set_defaults(handler=_render)
    parser.add_argument("input", metavar="INPUT", type=path_argument, help="WAV, FLAC, OGG, MP3 ... or .mid")
    parser.add_argument("output", metavar="OUTPUT", type=path_argument, help=".wav or .flac")
    parser.add_argument("--octaves", metavar="N", type=int, help="transpose by octaves (-2, 1 ...)")
    parser.add_argument("--loudness-shift-db", metavar="DB", type=float, help="add to the loudness, in dB")
    parser.add_argument(
        "--voices", metavar="N", type=int, help=f"notes of MIDI at a time; 1 plays legato ({VOICES})"
    )
    settings_help = "sound of MIDI: options of ddsp-edge midi (TOML)"
    parser.add_argument("--settings", metavar="FILE", type=path_argument, help=settings_help)
    parser.add_argument("--seed", metavar="N", type=seed, help="of the noise: same seed, same sound")
    stems_help = (
        "also write OUTPUT-harmonic, OUTPUT-noise, OUTPUT-reverb: added up, before the limiter, the sound"
    )
    parser.add_argument("--stems", action="store_true", help=stems_help)
    parser.add_argument("--quiet", action="store_true", help="no progress, no summary")


def _render(arguments: argparse.Namespace) -> None:
    from tqdm import tqdm

    from ddsp_edge.render.render import MIDI_ENDINGS

    render = _render_midi if arguments.input.suffix.lower() in MIDI_ENDINGS else _render_audio
    with tqdm(unit="s", leave=False, delay=1.0, disable=arguments.quiet or None, file=sys.stderr) as bar:

        def progress(done_s: float, total_s: float) -> None:
            bar.total = round(total_s)
            bar.update(int(done_s) - bar.n)

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
        arguments.octaves or 0,
        arguments.loudness_shift_db or 0.0,
        progress,
        arguments.stems,
    )


def _render_midi(arguments: argparse.Namespace, progress: "Progress") -> "RenderReport":
    from ddsp_edge.render.render import render_midi

    settings, voices, octaves = sound_of_keys(
        arguments.settings,
        voices=arguments.voices,
        octaves=arguments.octaves,
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
