"""The command `ddsp-edge`: look at an instrument, play it live, render files with it, time it."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ddsp_edge.cli.command import path_argument, run_command, tell
from ddsp_edge.cli.live import VOICES, add_live_commands, sound_of_keys
from ddsp_edge.cli.threads import THREAD_VARIABLES
from ddsp_edge.errors import DdspError, printable
from ddsp_edge.version import __version__

if TYPE_CHECKING:
    from ddsp_edge.render.render import Progress, RenderReport

PROGRAM = "ddsp-edge"
_PLAYING = ("render", "play", "midi", "bench")


def main(argv: Sequence[str] | None = None) -> int:
    """Run `ddsp-edge`; return its exit status, see `ddsp_edge.cli.command`."""
    if "numpy" not in sys.modules:
        # Products as small as ours gain nothing from threads, which spin and starve each other when the
        # machine has something else to do. OpenBLAS and its like read these once, when they are loaded.
        for variable in THREAD_VARIABLES:
            os.environ.setdefault(variable, "1")
    return run_command(PROGRAM, lambda: _arguments(argv))


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; a command that plays says what it lacks."""
    arguments = _parser().parse_args(argv)
    if arguments.command in _PLAYING:
        from ddsp_edge.model.runtimes import WITHOUT_LITERT, has_litert

        if not has_litert():
            print(f"{PROGRAM}: warning: {WITHOUT_LITERT}", file=sys.stderr)
    return arguments


def _info(arguments: argparse.Namespace) -> None:
    from ddsp_edge.cli.card_text import describe
    from ddsp_edge.model.file import read_model_file

    file = read_model_file(arguments.instrument)
    tell(file.card.to_json() if arguments.json else describe(file, arguments.instrument))


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
        print(f"{PROGRAM}: warning: {printable(warning)}", file=sys.stderr)
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


def _bench(arguments: argparse.Namespace) -> None:
    import json

    from ddsp_edge.cli.bench import bench, table

    figures = bench(arguments.instrument, arguments.seconds)
    tell(json.dumps(figures, indent=1) if arguments.json else table(figures))


def _parser() -> argparse.ArgumentParser:
    # On every command too, so that it may stand on either side; SUPPRESS keeps the outer value.
    debug = argparse.ArgumentParser(add_help=False)
    text = "show the traceback of an error"
    debug.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=text)

    parser = argparse.ArgumentParser(prog=PROGRAM, description="Play instruments made by ddsp_tf.")
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    parser.add_argument("--debug", action="store_true", help=text)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    info = commands.add_parser("info", parents=[debug], help="tell what an instrument is")
    _instrument(info)
    info.set_defaults(handler=_info)
    info.add_argument("--json", action="store_true", help="print the whole card as JSON")

    render = commands.add_parser(
        "render",
        parents=[debug],
        help="play a recording or a MIDI file",
        description="Play the pitch and loudness of a recording, or a MIDI file, on an instrument.",
    )
    _instrument(render)
    render.set_defaults(handler=_render)
    render.add_argument("input", metavar="INPUT", type=path_argument, help="WAV, FLAC, OGG, MP3 ... or .mid")
    render.add_argument("output", metavar="OUTPUT", type=path_argument, help=".wav or .flac")
    render.add_argument("--octaves", metavar="N", type=int, help="transpose by octaves (-2, 1 ...)")
    render.add_argument("--loudness-shift-db", metavar="DB", type=float, help="add to the loudness, in dB")
    render.add_argument(
        "--voices", metavar="N", type=int, help=f"notes of MIDI at a time; 1 plays legato ({VOICES})"
    )
    settings_help = "sound of MIDI: options of ddsp-edge midi (TOML)"
    render.add_argument("--settings", metavar="FILE", type=path_argument, help=settings_help)
    render.add_argument("--seed", metavar="N", type=_seed, help="of the noise: same seed, same sound")
    stems_help = (
        "also write OUTPUT-harmonic, OUTPUT-noise, OUTPUT-reverb: added up, before the limiter, the sound"
    )
    render.add_argument("--stems", action="store_true", help=stems_help)
    render.add_argument("--quiet", action="store_true", help="no progress, no summary")

    add_live_commands(commands, debug)

    bench = commands.add_parser("bench", parents=[debug], help="time an instrument on one thread")
    _instrument(bench)
    bench.set_defaults(handler=_bench)
    bench.add_argument("--seconds", metavar="S", type=float, default=10.0, help="of sound a figure (10)")
    bench.add_argument("--json", action="store_true", help="print the figures as JSON")
    return parser


def _instrument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "instrument", metavar="INSTRUMENT", type=path_argument, help="a .tflite by ddsp-tf export"
    )


def _seed(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = -1
    if value < 0:
        raise argparse.ArgumentTypeError(f"a seed is a whole number from 0. Received: {text!r}")
    return value
