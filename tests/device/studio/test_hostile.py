"""Requests that nobody means well by: each is refused, in words, and the studio goes on."""

import json
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
import pytest

from ddsp_edge.files.audio_writer import write_audio
from tests.device.render.test_render import RATE, phrase
from tests.device.studio.conftest import running

EVIL = "http://evil.example"


@pytest.fixture(autouse=True)
def goes_on(studio):
    """Whatever was asked, the next one is answered."""
    yield
    assert studio.ask("GET", "/api/state")[0] == 200


@pytest.fixture(scope="module")
def given(studio, tmp_path_factory):
    path = tmp_path_factory.mktemp("given") / "in.wav"
    write_audio(path, phrase(0.6), RATE)
    return studio.give(path)["id"]


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil.example:{port}", ""],
)
def test_another_name_that_leads_here_is_refused(studio, host):
    assert studio.ask("GET", "/", headers={"Host": host.format(port=studio.port)})[0] in (400, 421)


def test_two_hosts_are_refused(studio):
    with socket.create_connection(("127.0.0.1", studio.port), timeout=10) as line:
        line.sendall(
            f"GET /api/state HTTP/1.1\r\nHost: 127.0.0.1:{studio.port}\r\nHost: evil\r\n\r\n".encode()
        )
        assert b" 400 " in line.recv(4096).split(b"\r\n")[0] + b" "


@pytest.mark.parametrize("origin", [EVIL, "null", "http://127.0.0.1:1", "https://127.0.0.1:{port}", None])
def test_a_page_from_elsewhere_can_have_nothing_done(studio, given, origin):
    headers = {"Origin": origin and origin.format(port=studio.port)}
    asked = {"model": studio.model("tiny"), "input": given}
    assert studio.ask("POST", "/api/jobs", asked, headers)[0] == 403
    assert studio.ask("POST", "/api/inputs?name=a.wav", b"RIFF", headers)[0] == 403
    assert studio.ask("DELETE", f"/api/jobs/{given}", headers=headers)[0] == 403


def test_a_page_from_elsewhere_can_read_nothing(studio):
    assert studio.ask("GET", "/api/state", headers={"Origin": EVIL})[0] == 403
    assert studio.ask("GET", "/api/state", headers={"Sec-Fetch-Site": "cross-site"})[0] == 403
    assert studio.ask("GET", "/api/state", headers={"Sec-Fetch-Site": "same-site"})[0] == 403


def test_no_answer_lets_others_in_or_may_stand_in_a_frame(studio):
    for path in ("/", "/api/state", "/nothing", "/api/files/x"):
        _, headers, _ = studio.ask("GET", path)
        assert "access-control-allow-origin" not in headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
    assert studio.ask("OPTIONS", "/api/jobs", headers={"Access-Control-Request-Method": "POST"})[0] == 405


@pytest.mark.parametrize(
    "path",
    [
        "/../../../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/api/files/..%2f..%2fetc%2fpasswd",
        "/api/files//etc/passwd",
        "/api/files/%00",
        "/page/index.html",
        "/app.py",
        "//evil.example/",
        "/api/jobs/..%2f1",
    ],
)
def test_no_path_of_a_request_is_opened(studio, path):
    status, _, body = studio.ask("GET", path)
    assert status in (404, 405)
    assert b"root:" not in body


@pytest.mark.parametrize(
    "name", ["../../../../tmp/evil.wav", "..%5C..%5Cevil.wav", "%00.wav", "a" * 5000 + ".wav", "%1b[2J.mid"]
)
def test_a_name_of_a_file_is_a_label_and_nothing_else(studio, name):
    status, job = studio.json("POST", f"/api/inputs?name={name}", b"no sound at all" * 9)
    assert status == 201
    told = studio.wait(job["id"])
    assert told["state"] == "failed"
    assert "/" not in told["name"] + told["words"]
    assert told["name"].isprintable()
    assert len(told["name"]) <= 120
    kept = {path.name for path in studio.keep.folder.rglob("*") if path.is_file()}
    assert all(re.fullmatch(r"input(\.\w+)?", path) for path in kept)
    assert not [path for path in studio.keep.folder.parent.iterdir() if "evil" in path.name]
    assert studio.ask("DELETE", f"/api/jobs/{job['id']}")[0] == 204


