"""`ddsp-edge transcribe`: the notes of a recording, as MIDI or as a table."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddsp_edge.cli.command import model_argument, path_argument, say, tell
from ddsp_edge.cli.file_use import (
    Files,
    FileUse,
    Outcome,
    Progress,
    add_settings,
    run_file_use,
    tell_outcome,
)
from ddsp_edge.cli.options import WIDE
from ddsp_edge.cli.progress import seconds_bar
from ddsp_edge.errors import DdspError
from ddsp_edge.shipped import instrument_of_program
from ddsp_edge.transcription.names import NAMES, checked_names, program_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddsp_edge.render.watch import Watch
    from ddsp_edge.transcription.files import Transcript
    from ddsp_edge.transcription.melody import MelodyNotes
    from ddsp_edge.transcription.transcriber import Transcriber
    from ddsp_edge.units import Array


class Transcribe(FileUse):
    """The notes of a recording."""

    command, title, ending = "transcribe", "Write down its notes", ".mid"
    also = {"table": ".csv", "resynthesis": ".wav"}  # noqa: RUF012 - of the protocol's type
    lists = {"instruments": NAMES}  # noqa: RUF012

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """See `FileUse`."""
        add_hearing_options(parser)
        parser.add_argument("--runtime", choices=("auto", "litert", "numpy"), help="(auto)")

    def defaults(self) -> dict[str, Any]:
        """See `FileUse`."""
        return {"runtime": "auto"}

    def check(self, arguments: argparse.Namespace) -> None:
        """See `FileUse`."""
        _check_meant(arguments)

    def run(
        self, files: Files, arguments: argparse.Namespace, progress: Progress, watch: "Watch | None" = None
    ) -> Outcome:
        """See `FileUse`."""
        from ddsp_edge.model.file import read_model_file
        from ddsp_edge.model.step_model import StepModel
        from ddsp_edge.transcription.files import check_notes_output
        from ddsp_edge.transcription.melody import MelodyNotes
        from ddsp_edge.transcription.transcriber import Transcriber, check_card

        check_hearing_options(arguments, files.source)
        check_notes_output(files.out, files.source)
        file = read_model_file(files.model)
        check_card(file.card)
        if arguments.voices == 1:
            found = _heard(arguments, MelodyNotes(file.card.spec), files.source, files.out, {}, progress)
        else:
            hearing = Transcriber.of_card(StepModel(file, arguments.runtime or "auto"), file.card)
            found = _heard(arguments, hearing, files.source, files.out, file.arrays, progress)
        return Outcome(_told(found), found.warnings)


USES = (Transcribe(),)


def add_transcribe(commands: Any, debug: argparse.ArgumentParser) -> None:
    """Add the command to those of a parser."""
    parser = commands.add_parser(
        "transcribe",
        parents=[debug],
        help="write down the notes of a recording",
        usage="ddsp-edge transcribe [options] MODEL INPUT OUTPUT\n       ddsp-edge transcribe MODEL --live",
        description="Write the notes of INPUT, a recording, into OUTPUT (.mid, or .csv for a table), "
        "heard by MODEL, a transcriber's .tflite or the name of one (ddsp-edge models). With --live, tell "
        "the notes that a microphone hears. Ctrl-C ends.",
        formatter_class=WIDE,
    )
    parser.set_defaults(handler=_transcribe)
    parser.add_argument("model", metavar="MODEL", type=model_argument, help=argparse.SUPPRESS)
    for name in ("input", "output"):
        parser.add_argument(name, metavar=name.upper(), nargs="?", type=path_argument, help=argparse.SUPPRESS)
    USES[0].add_options(parser)
    add_settings(parser)
    _add_live_options(parser)


def _add_live_options(parser: argparse.ArgumentParser) -> None:
    live = parser.add_argument_group("live")
    live.add_argument("--live", action="store_true", help="hear a microphone, and tell notes as they come")
    live.add_argument("--device", metavar="DEVICE", help="number or part of the name of the sound card")
    live.add_argument("--rate", metavar="HZ", type=int, help="of the sound card (16000, if it can)")
    live.add_argument("--seconds", metavar="S", type=float, help="end after so many seconds")
    live.add_argument("--osc", metavar="HOST:PORT", help="also send /note_on and /note_off there, by OSC")
    live.add_argument("--midi-port", metavar="NAME", help="also send notes to this MIDI port")


def add_hearing_options(parser: argparse.ArgumentParser) -> None:
    """Add what `ddsp-edge transcribe` and `ddsp-tf transcribe` take."""
    parser.add_argument(
        "--voices",
        metavar="N",
        type=int,
        help="1 for one voice at a time, singing or a solo: notes by the pitch tracker, with pitch bends",
    )
    parser.add_argument(
        "--instruments",
        metavar="A,B",
        type=_names,
        help="who plays, such as violin,piano: a track for each. Much better than guessing, which happens "
        "without",
    )
    parser.add_argument("--unnamed", action="store_true", default=None, help="one track, without names")
    parser.add_argument(
        "--table", metavar="FILE", type=path_argument, help="also write the notes as a table (.csv)"
    )
    parser.add_argument(
        "--resynthesis",
        metavar="FILE",
        type=path_argument,
        help="also play what was understood (.wav, .flac): by the instruments that come along, else plainly",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress, no summary")


def _names(text: str) -> tuple[str, ...]:
    try:
        return checked_names([name for name in text.split(",") if name.strip()])
    except DdspError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def check_hearing_options(arguments: argparse.Namespace, source: Path) -> None:
    """Refuse options that cannot be meant.

    Args:
        arguments: Those of `add_hearing_options`.
        source: The recording.

    Raises:
        DdspError: If voices are neither 1 nor left out, or a file cannot be written.
    """
    _check_meant(arguments)
    if arguments.resynthesis is not None:
        from ddsp_edge.files.audio_writer import check_output

        check_output(arguments.resynthesis, {"recording": source})
    if arguments.table is not None:
        from ddsp_edge.transcription.files import check_notes_output

        check_notes_output(arguments.table, source)


def _check_meant(arguments: argparse.Namespace) -> None:
    """The part of `check_hearing_options` that is about no file."""
    if arguments.voices not in (None, 1):
        raise DdspError(
            f"--voices is 1, for one voice at a time, or left out, for as many as sound. Received: "
            f"{arguments.voices}"
        )
    if arguments.unnamed and arguments.instruments:
        raise DdspError("--unnamed and --instruments contradict each other: leave one of them out")
    if arguments.voices == 1 and len(arguments.instruments or ()) > 1:
        raise DdspError(f"one voice is of one instrument. Received: {', '.join(arguments.instruments)}")


def _transcribe(arguments: argparse.Namespace) -> None:
    if arguments.live:
        _live(arguments)
        return
    if arguments.output is None:
        raise DdspError("name a recording and a file to write, .mid or .csv; or --live to hear a microphone")
    run_file_use(USES[0], Files(arguments.model, arguments.input, arguments.output), arguments)


def _live(arguments: argparse.Namespace) -> None:
    """Tell the notes that a microphone hears."""
    if arguments.input is not None or arguments.voices is not None or arguments.resynthesis is not None:
        raise DdspError("--live hears a microphone: no files, no --voices and no --resynthesis go with it")
    import time

    from ddsp_edge.live.stream import check_rate
    from ddsp_edge.model.file import read_model_file
    from ddsp_edge.model.step_model import StepModel
    from ddsp_edge.transcription.live import Microphone, MidiSink, NoteEvents, OscSink, Sink, TextSink, listen
    from ddsp_edge.transcription.naming import Namer, RunningNames, has_namer
    from ddsp_edge.transcription.transcriber import Transcriber

    if arguments.rate is not None:
        check_rate(arguments.rate)
    file = read_model_file(arguments.model)
    transcriber = Transcriber.of_card(StepModel(file, arguments.runtime or "auto"), file.card)
    sinks: list[Sink] = [] if arguments.quiet else [TextSink(tell)]
    if arguments.osc is not None:
        host, _, port = arguments.osc.rpartition(":")
        if not port.isdecimal() or int(port) > 65_535:
            raise DdspError(f"--osc is HOST:PORT, such as 127.0.0.1:9000. Received: {arguments.osc}")
        sinks.append(OscSink(host or "127.0.0.1", int(port)))
    if arguments.midi_port is not None:
        sinks.append(MidiSink(arguments.midi_port))
    microphone = Microphone(file.card.sample_rate, arguments.rate, arguments.device)
    late_ms = 1e3 * transcriber.latency_samples / file.card.sample_rate
    say(
        f"{microphone.rate} Hz; notes are told {late_ms:.0f} ms after they began, and what the sound card "
        "takes. Ctrl-C ends"
    )
    names = None
    if has_namer(file.arrays) and not arguments.unnamed:
        names = RunningNames(Namer(file.arrays), arguments.instruments or ())
    end = None if arguments.seconds is None else time.monotonic() + arguments.seconds
    listen(
        NoteEvents(transcriber, microphone.rate, names),
        microphone,
        sinks,
        lambda: end is not None and time.monotonic() >= end,
    )
    if microphone.lost:
        say(f"warning: {microphone.lost} samples were lost")


def hear(
    arguments: argparse.Namespace,
    hearing: "Transcriber | MelodyNotes",
    source: Path,
    out: Path,
    arrays: "Mapping[str, Array] | None" = None,
) -> "Transcript":
    """Transcribe a file with a bar that shows how far it is, and say what came of it.

    Args:
        arguments: Those of `add_hearing_options`.
        hearing: What hears.
        source: The recording.
        out: The file of notes.
        arrays: Arrays of the model, by which notes are named; None for none.
    """
    with seconds_bar(arguments.quiet) as progress:
        found = _heard(arguments, hearing, source, out, arrays or {}, progress)
    tell_outcome(Outcome(_told(found), found.warnings), out, arguments.quiet, before="")
    return found


def _heard(
    arguments: argparse.Namespace,
    hearing: "Transcriber | MelodyNotes",
    source: Path,
    out: Path,
    arrays: "Mapping[str, Array]",
    progress: Progress,
) -> "Transcript":
    """Transcribe a file, name its notes and write all that was asked for."""
    from ddsp_edge.transcription.files import (
        named_transcript,
        transcribe_file,
        write_notes,
    )

    found = transcribe_file(hearing, source, progress)
    if not arguments.unnamed:
        found = named_transcript(found, arrays, arguments.instruments or ())
    write_notes(out, found.notes)
    if arguments.table is not None:
        write_notes(arguments.table, found.notes)
    if arguments.resynthesis is not None:
        from ddsp_edge.transcription.performance import write_performance

        players = {name: path for name in NAMES if (path := instrument_of_program(program_of(name)))}
        write_performance(
            arguments.resynthesis, found.notes, found.seconds, players, hearing.spec.sample_rate
        )
    return found


def _told(found: "Transcript") -> list[str]:
    return [
        f"{len(found.notes)} notes in {found.seconds:.1f} s",
        *(
            f"{name}: {count} notes" + (f", {100.0 * sure:.0f} % sure of the name" if sure < 1.0 else "")
            for name, count, sure in found.parts()
        ),
    ]
