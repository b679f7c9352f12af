"""The command `ddsp-edge` as a user meets it."""

import json
import struct
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from ddsp_edge import KeySettings, __version__
from ddsp_edge.cli.main import main
from ddsp_edge.files.audio_file import read_audio
from ddsp_edge.files.audio_writer import write_audio
from ddsp_edge.model.file import read_model_file
from ddsp_edge.render.render import render_midi
from ddsp_edge.units import note_name
from tests.device.render.test_midi import control, off, on, save
from tests.device.render.test_render import RATE, phrase
from tests.device.test_instrument import card_with, rewritten


def fails(result):
    """The one line of a command that failed as it should."""
    status, out, err = result
    assert status == 1
    assert out == ""
    lines = err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("ddsp-edge: error: ")
    assert "Traceback" not in err
    assert "unexpected" not in err
    return lines[0]


def test_info_tells_what_the_instrument_is(run, tiny):
    status, out, err = run("info", tiny)
    assert (status, err) == (0, "")
    card = read_model_file(tiny).card
    pitch, level = card.f0_hz_range, card.loudness_db_range
    for text in (
        card.name,
        "16000 Hz",
        "128 samples",
        "8.0 ms",
        f"{note_name(pitch.low)} to {note_name(pitch.high)}, mostly {note_name(pitch.median)}",
        f"{pitch.low:.0f} to {pitch.high:.0f} Hz",
        f"{level.low:.0f} to {level.high:.0f} dB",
        f"{card.quantization}, builtin operators only",
        card.f0_estimator["name"],
    ):
        assert text in out
    assert len(out.splitlines()) <= 25


EVALUATION = {
    "f0_estimator": "pyin",
    "mean_spectrum": {"spectral_distance": 11.3221, "f0_within_50_cents": None},
    "trained": {"spectral_distance": 6.1306, "f0_within_50_cents": 0.9987, "loudness_l1_db": 1.4314},
}


def test_info_tells_in_words_what_was_measured(run, tiny, tmp_path):
    operators = {f"OPERATOR_{i}": i for i in range(12)}
    card = card_with(tiny, quality={"evaluation": EVALUATION, "operators": operators, "seconds_verified": 20})
    status, out, _ = run("info", rewritten(tiny, tmp_path / "q.tflite", {"metadata.json": card}))
    assert status == 0
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "quality: evaluation f0 estimator pyin" in lines
    assert "quality: evaluation, mean spectrum spectral distance 11.32" in lines
    trained = "f0 within 50 cents 0.9987, loudness l1 db 1.431, spectral distance 6.131"
    assert f"quality: evaluation, trained {trained}" in lines
    assert "quality: seconds verified 20" in lines
    assert all(f"OPERATOR_{i} {i}" in out for i in range(12))
    assert not set("{}'") & set(out)
    assert max(len(line) for line in out.splitlines() if str(tmp_path) not in line) <= 125


def test_info_tells_what_other_ways_to_store_the_weights_would_cost(run, tiny, tmp_path):
    rows = {
        "int8": {"bytes": 1, "harmonic_level_error_db_mean": 0.5},
        "int8, 2 float": {"bytes": 2, "harmonic_level_error_db_mean": 0.25, "refused": ""},
        "float32": {"bytes": 3, "harmonic_level_error_db_mean": 0.0, "network_us_per_frame": 20.5},
        "int8-full": {"bytes": 4, "refused": "it is heard"},
    }
    card = card_with(tiny, quality={"recipes": rows, "float_layers": ["a", "b"]})
    status, out, _ = run("info", rewritten(tiny, tmp_path / "r.tflite", {"metadata.json": card}))
    assert status == 0
    lines = [" ".join(line.split()) for line in out.splitlines() if "recipes" in line]
    assert lines == [  # its own figures stand above
        "quality: recipes, float32 bytes 3, harmonic level error db mean 0, network us per frame 20.5",
        "quality: recipes, int8 bytes 1, harmonic level error db mean 0.5",
        "quality: recipes, int8-full bytes 4, refused it is heard",
    ]
    status, out, _ = run("info", tiny)
    assert (status, out.count("recipes")) == (0, 1)


def test_info_of_a_card_that_is_full_fits_a_screen(run, tiny, tmp_path):
    quality = {"operators": {f"op_{i}": "long " * 50 for i in range(500)}}
    card = card_with(tiny, quality=quality)
    status, out, _ = run("info", rewritten(tiny, tmp_path / "q.tflite", {"metadata.json": card}))
    assert status == 0
    assert len(out.splitlines()) <= 25


