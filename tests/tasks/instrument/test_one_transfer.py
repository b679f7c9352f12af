"""`ddsp-tf transfer` and `ddsp-edge render` are one transfer: the same tracked features, the same sound."""

import argparse

import numpy as np
import pytest
import soundfile

import ddsp_edge.render.render as device
import ddsp_tf.tasks.instrument.tracking as library
from ddsp_edge import Instrument
from ddsp_edge.cli.options import transfer_changes
from ddsp_edge.cli.render import add_render
from ddsp_edge.model.file import write_model_file
from ddsp_edge.render.render import render_audio
from ddsp_edge.transfer.recording import Tracked
from ddsp_tf.config import Config
from ddsp_tf.data.prepare.analysis import Analysis
from ddsp_tf.errors import DdspError
from ddsp_tf.evaluation import transfer
from ddsp_tf.models import Autoencoder
from ddsp_tf.tasks.instrument.command import COMMAND
from ddsp_tf.tasks.instrument.export.describe import describe
from ddsp_tf.tasks.instrument.export.exportable import convert_model as convert
from ddsp_tf.tasks.instrument.model.render import seed_noise
from tests import tiny
from tests.data.doubles import ConstantEstimator
from tests.device.transfer.test_recording import CHANGES, played
from tests.selection import slow_but

SECONDS = 8.0
KNOWN = {
    "f0_hz_range": {"low": 180.0, "median": 220.0, "high": 400.0},
    "loudness_db_range": {"low": -50.0, "median": -30.0, "high": -12.0},
    "f0_estimator": {"name": "constant"},
    "loudness": "as it is",
}


def made(values):
    model = Autoencoder.from_experiment(Config.from_dict(values), KNOWN)
    rng = np.random.default_rng(0)
    for weight in model.trainable_variables:
        weight.assign(rng.normal(scale=0.1, size=weight.shape))
    return model


def noisy_model():
    """One whose noise is heard."""
    values = tiny.settings()
    values["model"]["processors"]["nodes"][1]["config"]["initial_bias"] = -1.0
    return made(values)


@pytest.fixture(scope="module")
def model():
    """An instrument without noise, so that its sound is a function of its features alone."""
    return made(tiny.without_noise())


@pytest.fixture(scope="module")
def file(model, tmp_path_factory):
    """It as a model file of float32."""
    card, arrays = describe(model)
    path = tmp_path_factory.mktemp("one") / "one.tflite"
    write_model_file(path, convert(model), card, arrays)
    return path


@pytest.fixture
def source(tmp_path):
    return tiny.write_phrase(tmp_path / "in.wav", SECONDS)


@pytest.fixture
def same_tracks(monkeypatch):
    """Both hear what `played` says, in blocks of their own."""
    f0_hz, loudness_db = played(round(SECONDS * tiny.FRAME_RATE))

    class Analyser:
        def __init__(self, *arguments):
            pass

        def __call__(self, cut):
            first = cut.first_sample // tiny.HOP
            part = slice(first, first + cut.n_frames)
            f0, level = f0_hz[part], loudness_db[part]
            return Analysis(cut.audio, cut.first_sample, f0, np.ones_like(f0), level, False, "")

    class Tracker:
        def __init__(self, card):
            pass

        def blocks(self, reader):
            for _ in reader.blocks():
                pass
            for start in range(0, len(f0_hz), 37):
                part = slice(start, start + 37)
                yield Tracked(f0_hz[part], loudness_db[part]), (start + len(f0_hz[part])) * tiny.HOP

    monkeypatch.setattr(library, "Analyser", Analyser)
    monkeypatch.setattr(device, "RecordingTracker", Tracker)


@pytest.mark.parametrize("changes", CHANGES, ids=lambda changes: " ".join(changes) or "none")
def test_the_same_features_give_the_same_sound(model, file, source, tmp_path, same_tracks, changes):
    changes = {"octaves": -2, **changes}  # where the instrument has harmonics to tell by
    ours = transfer(model, ConstantEstimator(), source, tmp_path / "tf.wav", stems=True, **changes)
    theirs = render_audio(Instrument(file), source, tmp_path / "edge.wav", stems=True, **changes)
    for name in ("", "-harmonic", "-reverb"):
        a, b = (soundfile.read(tmp_path / f"{who}{name}.wav", dtype="float32")[0] for who in ("tf", "edge"))
        assert 1e-3 < np.abs(b).max() < 0.99  # over full scale a device limits, a computer clips
        np.testing.assert_allclose(a, b, atol=1e-4, rtol=0)  # law 1
    assert not (tmp_path / "tf-noise.wav").exists()
    assert ours.advice == theirs.warnings
    assert ours.seconds == theirs.seconds


