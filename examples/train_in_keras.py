"""Train an instrument with plain Keras, as in a notebook, and play a glissando on it.

    python examples/train_in_keras.py DATASET OUT.wav

DATASET is a folder made by `ddsp-tf prepare`. The default of 100 steps shows that it works; a sound
worth listening to takes some thousands.
"""

import argparse
import sys

import keras
import numpy as np
import soundfile

from ddsp_tf.config import load_config
from ddsp_tf.data import training_dataset
from ddsp_tf.errors import DdspError
from ddsp_tf.losses import MultiScaleSpectralLoss
from ddsp_tf.models import Autoencoder

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("dataset", metavar="DATASET")
parser.add_argument("out", metavar="OUT.wav")
parser.add_argument("--steps", type=int, default=100)
arguments = parser.parse_args()

config = load_config("solo_instrument")
spec = config.spec
try:
    clips = training_dataset(arguments.dataset, spec, batch_size=8, clip_frames=spec.frames_for(2.0))
except DdspError as error:
    sys.exit(str(error))
model = Autoencoder.from_experiment(config)
model.compile(optimizer=keras.optimizers.Adam(2e-3, global_clipnorm=3.0), loss=MultiScaleSpectralLoss())
model.fit(clips, steps_per_epoch=arguments.steps, epochs=1, shuffle=False)  # it shuffles itself

frames = spec.frames_for(3.0)
f0_hz = np.geomspace(220.0, 440.0, frames, dtype="float32")[None, :, None]
loudness_db = np.full_like(f0_hz, -20.0)
audio = model({"f0_hz": f0_hz, "loudness_db": loudness_db})
soundfile.write(arguments.out, audio[0], spec.sample_rate)
