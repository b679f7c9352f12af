"""What models do with files: options from a file for each of them, and controls that are kept."""

import csv
import json

import numpy as np
import pytest

from ddsp_edge import Instrument, LoudnessMeter
from ddsp_edge.cli.file_use import MIDI
from ddsp_edge.cli.file_uses import uses_of
from ddsp_edge.errors import DdspError
from ddsp_edge.features.pitch import VOICED, PitchTracker
from ddsp_edge.files.audio_file import read_audio
from ddsp_edge.files.audio_writer import write_audio
from ddsp_edge.model.file import read_model_file
from ddsp_edge.render.controls_file import ControlsWriter
from ddsp_edge.shipped import shipped_models
from tests.device.conftest import RESTORATION, TINY
from tests.device.render.test_midi import off, on, save
from tests.device.render.test_render import RATE, phrase

TASKS = ("instrument", "restoration", "transcription", "voice")


@pytest.fixture
def sung(tmp_path):
    write_audio(tmp_path / "in.wav", phrase(0.8), RATE)
    return tmp_path / "in.wav"


@pytest.mark.parametrize("task", TASKS)
def test_an_option_that_is_not_given_is_open_so_that_a_file_can_set_it(task):
    for use in uses_of(task):
        left = {name: value for name, value in vars(use.parser().parse_args([])).items() if value is not None}
        assert left == {"quiet": False} or left == {}
        options = vars(use.parser().parse_args([]))
        assert {*use.also, *use.lists} <= options.keys()


def test_a_task_that_is_not_known_does_nothing_with_files():
    assert uses_of("weather") == ()


def test_models_that_come_along_do_something_with_a_file():
    found = {name for name, path in shipped_models().items() if uses_of(read_model_file(path).card.task)}
    assert {"notes", "speech"} <= found


@pytest.mark.parametrize(
    ("command", "model", "text", "same"),
    [
        (
            "render",
            TINY,
            "octaves = 1\nseed = 3\nmatch-loudness = true\n",
            ("--octaves", "1", "--seed", "3", "--match-loudness"),
        ),
        ("restore", RESTORATION, "strength = 0.25\n", ("--strength", "0.25")),
    ],
)
def test_a_file_of_settings_sounds_as_the_options_do(run, sung, tmp_path, command, model, text, same):
    (tmp_path / "s.toml").write_text(text)
    seed = ("--seed", "3") if command == "render" else ()
    assert run(command, model, sung, tmp_path / "plain.wav", *seed)[0] == 0
    assert run(command, model, sung, tmp_path / "options.wav", *same)[0] == 0
    assert run(command, model, sung, tmp_path / "file.wav", "--settings", tmp_path / "s.toml")[0] == 0
    plain, options, file = (read_audio(tmp_path / f"{n}.wav")[0] for n in ("plain", "options", "file"))
    np.testing.assert_array_equal(options, file)
    assert not np.array_equal(plain, file)


def test_the_notes_of_a_recording_are_written_as_a_table_beside(run, sung, tmp_path):
    notes = shipped_models()["notes"]
    (tmp_path / "s.toml").write_text("voices = 1\nunnamed = true\n")
    table = tmp_path / "notes.csv"
    made = run(
        "transcribe", notes, sung, tmp_path / "a.mid", "--table", table, "--settings", tmp_path / "s.toml"
    )
    assert (made[0], made[2]) == (0, "")
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert len(rows) == 1
    assert made[1].startswith(f"{tmp_path}/a.mid: 1 notes in 0.8 s")


def test_a_setting_that_there_is_not_is_told(run, sung, tmp_path):
    (tmp_path / "s.toml").write_text("strenght = 1\n")
    status, _, err = run("restore", RESTORATION, sung, tmp_path / "a.wav", "--settings", tmp_path / "s.toml")
    assert status == 1
    assert "s.toml: strenght is no option here. Did you mean 'strength'?" in err