@pytest.mark.parametrize("way", slow_but(("noise",), ("noise", "mute")))
def test_consonants_are_noise_or_nothing_on_both(tmp_path, source, same_tracks, way):
    """Where `played` has no pitch for longer than the fade of a frame there are no harmonics."""
    model = noisy_model()
    card, arrays = describe(model)
    write_model_file(tmp_path / "one.tflite", convert(model), card, arrays)
    changes = {"octaves": -2, "stems": True, "seed": 0, "consonants": way, "loudness_shift_db": 40.0}
    transfer(model, ConstantEstimator(), source, tmp_path / "tf.wav", **changes)
    render_audio(Instrument(tmp_path / "one.tflite", 0), source, tmp_path / "edge.wav", **_files(changes))
    pitched = np.repeat(played(round(SECONDS * tiny.FRAME_RATE))[0] > 0.0, tiny.HOP)
    silent = ~pitched & ~np.roll(pitched, tiny.HOP)  # the first hop without pitch fades
    sounds = {
        (who, part): soundfile.read(tmp_path / f"{who}-{part}.wav", dtype="float32")[0][: len(pitched)]
        for who in ("tf", "edge")
        for part in ("harmonic", "noise")
    }
    for (_, part), sound in sounds.items():
        assert np.abs(sound[pitched]).max() > 1e-3
        heard = part == "noise" and way == "noise"
        # Noise filters ring on for some samples.
        assert (
            (np.sqrt(np.mean(sound[silent] ** 2)) > 1e-3)
            if heard
            else (np.abs(sound[silent]) < 1e-4).mean() > 0.8
        )
    np.testing.assert_allclose(sounds["tf", "harmonic"], sounds["edge", "harmonic"], atol=1e-4)
    levels = [np.sqrt(np.mean(sounds[who, "noise"] ** 2)) for who in ("tf", "edge")]
    assert levels[0] == pytest.approx(levels[1], rel=0.05)  # two draws of one noise


def _files(changes):
    return {name: value for name, value in changes.items() if name != "seed"}


def test_both_commands_have_the_same_options_and_make_the_same_of_them():
    parser = argparse.ArgumentParser()
    of_device = argparse.ArgumentParser()
    COMMAND.add_arguments(parser)
    add_render(of_device.add_subparsers(), argparse.ArgumentParser(add_help=False))
    options = ["--octaves", "-1", "--transposition", "2.5", "--loudness-shift-db", "-3", "--match-octave"]
    options += [
        "--match-loudness",
        "--softest-db",
        "-60",
        "--loudest-db",
        "-20",
        "--gate",
        "--gate-db",
        "-50",
        "--consonants",
        "noise",
    ]
    options += ["--stems", "--seed", "3", "--quiet"]
    ours = parser.parse_args(["model.tflite", "in.wav", "out.wav", *options])
    theirs = of_device.parse_args(["render", "model.tflite", "in.wav", "out.wav", *options])
    assert transfer_changes(ours) == transfer_changes(theirs)
    assert transfer_changes(ours) == {
        "octaves": -1,
        "transposition": 2.5,
        "loudness_shift_db": -3.0,
        "match_octave": True,
        "match_loudness": True,
        "softest_db": -60.0,
        "loudest_db": -20.0,
        "gate": True,
        "gate_db": -50.0,
        "consonants": "noise",
    }
    for arguments in (ours, theirs):
        assert (arguments.stems, arguments.seed, arguments.quiet) == (True, 3, True)
    nothing = parser.parse_args(["model", "in.wav", "out.wav"])
    assert transfer_changes(nothing) == {}


@pytest.mark.slow
def test_stems_add_up_to_the_sound_and_leave_it_as_it_is(tmp_path, source):
    def rendered(name, **options):
        transfer(noisy_model(), ConstantEstimator(), source, tmp_path / name, seed=4, **options)
        return soundfile.read(tmp_path / name, dtype="float32")[0]

    whole = rendered("out.wav", stems=True)
    parts = [soundfile.read(tmp_path / f"out-{n}.wav")[0] for n in ("harmonic", "noise", "reverb")]
    assert min(np.abs(part).max() for part in parts) > 1e-3
    # Four files of 16 bits are rounded, each by half a step at most.
    np.testing.assert_allclose(sum(parts), whole, atol=2 / 32768 + 1e-5, rtol=0)
    np.testing.assert_allclose(rendered("alone.wav"), whole, atol=1 / 32768 + 1e-5, rtol=0)


@pytest.mark.slow
def test_a_seed_gives_the_same_noise_and_another_another(tmp_path, source):
    noisy = noisy_model()

    def noise(seed):
        transfer(noisy, ConstantEstimator(), source, tmp_path / "out.wav", seed=seed, stems=True)
        return soundfile.read(tmp_path / "out-noise.wav")[0]

    first = noise(1)
    assert np.abs(first).max() > 1e-3
    np.testing.assert_array_equal(noise(1), first)
    assert np.abs(noise(2) - first).max() > 1e-3
    assert np.abs(noise(None) - first).max() > 1e-3  # it goes on
    seed_noise(noisy.processors, 2**70)  # a seed has no upper end


def test_a_stem_does_not_overwrite_the_recording(tmp_path, model):
    source = tiny.write_phrase(tmp_path / "a-harmonic.wav", 2.0)
    before = source.read_bytes()
    with pytest.raises(DdspError, match="is the recording that is to be played"):
        transfer(model, ConstantEstimator(), source, tmp_path / "a.wav", stems=True)
    assert source.read_bytes() == before
    assert list(tmp_path.iterdir()) == [source]


def test_matching_needs_to_know_what_was_trained(tmp_path, source):
    model = Autoencoder.from_experiment(Config.from_dict(tiny.without_noise()))
    with pytest.raises(DdspError, match="the instrument does not know the pitches of its training data"):
        transfer(model, ConstantEstimator(), source, tmp_path / "out.wav", match_octave=True)
