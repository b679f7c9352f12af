"""`ddsp-edge install-service` as a user meets it."""

import sys

import pytest

from tests.device.cli.conftest import settings_file
from tests.device.conftest import TINY


def test_a_service_is_written_and_names_whole_paths(run, tmp_path, monkeypatch):
    folder = tmp_path / 'of 100 % "mine"'
    folder.mkdir()
    (folder / "tiny.tflite").write_bytes(TINY.read_bytes())
    settings = settings_file(folder, 'instrument = "tiny.tflite"\nvoices = 2')
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    (tmp_path / "ddsp-edge").touch()
    status, out, err = run("install-service", "midi", settings, "--folder", tmp_path / "units")
    assert (status, err) == (0, "")
    assert "systemctl --user enable --now ddsp-edge.service" in out
    unit = (tmp_path / "units" / "ddsp-edge.service").read_text()
    quoted = str(settings.resolve()).replace("%", "%%").replace('"', '\\"')
    assert f'ExecStart="{tmp_path}/ddsp-edge" midi --settings "{quoted}"\n' in unit
    assert "Restart=always" in unit
    assert "takes the place" not in out
    assert (
        "takes the place" not in run("install-service", "midi", settings, "--folder", tmp_path / "units")[1]
    )
    settings = settings_file(folder, 'instrument = "tiny.tflite"')
    _, out, _ = run("install-service", "play", settings, "--folder", tmp_path / "units")
    assert "takes the place of the one that ran" in out
    assert "midi --settings" in out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "settings.toml: no such file"),
        ("voices = 2", "voices is no option here"),
        ("gain-db = 0", "settings.toml names no instrument"),
        ("loudest-db = -20", "softest-db and loudest-db set a range together"),
        ('instrument = "none.tflite"', "none.tflite: no such file"),
        ('instrument = "settings.toml"', "settings.toml is not a TFLite file"),
    ],
)
def test_a_service_that_would_not_start_is_refused(run, tmp_path, text, words):
    settings = tmp_path / "settings.toml" if text is None else settings_file(tmp_path, text)
    status, _, err = run("install-service", "play", settings, "--folder", tmp_path)
    assert status == 1
    assert words in err
    assert not (tmp_path / "ddsp-edge.service").exists()
