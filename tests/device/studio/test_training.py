"""Trainings as jobs of the studio, with commands that pretend; `tests/cli/test_studio.py` has real ones."""

import json
import os
import time

import pytest

from ddsp_edge.files.audio_writer import write_audio
from tests.device.conftest import TINY
from tests.device.render.test_render import RATE, phrase
from tests.device.studio.conftest import running

PRETENDED = """
import array, pathlib, random, shutil, signal, sys, time, wave
word, rest = sys.argv[1], sys.argv[2:]
option = lambda name: rest[rest.index(name) + 1]
out = pathlib.Path(option("--out")) if "--out" in rest else pathlib.Path(rest[0])
told = [" resumed"] * ("--resume" in rest) + [" agreed"] * ("--i-have-consent" in rest)
with open({log!r}, "a") as log:
    log.write(word + "".join(told) + "\\n")
if word == "evaluate":
    if "unmeasured" in (out / "name").read_text():
        sys.exit("ddsp-tf: error: nothing is held back")
    (out / "report.html").write_text("<p>a report, with scores")
elif word == "prepare":
    out.mkdir()
    (out / "dataset.json").write_text("{{}}")
elif word == "train":
    def sound(name, level):
        (out / "sounds").mkdir(parents=True, exist_ok=True)
        with wave.open(str(out / "sounds" / (name + ".part")), "wb") as file:
            file.setparams((1, 2, 16000, 0, "NONE", ""))
            samples = [int(random.gauss(0.0, level)) for _ in range({seconds} * 16000)]
            file.writeframes(array.array("h", samples).tobytes())
        (out / "sounds" / (name + ".part")).replace(out / "sounds" / (name + ".wav"))
    if "bad" in option("--set"):
        sys.exit("ddsp-tf: error: dataset: all of it is silent")
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(1))
    (out / "checkpoints").mkdir(parents=True, exist_ok=True)
    (out / "name").write_text(option("--set"))
    begun = 2 if "--resume" in rest else 0
    if "--sounds" in rest and "mute" not in option("--set"):
        sound("recording", 3000.0)
    for step in range(begun, 4):
        with (out / "log.csv").open("a") as file:
            file.write("" if step else "step,loss,val_loss\\n")
            file.write(f"{{100 * (step + 1)}},{{9 - step}},{{9.5 - step}}\\n")
        if (out / "sounds").exists():
            sound(f"step-{{100 * (step + 1):08d}}", 1000.0)
            if step:
                (out / "sounds" / f"step-{{100 * step:08d}}.wav").unlink(missing_ok=True)
        time.sleep(0.7 if "slow" in option("--set") else 0.0)
        on = pathlib.Path({goes_on!r} + str(step))
        while "held" in option("--set") and not on.exists() and not stopped:
            time.sleep(0.02)
        if stopped:
            sys.exit(143)
    (out / "report.html").write_text("<p>a report")
else:
    shutil.copy({tiny!r}, out)
"""


@pytest.fixture
def log(tmp_path, monkeypatch):
    """The file that a library that pretends writes its commands into."""
    return pretend(tmp_path, monkeypatch)


def pretend(tmp_path, monkeypatch, seconds=1):
    """Have a library that pretends found first; returns the file that it writes its commands into.

    Its trainings are 4 epochs of 100 steps. One that is called held goes on after the first when there is a
    file `goes-on-0` beside that file, after the second when there is `goes-on-1`, and so on.
    """
    package = tmp_path / "pretended" / "ddsp_tf" / "cli"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").touch()
    found = tmp_path / "commands.txt"
    (package / "main.py").write_text(
        PRETENDED.format(log=str(found), tiny=str(TINY), seconds=seconds, goes_on=str(tmp_path / "goes-on-"))
    )
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(package.parents[1]), os.environ.get("PYTHONPATH", "")])
    )
    return found


@pytest.fixture
def studio(log, shelf_folder, tmp_path):
    with running(shelf_folder, runs=tmp_path / "runs") as client:
        yield client


@pytest.fixture
def given(studio, tmp_path):
    write_audio(tmp_path / "sung.wav", phrase(0.6), RATE)
    return studio.give(tmp_path / "sung.wav")["id"]


def train(studio, given, name, **changes):
    asked = {"name": name, "config": "solo_instrument", "steps": 400, "inputs": [given], **changes}
    return studio.json("POST", "/api/trainings", asked)


