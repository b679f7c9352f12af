"""Its command line."""

import argparse
from collections.abc import Mapping
from typing import Any

from ddsp_edge.cli.command import path_argument, tell
from ddsp_tf.cli.quiet import load_tensorflow
from ddsp_tf.tasks.command import Column, Command, ExportTable


class GainCommand(Command):
    """See `ddsp_tf.tasks.command.Command`."""

    noun = "a compressor"
    word = "compress"
    help = "compress a recording"
    export_table = ExportTable(
        (Column("gain_error_max", "gain", ".2g"), Column("us_per_frame", "us/frame", ".0f")),
        "error from Keras: gain, the largest; us, CPU time of a frame",
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """A run, a recording, and where to."""
        for name in ("run", "input", "output"):
            parser.add_argument(name, metavar=name.upper(), type=path_argument)

    def run(self, args: argparse.Namespace) -> None:
        """Compress a recording by the model of a run."""
        load_tensorflow()

        import numpy as np

        from ddsp_edge.files.audio_file import read_audio
        from ddsp_edge.files.audio_writer import write_audio
        from ddsp_tf.training.run import load_config_of_run, load_model_of_run
        from tests.tasks.gain.level import level_db

        model, spec = load_model_of_run(args.run, task="gain"), load_config_of_run(args.run).spec
        audio, _ = read_audio(args.input, spec.sample_rate)
        gain = np.asarray(model({"level_db": level_db(audio, spec.hop)[np.newaxis]}))[0, :, 0]
        gain = np.repeat(gain, spec.hop)
        write_audio(args.output, audio[: len(gain)] * gain, spec.sample_rate)
        tell(f"{args.output}: {len(gain) / spec.sample_rate:.1f} s")

    def told_of(self, quality: Mapping[str, Any]) -> list[str]:
        """How exact the gain is."""
        return [f"gain equal to Keras within {quality['gain_error_max']:.1e}"]


COMMAND = GainCommand()
