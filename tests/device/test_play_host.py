"""A host of sixty lines that knows nothing but docs/model-file.md plays what the device synthesizer plays."""

import runpy
import wave
from pathlib import Path

import numpy as np

from ddsp_edge import Instrument

EXAMPLES = Path(__file__).parents[2] / "examples"
HOST = EXAMPLES / "play_host.py"


def test_the_host_is_short_and_needs_nothing_of_ours():
    text = HOST.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 60
    assert "ddsp_" not in text.replace("docs/", "")


def test_the_host_plays_the_instrument(each_schema):
    tiny = each_schema
    host = runpy.run_path(str(HOST))["Host"](tiny, seed=3)
    instrument = Instrument(tiny)
    frames, hop = 250, instrument.spec.hop
    f0_hz = 300.0 * 2.0 ** (np.sin(np.arange(frames) / 20.0) / 6.0)
    loudness_db = -25.0 + 15.0 * np.sin(np.arange(frames) / 40.0)
    audio = np.concatenate([host.frame(f0, db) for f0, db in zip(f0_hz, loudness_db, strict=True)])
    white = np.random.default_rng(3).uniform(-1.0, 1.0, [frames, hop]).astype(np.float32)
    controls = instrument.controls(f0_hz, loudness_db)
    want = instrument.render({**controls, "noise_noise": white.ravel()})
    assert np.abs(want).max() > 0.01
    # Features are scaled in the graph: one that differs in its last bit may move an int8 activation a step.
    np.testing.assert_allclose(audio, want, atol=2e-3 * np.abs(want).max())


def test_the_host_writes_a_file(tiny, tmp_path, monkeypatch):
    out = tmp_path / "out.wav"
    monkeypatch.setattr("sys.argv", ["play_host.py", str(tiny), str(out)])
    runpy.run_path(str(HOST), run_name="__main__")
    with wave.open(str(out)) as file:
        assert file.getnframes() == 3 * file.getframerate() // 128 * 128
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert np.abs(samples).max() > 300


def test_the_host_with_a_synthesizer_of_its_own_plays_the_instrument(each_schema):
    host = runpy.run_path(str(EXAMPLES / "minimal_host.py"))
    instrument, frames = Instrument(each_schema), 250
    f0_hz = 300.0 * 2.0 ** (np.sin(np.arange(frames) / 20.0) / 6.0)
    loudness_db = -25.0 + 15.0 * np.sin(np.arange(frames) / 40.0)
    white = np.random.default_rng(3).uniform(-1.0, 1.0, frames * instrument.spec.hop)
    runner, card, arrays = host["load"](each_schema)
    controls = host["predict"](runner, card, f0_hz, loudness_db)
    audio = host["synthesize"](card, arrays, controls, {"noise": white})
    want = instrument.render({**instrument.controls(f0_hz, loudness_db), "noise_noise": white})
    assert np.abs(want).max() > 0.01
    # As above: it scales features on its own.
    np.testing.assert_allclose(audio, want, atol=2e-3 * np.abs(want).max())