def test_a_midi_file_takes_the_seed_of_its_settings(run, tmp_path):
    song = save(tmp_path / "song.mid", [on(0, 69), off(480, 69)])
    (tmp_path / "s.toml").write_text("seed = 5\nattack-s = 0.2\nstems = true\n")
    for name in ("a", "b"):
        assert run("render", TINY, song, tmp_path / f"{name}.wav", "--settings", tmp_path / "s.toml")[0] == 0
    a, b = (read_audio(tmp_path / f"{name}.wav")[0] for name in "ab")
    np.testing.assert_array_equal(a, b)
    assert (tmp_path / "a-noise.wav").exists()
    use = next(use for use in uses_of("instrument") if use.takes == MIDI)
    assert use.defaults()["attack_s"] == 0.01


def test_controls_are_those_of_the_instrument_by_hand(run, sung, tmp_path):
    assert run("render", TINY, sung, tmp_path / "out.wav", "--controls", tmp_path / "c.npz")[0] == 0
    instrument = Instrument(TINY, backend="step")
    audio, _ = read_audio(sung)
    tracker, meter = PitchTracker.for_card(instrument.card), LoudnessMeter(instrument.spec)
    parts = [tracker.push(audio), tracker.flush()]
    f0, sure = (np.concatenate(part) for part in zip(*parts, strict=True))
    loudness = np.concatenate([meter.push(audio), meter.flush()])
    controls = instrument.controls(np.where(sure >= VOICED, f0, 0.0), loudness)
    with np.load(tmp_path / "c.npz", allow_pickle=False) as kept:
        assert json.loads(str(kept["about"]))["hop"] == instrument.spec.hop
        # Where there is no pitch the last one is held, in both.
        np.testing.assert_allclose(kept["harmonic.f0_hz"], controls["f0_hz"], rtol=1e-6)
        np.testing.assert_allclose(kept["harmonic.amplitude"], controls["harmonic_amplitude"], atol=1e-6)
        np.testing.assert_allclose(kept["noise.magnitudes"], controls["noise_magnitudes"], atol=1e-6)
        np.testing.assert_allclose(kept["loudness_db"], loudness, atol=1e-5)
        np.testing.assert_array_equal(
            kept["lasting.reverb.impulse_response"], instrument.arrays["reverb_impulse_response"]
        )


def test_controls_as_a_table_hold_the_same(run, sung, tmp_path):
    for name in ("c.npz", "c.csv"):
        assert run("render", TINY, sung, tmp_path / "o.wav", "--controls", tmp_path / name)[0] == 0
    lines = (tmp_path / "c.csv").read_text().splitlines()
    assert json.loads(lines[0].removeprefix("# "))["sample_rate"] == RATE
    rows = list(csv.reader(lines[1:]))
    column = rows[0].index("harmonic.distribution[3]")
    with np.load(tmp_path / "c.npz", allow_pickle=False) as kept:
        found = np.array([row[column] for row in rows[1:]], np.float32)
        np.testing.assert_array_equal(found, kept["harmonic.distribution"][:, 3])


def test_controls_are_refused_where_they_cannot_be_kept(run, sung, tmp_path):
    status, _, err = run("render", TINY, sung, tmp_path / "o.wav", "--controls", tmp_path / "c.txt")
    assert (status, "controls are kept as .npz or .csv" in err) == (1, True)
    status, _, err = run("render", TINY, sung, tmp_path / "o.wav", "--controls", sung)
    assert status == 1
    song = save(tmp_path / "song.mid", [on(0, 69), off(480, 69)])
    status, _, err = run("render", TINY, song, tmp_path / "o.wav", "--controls", tmp_path / "c.npz")
    assert (status, "--controls is for recordings" in err) == (1, True)


def test_controls_of_what_failed_are_not_left(tmp_path):
    instrument = Instrument(TINY)
    frames = np.full(3, 220.0, np.float32)
    writer = ControlsWriter(tmp_path / "c.npz", instrument, {})
    writer.told(frames, -frames / 10, instrument.controls(frames, -frames / 10))
    writer.__exit__(DdspError, DdspError("it broke off"), None)
    assert list(tmp_path.iterdir()) == []
