"""From a recording to its result, over HTTP, held to what the commands of ddsp-edge write."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from ddsp_edge.cli.file_uses import uses_of
from ddsp_edge.errors import DdspError
from ddsp_edge.files.audio_writer import write_audio
from ddsp_edge.units import length_in_words
from tests.device.conftest import RESTORATION, TINY
from tests.device.render.test_midi import off, on, save
from tests.device.render.test_render import RATE, phrase
from tests.device.studio.conftest import Client, running


@pytest.fixture(scope="module")
def sung(tmp_path_factory):
    path = tmp_path_factory.mktemp("sung") / "sung.wav"
    write_audio(path, phrase(1.2), RATE)
    return path


@pytest.fixture(scope="module")
def given(studio, sung):
    return studio.give(sung)


def result_of(studio, model, given, values):
    asked = {"model": studio.model(model), "input": given["id"], "values": values}
    status, job = studio.json("POST", "/api/jobs", asked)
    assert status == 201, job
    return studio.wait(job["id"])


def saved(studio, job, kind, folder, label=""):
    found = [f for f in job["result"]["files"] if (f["kind"], f["label"]) == (kind, label)]
    status, headers, data = studio.ask("GET", f"/api/files/{found[0]['file']}?save")
    assert status == 200
    assert "attachment" in headers["content-disposition"]
    assert found[0]["bytes"] == len(data)
    path = folder / found[0]["name"]
    path.write_bytes(data)
    return path


def test_a_page_is_served_that_fetches_nothing_from_elsewhere(studio):
    status, headers, page = studio.ask("GET", "/")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
    for name in ("page.js", "style.css", "takes.js", "recorder-worklet.js"):
        status, _, text = studio.ask("GET", f"/{name}")
        assert status == 200
        assert b"http://" not in text
        assert b"https://" not in text
    assert b"http" not in page.replace(b"http-equiv", b"")


def test_what_is_given_is_looked_at(studio, given, sung):
    looked = given["result"]
    assert looked["takes"] == "sound"
    assert looked["about"] == "16 kHz, mono, 1.2 s"
    sound = looked["sound"]
    picture = studio.ask("GET", f"/api/files/{sound['picture']}")[2]
    shades = np.frombuffer(picture, np.uint8).reshape(sound["columns"], sound["rows"])
    # The loudest band is that of the first harmonic, 330 Hz.
    loudest = np.median(shades[5:-5].argmax(axis=1)) + 0.5
    hz = sound["low_hz"] * (sound["high_hz"] / sound["low_hz"]) ** (loudest / sound["rows"])
    assert abs(12 * np.log2(hz / 330.0)) < 1.0
    heard = studio.ask("GET", f"/api/files/{sound['audio']}", headers={"Range": "bytes=0-3"})
    assert (heard[0], heard[2]) == (206, b"fLaC")


def test_an_instrument_plays_what_the_command_plays(studio, given, sung, run, tmp_path):
    values = {"octaves": 1, "match_loudness": True, "seed": 4, "stems": True}
    job = result_of(studio, "tiny", given, values)
    assert job["state"] == "done", job
    sound = saved(studio, job, "sound", tmp_path)
    assert sound.name == "sung-tiny.wav"
    settings = saved(studio, job, "settings", tmp_path)
    by_hand = tmp_path / "by-hand.wav"
    assert run("render", TINY, sung, by_hand, "--settings", settings)[0] == 0
    np.testing.assert_array_equal(soundfile.read(sound)[0], soundfile.read(by_hand)[0])
    assert {s["label"] for s in job["result"]["sounds"]} == {"", "harmonic", "noise", "reverb"}
    with np.load(saved(studio, job, "controls", tmp_path, "controls"), allow_pickle=False) as kept:
        told = job["result"]["curves"]["told"]
        np.testing.assert_allclose(told["loudness_db"], kept["loudness_db"], atol=0.06)
        np.testing.assert_allclose(told["f0_hz"], kept["harmonic.f0_hz"][:, 0], atol=0.01)
    heard = [f0 for f0 in job["result"]["curves"]["heard"]["f0_hz"] if f0 is not None]
    assert abs(np.median(heard) - 330.0) < 2.0
    assert abs(np.median(told["f0_hz"]) - 660.0) < 4.0


def test_a_restoration_does_what_the_command_does(studio, given, sung, run, tmp_path):
    job = result_of(studio, "hush", given, {"strength": 0.5, "stems": True})
    by_hand = tmp_path / "by-hand.wav"
    assert run("restore", RESTORATION, sung, by_hand, "--strength", "0.5")[0] == 0
    found = saved(studio, job, "sound", tmp_path)
    np.testing.assert_array_equal(soundfile.read(found)[0], soundfile.read(by_hand)[0])
    assert [s["label"] for s in job["result"]["sounds"]] == ["", "removed"]


def test_notes_come_as_midi_as_a_table_and_to_look_at(studio, given, tmp_path):
    job = result_of(studio, "notes", given, {"voices": 1, "instruments": ["voice"]})
    assert saved(studio, job, "MIDI", tmp_path).read_bytes()[:4] == b"MThd"
    table = saved(studio, job, "table", tmp_path, "table").read_text().splitlines()
    score = job["result"]["score"]
    assert len(score["notes"]) == len(table) - 1 == 1
    assert score["notes"][0][2] == pytest.approx(64.0, abs=0.5)  # 330 Hz is E4
    assert 'instruments = "voice"' in saved(studio, job, "settings", tmp_path).read_text()


def test_a_midi_file_is_played_with_the_knobs_of_keys(studio, run, tmp_path):
    song = save(tmp_path / "song.mid", [on(0, 69), off(480, 69), on(480, 72), off(960, 72)])
    given = studio.give(song)
    assert given["result"]["takes"] == "MIDI"
    assert [note[2] for note in given["result"]["score"]["notes"]] == [69, 72]
    job = result_of(studio, "tiny", given, {"attack_s": 0.1, "seed": 2})
    settings = saved(studio, job, "settings", tmp_path)
    assert run("render", TINY, song, tmp_path / "by-hand.wav", "--settings", settings)[0] == 0
    found = saved(studio, job, "sound", tmp_path)
    np.testing.assert_array_equal(soundfile.read(found)[0], soundfile.read(tmp_path / "by-hand.wav")[0])
    status, told = studio.json("POST", "/api/jobs", {"model": studio.model("hush"), "input": given["id"]})
    assert (status, told["error"]) == (400, "hush takes no MIDI: choose another model, or another file")


def test_every_option_of_a_use_is_a_knob_but_for_files(studio):
    for model in studio.json("GET", "/api/models")[1]["models"]:
        for shown, use in zip(model["uses"], uses_of(model["task"]), strict=True):
            options = {action.dest for action in use.parser()._actions} - {*use.also, "quiet", "runtime"}
            assert {knob["name"] for knob in shown["knobs"]} == options
            assert all(knob["help"] for knob in shown["knobs"])


@pytest.mark.parametrize(
    ("model", "values", "words"),
    [
        ("tiny", {"octaves": 99}, "octaves must be from -8 to 8. Received: 99"),
        ("tiny", {"octaves": -999}, "octaves must be from -8 to 8"),
        ("tiny", {"transposition": 97.0}, "transposition must be from -96 to 96"),
        ("tiny", {"octaves": 8, "transposition": 1.0}, "octaves and transposition together"),
        ("tiny", {"brightness": -5}, "brightness must be from -4 to 4"),
        ("tiny", {"gate_db": 81}, "gate_db must be from -80 to 80"),
        ("tiny", {"softest_db": -30}, "softest-db and loudest-db set a range together"),
        ("notes", {"voices": 2}, "voices must be 1. Received: 2"),
        ("notes", {"unnamed": True, "instruments": ["piano"]}, "contradict each other"),
        ("hush", {"strength": 1.5}, "from 0 to 1"),
    ],
)
def test_a_value_out_of_its_range_is_refused_when_it_is_asked_for(studio, given, model, values, words):
    asked = {"model": studio.model(model), "input": given["id"], "values": values}
    status, told = studio.json("POST", "/api/jobs", asked)
    assert (status, words in told["error"]) == (400, True), told


def test_two_results_of_a_model_are_told_apart(studio, given):
    jobs = [result_of(studio, "other", given, {"octaves": octaves}) for octaves in (0, 1, 0)]
    assert [job["label"] for job in jobs] == ["other", "other 2", "other 3"]
    names = [{file["name"] for file in job["result"]["files"]} for job in jobs]
    assert "sung-other-2.wav" in names[1]
    assert not names[0] & names[1] | names[1] & names[2]


def test_a_file_without_samples_is_refused_where_it_is_given(studio, tmp_path):
    write_audio(tmp_path / "short.wav", np.zeros(0, np.float32), RATE)
    job = studio.give(tmp_path / "short.wav")
    assert (job["state"], job["words"]) == ("failed", "short.wav holds no samples")
    asked = {"model": studio.model("tiny"), "input": job["id"], "values": {}}
    assert studio.json("POST", "/api/jobs", asked)[0] == 400


def test_all_that_is_over_is_removed_at_once(shelf_folder, sung, tmp_path):
    write_audio(tmp_path / "long.wav", np.tile(phrase(2.0), 60), RATE)
    with running(shelf_folder) as client:
        result_of(client, "tiny", client.give(sung), {})
        job = client.json("POST", "/api/inputs?name=a.wav", b"nothing")[1]
        assert client.wait(job["id"])["state"] == "failed"
        long = client.give(tmp_path / "long.wav")
        asked = {"model": client.model("tiny"), "input": long["id"], "values": {}}
        running_one = client.json("POST", "/api/jobs", asked)[1]
        assert client.ask("DELETE", "/api/jobs")[0] == 204
        left = client.json("GET", "/api/state")[1]["jobs"]
        assert [job["id"] for job in left] == [long["id"], running_one["id"]]
        assert len(list(client.keep.folder.iterdir())) == 2


def test_lengths_from_a_minute_on_are_told_in_minutes():
    told = [length_in_words(seconds) for seconds in (0.04, 59.94, 59.96, 65.4, 1800.0, 3725.0)]
    assert told == ["0.0 s", "59.9 s", "1:00 min", "1:05 min", "30:00 min", "62:05 min"]


def test_what_is_no_sound_is_told_by_the_name_that_it_was_given(studio, tmp_path):
    (tmp_path / "letter.wav").write_bytes(b"Dear Sir or Madam, " * 40)
    job = studio.give(tmp_path / "letter.wav")
    assert job["state"] == "failed"
    assert "letter.wav" in job["words"]
    assert "/" not in job["words"]


def test_a_job_that_is_cancelled_ends_at_once_and_leaves_nothing(studio, tmp_path):
    write_audio(tmp_path / "long.wav", np.tile(phrase(2.0), 60), RATE)
    given = studio.give(tmp_path / "long.wav")
    asked = {"model": studio.model("tiny"), "input": given["id"], "values": {}}
    job = studio.json("POST", "/api/jobs", asked)[1]
    studio.wait(job["id"], "running")
    status, told = studio.json("POST", f"/api/jobs/{job['id']}/cancel")
    assert (status, told["state"]) == (200, "cancelled")
    before = set(studio.keep.folder.iterdir())
    assert studio.ask("DELETE", f"/api/jobs/{job['id']}")[0] == 204
    assert len(set(studio.keep.folder.iterdir())) == len(before) - 1
    assert studio.ask("POST", f"/api/jobs/{job['id']}/cancel")[0] == 404


def test_a_sound_of_which_results_are_there_stays(studio, sung):
    given = studio.give(sung)
    job = result_of(studio, "hush", given, {})
    assert studio.json("DELETE", f"/api/jobs/{given['id']}")[0] == 400
    assert studio.ask("DELETE", f"/api/jobs/{job['id']}")[0] == 204
    assert studio.ask("DELETE", f"/api/jobs/{given['id']}")[0] == 204
    assert studio.ask("GET", f"/api/files/{given['result']['sound']['audio']}")[0] == 404


def test_a_model_that_is_dropped_can_be_chosen(studio):
    status, told = studio.json("POST", "/api/models?name=mine.tflite", TINY.read_bytes())
    assert status == 201
    assert studio.model("mine") == told["id"]
    status, told = studio.json("POST", "/api/models?name=bad.tflite", b"RIFF" * 100)
    assert (status, told["error"]) == (
        400,
        "bad.tflite is not a TFLite file (it does not begin with a TFL3 flatbuffer)",
    )


def test_nothing_is_left_when_it_ends(shelf_folder, sung):
    with running(shelf_folder) as client:
        client.give(sung)
        folder = client.keep.folder
        assert folder.stat().st_mode & 0o077 == 0
        assert list(folder.rglob("*.flac"))
    assert not folder.exists()


def test_what_a_studio_left_that_was_killed_is_removed(tmp_path, monkeypatch):
    pytest.importorskip("starlette", reason="needs pip install 'ddsp-tf[studio]'")
    from ddsp_edge.studio.keep import Keep

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    gone, others = tmp_path / "ddsp-studio-999999999-abc", tmp_path / "ddsp-studio-1-abc"
    for folder in (gone, others):
        folder.mkdir()
    with Keep(1000):
        assert not gone.exists()
        assert others.exists()


def test_the_command_needs_its_extra_and_says_so(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "ddsp_edge.studio.serve", raising=False)
    status, _, err = run("studio", "--no-browser", "--port", "0")
    assert status == 1
    assert "pip install 'ddsp-tf[studio]'" in err


@pytest.mark.skipif(os.name == "nt", reason="a process is not interrupted there as here")
def test_the_command_serves_until_it_is_interrupted_and_leaves_nothing(shelf_folder, sung, tmp_path):
    pytest.importorskip("starlette", reason="needs pip install 'ddsp-tf[studio]'")
    command = [sys.executable, "-m", "ddsp_edge", "studio", "--no-browser", "--port", "0", str(shelf_folder)]
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env) as process:
        line = process.stderr.readline()
        while "the studio is at" not in line:  # where there is no LiteRT that is told before
            line = process.stderr.readline()
        client = Client(int(line.split("127.0.0.1:")[1].split("/")[0]))
        client.give(sung)
        assert len(list(tmp_path.iterdir())) == 1
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_told(studio):
    from ddsp_edge.studio.serve import listening

    with pytest.raises(DdspError, match=r"cannot be listened at.*--port 0"):
        listening("127.0.0.1", studio.port)


@pytest.mark.parametrize("host", ["nosuch.invalid", "192.0.2.1"])
def test_an_address_of_another_machine_is_told_as_that(host):
    pytest.importorskip("starlette", reason="needs pip install 'ddsp-tf[studio]'")
    from ddsp_edge.studio.serve import listening

    with pytest.raises(DdspError, match=f"this machine has no address {host}"):
        listening(host, 0)


def test_the_state_is_that_of_the_server_so_that_a_reload_loses_nothing(studio, given):
    first, second = (json.loads(studio.ask("GET", "/api/state")[2]) for _ in range(2))
    assert first == second
    assert given["id"] in {job["id"] for job in first["jobs"]}