def test_notes_have_their_names():
    # 1 % is 17 cents: still the nearest note
    names = {440.0: "A4", 261.626: "C4", 246.942: "B3", 27.5: "A0", 1864.66 * 1.01: "A#6"}
    assert {f0: note_name(f0) for f0 in names} == names


def test_info_does_not_pass_escape_sequences_on(run, tiny, tmp_path):
    name = "\x1b[31mred\nalert"
    card = card_with(tiny, name=name, quality={name: name}, created=name, f0_estimator={"name": name})
    path = rewritten(tiny, tmp_path / "red.tflite", {"metadata.json": card})
    status, out, _ = run("info", path)
    assert status == 0
    assert "?[31mred alert" in out
    assert out.replace("\n", "").isprintable()


def test_info_as_json_is_the_card(run, tiny):
    status, out, _ = run("info", tiny, "--json")
    assert status == 0
    assert json.loads(out)["synthesizer"]["output"] == "reverb"


def test_render_writes_the_file_and_tells_the_real_time_factor(run, tiny, tmp_path):
    write_audio(tmp_path / "in.wav", phrase(1.0), RATE)
    status, out, err = run("render", tiny, tmp_path / "in.wav", tmp_path / "out.wav", "--seed", 1)
    assert (status, err) == (0, "")
    assert "x real time" in out
    assert soundfile.info(tmp_path / "out.wav").samplerate == RATE


def test_render_quietly_says_nothing(run, tiny, tmp_path):
    save(tmp_path / "a.mid", [on(0, 69), off(300, 69)])
    assert run("render", tiny, tmp_path / "a.mid", tmp_path / "out.flac", "--quiet") == (0, "", "")
    assert np.abs(read_audio(tmp_path / "out.flac")[0]).max() > 0.01


def test_a_midi_file_sounds_as_the_settings_of_live_keys_say(run, tiny, tmp_path):
    save(tmp_path / "a.mid", [on(0, 57), on(100, 64), off(300, 57), off(320, 64)])
    (tmp_path / "live.toml").write_text(
        'port = "Keys"\nvoices = 1\noctaves = 1\nglide-s = 0.1\ngain-db = -6\n'
    )
    out = tmp_path / "out.wav"
    for options, want in {
        ("--settings", tmp_path / "live.toml"): (1, KeySettings(glide_s=0.1, gain_db=-6.0), 1),
        ("--settings", tmp_path / "live.toml", "--voices", 2, "--octaves", 0): (
            *(2, KeySettings(glide_s=0.1, gain_db=-6.0), 0),
        ),
        ("--loudness-shift-db", "-3"): (4, KeySettings(loudness_shift_db=-3.0), 0),
    }.items():
        assert run("render", tiny, tmp_path / "a.mid", out, "--seed", 3, "--quiet", *options)[0] == 0
        found = out.read_bytes()
        render_midi(tiny, tmp_path / "a.mid", out, *want, seed=3)
        assert found == out.read_bytes()
    (tmp_path / "live.toml").write_text("glide = 1")
    line = fails(run("render", tiny, tmp_path / "a.mid", out, "--settings", tmp_path / "live.toml"))
    assert "live.toml: glide is no option here. Did you mean 'glide_s'?" in line
    write_audio(tmp_path / "in.wav", phrase(0.5), RATE)
    line = fails(run("render", tiny, tmp_path / "in.wav", out, "--voices", 2))
    assert f"--voices is for MIDI files, and {tmp_path}/in.wav is none" in line


def test_render_warns_in_one_line(run, tiny, tmp_path):
    write_audio(tmp_path / "low.wav", phrase(1.0, 70.0), RATE)
    status, _, err = run("render", tiny, tmp_path / "low.wav", tmp_path / "out.wav", "--quiet")
    assert status == 0
    assert err.startswith("ddsp-edge: warning: ")
    assert len(err.splitlines()) == 1


