"""A recording becomes an instrument or a voice in the studio, by the real commands of the library."""

from pathlib import Path

import pytest

from ddsp_edge.files.audio_writer import write_audio
from tests.device.studio.conftest import running
from tests.tasks.voice.speech import utterance

FLUTE = Path(__file__).parents[2] / "demo" / "recordings" / "flute-phrase.flac"


@pytest.mark.slow
def test_a_recording_is_prepared_trained_exported_and_played(tmp_path):
    (tmp_path / "models").mkdir()
    with running(tmp_path / "models", runs=tmp_path / "runs") as client:
        given = client.give(FLUTE)
        asked = {"name": "flute", "config": "solo_instrument", "steps": 2, "inputs": [given["id"]]}
        status, job = client.json("POST", "/api/trainings", asked)
        assert status == 201
        job = client.wait(job["id"], seconds=900)
        assert job["state"] == "done", job
        assert job["result"]["warnings"] == []  # it was measured
        assert job["live"]["step"] == [2.0]
        recording, instrument = job["live"]["sounds"]
        assert (recording["kind"], instrument["step"]) == ("recording", 2)
        assert recording["seconds"] == instrument["seconds"] > 1.0
        assert client.ask("GET", f"/api/files/{instrument['audio']}")[2][:4] == b"fLaC"
        asked = {"model": client.model("flute"), "input": given["id"], "values": {}}
        played = client.wait(client.json("POST", "/api/jobs", asked)[1]["id"])
        assert played["state"] == "done", played


@pytest.mark.slow
def test_somebody_becomes_a_voice_and_another_is_converted(tmp_path):
    (tmp_path / "models").mkdir()
    for name, speaker in (("me", 1), ("somebody", 3)):
        write_audio(
            tmp_path / f"{name}.wav", utterance(speaker, 40.0 if name == "me" else 2.0, 140.0)[0], 16_000
        )
    with running(tmp_path / "models", runs=tmp_path / "runs") as client:
        given = client.give(tmp_path / "me.wav")
        asked = {"name": "me", "config": "voice", "steps": 2, "inputs": [given["id"]], "consent": True}
        status, job = client.json("POST", "/api/trainings", asked)
        assert status == 201
        job = client.wait(job["id"], seconds=900)
        assert job["state"] == "done", job
        assert job["result"]["warnings"] == []
        other = client.give(tmp_path / "somebody.wav")
        asked = {"model": client.model("me"), "input": other["id"], "values": {}}
        converted = client.wait(client.json("POST", "/api/jobs", asked)[1]["id"])
        assert converted["state"] == "done", converted