def test_recordings_become_a_model_that_can_be_chosen(studio, given, log, tmp_path):
    status, job = train(studio, given, "My flute")
    assert status == 201
    job = studio.wait(job["id"])
    assert job["state"] == "done", job
    assert log.read_text().split() == ["prepare", "train", "export", "evaluate"]
    sounds = job["live"].pop("sounds")
    assert [(sound["kind"], sound.get("step")) for sound in sounds] == [
        ("recording", None),
        ("resynthesis", 400),
    ]
    assert job["live"] == {
        "step": [100.0, 200.0, 300.0, 400.0],
        "loss": [9.0, 8.0, 7.0, 6.0],
        "val_loss": [9.5, 8.5, 7.5, 6.5],
    }
    assert studio.model("My flute")
    names = {file["kind"]: file for file in job["result"]["files"]}
    assert studio.ask("GET", f"/api/files/{names['model']['file']}?save")[2] == TINY.read_bytes()
    # A page of somebody else's making is saved, never shown as one of the studio.
    assert (
        studio.ask("GET", f"/api/files/{names['report']['file']}")[1]["content-type"]
        == "application/octet-stream"
    )
    assert studio.ask("DELETE", f"/api/jobs/{job['id']}")[0] == 204
    assert (tmp_path / "runs" / "My-flute" / "model.tflite").exists()  # it stays where it was asked to be


def test_a_training_is_stopped_and_goes_on(studio, given, log):
    job = train(studio, given, "slow one")[1]
    for _ in range(300):
        live = next(j for j in studio.json("GET", "/api/state")[1]["jobs"] if j["id"] == job["id"]).get(
            "live"
        )
        if live:
            break
        time.sleep(0.05)
    assert live["loss"][0] == 9.0
    assert studio.json("POST", f"/api/jobs/{job['id']}/cancel")[1]["state"] == "cancelled"
    assert studio.json("POST", f"/api/jobs/{job['id']}/go-on")[0] == 200
    assert studio.wait(job["id"])["state"] == "done"
    assert log.read_text().splitlines() == ["prepare", "train", "train resumed", "export", "evaluate"]


def test_what_it_sounds_like_is_heard_while_it_trains_and_later(studio, given, tmp_path):
    job = train(studio, given, "held one")[1]
    first = heard(studio, job, 100)
    old, new = first["resynthesis"], first["recording"]
    for sound in (old, new):
        _, headers, flac = studio.ask("GET", f"/api/files/{sound['audio']}")
        assert (headers["content-type"], flac[:4]) == ("audio/flac", b"fLaC")
        picture = studio.ask("GET", f"/api/files/{sound['picture']}")[2]
        assert len(picture) == sound["columns"] * sound["rows"] > 0
        assert max(picture) > 50  # it is no silence
    (tmp_path / "goes-on-0").touch()
    second = heard(studio, job, 200)
    assert second["recording"] == first["recording"]  # which is the same: a page leaves it as it is
    assert second["resynthesis"]["audio"] != old["audio"]
    # Somebody may be listening to the one before; only older ones go.
    assert studio.ask("GET", f"/api/files/{old['audio']}")[0] == 200
    (tmp_path / "goes-on-1").touch()
    third = heard(studio, job, 300)
    assert studio.ask("GET", f"/api/files/{old['audio']}")[0] == 404
    folders = [
        p for p in studio.keep.folder.iterdir() if any(f.name.startswith("step-") for f in p.iterdir())
    ]
    assert len(folders) == 1
    assert len(list(folders[0].iterdir())) == 6  # sound and picture of three
    # Stopped, it can still be heard; gone on with, it is heard again; done, it stays.
    assert studio.json("POST", f"/api/jobs/{job['id']}/cancel")[1]["state"] == "cancelled"
    assert heard(studio, job, 300) == third
    for number in (2, 3):
        (tmp_path / f"goes-on-{number}").touch()
    studio.json("POST", f"/api/jobs/{job['id']}/go-on")
    assert studio.wait(job["id"])["state"] == "done"
    last = heard(studio, job, 400)["resynthesis"]
    assert studio.ask("GET", f"/api/files/{last['audio']}")[0] == 200
    assert not list((tmp_path / "runs").rglob("*.flac"))  # what is made for the page stays with the studio
    assert studio.ask("DELETE", f"/api/jobs/{job['id']}")[0] == 204
    assert studio.ask("GET", f"/api/files/{last['audio']}")[0] == 404
    assert not folders[0].exists()
    assert (tmp_path / "runs" / "held-one" / "run" / "sounds" / "recording.wav").exists()


def heard(studio, job, step):
    """The sounds of a training by their kind, as soon as there is that of a step."""
    for _ in range(400):
        jobs = {each["id"]: each for each in studio.json("GET", "/api/state")[1]["jobs"]}
        sounds = {sound["kind"]: sound for sound in jobs[job["id"]].get("live", {}).get("sounds", [])}
        if sounds.get("resynthesis", {}).get("step") == step:
            return sounds
        time.sleep(0.05)
    raise TimeoutError(jobs[job["id"]])


