"""`ddsp-edge restore`, and `play` with a restoration, as a user meets them."""

import numpy as np
import pytest
import soundfile

from ddsp_edge import shipped
from ddsp_edge.restoration.live import LiveRestorer
from tests.device.conftest import RESTORATION, TINY

# Trained on synthetic vowels in noise and exported as users' are, but small: 24 and 32 units.


@pytest.fixture
def noisy(tmp_path):
    audio = np.random.default_rng(1).standard_normal((44_100, 2)) * 0.05
    soundfile.write(tmp_path / "noisy.wav", audio, 44_100)
    return tmp_path / "noisy.wav"


def test_a_recording_is_restored_and_told_of(run, noisy, tmp_path):
    status, out, err = run("restore", RESTORATION, noisy, tmp_path / "clean.flac", "--stems")
    assert status == 0
    assert "less than a tenth of its power is left" in err  # it is noise and nothing else
    assert "clean.flac: 1.0 s in " in out
    assert "x real time, what was taken out has 9" in out
    info = soundfile.info(tmp_path / "clean.flac")
    assert (info.samplerate, info.channels, info.frames) == (44_100, 2, 44_100)
    assert (tmp_path / "clean-removed.flac").exists()
    status, out, _ = run("restore", RESTORATION, noisy, tmp_path / "same.wav", "--strength", "0", "--quiet")
    assert (status, out) == (0, "")
    np.testing.assert_allclose(
        soundfile.read(tmp_path / "same.wav")[0], soundfile.read(noisy)[0], atol=2.0**-15
    )


def test_a_model_that_comes_with_the_package_is_named(run, noisy, tmp_path, monkeypatch):
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "hush.tflite").write_bytes(RESTORATION.read_bytes())
    monkeypatch.setattr(shipped, "FOLDER", folder)
    assert run("restore", "hush", noisy, tmp_path / "clean.wav")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([TINY], "holds a model of the task 'instrument', not a restoration"),
        (["missing.tflite"], "no such file"),
    ],
)
def test_what_is_no_restoration_is_told(run, noisy, tmp_path, arguments, words):
    status, _, err = run("restore", *arguments, noisy, tmp_path / "clean.wav")
    assert status == 1
    assert words in err
    assert not (tmp_path / "clean.wav").exists()


@pytest.mark.parametrize("strength", ["2", "x", "nan", "-0.1"])
def test_a_strength_that_cannot_be_is_refused(run, noisy, tmp_path, strength, capsys):
    with pytest.raises(SystemExit, match="2"):
        run("restore", RESTORATION, noisy, tmp_path / "clean.wav", f"--strength={strength}")


def test_play_restores_what_is_heard_at_the_rate_of_the_card(run, card):
    status, out, err = run("play", RESTORATION, "--seconds", "0.6", "--block", "480", "--strength", "0.5")
    assert (status, out) == (0, "1 xruns, 0 times reopened\n")
    assert "48000 Hz, latency 32.0 ms" in err
    assert 0.01 < np.abs(np.concatenate(card.played)).max() <= 1.0


def test_options_of_the_other_kind_are_refused(run, card):
    status, _, err = run("play", RESTORATION, "--osc", "9000")
    assert (status, "--osc is for instruments" in err) == (1, True)
    status, _, err = run("play", TINY, "--strength", "0.5")
    assert (status, "--strength is for restorations" in err) == (1, True)


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_live_sound_is_as_late_as_declared(rate):
    live = LiveRestorer(RESTORATION, rate, strength=0.0)
    click = np.zeros(rate // 4, np.float32)
    click[1_000] = 0.5
    out = np.concatenate([live.process(click[i : i + 333]) for i in range(0, len(click), 333)])
    assert np.argmax(np.abs(out)) == 1_000 + live.latency_samples
    assert live.latency_samples / rate == pytest.approx(0.0319, abs=0.0002)


@pytest.mark.parametrize("block", [1, 64, 480, 5_000])
def test_live_blocks_of_any_size_give_the_same_and_come_back_from_anything(block):
    rng = np.random.default_rng(2)
    audio = (rng.standard_normal(2_000 if block == 1 else 24_000) * 0.1).astype(np.float32)
    audio[700:720] = np.nan
    live = LiveRestorer(RESTORATION)
    wanted = live.process(audio)
    live.reset()
    given = np.concatenate([live.process(audio[i : i + block]) for i in range(0, len(audio), block)])
    assert np.isfinite(given).all()
    np.testing.assert_allclose(given, wanted, atol=1e-5)
    assert not LiveRestorer(RESTORATION).process(np.zeros(5_000)).any()
