"""`ddsp-tf controls`, `render` and `plot`: controls as files."""

import argparse
import sys

from ddsp_edge.cli.command import path_argument, tell
from ddsp_edge.cli.options import WIDE, add_transfer_options, number, seed, transfer_changes
from ddsp_tf.cli.quiet import load_tensorflow
from ddsp_tf.errors import DdspError, printable
from ddsp_tf.tasks.instrument.playing_options import add_playing_options, instrument_and_estimator

_TABLE = "controls, .npz or .csv"


class ControlsCommand:
    """See `ddsp_tf.tasks.command.Word`."""

    word = "controls"
    help = "write what an instrument would be told to play a recording"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command line."""
        parser.usage = "ddsp-tf controls [options] RUN INPUT --out FILE"
        parser.formatter_class = WIDE  # type: ignore[assignment]
        parser.add_argument("run", type=path_argument, metavar="RUN", help="run folder from train")
        parser.add_argument("input", type=path_argument, metavar="INPUT", help="monophonic sound file")
        parser.add_argument("--out", required=True, type=path_argument, metavar="FILE", help=_TABLE)
        add_transfer_options(parser, sound=False)
        add_playing_options(parser)

    def run(self, args: argparse.Namespace) -> None:
        """Run the command."""
        load_tensorflow()

        from ddsp_tf.cli.progress import Progress
        from ddsp_tf.tasks.instrument.controls import controls_of_recording, save_controls
        from ddsp_tf.tasks.instrument.controls.files import check_ending

        check_ending(args.out)
        model, estimator = instrument_and_estimator(args)
        changes = transfer_changes(args)
        with Progress("controls", quiet=args.quiet) as progress:
            controls = controls_of_recording(model, estimator, args.input, progress=progress, **changes)
            save_controls(args.out, controls)
        if not args.quiet:
            sizes = ", ".join(f"{name} {values.shape[1]}" for name, values in controls.frames.items())
            tell(f"{printable(args.out)}: {controls.n_frames} frames, {controls.seconds:.1f} s; {sizes}")


class RenderCommand:
    """See `ddsp_tf.tasks.command.Word`."""

    word = "render"
    help = "turn controls into sound, without a network"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command line."""
        parser.add_argument("controls", type=path_argument, metavar="CONTROLS", help=_TABLE)
        parser.add_argument("output", type=path_argument, metavar="OUTPUT", help=".wav or .flac to write")
        parser.add_argument("--run", type=path_argument, metavar="RUN", help="whose room a .csv sounds in")
        parser.add_argument("--towards", type=path_argument, metavar="CONTROLS", help="others to mix with")
        parser.add_argument("--share", type=number, metavar="S", help="of those others, 0 to 1 (0.5)")
        parser.add_argument("--seed", type=seed, metavar="N", help="of the noise: same seed, same sound")
        parser.add_argument("--quiet", action="store_true", help="no progress, no summary")

    def run(self, args: argparse.Namespace) -> None:
        """Run the command."""
        if args.share is not None and args.towards is None:
            raise DdspError("--share is of other controls: name them with --towards")
        load_tensorflow()

        from ddsp_tf.cli.progress import Progress
        from ddsp_tf.tasks.instrument.controls import between, load_controls, render_controls
        from ddsp_tf.tasks.instrument.controls.recording import with_lasting

        controls = load_controls(args.controls)
        inputs = {"controls": args.controls}
        if args.towards is not None:
            other = load_controls(args.towards)
            controls = between(controls, other, 0.5 if args.share is None else args.share)
            inputs["other controls"] = args.towards
        if args.run is not None:
            from ddsp_tf.tasks.instrument.model.load import load_instrument

            controls = with_lasting(controls, load_instrument(args.run))
        with Progress("render", quiet=args.quiet) as progress:
            told = render_controls(controls, args.output, inputs=inputs, seed=args.seed, progress=progress)
        for line in told:
            print(f"ddsp-tf: note: {printable(line)}", file=sys.stderr)
        if not args.quiet:
            tell(f"{printable(args.output)}: {controls.seconds:.1f} s")


class PlotCommand:
    """See `ddsp_tf.tasks.command.Word`."""

    word = "plot"
    help = "draw controls: pitch, levels, harmonics and noise over time"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command line."""
        parser.add_argument("controls", type=path_argument, metavar="CONTROLS", help=_TABLE)
        parser.add_argument("--out", type=path_argument, metavar="FILE", help="to write (CONTROLS.png)")

    def run(self, args: argparse.Namespace) -> None:
        """Run the command."""
        load_tensorflow()

        from ddsp_edge.atomic import written_whole
        from ddsp_tf.tasks.instrument.controls.files import load_controls
        from ddsp_tf.tasks.instrument.controls.plot import plot_controls

        out = args.controls.with_suffix(".png") if args.out is None else args.out
        if out.suffix.lower() != ".png":
            raise DdspError(f"{out}: a picture is written as .png")
        figure = plot_controls(load_controls(args.controls))
        with written_whole(out) as beside:
            figure.savefig(beside, format="png", dpi=120)
        tell(printable(out))