@pytest.mark.parametrize(
    "values",
    [
        {"controls": "/tmp/evil.npz"},
        {"settings": "/etc/passwd"},
        {"quiet": True},
        {"octaves": "1; rm -rf /"},
        {"octaves": 1e400},
        {"octaves": [1, 2]},
        {"octaves": {"a": 1}},
        {"octaves": True},
        {"gate": "yes"},
        {"consonants": "__import__('os')"},
        {"seed": -1},
        {"__class__": "x"},
        ["octaves", 1],
    ],
)
def test_values_that_are_no_knobs_are_refused(studio, given, values, tmp_path):
    asked = {"model": studio.model("tiny"), "input": given, "values": values}
    status, told = studio.json("POST", "/api/jobs", asked)
    assert status == 400
    assert told["error"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"model": NaN}',
        b"[" * 60_000,
        b'{"model": 1}',
        b"\xff\xfe",
        b'{"model": "1"}',
    ],
)
def test_questions_that_are_none_are_refused(studio, body):
    status, _, told = studio.ask("POST", "/api/jobs", body, {"Content-Type": "application/json"})
    assert status == 400
    assert json.loads(told)["error"]


def test_a_question_that_never_ends_is_cut_off(studio):
    status, _, _ = studio.ask("POST", "/api/jobs", b" " * 70_000, {"Content-Type": "application/json"})
    assert status == 413


def test_a_form_of_another_page_is_no_question(studio, given):
    body = json.dumps({"model": "1", "input": given}).encode()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert studio.ask("POST", "/api/jobs", body, {"Content-Type": kind})[0] == 400


def test_more_than_is_taken_is_refused_before_it_is_sent_and_while_it_is(shelf_folder):
    with running(shelf_folder, most_bytes=100_000) as client:
        assert client.ask("POST", "/api/inputs?name=a.wav", b"x" * 100_001)[0] == 413
        folders = list(client.keep.folder.iterdir())
        # Of unknown length: counted while it comes.
        chunks = b"".join(b"2710\r\n" + b"x" * 10_000 + b"\r\n" for _ in range(11)) + b"0\r\n\r\n"
        headers = {"Transfer-Encoding": "chunked"}
        assert client.ask("POST", "/api/inputs?name=a.wav", chunks, headers)[0] == 413
        assert list(client.keep.folder.iterdir()) == folders == []


def test_a_model_that_is_too_large_is_refused_and_not_kept(shelf_folder, monkeypatch):
    with running(shelf_folder) as client:
        monkeypatch.setattr("ddsp_edge.studio.app._MOST_MODEL", 100)
        assert client.ask("POST", "/api/models?name=a.tflite", b"x" * 101)[0] == 413
        assert list(client.keep.folder.iterdir()) == []


def test_there_is_an_end_to_what_is_kept(shelf_folder):
    with running(shelf_folder, most_bytes=100_000, most_in_all=150_000) as client:
        noise = np.random.default_rng(0).integers(0, 255, 90_000, np.uint8).tobytes()
        assert client.ask("POST", "/api/inputs?name=a.wav", noise)[0] == 201
        status, told = client.json("POST", "/api/inputs?name=b.wav", noise)
        assert status == 400
        assert "room for 0 MB more" in told["error"]


def test_an_empty_file_is_refused(studio):
    assert studio.ask("POST", "/api/inputs?name=a.wav", b"")[0] == 400


def test_a_line_that_breaks_off_leaves_nothing(studio):
    before = sorted(studio.keep.folder.iterdir())
    with socket.create_connection(("127.0.0.1", studio.port), timeout=10) as line:
        host = f"127.0.0.1:{studio.port}"
        head = f"POST /api/inputs?name=a HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n"
        line.sendall(head.encode() + b"Content-Length: 9999\r\n\r\nabc")
    for _ in range(100):
        if sorted(studio.keep.folder.iterdir()) == before:
            break
        studio.ask("GET", "/api/state")
    assert sorted(studio.keep.folder.iterdir()) == before


def test_headers_without_end_are_cut_off(studio):
    taken = 0
    with socket.create_connection(("127.0.0.1", studio.port), timeout=10) as line:
        line.sendall(b"GET / HTTP/1.1\r\nX: ")
        with suppress(OSError):
            while taken < 200_000_000:
                line.sendall(b"a" * 100_000)
                taken += 100_000
    assert taken < 200_000_000


def test_a_web_socket_is_not_opened(studio):
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": "x" * 22 + "==",
        "Sec-WebSocket-Version": "13",
    }
    assert studio.ask("GET", "/api/state", headers=headers)[0] != 101