def test_bench_prints_a_table_and_json(run, tiny):
    status, out, err = run("bench", tiny, "--seconds", "0.5")
    assert (status, err) == (0, "")
    words = ("network, a frame", "harmonic, a hop", "real-time factor", "memory", "99.9 %", "4 voices")
    for text in words:
        assert text in out
    _, out, _ = run("bench", tiny, "--seconds", "0.5", "--json")
    figures = json.loads(out)
    assert set(figures["synthesis_us"]) == {"harmonic", "noise", "dry", "reverb"}
    assert min(figures["realtime_factor"].values()) > 1  # faster than real time on one thread
    assert set(figures["live"]) == {"effect", "1 voice", "4 voices"}
    for row in figures["live"].values():
        assert row["deadline_ms"] == 10.0
        assert 0.0 < row["median_ms"] <= row["p95_ms"] <= row["p999_ms"]
        assert row["deadline_share"] == pytest.approx(row["p999_ms"] / 10.0)
        # The mean lies between nothing and the longest; the factor is its inverse.
        assert 10.0 / row["realtime_factor"] <= 2 * row["p999_ms"]


def silence(path):
    write_audio(path, np.zeros(RATE), RATE)


def with_nan(path):
    audio = phrase(0.5)
    audio[4000] = np.nan
    soundfile.write(path, audio, RATE, subtype="FLOAT")


def seven_hz(path):
    data = struct.pack("<100h", *range(100))
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 236, b"WAVE", b"fmt ", 16, 1, 1, 7, 14, 2, 16, b"data", 200
    )
    path.write_bytes(head + data)


def far_too_loud(path):
    audio = phrase(0.5)
    audio[4000] = 1e30
    soundfile.write(path, audio, RATE, subtype="FLOAT")


def antiphase(path):
    soundfile.write(path, np.stack([phrase(0.5), -phrase(0.5)], axis=1), RATE)


def without_volume(path):
    save(path, [control(0, 7, 0), on(0, 60), off(500, 60)])


BAD_INPUTS = {
    "missing.wav": (lambda path: None, "no such file"),
    "empty.wav": (lambda path: path.write_bytes(b""), "is empty"),
    "text.wav": (lambda path: path.write_text("la la la"), "not a readable sound file"),
    "short.wav": (lambda path: write_audio(path, np.ones(3) * 0.1, RATE), "too short"),
    "nothing.wav": (lambda path: write_audio(path, np.zeros(0), RATE), "too short"),
    "silent.wav": (silence, "is silent: nothing to follow"),
    "nan.wav": (with_nan, "not finite"),
    "rate.wav": (seven_hz, "sample rate of 7 Hz"),
    "folder.wav": (lambda path: path.mkdir(), "is a folder"),
    "loud.wav": (far_too_loud, "beyond any level of sound, up to 1e+30 times full scale"),
    "antiphase.wav": (antiphase, "cancel each other when they are averaged"),
    "mute.mid": (lambda path: save(path, [control(0, 7, 100)]), "holds no notes"),
    "text.mid": (lambda path: path.write_text("la la la"), "not a readable MIDI file"),
    "folder.mid": (lambda path: path.mkdir(), "is a folder, not a MIDI file"),
    "volume.mid": (without_volume, "holds no notes that sound: the volume or the expression of each is 0"),
    "missing.mid": (lambda path: None, "no such file"),
}


@pytest.mark.parametrize("name", BAD_INPUTS)
def test_bad_input_fails_in_one_line_that_names_it(run, tiny, tmp_path, name):
    make, message = BAD_INPUTS[name]
    make(tmp_path / name)
    line = fails(run("render", tiny, tmp_path / name, tmp_path / "out.wav", "--quiet"))
    assert name in line
    assert message in line
    assert not (tmp_path / "out.wav").exists()


@pytest.mark.parametrize("alias", ["itself", "symbolic link", "hard link", "other way there"])
@pytest.mark.parametrize("kind", ["recording", "instrument"])
def test_what_a_sound_is_made_from_is_not_overwritten(run, tiny, tmp_path, kind, alias):
    source, instrument = tmp_path / "in.wav", tmp_path / "instrument.wav"
    write_audio(source, phrase(0.5), RATE)
    instrument.write_bytes(tiny.read_bytes())
    original = source if kind == "recording" else instrument
    before = original.read_bytes()
    out = tmp_path / "out.wav"
    if alias == "symbolic link":
        out.symlink_to(original.name)
    elif alias == "hard link":
        out.hardlink_to(original)
    else:
        out = original if alias == "itself" else tmp_path / ".." / tmp_path.name / original.name
    line = fails(run("render", instrument, source, out, "--quiet"))
    assert f"is the {kind}" in line
    assert "would be overwritten; name another file" in line
    assert original.read_bytes() == before


def test_eight_channels_are_averaged(run, tiny, tmp_path):
    soundfile.write(tmp_path / "in.wav", np.stack([phrase(0.5)] * 8, axis=1), RATE)
    assert run("render", tiny, tmp_path / "in.wav", tmp_path / "out.wav")[0] == 0