def test_no_path_leads_to_what_is_heard(studio, given, tmp_path):
    job = studio.wait(train(studio, given, "one")[1]["id"])
    assert job["state"] == "done"
    made = [path for path in studio.keep.folder.rglob("*.flac") if path.name.startswith("step-")]
    places = [*made, *(tmp_path / "runs" / "one" / "run" / "sounds").iterdir()]
    assert made
    assert len(places) >= 3
    for path in places:
        for asked in (path.name, str(path), str(path).replace("/", "%2f"), f"../{path.name}"):
            assert studio.ask("GET", f"/api/files/{asked}")[0] == 404
    told = json.dumps(job)
    assert str(studio.keep.folder) not in told
    assert "step-00000400" not in told


def test_a_training_without_sounds_is_as_good(studio, given):
    job = studio.wait(train(studio, given, "mute one")[1]["id"])
    assert job["state"] == "done"
    assert "sounds" not in job["live"]


def test_a_voice_is_made_of_whoever_agreed(studio, given, log):
    trains = {each["config"]: each for each in studio.json("GET", "/api/models")[1]["trains"]}
    assert trains["voice"] == {"config": "voice", "makes": "a voice", "consent": True}
    assert not trains["solo_instrument"]["consent"]
    for consent in ({}, {"consent": False}, {"consent": "yes"}, {"consent": 1}):
        status, told = train(studio, given, "me", config="voice", **consent)
        assert (status, "must have agreed" in told["error"]) == (400, True)
    assert not log.exists()
    job = studio.wait(train(studio, given, "me", config="voice", consent=True)[1]["id"])
    assert job["state"] == "done"
    assert log.read_text().splitlines()[0] == "prepare agreed"
    assert studio.wait(train(studio, given, "flute", consent=True)[1]["id"])["state"] == "done"
    assert log.read_text().splitlines()[4] == "prepare"  # of an instrument nobody has to agree


def test_a_model_that_could_not_be_measured_is_there_all_the_same(studio, given):
    job = studio.wait(train(studio, given, "unmeasured one")[1]["id"])
    assert job["state"] == "done"
    assert job["result"]["warnings"] == ["how good it is could not be measured: nothing is held back"]
    assert studio.model("unmeasured one")


def test_trainings_leave_the_others_their_turn(studio, given, tmp_path):
    first, second = (train(studio, given, f"held {name}")[1] for name in ("one", "two"))
    heard(studio, first, 100)
    write_audio(tmp_path / "next.wav", phrase(0.6), RATE)
    looked = studio.give(tmp_path / "next.wav")
    asked = {"model": studio.model("tiny"), "input": looked["id"], "values": {}}
    played = studio.json("POST", "/api/jobs", asked)[1]
    assert studio.wait(played["id"])["state"] == "done"
    jobs = {job["id"]: job for job in studio.json("GET", "/api/state")[1]["jobs"]}
    assert (jobs[first["id"]]["state"], jobs[second["id"]]["state"]) == ("running", "waiting")
    assert jobs[second["id"]]["words"] == "waits until the training before it has ended"
    studio.json("POST", f"/api/jobs/{first['id']}/cancel")
    heard(studio, second, 100)  # it is its turn


def test_what_is_done_after_the_last_step_is_told():
    from ddsp_edge.studio.training import _words

    live = {"step": [5.0], "loss": [9.0]}
    assert _words("train", 10, live) == "step 5 of 10, loss 9.00"
    assert _words("train", 5, live).startswith("all 5 steps are done")


def test_what_a_command_says_is_told(studio, given):
    job = studio.wait(train(studio, given, "bad one")[1]["id"])
    assert (job["state"], job["words"]) == ("failed", "dataset: all of it is silent")


def test_what_cannot_be_trained_is_refused(studio, given, tmp_path):
    for changes in (
        {"name": "../../etc"},
        {"name": "a=b"},
        {"name": ""},
        {"config": "/etc/passwd"},
        {"steps": 0},
        {"steps": "many"},
        {"steps": True},
        {"inputs": ["99"]},
        {"inputs": []},
        {"inputs": "1"},
    ):
        assert train(studio, given, **{"name": "x", **changes})[0] == 400
    assert not (tmp_path / "runs").exists()


def test_nothing_is_trained_where_that_was_not_asked_for(shelf_folder):
    with running(shelf_folder) as client:
        assert json.loads(client.ask("GET", "/api/models")[2])["trains"] == []
        status, told = train(client, "1", "x")
        assert (status, "--train FOLDER" in told["error"]) == (400, True)
