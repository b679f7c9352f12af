"""The file's graph, its network with numpy's synthesizer, and numpy alone: one sound (law 1)."""

import itertools
import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from ddsp_edge import DdspError, Instrument, read_model_file
from ddsp_edge.model.network import Network
from tests.device.conftest import TINY
from tests.device.test_instrument import rewritten

# Where weights have 8 bits, inputs of a layer are rounded to 256 steps, and one that differs in its last bit
# may come to the next: 8e-4 of full scale in a minute. tests/export/test_backends.py has files of float32.
INT8 = 3e-3
BACKENDS = ("play", "step", "numpy")


def phrase(seconds):
    """Vibrato, a held note that float32 has no number for, gaps in the pitch, and swells."""
    frames = np.arange(round(seconds * 125))
    f0_hz = 300.0 * 2.0 ** (np.sin(frames / 40.0) / 6.0)
    f0_hz[50:] = np.where(frames[50:] % 1000 < 500, 440.1, f0_hz[50:])
    f0_hz[frames % 100 > 95] = np.nan
    return f0_hz, -25.0 + 15.0 * np.sin(frames / 20.0)


def played(instrument, seconds, seed=0):
    """A phrase in blocks of any length, and what rings on."""
    f0_hz, loudness_db = phrase(seconds)
    cuts = np.sort(np.random.default_rng(seed).integers(0, len(f0_hz), 40))
    edges = [0, *cuts.tolist(), len(f0_hz)]
    blocks = [instrument.process(f0_hz[a:b], loudness_db[a:b]) for a, b in itertools.pairwise(edges)]
    return np.concatenate([*blocks, instrument.flush()])


def without_synthesizer(path):
    """A copy of the small instrument whose card knows of no synthesizer in the graph."""
    with zipfile.ZipFile(TINY) as archive:
        card = json.loads(archive.read("metadata.json"))
    card.update(synthesis_state_shapes={}, voice={})
    return rewritten(TINY, path, {"metadata.json": json.dumps(card)})


@pytest.mark.parametrize(("backend", "seconds"), [("play", 60.0), ("numpy", 15.0)])
def test_it_sounds_the_same_with_every_backend(backend, seconds):
    """The graph for a minute, as law 1 asks: what drifts is not seen in less."""
    want = played(Instrument(TINY, seed=3, backend="step"), seconds)
    found = played(Instrument(TINY, seed=3, backend=backend), seconds, seed=1)
    assert np.abs(want).max() > 0.1
    np.testing.assert_allclose(found, want, atol=INT8, rtol=0)


def test_the_graph_is_the_default_and_numpy_the_synthesizer_where_the_file_has_none(tmp_path):
    bare = without_synthesizer(tmp_path / "bare.tflite")
    assert Instrument(TINY).backend == "play"
    assert Instrument(bare).backend == "step"
    assert Instrument(bare, backend="numpy").backend == "numpy"
    with pytest.raises(DdspError, match=r"bare\.tflite: .* has no signature 'play'; use the backend 'step'"):
        Instrument(bare, backend="play")
    with pytest.raises(DdspError, match=r"one of auto, play, step, numpy\. Received: 'cuda'"):
        Instrument(TINY, backend="cuda")
    with pytest.raises(DdspError, match=r"one of auto, litert, numpy\. Received: 'cuda'"):
        Network(b"", read_model_file(TINY).card, "cuda")


@pytest.mark.parametrize("backend", BACKENDS)
def test_after_a_reset_it_plays_the_same_again(backend):
    instrument = Instrument(TINY, seed=3, backend=backend)
    first = played(instrument, 1.0)
    instrument.reset()
    np.testing.assert_array_equal(played(instrument, 1.0), first)


@pytest.mark.parametrize("backend", BACKENDS)
def test_parts_of_the_sound_are_those_of_the_sound_that_process_plays(backend):
    """A stream that begins with stems may go on in any way."""
    f0_hz, loudness_db = phrase(1.0)
    whole = Instrument(TINY, seed=3, backend=backend)
    want = np.concatenate([whole.process(f0_hz, loudness_db), whole.flush()])
    instrument = Instrument(TINY, seed=3, backend=backend)
    stems = instrument.stems(f0_hz[:40], loudness_db[:40])
    controls = instrument.controls(f0_hz[40:80], loudness_db[40:80])
    parts = [
        stems[instrument.synthesizer.output],
        instrument.render(controls),
        instrument.process(f0_hz[80:], loudness_db[80:]),
        instrument.flush_stems()[instrument.synthesizer.output],
    ]
    np.testing.assert_allclose(np.concatenate(parts), want, atol=INT8, rtol=0)


