"""Models that come with the package: listed, and taken by name."""

import shutil

import pytest

from ddsp_edge import shipped
from ddsp_edge.cli.main import main


@pytest.fixture
def models(tmp_path, monkeypatch, tiny):
    folder = tmp_path / "models"
    folder.mkdir()
    shutil.copy(tiny, folder / "kazoo.tflite")
    monkeypatch.setattr(shipped, "FOLDER", folder)
    monkeypatch.chdir(tmp_path)
    return folder


def test_models_are_listed(models, capsys):
    assert main(["models"]) == 0
    (line, pages) = capsys.readouterr().out.splitlines()
    assert line.startswith("kazoo  instrument, 16 kHz, ")
    assert pages == f"pages: {models}"


def test_a_name_stands_for_its_file(models, capsys):
    assert main(["info", "kazoo"]) == 0
    assert "kazoo.tflite" in capsys.readouterr().out


def test_a_folder_of_the_same_name_is_not_in_the_way(models, tmp_path, capsys):
    (tmp_path / "kazoo").mkdir()
    assert main(["info", "kazoo"]) == 0


def test_a_file_of_the_same_name_comes_first(models, tmp_path, capsys):
    (tmp_path / "kazoo").write_bytes(b"nothing")
    assert main(["info", "kazoo"]) == 1


def test_a_name_that_nothing_has_is_told_with_those_that_there_are(models, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["info", "kazo"])
    assert "comes with ddsp-edge (kazoo). Did you mean 'kazoo'?" in capsys.readouterr().err