def test_an_output_that_cannot_be_written_fails_before_the_work(run, tiny, tmp_path):
    source = tmp_path / "in.wav"
    write_audio(source, phrase(0.5), RATE)
    line = fails(run("render", tiny, source, tmp_path / "no" / "out.wav"))
    assert "the folder" in line
    assert "does not exist" in line
    assert "is not a folder" in fails(run("render", tiny, source, source / "out.wav"))
    assert ".wav or .flac" in fails(run("render", tiny, source, tmp_path / "out.mp3"))
    (tmp_path / "out.wav").mkdir()
    assert "is a folder" in fails(run("render", tiny, source, tmp_path / "out.wav"))


def test_bad_instruments_fail_in_one_line(run, tiny, tmp_path):
    missing, text, cut = (tmp_path / name for name in ("missing.tflite", "text.tflite", "cut.tflite"))
    text.write_text("la la la")
    cut.write_bytes(tiny.read_bytes()[:9000])
    for path, message in ((missing, "no such file"), (text, "not a TFLite file"), (cut, "has no card")):
        for arguments in (
            ("info", path),
            ("bench", path),
            ("render", path, tmp_path / "in.wav", tmp_path / "out.wav"),
        ):
            line = fails(run(*arguments))
            assert path.name in line
            assert message in line


@pytest.mark.parametrize("options", [["--octaves", "99"], ["--loudness-shift-db", "nan"]])
def test_options_out_of_range_fail_in_one_line(run, tiny, tmp_path, options):
    write_audio(tmp_path / "in.wav", phrase(0.5), RATE)
    assert "must be from" in fails(run("render", tiny, tmp_path / "in.wav", tmp_path / "out.wav", *options))
    assert "seconds must be" in fails(run("bench", tiny, "--seconds", "-1"))


def test_a_folder_is_no_instrument(run, tmp_path):
    assert f"{tmp_path} is a folder, not an instrument" in fails(run("info", tmp_path))


def test_wrong_arguments_are_told_in_words(capsys, tiny):
    cases = {
        "a seed is a whole number from 0. Received: 'abc'": ["render", tiny, "a", "b", "--seed", "abc"],
        "a seed is a whole number from 0. Received: '-1'": ["render", tiny, "a", "b", "--seed", "-1"],
        "argument OUTPUT: the name is empty": ["render", tiny, "a", ""],
        "argument INSTRUMENT: the name is empty": ["info", ""],
        "Did you mean 'render'?": ["rendr", tiny, "a", "b"],
        "Did you mean 'noise'?": ["render", tiny, "a", "b", "--consonants", "nois"],
    }
    for words, arguments in cases.items():
        with pytest.raises(SystemExit) as caught:
            main([str(a) for a in arguments])
        assert caught.value.code == 2
        assert words in capsys.readouterr().err


def test_debug_shows_the_traceback_on_either_side(run, tmp_path):
    for arguments in (("--debug", "info", tmp_path / "x"), ("info", tmp_path / "x", "--debug")):
        status, _, err = run(*arguments)
        assert status == 1
        assert "Traceback" in err
        assert err.strip().splitlines()[-1].startswith("ddsp-edge: error: ")


def test_unexpected_errors_name_their_type(run, tiny, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError("three\nlines\nlong")

    monkeypatch.setattr("ddsp_edge.model.file.read_model_file", fail)
    status, _, err = run("info", tiny)
    assert status == 1
    told = "unexpected ZeroDivisionError: three lines long (a bug: run again with --debug to see where)"
    assert err == f"ddsp-edge: error: {told}\n"


def test_an_interrupt_is_130(run, tiny, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("ddsp_edge.model.file.read_model_file", stop)
    assert run("info", tiny)[0] == 130


@pytest.mark.parametrize("command", [[], ["info"], ["render"], ["bench"]])
def test_help_fits_a_screen(capsys, command):
    with pytest.raises(SystemExit) as caught:
        main([*command, "--help"])
    assert caught.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 100


def test_version_and_module(tiny):
    done = subprocess.run([sys.executable, "-m", "ddsp_edge", "--version"], capture_output=True, text=True)
    assert done.stdout == f"ddsp-edge {__version__}\n"
    # head closes the pipe before the card is out
    done = subprocess.run(
        f"{sys.executable} -m ddsp_edge info {tiny} --json | head -n 1",
        shell=True,
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("{\n", "")