def test_there_are_not_more_jobs_than_may_be(shelf_folder, monkeypatch, tmp_path):
    pytest.importorskip("starlette", reason="needs pip install 'ddsp-tf[studio]'")
    monkeypatch.setattr("ddsp_edge.studio.jobs.MOST", 2)
    write_audio(tmp_path / "in.wav", phrase(0.6), RATE)
    with running(shelf_folder) as client:
        sound = (tmp_path / "in.wav").read_bytes()
        found = [client.ask("POST", "/api/inputs?name=a.wav", sound)[0] for _ in range(3)]
        assert found == [201, 201, 400]
        assert len(list(client.keep.folder.iterdir())) == 2


def test_jobs_that_nothing_came_of_keep_nobody_out(shelf_folder, monkeypatch, tmp_path):
    pytest.importorskip("starlette", reason="needs pip install 'ddsp-tf[studio]'")
    monkeypatch.setattr("ddsp_edge.studio.jobs.MOST", 2)
    write_audio(tmp_path / "in.wav", phrase(0.6), RATE)
    with running(shelf_folder) as client:
        for _ in range(2):
            job = client.json("POST", "/api/inputs?name=a.wav", b"nothing")[1]
            assert client.wait(job["id"])["state"] == "failed"
        assert client.give(tmp_path / "in.wav")["state"] == "done"
        assert len(list(client.keep.folder.iterdir())) == 1


def test_many_files_at_once_are_each_answered_in_words(shelf_folder):
    with running(shelf_folder) as client, ThreadPoolExecutor(14) as hands:
        for _ in range(5):
            sent = [b"no sound" * 9 if number % 2 else b"" for number in range(14)]
            answers = list(hands.map(lambda data: client.ask("POST", "/api/inputs?name=a.wav", data), sent))
            assert [status for status, _, _ in answers] == [400, 201] * 7
            jobs = [json.loads(body) for _, _, body in answers]
            assert all(job["error"] == "the file is empty" for job in jobs[::2])
            list(hands.map(lambda job: client.ask("DELETE", f"/api/jobs/{job['id']}"), jobs[1::2]))


def test_room_is_counted_while_others_remove_what_they_made():
    pytest.importorskip("starlette", reason="needs pip install 'ddsp-tf[studio]'")
    from ddsp_edge.studio.keep import Keep, without_paths

    with Keep(1000) as keep, ThreadPoolExecutor(4) as hands:
        (keep.new_folder() / "stays").write_bytes(b"x" * 10)

        def come_and_go():
            for _ in range(300):
                folder = keep.new_folder()
                (folder / "input").write_bytes(b"x")
                keep.drop(folder)

        going = [hands.submit(come_and_go) for _ in range(4)]
        while not all(each.done() for each in going):
            assert 990 - 4 <= keep.room() <= 990
            assert without_paths("words", keep.folder, "") == "words"
        assert keep.room() == 990


def test_what_nobody_expected_is_told_in_words_and_tells_nothing(shelf_folder, monkeypatch):
    failures = iter((RuntimeError("/a/secret"), OSError(28, "disk full")))

    def broken(keep):
        raise next(failures)

    with running(shelf_folder) as client:
        monkeypatch.setattr("ddsp_edge.studio.keep.Keep.room", broken)
        for words in ("try again", "disk full"):
            status, told = client.json("POST", "/api/inputs?name=a.wav", b"x")
            assert (status, words in told["error"], "secret" in told["error"]) == (500, True, False)
        assert client.json("GET", "/api/state")[0] == 200


def test_whoever_comes_from_another_machine_needs_the_token(shelf_folder):
    with running(shelf_folder, host="0.0.0.0", token="secret-word") as client:
        assert client.ask("GET", "/")[0] == 401
        assert client.ask("GET", "/?token=guess")[0] == 401
        assert client.ask("GET", "/api/state?token=secret-word")[0] == 401  # the page alone takes it
        status, headers, _ = client.ask("GET", "/?token=secret-word")
        assert (status, headers["location"]) == (303, "/")
        assert "HttpOnly" in headers["set-cookie"]
        assert "SameSite=Strict" in headers["set-cookie"]
        cookie = {"Cookie": headers["set-cookie"].split(";")[0]}
        assert client.ask("GET", "/api/state", headers=cookie)[0] == 200
        assert client.ask("GET", "/api/state", headers={"Cookie": "ddsp-studio=secret-wore"})[0] == 401
        own = socket.gethostname().removesuffix(".local") + ".local"
        named = {**cookie, "Host": f"{own}:{client.port}", "Origin": f"http://{own}:{client.port}"}
        assert client.ask("GET", "/api/state", headers=named)[0] == 200
        rebound = {**cookie, "Host": f"evil.example:{client.port}"}
        assert client.ask("GET", "/api/state", headers=rebound)[0] == 421
