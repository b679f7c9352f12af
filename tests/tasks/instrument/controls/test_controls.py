"""Controls of a recording: kept, changed, between two others, and rendered as they would have sounded."""

import dataclasses
import json
import zipfile

import numpy as np
import pytest
import soundfile

from ddsp_tf.config import Config
from ddsp_tf.errors import DdspError
from ddsp_tf.evaluation import transfer
from ddsp_tf.models import Autoencoder
from ddsp_tf.tasks.instrument.controls import (
    between,
    controls_of_recording,
    load_controls,
    render_controls,
    save_controls,
)
from ddsp_tf.tasks.instrument.controls.plot import plot_controls
from ddsp_tf.tasks.instrument.controls.recording import with_lasting
from tests import tiny
from tests.data.doubles import ConstantEstimator
from tests.selection import slow_but

SECONDS = 9.0  # more than two blocks of a rendering


@pytest.fixture(scope="module")
def model():
    """An instrument without noise, so that its sound is a function of its controls alone."""
    built = Autoencoder.from_experiment(Config.from_dict(tiny.without_noise()))
    rng = np.random.default_rng(0)
    for weight in built.trainable_variables:
        weight.assign(rng.normal(scale=0.1, size=weight.shape))
    return built


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return tiny.write_phrase(tmp_path_factory.mktemp("source") / "in.wav", SECONDS)


@pytest.fixture(scope="module")
def controls(model, source):
    return controls_of_recording(model, ConstantEstimator(), source, octaves=-1)


def sound(path):
    return soundfile.read(path, dtype="float32")[0]


@pytest.mark.parametrize("ending", slow_but((".npz",), (".npz", ".csv")))
def test_controls_that_were_kept_sound_as_the_transfer_does(model, source, controls, tmp_path, ending):
    transfer(model, ConstantEstimator(), source, tmp_path / "as transferred.wav", octaves=-1)
    save_controls(tmp_path / f"c{ending}", controls)
    kept = load_controls(tmp_path / f"c{ending}")
    for name, values in controls.frames.items():
        np.testing.assert_array_equal(kept.frames[name], values)  # nine digits are a float32, whole
    if ending == ".csv":
        with pytest.raises(DdspError, match=r"lack reverb.impulse_response.*--run"):
            render_controls(kept, tmp_path / "none.wav")
        kept = with_lasting(kept, model)
    assert render_controls(kept, tmp_path / "again.wav") == []
    want, found = sound(tmp_path / "as transferred.wav"), sound(tmp_path / "again.wav")
    assert np.abs(want).max() > 1e-2
    np.testing.assert_allclose(found, want, atol=1e-4, rtol=0)


def test_what_is_changed_is_heard(controls, tmp_path):
    silent = {**controls.frames, "harmonic.amplitude": 0.0 * controls.frames["harmonic.amplitude"]}
    render_controls(dataclasses.replace(controls, frames=silent), tmp_path / "silent.wav")
    assert not sound(tmp_path / "silent.wav").any()


def test_between_two_lies_the_geometric_mean_of_the_pitch(model, source, controls):
    higher = controls_of_recording(model, ConstantEstimator(), source, octaves=1, loudness_shift_db=-6.0)
    middle = between(controls, higher, 0.5)
    f0 = [c.of_node("harmonic", "f0_hz") for c in (controls, middle, higher)]
    np.testing.assert_allclose(f0[1] ** 2, f0[0] * f0[2], rtol=1e-5)
    amplitudes = [c.of_node("harmonic", "amplitude") for c in (controls, middle, higher)]
    np.testing.assert_allclose(2.0 * amplitudes[1], amplitudes[0] + amplitudes[2], atol=1e-6)
    np.testing.assert_array_equal(between(controls, higher, 0.0).loudness_db, controls.loudness_db)
    np.testing.assert_array_equal(
        between(controls, higher.part(0, 40), 1.0).loudness_db, higher.loudness_db[:40]
    )


def test_nothing_lies_between_controls_of_different_processors(controls):
    fewer = {**controls.frames, "harmonic.distribution": controls.frames["harmonic.distribution"][:, :-1]}
    with pytest.raises(DdspError, match=r"differ in harmonic\.distribution"):
        between(controls, dataclasses.replace(controls, frames=fewer), 0.5)
    with pytest.raises(DdspError, match=r"from 0 to 1\. Received: 2"):
        between(controls, controls, 2.0)


def test_a_picture_shows_every_control(controls):
    figure = plot_controls(controls)
    named = [axes.get_ylabel() for axes in figure.axes]
    for name in (
        "loudness, dB",
        "harmonic.f0_hz\nHz",
        "harmonic.amplitude\ndB",
        "harmonic.distribution\nchannel",
    ):
        assert name in named


@pytest.mark.parametrize("ending", [".npz", ".csv"])
def test_what_is_no_number_is_named_with_its_place(controls, tmp_path, ending):
    bad = controls.frames["harmonic.amplitude"].copy()
    bad[17] = np.nan
    frames = {**controls.frames, "harmonic.amplitude": bad}
    save_controls(tmp_path / f"c{ending}", dataclasses.replace(controls, frames=frames))
    with pytest.raises(DdspError, match=r"harmonic\.amplitude must be finite.*nan at \[17, 0\]"):
        load_controls(tmp_path / f"c{ending}")


