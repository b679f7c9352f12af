"""`ddsp-tf import`: a file of the plug-in DDSP-VST becomes a run."""

import argparse
import sys

from ddsp_edge.cli.command import path_argument, tell
from ddsp_tf.cli.quiet import load_tensorflow
from ddsp_tf.errors import printable


class ImportCommand:
    """See `ddsp_tf.tasks.command.Word`."""

    word = "import"
    help = "make a run of an instrument of the plug-in DDSP-VST"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command line."""
        parser.description = (
            "Read the weights of an instrument of the plug-in DDSP-VST into a run, which is rendered, "
            "exported and trained on (ddsp-tf train --from RUN) as any other."
        )
        parser.add_argument("model", type=path_argument, metavar="MODEL.tflite", help="file of the plug-in")
        parser.add_argument(
            "--out", required=True, type=path_argument, metavar="RUN", help="run folder to write"
        )
        parser.add_argument("--name", metavar="NAME", help="of the instrument (that of the file)")
        parser.add_argument("--quiet", action="store_true", help="no progress, no summary")

    def run(self, args: argparse.Namespace) -> None:
        """Run the command."""
        load_tensorflow()

        from ddsp_tf.tasks.instrument.importing.vst_run import import_vst

        def progress(text: str) -> None:
            if not args.quiet:
                print(f"{text} ...", file=sys.stderr)

        found = import_vst(args.model, args.out, name=args.name, progress=progress)
        if not args.quiet:
            tell(
                f"{printable(args.out)}: the weights of {printable(args.model)}\n"
                f"  controls equal to the file's within {found.control_error_max:.1e} over {found.frames} "
                f"frames; shares of harmonics within {found.fade_error_max:.2g} where one lies from 7840 to "
                "8000 Hz, which we fade out and the plug-in cuts off\n"
                "  it holds no training data: what export measures on is what the instrument itself plays"
            )
