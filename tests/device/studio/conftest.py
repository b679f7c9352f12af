"""A studio that runs, and a way to ask it that sends whatever a test wants to send."""

import http.client
import json
import threading
import time
from contextlib import contextmanager

import pytest

from tests.device.conftest import RESTORATION, TINY


class Client:
    """Asks a studio as a browser would: with Host and Origin, if nothing else is said."""

    def __init__(self, port, keep=None):
        self.port, self.keep = port, keep

    def ask(self, method, path, body=None, headers=(), plain=False):
        """Ask; returns status, headers and body."""
        given = {"Host": f"127.0.0.1:{self.port}", "Origin": f"http://127.0.0.1:{self.port}"}
        if isinstance(body, dict | list):
            body, given["Content-Type"] = json.dumps(body).encode(), "application/json"
        given = dict(headers) if plain else {**given, **dict(headers)}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        lowered = {name.lower() for name in given}
        if body is not None and not {"content-length", "transfer-encoding"} & lowered:
            given["Content-Length"] = str(len(body))
        for name, value in given.items():
            if value is not None:
                connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        data = response.read()
        connection.close()
        return response.status, dict(response.getheaders()), data

    def json(self, method, path, body=None, headers=()):
        """Ask for JSON; returns status and document."""
        status, _, data = self.ask(method, path, body, headers)
        return status, json.loads(data) if data else None

    def wait(self, number, *states, seconds=60):
        """Wait until a job is in one of these states; returns it."""
        for _ in range(20 * seconds):
            jobs = {job["id"]: job for job in self.json("GET", "/api/state")[1]["jobs"]}
            if jobs[number]["state"] in (states or ("done", "failed", "cancelled")):
                return jobs[number]
            time.sleep(0.05)
        raise TimeoutError(jobs[number])

    def give(self, path, name=None):
        """Send a file; returns the job that has looked at it."""
        status, job = self.json("POST", f"/api/inputs?name={name or path.name}", path.read_bytes())
        assert status == 201, job
        return self.wait(job["id"])

    def model(self, label):
        """The number of a model by its label."""
        return next(m["id"] for m in self.json("GET", "/api/models")[1]["models"] if m["label"] == label)


@contextmanager
def running(folder, **how):
    """A studio with the models of a folder, in a thread."""
    pytest.importorskip("starlette", reason="needs pip install 'ddsp-tf[studio]'")
    pytest.importorskip("uvicorn", reason="needs pip install 'ddsp-tf[studio]'")
    from ddsp_edge.studio.keep import Keep
    from ddsp_edge.studio.serve import listening, make_server
    from ddsp_edge.studio.shelf import Shelf

    most_bytes = how.pop("most_bytes", 50_000_000)
    with Keep(how.pop("most_in_all", 8 * most_bytes)) as keep, listening("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        host = how.pop("host", "127.0.0.1")
        given = how.pop("token", None), how.pop("runs", None)
        server = make_server(keep, Shelf([folder]), host, port, most_bytes, *given)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield Client(port, keep)
        server.should_exit = True
        thread.join(10.0)
        assert not thread.is_alive()


@pytest.fixture(scope="session")
def shelf_folder(tmp_path_factory):
    """A folder of models as a user has one."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "tiny.tflite").write_bytes(TINY.read_bytes())
    (folder / "other.tflite").write_bytes(TINY.read_bytes())
    (folder / "hush.tflite").write_bytes(RESTORATION.read_bytes())
    return folder


@pytest.fixture(scope="module")
def studio(shelf_folder):
    """A studio for the tests of a file."""
    with running(shelf_folder) as client:
        yield client
