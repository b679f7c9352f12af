"""Instruments without their room."""

import numpy as np

from ddsp_edge.instrument import Instrument
from ddsp_edge.model.file import read_model_file
from ddsp_export.export import export
from ddsp_tf.tasks.instrument.export.describe import without_rooms
from ddsp_tf.training import load_model_of_run
from tests import tiny


def test_a_dry_file_plays_what_went_into_the_room(trained_run, exported, tmp_path):
    (path, _), dry_path = exported("float32"), tmp_path / "dry.tflite"
    card = export(trained_run, dry_path, "float32", dry=True)
    assert [node["type"] for node in card.synthesizer["nodes"]] == ["Harmonic", "FilteredNoise", "Add"]
    assert (card.synthesizer["output"], card.arrays) == ("dry", {})
    assert read_model_file(dry_path).arrays == {}
    assert not [name for name in card.synthesis_state_shapes if name.startswith("reverb")]
    features = tiny.features(200)
    f0_hz, loudness_db = (features[name][0, :, 0] for name in ("f0_hz", "loudness_db"))
    wet, dry = Instrument(path, seed=0), Instrument(dry_path, seed=0)
    want = wet.synthesizer.stems(wet.controls(f0_hz, loudness_db))["dry"]
    np.testing.assert_allclose(dry.process(f0_hz, loudness_db), want, atol=1e-6)


def test_a_model_whose_room_is_left_out_renders_what_is_left(trained_run):
    model = load_model_of_run(trained_run)
    before = [node.name for node in model.processors.nodes]
    model = without_rooms(model)
    assert [node.name for node in model.processors.nodes] == [name for name in before if name != "reverb"]
    assert model.processors.output_name == "dry"
    audio = model(tiny.features(20))
    assert audio.shape == (1, 20 * tiny.HOP)