def test_files_that_are_none_are_refused_in_words(controls, tmp_path):
    def refused(name, content, words):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DdspError, match=words):
            load_controls(tmp_path / name)

    refused("a.txt", b"", r"\.npz or \.csv")
    refused("a.npz", b"PK nothing", "no file of controls")
    refused("b.npz", b"", "no file of controls")
    refused("a.csv", b"# {}\ntime_s,loudness_db\n0.1,x\n", "no file of controls")
    refused("b.csv", b"# {}\ntime_s,loudness_db\n0.1\n", "frame 1 has 1 values for 2 columns")
    refused("c.csv", b"# {}\ntime_s,loudness_db,a[1]\n0.1,1,2\n", "numbered from 0")
    refused("d.csv", b"# {}\ntime_s,loudness_db\n0.1,1\n", "does not say what its controls are for")
    refused("e.csv", b"# {}\ntime_s,a[0]\n0.1,1\n", "lacks loudness_db")
    with pytest.raises(DdspError, match="no such file"):
        load_controls(tmp_path / "none.npz")


def test_pickled_objects_are_not_opened(tmp_path):
    np.savez(tmp_path / "c.npz", about=np.array("{}"), loudness_db=np.array([{"a": 1}], object))
    with pytest.raises(DdspError, match="no file of controls"):
        load_controls(tmp_path / "c.npz")


def test_layers_of_keras_are_not_made_from_a_file(controls, tmp_path):
    nodes = [{**node} for node in controls.processors["nodes"]]
    nodes[-1]["type"] = "keras.layers.Lambda"
    other = dataclasses.replace(controls, processors={**controls.processors, "nodes": nodes})
    with pytest.raises(DdspError, match="a layer of Keras"):
        render_controls(other, tmp_path / "out.wav")


def test_an_archive_that_unpacks_to_too_much_is_refused(controls, tmp_path, monkeypatch):
    save_controls(tmp_path / "c.npz", controls)
    monkeypatch.setattr("ddsp_tf.tasks.instrument.controls.files.MAX_BYTES", 1000)
    with pytest.raises(DdspError, match="unpacks to more than"):
        load_controls(tmp_path / "c.npz")
    with zipfile.ZipFile(tmp_path / "c.npz") as archive:
        assert "about.npy" in archive.namelist()


def test_the_commands_go_the_whole_way(trained_run, tmp_path, capsys):
    from ddsp_tf.cli.main import main

    recording = tiny.write_phrase(tmp_path / "in.wav", 3.0)
    table, picture = tmp_path / "c.csv", tmp_path / "c.png"
    assert main(["controls", str(trained_run), str(recording), "--out", str(table), "--octaves", "-1"]) == 0
    assert "harmonic.distribution" in capsys.readouterr().out
    about = json.loads(table.read_text(encoding="utf-8").splitlines()[0].removeprefix("#"))
    assert about["sample_rate"] == tiny.settings()["sample_rate"]
    given = ["render", str(table), str(tmp_path / "out.wav"), "--run", str(trained_run), "--seed", "1"]
    assert main(given) == 0
    assert len(sound(tmp_path / "out.wav")) >= 3 * tiny.settings()["sample_rate"] - tiny.HOP
    assert main([*given, "--towards", str(table), "--share", "0.25"]) == 0
    assert main(["plot", str(table)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert main(["render", str(table), str(tmp_path / "x.wav"), "--share", "0.25"]) == 1
    assert "--towards" in capsys.readouterr().err


def test_controls_that_a_device_wrote_sound_as_the_device_plays_them(source, tmp_path):
    from ddsp_edge import Instrument
    from ddsp_edge.render.controls_file import ControlsWriter
    from ddsp_edge.render.render import render_audio
    from tests.device.conftest import TINY

    instrument = Instrument(TINY, backend="numpy")
    with ControlsWriter(tmp_path / "c.npz", instrument, {}) as kept:
        render_audio(instrument, source, tmp_path / "played.wav", watches=[kept], octaves=1)
    controls = load_controls(tmp_path / "c.npz")
    quiet = {**controls.frames, "noise.magnitudes": 0.0 * controls.frames["noise.magnitudes"]}
    render_controls(dataclasses.replace(controls, frames=quiet), tmp_path / "again.wav")
    instrument.reset()
    named = {"f0_hz": quiet["harmonic.f0_hz"], "noise_magnitudes": quiet["noise.magnitudes"]}
    named |= {f"harmonic_{n}": quiet[f"harmonic.{n}"] for n in ("amplitude", "distribution")}
    want, found = instrument.render(named), sound(tmp_path / "again.wav")
    assert np.abs(want).max() > 1e-2
    # 16 bits in the file; the first and the last hop ring on in both.
    np.testing.assert_allclose(found[: len(want)], want, atol=1e-4, rtol=0)
