"""A processor of your own: soft clipping whose drive moves over time, in a group written as YAML.

It renders two seconds of a tone that grows rough:

    python examples/own_processor.py OUT.wav
"""

import sys
from typing import Any

import numpy as np
import soundfile
import tensorflow as tf
import yaml

from ddsp_tf.layers import AUDIO, Processor, ProcessorGroup, processor_type
from ddsp_tf.ops import crossfade, exp_sigmoid


@processor_type
class SoftClip(Processor):
    """Soft clipping, `tanh(drive * audio)`, with a drive that changes from frame to frame.

    Args:
        sample_rate: Integer, Hz.
        hop: Integer, samples a frame.

    Input: `audio` `[batch, frames * hop]`; `drive` `[batch, frames, 1]`, raw network output.

    Controls: `audio`; `drive` `[batch, frames, 1]`, linear gain before the clipping, 1 to 21.

    Output: audio `[batch, frames * hop]`.
    """

    @property
    def input_sizes(self) -> dict[str, int | None]:
        """Channels of each raw input by name; `AUDIO` for a signal."""
        return {"audio": AUDIO, "drive": 1}

    def get_controls(self, audio: tf.Tensor, drive: tf.Tensor) -> dict[str, tf.Tensor]:  # type: ignore[override]
        """Scale the raw drive; the audio passes through."""
        return {"audio": audio, "drive": 1.0 + 10.0 * exp_sigmoid(drive)}

    def render_block(self, controls: dict[str, tf.Tensor], state: Any = None) -> tuple[tf.Tensor, Any]:
        """Render one block; the state is the drive of the last frame, `[batch]`."""
        frames = controls["drive"][..., 0]
        drive = crossfade(frames, state, self.spec.hop)
        return tf.tanh(drive * controls["audio"]), frames[:, -1]


GROUP = """
inputs: [f0_hz, amplitude, distribution, drive]
nodes:
  - name: harmonic
    type: Harmonic
    config: {n_harmonics: 20}
    inputs: {amplitude: amplitude, distribution: distribution, f0_hz: f0_hz}
  - name: clipped
    type: SoftClip
    inputs: {audio: harmonic, drive: drive}
"""


def main(out: str) -> None:
    """Render two seconds whose drive rises."""
    group = ProcessorGroup(16000, 64, **yaml.safe_load(GROUP))
    print(group.table())
    frames = group.spec.frames_for(2.0)
    output, _ = group.stream(
        {
            "f0_hz": tf.fill([1, frames, 1], 110.0),
            "amplitude": tf.zeros([1, frames, 1]),
            "distribution": tf.zeros([1, frames, 20]),
            "drive": tf.reshape(tf.linspace(-4.0, 4.0, frames), [1, frames, 1]),
        }
    )
    print({name: tuple(signal.shape) for name, signal in output.signals.items()})
    soundfile.write(out, np.asarray(output.audio)[0], group.spec.sample_rate)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python examples/own_processor.py OUT.wav")
    main(sys.argv[1])