@pytest.mark.parametrize("method", ["controls", "stems", "render", "flush_stems"])
def test_what_the_graph_cannot_tell_is_refused_in_words_until_a_reset(method):
    instrument = Instrument(TINY, seed=3)
    f0_hz, loudness_db = phrase(0.2)
    arguments = {"render": [{"f0_hz": f0_hz[:, None]}], "flush_stems": []}.get(method, [f0_hz, loudness_db])
    instrument.process(f0_hz, loudness_db)
    with pytest.raises(DdspError, match=rf"tiny-instrument.tflite: {method} cannot .* call reset first"):
        getattr(instrument, method)(*arguments)
    instrument.reset()
    assert len(instrument.stems(f0_hz, loudness_db)) > 1


def test_nothing_rings_on_where_nothing_was_played():
    for backend in BACKENDS:
        assert not len(Instrument(TINY, backend=backend).flush())


def test_a_graph_that_gives_no_numbers_is_silent_and_recovers(monkeypatch):
    instrument = Instrument(TINY, seed=3, backend="play")
    run = instrument._player._run

    def poisoned(**given):
        return {name: np.full_like(values, np.nan) for name, values in run(**given).items()}

    with monkeypatch.context() as patch:
        patch.setattr(instrument._player, "_run", poisoned)
        assert not instrument.process([440.0] * 5, [-20.0] * 5).any()
    audio = instrument.process([440.0] * 50, [-20.0] * 50)
    assert np.isfinite(audio).all()
    assert np.abs(audio).max() > 0.01


def test_a_card_of_other_states_than_the_graph_has_is_refused_by_name(tmp_path):
    with zipfile.ZipFile(TINY) as archive:
        card = json.loads(archive.read("metadata.json"))
    name = next(iter(card["synthesis_state_shapes"]))
    card["synthesis_state_shapes"][name] = [1, 7]
    path = rewritten(TINY, tmp_path / "other.tflite", {"metadata.json": json.dumps(card)})
    with pytest.raises(DdspError, match=f"other.tflite: The inputs of 'play' .* its card: {name}"):
        Instrument(path)


WITHOUT_LITERT = """
import sys
sys.modules["ai_edge_litert"] = None  # this is how Python is told 'not here'
import numpy as np
from ddsp_edge import DdspError, Instrument, LiveInstrument
from ddsp_edge.cli.main import main
instrument = Instrument(sys.argv[1], seed=3)
assert instrument.backend == "numpy"
np.save(sys.argv[2], instrument.process([440.0] * 50, [-20.0] * 50))
keys = LiveInstrument(sys.argv[1], voices=2)
keys.note_on(69, 100)
assert keys.render(4000).any()
for player, backend in ((Instrument, "play"), (Instrument, "step"), (LiveInstrument, "graph")):
    try:
        player(sys.argv[1], backend=backend)
    except DdspError as error:
        print(error)
sys.exit(main(["render", sys.argv[1], sys.argv[3], sys.argv[4], "--quiet"]))
"""


def test_where_litert_is_not_installed_numpy_plays(tmp_path):
    from ddsp_edge.files.audio_file import read_audio
    from ddsp_edge.files.audio_writer import write_audio
    from tests.device.render.test_render import RATE
    from tests.device.render.test_render import phrase as recording

    sound, source, out = tmp_path / "sound.npy", tmp_path / "in.wav", tmp_path / "out.wav"
    write_audio(source, recording(0.5), RATE)
    command = [sys.executable, "-c", WITHOUT_LITERT, TINY, sound, source, out]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    want = Instrument(TINY, seed=3).process([440.0] * 50, [-20.0] * 50)
    np.testing.assert_allclose(np.load(sound), want, atol=INT8, rtol=0)
    refused = done.stdout.splitlines()
    assert len(refused) == 3
    assert all("LiteRT is not installed" in line and "pip install ai-edge-litert" in line for line in refused)
    assert "numpy plays the network" in done.stderr
    assert np.abs(read_audio(out)[0]).max() > 0.01
