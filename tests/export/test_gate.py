"""The gate: whatever is broken on purpose is refused in words, and leaves no file."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from ddsp_edge.card import Range
from ddsp_edge.model.file import write_model_file
from ddsp_export.export import export
from ddsp_export.graph import HarmonicHop, SynthesizerGraph
from ddsp_tf.errors import DdspError
from ddsp_tf.tasks.instrument.export.describe import describe
from ddsp_tf.tasks.instrument.export.endpoints import VoiceSynthesis
from ddsp_tf.tasks.instrument.export.exportable import InstrumentExport
from ddsp_tf.tasks.instrument.export.exportable import convert_model as convert
from ddsp_tf.tasks.instrument.export.gate import QUALITY, check_card, check_float32, check_measured
from ddsp_tf.tasks.instrument.export.verify import Verifier
from ddsp_tf.tasks.instrument.reference import load_reference
from ddsp_tf.training import load_model_of_run
from tests.selection import slow_but

GOOD = {
    "control_error_max": 0.0,
    "harmonic_level_error_db_mean": 0.0,
    "synthesis_error_peak": 0.0,
    "spectral_distance_change_percent": 0.0,
}


@pytest.fixture(scope="module")
def model(trained_run):
    return load_model_of_run(trained_run)


@pytest.fixture(scope="module")
def verifier(model, trained_run):
    return Verifier(model, load_reference(trained_run, model.spec))


@pytest.fixture
def complete(model):
    """A card that is complete, its arrays, and the names of the controls."""
    card, arrays = describe(model)
    quality = {**dict.fromkeys(QUALITY, 0.0), "measured_on": "here", "operators": {}, "float_layers": []}
    card = dataclasses.replace(card, quality=quality)
    return card, arrays, {"harmonic_amplitude", "harmonic_distribution", "noise_magnitudes"}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"synthesis_error_peak": 2e-4}, "the synthesis differs from Keras on the same controls by 0.0002"),
        ({"control_error_max": float("nan")}, "the controls differ from Keras by nan"),
        ({"harmonic_level_error_db_mean": 0.02}, r"the harmonic levels differ from Keras \(dB\) by 0.02"),
        ({"spectral_distance_change_percent": -1.5}, "the spectral distance differs from Keras"),
        ({"block_error_max": 1e-3}, "the controls of `block` differ from those of `step` by 0.001"),
        ({"play_error_peak": 1e-3}, "the sound of `play` differs from that of `step`"),
        ({"play_distance_change_percent": 2.0}, "the spectral distance of `play` differs"),
    ],
)
def test_each_bound_is_kept(changed, words):
    check_measured(GOOD, "float32")
    with pytest.raises(DdspError, match=f"{words}.*at most"):
        check_measured({**GOOD, **changed}, "float32")


def test_a_model_that_converts_wrongly_is_refused_whatever_its_weights_become():
    check_float32(1e-6)
    with pytest.raises(DdspError, match=r"the float32 model differs from Keras by 0.001; at most 0.0001"):
        check_float32(1e-3)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "name is empty"),
        ({"config": {}}, "config is empty"),
        ({"loudness": ""}, "loudness is empty"),
        ({"f0_estimator": {"hop": 1}}, "f0_estimator has no name"),
        ({"feature_scaling": {"f0_scaled": "x"}}, "does not say how loudness_scaled is computed"),
        ({"f0_hz_range": Range(0.0, 0.0, 0.0)}, "f0_hz_range is no range"),
        ({"quantization": "int3"}, "quantization is 'int3'"),
        ({"quality": {}}, "quality lacks control_error_max, float32_error_max, "),
        ({"quality": {**dict.fromkeys(QUALITY, 0.0), "control_error_max": float("inf")}}, "= inf"),
    ],
)
def test_a_card_that_leaves_something_out_is_refused(complete, changes, words):
    card, arrays, outputs = complete
    check_card(card, arrays, outputs)
    with pytest.raises(DdspError, match=f"the card is not complete: .*{words}"):
        check_card(dataclasses.replace(card, **changes), arrays, outputs)


def test_a_card_whose_nodes_hang_in_the_air_is_refused(complete):
    card, arrays, outputs = complete
    with pytest.raises(DdspError, match="node 'noise' takes magnitudes from 'noise_magnitudes'"):
        check_card(card, arrays, outputs - {"noise_magnitudes"})
    with pytest.raises(DdspError, match="the array 'reverb_impulse_response' of node 'reverb' is not in the"):
        check_card(card, {}, outputs)
    elsewhere = dataclasses.replace(card, synthesizer={**card.synthesizer, "output": "room"})
    with pytest.raises(DdspError, match="no node is called 'room'"):
        check_card(elsewhere, arrays, outputs)


@pytest.mark.slow
def test_a_synthesizer_in_the_model_that_plays_something_else_is_noticed(
    model, verifier, tmp_path, monkeypatch
):
    """A phase that runs a thousandth too fast: `synthesize`, `play`, `voice` are wrong, all else is right."""
    run = HarmonicHop.run

    @tf.autograph.experimental.do_not_convert
    def fast(self, inputs, state):
        return run(self, {**inputs, "f0_hz": inputs["f0_hz"] * 1.001}, state)

    monkeypatch.setattr(HarmonicHop, "run", fast)
    card, arrays = describe(model, play=True)
    synthesizer = SynthesizerGraph(model.spec, card.synthesizer, arrays)
    voice = VoiceSynthesis.of(model.spec, card.synthesizer, arrays)
    wrong = convert(model, None, synthesizer, voice)
    path = tmp_path / "wrong.tflite"
    write_model_file(path, wrong, card, arrays)
    measured = verifier.measure(path)
    assert measured["control_error_max"] < 1e-5
    with pytest.raises(DdspError, match="the synthesis differs from Keras on the same controls by"):
        check_measured(measured, "float32")
    with pytest.raises(DdspError, match="the sound of `play` differs from that of `step`"):
        check_measured({**measured, "synthesis_error_peak": 0.0}, "float32")


def test_ten_seconds_are_played_however_short_the_sound_held_back(model, trained_run):
    reference = load_reference(trained_run, model.spec)
    frames = model.spec.frames_for(1.0)
    hop = model.spec.hop
    short = dataclasses.replace(
        reference,
        f0_hz=reference.f0_hz[:frames],
        loudness_db=reference.loudness_db[:frames],
        audio=reference.audio[: frames * hop],
    )
    [controls] = [v for k, v in Verifier(model, short).expected.items() if k == "harmonic_amplitude"]
    assert len(controls) == model.spec.frames_for(10.0)
    assert np.isfinite(controls).all()


@pytest.mark.parametrize("stage", slow_but(("opens",), ("card", "opens")))
def test_a_failure_after_the_measurements_leaves_no_file_either(trained_run, tmp_path, monkeypatch, stage):
    def refuse(*_):
        raise DdspError("it is broken")

    if stage == "card":
        monkeypatch.setattr(InstrumentExport, "check_card", refuse)
    else:
        monkeypatch.setattr(Verifier, "check_opens", refuse)
    with pytest.raises(DdspError, match=r"bad.tflite was not written: it is broken"):
        export(trained_run, tmp_path / "bad.tflite", "float32", play=False)
    assert list(tmp_path.iterdir()) == []


def test_a_finished_file_that_does_not_open_elsewhere_is_refused(model, verifier, tmp_path):
    path = tmp_path / "broken.tflite"
    path.write_bytes(b"\x1c\0\0\0TFL3 and nothing more")
    with pytest.raises(DdspError, match="does not play without TensorFlow"):
        verifier.check_opens(path)
